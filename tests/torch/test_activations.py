"""Activations against torch's, or their formulas by its autograd, over 200 steps in float64."""

from functools import cache

import numpy as np
import pytest
import torch
from torch.nn import functional

from fastmlp import Sequential, activations, check_gradients, layers, optimizers
from tests.backends import ALL

from .nets import MODULES

ACTIVATIONS = {
    "gelu": functional.gelu,
    "softplus": functional.softplus,
    "silu": functional.silu,
    "mish": functional.mish,
    "celu": functional.celu,
    "exponential": torch.exp,
    "hard_shrink": functional.hardshrink,
    # Torch's own have a sixth that is rounded to float32 in their slopes.
    "hard_sigmoid": lambda x: torch.clamp(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * torch.clamp(x / 6 + 0.5, 0, 1),
    "hard_tanh": functional.hardtanh,
    "log_sigmoid": functional.logsigmoid,
    "log_softmax": lambda x: functional.log_softmax(x, dim=1),
    "relu6": functional.relu6,
    "soft_shrink": functional.softshrink,
    "softsign": functional.softsign,
    "sparse_plus": lambda x: torch.where(x < 1, torch.clamp(x + 1, 0, 2) ** 2 / 4, x),
    "sparse_sigmoid": lambda x: torch.clamp(x + 1, 0, 2) / 2,
    "squareplus": lambda x: (x + torch.sqrt(x**2 + 4)) / 2,
    "tanh_shrink": functional.tanhshrink,
}


def data():
    rng = np.random.default_rng(0)
    return 1.5 * rng.standard_normal((64, 5)), rng.integers(0, 3, 64)


def made(name, backend):
    model = Sequential(
        [layers.Input(5), layers.Rescaling(0.1 if name == "exponential" else 1.0),
         layers.Dense(7, name, bias_initializer="normal"),
         layers.Dense(3, name, bias_initializer="normal"), layers.Dense(3, "softmax")],
        seed=1, dtype="float64", backend=backend,
    )  # fmt: skip
    model.compile(optimizers.SGD(0.05), "sparse_categorical_crossentropy")
    return model


@cache
def weights_in_torch(name):
    """Return the weights after 200 steps in PyTorch."""
    function = ACTIVATIONS[name]
    weights = [torch.tensor(w, requires_grad=True) for w in made(name, "numpy").get_weights()]
    x, y = (torch.tensor(v) for v in data())
    x = x * (0.1 if name == "exponential" else 1.0)
    optimizer = torch.optim.SGD(weights, 0.05)
    for _ in range(200):
        optimizer.zero_grad()
        hidden = function(function(x @ weights[0] + weights[1]) @ weights[2] + weights[3])
        functional.cross_entropy(hidden @ weights[4] + weights[5], y).backward()
        optimizer.step()
    return [w.detach().numpy() for w in weights]


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_200_steps_are_those_of_torch(name, backend):
    model = made(name, backend)
    model.fit(*data(), batch_size=64, epochs=200, shuffle=False, verbose=0)
    for own, other in zip(model.get_weights(), weights_in_torch(name), strict=True):
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients(name, backend):
    x, y = data()
    assert check_gradients(made(name, backend), x[:6], y[:6], tolerance=1e-8).passed


def test_every_activation_is_here_or_elsewhere():
    aliases = {"swish", "hard_swish"}
    assert set(activations.NAMES) == {*ACTIVATIONS, *MODULES} | aliases
