"""Optimizers and schedules against torch, step by step, in float64."""

import inspect
from collections import defaultdict

import numpy as np
import pytest
import torch

from fastmlp import Sequential, layers, optimizers, schedules
from tests.backends import ALL

STEPS, BATCH, EPOCHS = 200, 16, 50
COSINE = schedules.CosineDecay(0.02, 150, alpha=0.1, warmup_target=0.03, warmup_steps=20)


# Formulas of Keras' meaning, where torch has another or none: each changes w, and the moments s,
# which are 0 at first, by step t, counted from 1, of a rate.


def nesterov(w, g, s, t, rate):
    """The rate is part of the velocity (Sutskever et al., 2013)."""
    s["v"] = 0.9 * s["v"] - rate * g
    w += 0.9 * s["v"] - rate * g


def momentum_with_decay(w, g, s, t, rate):
    w -= rate * 0.1 * w
    s["v"] = 0.9 * s["v"] - rate * g
    w += s["v"]


def decayed_descent(w, g, s, t, rate):
    w -= rate * 0.1 * w + rate * g


def rmsprop(momentum=0.0, centered=False, decay=0.0):
    """Hinton (2012), and Graves (2013)."""

    def step(w, g, s, t, rate):
        s["s"] = 0.8 * s["s"] + 0.2 * g**2
        s["a"] = 0.8 * s["a"] + 0.2 * g
        scale = np.sqrt(s["s"] - centered * s["a"] ** 2 + 1e-4)
        w -= rate * decay * w
        s["v"] = momentum * s["v"] + rate * g / scale
        w -= s["v"]

    return step


def adagrad(w, g, s, t, rate):
    """Duchi, Hazan & Singer (2011), from a sum of 0.2."""
    s["s"] = s["s"] + g**2
    w -= rate * g / np.sqrt(0.2 + s["s"] + 1e-4)


def adamax(w, g, s, t, rate):
    """Section 7.1 of Kingma & Ba (2015), with an epsilon."""
    s["m"] = 0.8 * s["m"] + 0.2 * g
    s["u"] = np.maximum(0.95 * s["u"], np.abs(g))
    w -= rate / (1 - 0.8**t) * s["m"] / (s["u"] + 1e-4)


def lion(w, g, s, t, rate):
    """Chen et al. (2023), with its decay."""
    w -= rate * 0.1 * w + rate * np.sign(0.8 * s["m"] + 0.2 * g)
    s["m"] = 0.95 * s["m"] + 0.05 * g


def clipped_to(norm):
    """Torch's clipping adds 1e-6 to a norm: this is Keras' formula."""

    def clip(gradients):
        length = np.sqrt(sum((g**2).sum() for g in gradients))
        return [g * norm / max(length, norm) for g in gradients]

    return clip


# What becomes of the gradients before a step.
CLIPPINGS = {
    "clipvalue": lambda gradients: [np.clip(g, -0.02, 0.02) for g in gradients],
    "clipnorm": lambda gradients: [clipped_to(0.1)([g])[0] for g in gradients],
    "global_clipnorm": clipped_to(0.2),
}
LIMITS = {"clipvalue": 0.02, "clipnorm": 0.1, "global_clipnorm": 0.2}


