"""Optimizers and schedules against torch, step by step, in float64."""

import numpy as np
import pytest
import torch

from fastmlp import Sequential, layers, optimizers, schedules
from tests.backends import ALL

STEPS, BATCH, EPOCHS = 200, 16, 50
COSINE = schedules.CosineDecay(0.02, 150, alpha=0.1, warmup_target=0.03, warmup_steps=20)
CASES = {
    "sgd on a cosine": (
        lambda: optimizers.SGD(COSINE),
        lambda w: torch.optim.SGD(w, 1.0),
    ),
    "momentum on a function of the step": (
        lambda: optimizers.SGD(lambda step: 0.1 / (1 + step), 0.9, nesterov=True),
        None,  # torch scales its velocity otherwise when the rate changes: see below
    ),
    "adam": (
        lambda: optimizers.Adam(0.01),
        lambda w: torch.optim.Adam(w, 0.01, eps=1e-7),
    ),
    "adam with other numbers": (
        lambda: optimizers.Adam(0.02, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
        lambda w: torch.optim.Adam(w, 0.02, betas=(0.8, 0.95), eps=1e-3),
    ),
    "adamw on a cosine": (
        lambda: optimizers.AdamW(COSINE, weight_decay=0.1),
        lambda w: torch.optim.AdamW(w, 1.0, eps=1e-7, weight_decay=0.1),
    ),
}


def data():
    rng = np.random.default_rng(0)
    return rng.standard_normal((STEPS // EPOCHS * BATCH, 7)), rng.integers(0, 5, 64)


def ours(optimizer, backend, epochs=EPOCHS):
    model = Sequential(
        [layers.Input(7), layers.Dense(9, "tanh"), layers.Dense(5, "softmax")],
        seed=1, dtype="float64", backend=backend,
    )  # fmt: skip
    model.compile(optimizer, "sparse_categorical_crossentropy")
    before = model.get_weights()
    model.fit(*data(), batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0)
    return before, model.get_weights()


def gradients(weights, step):
    """The batch's gradients by autograd."""
    x, y = data()
    rows = slice(step % 4 * BATCH, step % 4 * BATCH + BATCH)
    hidden = torch.tanh(torch.tensor(x[rows]) @ weights[0] + weights[1])
    logits = hidden @ weights[2] + weights[3]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y[rows]))
    return torch.autograd.grad(loss, weights)


def rate(optimizer, step):
    given = optimizer.learning_rate
    return given(step) if callable(given) else given


def theirs(optimizer, make, before):
    weights = [torch.tensor(w, requires_grad=True) for w in before]
    velocity = [torch.zeros_like(w) for w in weights]
    stepper = None if make is None else make(weights)
    for step in range(STEPS):
        found, now = gradients(weights, step), rate(optimizer, step)
        if stepper is None:  # Keras' momentum, in which the rate is part of the velocity
            with torch.no_grad():
                for w, v, g in zip(weights, velocity, found, strict=True):
                    v.mul_(0.9).sub_(now * g)
                    w.add_(0.9 * v - now * g)
            continue
        for group in stepper.param_groups:
            group["lr"] = now
        for w, g in zip(weights, found, strict=True):
            w.grad = g
        stepper.step()
    return [w.detach().numpy() for w in weights]


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("case", CASES)
def test_200_steps_are_those_of_torch(backend, case):
    make, theirs_of = CASES[case]
    before, after = ours(make(), backend)
    for own, other in zip(after, theirs(make(), theirs_of, before), strict=True):
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("backend", ALL)
def test_a_fit_in_parts_is_a_fit_in_one(backend):
    """Moments, bias corrections and schedules go on where they were."""

    def trained(parts):
        model = Sequential([layers.Input(7), layers.Dense(5, "softmax")], seed=1, backend=backend)
        model.compile(optimizers.AdamW(COSINE), "sparse_categorical_crossentropy")
        for epochs in parts:
            model.fit(*data(), batch_size=BATCH, epochs=epochs, verbose=0)
        return model.params.tobytes()

    assert trained([6]) == trained([1, 2, 3])
