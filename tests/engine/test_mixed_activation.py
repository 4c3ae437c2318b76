"""A mixture of an activation and the identity, which is learned."""

import numpy as np
import pytest

from fastmlp import Sequential, activations, check_gradients, layers, models
from tests.backends import ALL

X = np.random.default_rng(0).standard_normal((20, 5))


def made(backend="auto", function="mish"):
    stack = [layers.Input(5), layers.Dense(7), layers.MixedActivation(function), layers.Dense(3)]
    model = Sequential(stack, seed=1, dtype="float64", backend=backend)
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("function", ["selu", "mish", activations.LeakyReLU(0.1)])
def test_the_formula_and_its_gradients(backend, function):
    model = made(backend, function)
    mix = model.layers[1]
    assert mix.weight.tolist() == [1] * 7
    mix.weights["negative_weight"][...] = np.linspace(-1.2, 0.3, 7)
    dense, last = model.layers[0], model.layers[2]
    x = X @ dense.kernel + dense.bias
    mixed = x + mix.weight * (activations.get(function)(x) - x)
    np.testing.assert_allclose(model.predict(X, verbose=0), mixed @ last.kernel, atol=1e-12)
    assert check_gradients(model, X, X[:, :3]).passed


def test_a_copy_is_made_with_the_same_activation():
    model = made()
    model.fit(X, X[:, :3], verbose=0)
    twin = models.clone_model(model)
    assert twin.layers[1].activation == activations.mish
    assert twin.layers[1].weight.tolist() == [1] * 7
    with pytest.raises(ValueError, match="activation: expected one of single values"):
        layers.MixedActivation("softmax")