CASES = {
    "sgd on a cosine": (
        lambda: optimizers.SGD(COSINE),
        lambda w: torch.optim.SGD(w, 1.0),
    ),
    "sgd with decay": (lambda: optimizers.SGD(COSINE, weight_decay=0.1), decayed_descent),
    "momentum on a function of the step": (
        lambda: optimizers.SGD(lambda step: 0.1 / (1 + step), 0.9, nesterov=True),
        nesterov,
    ),
    "momentum with decay": (
        lambda: optimizers.SGD(COSINE, 0.9, weight_decay=0.1),
        momentum_with_decay,
    ),
    "rmsprop": (lambda: optimizers.RMSprop(COSINE, 0.8, epsilon=1e-4), rmsprop()),
    "rmsprop with momentum": (
        lambda: optimizers.RMSprop(COSINE, 0.8, 0.7, 1e-4, weight_decay=0.1),
        rmsprop(0.7, decay=0.1),
    ),
    "rmsprop, centered": (
        lambda: optimizers.RMSprop(COSINE, 0.8, 0.0, 1e-4, centered=True),
        rmsprop(centered=True),
    ),
    "rmsprop, centered, with momentum": (
        lambda: optimizers.RMSprop(COSINE, 0.8, 0.7, 1e-4, centered=True),
        rmsprop(0.7, centered=True),
    ),
    "adagrad": (lambda: optimizers.Adagrad(COSINE, 0.2, 1e-4), adagrad),
    "adadelta": (
        lambda: optimizers.Adadelta(0.5, 0.9, 1e-5),
        lambda w: torch.optim.Adadelta(w, 0.5, rho=0.9, eps=1e-5),
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
    "amsgrad": (
        lambda: optimizers.Adam(COSINE, 0.8, 0.9, 1e-5, amsgrad=True, weight_decay=0.1),
        lambda w: torch.optim.AdamW(w, 1.0, (0.8, 0.9), 1e-5, weight_decay=0.1, amsgrad=True),
    ),
    "adamax": (lambda: optimizers.Adamax(COSINE, 0.8, 0.95, 1e-4), adamax),
    "nadam": (
        lambda: optimizers.Nadam(COSINE, 0.8, 0.95, 1e-5, weight_decay=0.1),
        lambda w: torch.optim.NAdam(
            w, 1.0, (0.8, 0.95), 1e-5, 0.1, momentum_decay=1.0, decoupled_weight_decay=True
        ),
    ),
    "nadam, long remembering": (
        lambda: optimizers.Nadam(0.01, 0.999, epsilon=1e-5),
        lambda w: torch.optim.NAdam(w, 0.01, (0.999, 0.999), 1e-5, momentum_decay=1.0),
    ),
    "lion": (lambda: optimizers.Lion(COSINE, 0.8, 0.95, weight_decay=0.1), lion),
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


@pytest.fixture(autouse=True)
def in_double_precision():
    """NAdam keeps a product in the default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def of_torch(optimizer, make, weights):
    stepper = make(weights)
    for step in range(STEPS):
        for group in stepper.param_groups:
            group["lr"] = rate(optimizer, step)
        for w, g in zip(weights, gradients(weights, step), strict=True):
            w.grad = g
        stepper.step()


def of_formula(optimizer, formula, weights, clip=lambda gradients: gradients):
    moments = [defaultdict(float) for _ in weights]
    for step in range(STEPS):
        found = clip([g.numpy() for g in gradients(weights, step)])
        for w, g, s in zip(weights, found, moments, strict=True):
            formula(w.detach().numpy(), g, s, step + 1, rate(optimizer, step))


def theirs(optimizer, given, before):
    weights = [torch.tensor(w, requires_grad=True) for w in before]
    is_formula = len(inspect.signature(given).parameters) > 1
    (of_formula if is_formula else of_torch)(optimizer, given, weights)
    return [w.detach().numpy() for w in weights]


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("case", CASES)
def test_200_steps_are_those_of_torch(backend, case):
    make, theirs_of = CASES[case]
    before, after = ours(make(), backend)
    for own, other in zip(after, theirs(make(), theirs_of, before), strict=True):
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("name", CLIPPINGS)
def test_clipped_gradients(name, backend):
    for make, formula in (
        (lambda **limit: optimizers.SGD(COSINE, weight_decay=0.1, **limit), decayed_descent),
        (lambda **limit: optimizers.Adagrad(COSINE, 0.2, 1e-4, **limit), adagrad),
    ):
        optimizer = make(**{name: LIMITS[name]})
        before, after = ours(optimizer, backend)
        weights, free = ([torch.tensor(w, requires_grad=True) for w in before] for _ in range(2))
        of_formula(optimizer, formula, weights, CLIPPINGS[name])
        of_formula(optimizer, formula, free)
        for own, other, without in zip(after, weights, free, strict=True):
            np.testing.assert_allclose(own, other.detach().numpy(), rtol=0, atol=1e-9)
            assert np.abs(own - without.detach().numpy()).max() > 1e-4  # it had an effect


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
