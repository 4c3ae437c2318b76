"""Activations: functions on arrays as in Keras, and the same objects in layers."""

import copy
import math
import pickle

import numpy as np
import pytest

from fastmlp import Sequential, activations
from fastmlp.layers import Activation, Dense, Input

X = np.array([-3.0, -1.0, -0.25, 0.0, 0.5, 2.0])

FORMULAS = {
    "linear": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: x if x > 0 else 0.2 * x,
    "elu": lambda x: x if x > 0 else math.exp(x) - 1,
    "selu": lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * math.expm1(x)),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x / (1 + math.exp(-x)),
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "mish": lambda x: x * math.tanh(math.log(1 + math.exp(x))),
    "celu": lambda x: x if x > 0 else math.expm1(x),
    "exponential": math.exp,
    "hard_shrink": lambda x: x if abs(x) > 0.5 else 0,
    "hard_sigmoid": lambda x: min(max(x / 6 + 0.5, 0), 1),
    "hard_silu": lambda x: x * min(max(x / 6 + 0.5, 0), 1),
    "hard_tanh": lambda x: min(max(x, -1), 1),
    "log_sigmoid": lambda x: -math.log(1 + math.exp(-x)),
    "relu6": lambda x: min(max(x, 0), 6),
    "soft_shrink": lambda x: math.copysign(max(abs(x) - 0.5, 0), x),
    "softsign": lambda x: x / (1 + abs(x)),
    "sparse_plus": lambda x: x if x >= 1 else 0 if x <= -1 else (x + 1) ** 2 / 4,
    "sparse_sigmoid": lambda x: min(max((x + 1) / 2, 0), 1),
    "squareplus": lambda x: (x + math.sqrt(x**2 + 4)) / 2,
    "tanh_shrink": lambda x: x - math.tanh(x),
}
ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}


def test_all_names_are_functions():
    assert set(activations.NAMES) == {*FORMULAS, *ALIASES, "softmax", "log_softmax"}
    for name in activations.NAMES:
        assert getattr(activations, name) is activations.get(name)
        assert activations.get(name).name == ALIASES.get(name, name)


def test_numbers_of_their_own():
    assert activations.CELU(2.0)(-1.0) == pytest.approx(2 * math.expm1(-0.5))
    assert activations.HardShrink(2.0)([1.0, 3.0]).tolist() == [0, 3]
    assert activations.SoftShrink(2.0)([1.0, -3.0]).tolist() == [0, -1]
    assert activations.Squareplus(9.0)(0.0) == 1.5
    assert activations.Threshold(2.0)([1.0, 2.0, 3.0]).tolist() == [0, 0, 3]
    for make in (activations.CELU, activations.Squareplus, activations.Threshold):
        for wrong in (0, -1, math.nan, "a"):
            with pytest.raises(ValueError, match=f"^{make.argument}: expected"):
                make(wrong)


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values(name, dtype):
    y = getattr(activations, name)(X.astype(dtype).reshape(2, 3))
    expected = np.array([FORMULAS[name](x) for x in X]).reshape(2, 3)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, expected, rtol=20 * np.finfo(dtype).eps, atol=1e-9)


@pytest.mark.parametrize("name", activations.NAMES)
def test_a_layer_computes_the_same(name):
    x = np.random.default_rng(0).standard_normal((5, 4))
    function = getattr(activations, name)
    for given in (name, function):
        model = Sequential([Input((4,)), Activation(given)], dtype="float64", backend="numpy")
        np.testing.assert_allclose(model.predict(x), function(x), rtol=1e-12)


@pytest.mark.parametrize("name", activations.NAMES)
@pytest.mark.parametrize("x", [-1.0, np.float32(2), [1, -2], [[True], [False]], np.arange(3)])
def test_takes_whatever_is_an_array_and_changes_none(name, x):
    before = np.array(x)
    if name in ("softmax", "log_softmax") and before.ndim == 0:
        with pytest.raises(ValueError, match=f"^x: {name} expects an array"):
            getattr(activations, name)(x)
        return
    y = getattr(activations, name)(x)
    assert y.shape == before.shape
    assert y.dtype == (np.float32 if before.dtype == np.float32 else np.float64)
    np.testing.assert_array_equal(x, before)
    if isinstance(x, np.ndarray):
        assert not np.shares_memory(x, y)


def test_parameters_as_keras_names_them():
    assert activations.leaky_relu(-1.0) == -0.2
    assert activations.leaky_relu(-1.0, negative_slope=0.5) == -0.5
    assert activations.leaky_relu(-1.0, 0.0) == 0
    assert activations.elu(-1.0, alpha=2.0) == pytest.approx(2 * math.expm1(-1))
    assert activations.LeakyReLU(0.5)(-2.0) == -1
    assert activations.ELU(3.0)(-1.0) == pytest.approx(3 * math.expm1(-1))
    np.testing.assert_allclose(activations.softmax(np.zeros((2, 3)), axis=0), np.full((2, 3), 0.5))
    large = activations.softmax([[1e4, 0.0], [-1e4, 0.0]])
    np.testing.assert_array_equal(large, [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (activations.LeakyReLU(0.01), lambda x: np.where(x > 0, x, 0.01 * x)),
        (activations.LeakyReLU(negative_slope=-1), np.abs),
        (activations.ELU(alpha=0.3), lambda x: np.where(x > 0, x, 0.3 * np.expm1(x))),
    ],
)
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))])
def test_a_slope_of_ones_own_in_a_layer(activation, expected, duplicate):
    same = duplicate(activation)
    assert same == activation
    assert same != activations.LeakyReLU()
    x = np.random.default_rng(0).standard_normal((5, 4))
    for layer in (Activation(same), Dense(4, same, kernel_initializer="orthogonal")):
        model = Sequential([Input((4,)), layer], dtype="float64", seed=0)
        inner = x @ layer.weights["kernel"] if layer.weights else x
        np.testing.assert_allclose(model.predict(x), expected(inner), rtol=1e-10, atol=1e-14)
