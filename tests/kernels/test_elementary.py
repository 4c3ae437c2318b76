"""exp, expm1, tanh and sigmoid: errors in units of the last place, over all of float32."""

import numpy as np
import pytest

from fastmlp.kernels.numba import elementary
from fastmlp.kernels.numba.jit import exact

from .op_table import JIT

# Every 4099th bit pattern (a prime: all endings occur), 10^6 numbers; as plain Python, 10^3.
STRIDE = 4099 if JIT else 4099 * 1009


@exact
def exp_all(x, y):
    for i in range(x.size):
        y[i] = elementary.exp(x[i])


@exact
def expm1_negative_all(x, y):
    for i in range(x.size):
        y[i] = elementary.expm1_negative(x[i])


@exact
def tanh_all(x, y):
    for i in range(x.size):
        y[i] = elementary.tanh(x[i])


@exact
def sigmoid_all(x, y):
    for i in range(x.size):
        y[i] = elementary.sigmoid(x[i])


def true_sigmoid(x):
    return 1 / (1 + np.exp(-x))


# name: (loop, truth, interval, largest error in units of the last place); the bounds are those
# of the formulas' roundings: exp's polynomial and scaling cost one; tanh doubles that of expm1
# in its quotient; sigmoid divides 1 by a sum.
FUNCTIONS = {
    "exp": (exp_all, np.exp, (-87.0, 88.72), 1.2),
    "expm1_negative": (expm1_negative_all, np.expm1, (-np.inf, 0.0), 1.2),
    "tanh": (tanh_all, np.tanh, (-np.inf, np.inf), 3.0),
    "sigmoid": (sigmoid_all, true_sigmoid, (-87.0, np.inf), 2.5),
}
every_function = pytest.mark.parametrize("name", FUNCTIONS)


def computed(name, x):
    y = np.full_like(x, 77)
    with np.errstate(all="ignore"):
        FUNCTIONS[name][0](x, y)
    return y


def float32_sample():
    patterns = np.arange(0, 2**32, STRIDE, dtype=np.uint64).astype(np.uint32)
    return patterns.view(np.float32)


def errors_in_ulp(y, true):
    spacing = np.spacing(np.abs(true).astype(y.dtype)).astype(true.dtype)
    return np.abs(y.astype(true.dtype) - true) / spacing


@every_function
def test_float32(name):
    _, truth, (low, high), bound = FUNCTIONS[name]
    x = float32_sample()
    x = x[(x >= low) & (x <= high)]
    assert x.size > 2**30 // STRIDE
    with np.errstate(all="ignore"):
        true = truth(x.astype(np.float64))
    assert errors_in_ulp(computed(name, x), true).max() <= bound


@pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 63, reason="needs a type that is finer than float64"
)
@every_function
def test_float64(name):
    _, truth, (low, high), bound = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    count = 100_000 if JIT else 300
    x = np.concatenate([rng.uniform(-700, 700, count), 10.0 ** rng.uniform(-300, 2, count)])
    x = np.concatenate([x, -x])
    if name == "exp":
        low, high = -708.0, 709.78
    elif name == "sigmoid":
        low = -708.0
    x = x[(x >= low) & (x <= high)]
    with np.errstate(all="ignore"):
        true = truth(x.astype(np.longdouble))
    assert errors_in_ulp(computed(name, x), true).max() <= bound


@every_function
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_and_infinities(name, dtype):
    x = np.array([np.nan, -np.inf, np.inf], dtype)
    expected = {
        "exp": [np.nan, 0, np.inf],
        "expm1_negative": [np.nan, -1, np.nan],
        "tanh": [np.nan, -1, 1],
        "sigmoid": [np.nan, 0, 1],
    }[name]
    if name == "expm1_negative":
        x, expected = x[:2], expected[:2]
    np.testing.assert_array_equal(computed(name, x), expected)


@pytest.mark.parametrize(
    ("dtype", "lowest", "highest"), [(np.float32, -87, 88.72), (np.float64, -708, 709.78)]
)
def test_exp_ends_in_0_and_infinity(dtype, lowest, highest):
    x = np.array([-1e30, lowest - 1, lowest, highest, highest + 1, 1e30], dtype)
    y = computed("exp", x)
    assert (y[:2] == 0).all()
    assert (y[2:4] > 0).all()
    assert np.isfinite(y[:4]).all()
    assert (y[4:] == np.inf).all()


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_bounded_functions_stay_within_their_bounds(name):
    x = float32_sample()
    x = x[np.isfinite(x)]
    y = computed(name, x)
    assert y.max() <= 1
    assert y.min() >= (-1 if name == "tanh" else 0)
    order = np.argsort(x)
    # Increasing, but for roundings.
    assert np.diff(y[order]).min() >= -4 * np.finfo(np.float32).eps


def test_tanh_is_odd():
    x = float32_sample()
    x = x[np.isfinite(x)]
    np.testing.assert_array_equal(computed("tanh", -x), -computed("tanh", x))
