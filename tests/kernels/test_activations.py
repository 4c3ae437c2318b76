"""Activations and their slopes: values, limits, signs, and what is not finite."""

import functools
import math

import numpy as np
import pytest

from fastmlp.kernels.contract import SELU_ALPHA, SELU_SCALE
from fastmlp.kernels.contract import Activation as Kind

from .op_table import ALL, COMPILED, JIT, kernels

ALPHA = {
    Kind.LEAKY_RELU: 0.2, Kind.ELU: 1.5, Kind.CELU: 2.0, Kind.HARD_SHRINK: 0.5,
    Kind.SOFT_SHRINK: 0.5, Kind.CLIPPED_RELU: 6.0, Kind.SQUAREPLUS: 4.0, Kind.THRESHOLD: 0.25,
    Kind.MINIMUM: 3.0, Kind.JUMP: 0.25,
}  # fmt: skip
COUNT = 20_001 if JIT else 201


def sigmoid(x):
    e = math.exp(-abs(x))
    return 1 / (1 + e) if x >= 0 else e / (1 + e)


def normal_cdf(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


def elu(alpha, x):
    return x if x > 0 else alpha * math.expm1(x)


def softplus(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def exp(x):
    return math.exp(x) if x < 709 else math.inf


def clip(low, x, high):
    return min(max(x, low), high)


def celu(x):
    return x if x > 0 else 2 * math.expm1(x / 2)


def squareplus(x):
    root = math.hypot(x, 2)
    return (x + root) / 2 if x > 0 else 2 / (root - x)


# The value and the slope in float64, one number at a time, without cancellation.
FORMULAS = {
    Kind.SIGMOID: (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    Kind.TANH: (math.tanh, lambda x: (math.cosh(x) ** -2) if abs(x) < 300 else 0.0),
    Kind.RELU: (lambda x: max(x, 0.0), lambda x: float(x > 0)),
    Kind.LEAKY_RELU: (lambda x: x if x > 0 else 0.2 * x, lambda x: 1.0 if x > 0 else 0.2),
    Kind.ELU: (lambda x: elu(1.5, x), lambda x: 1.0 if x > 0 else 1.5 * math.exp(x)),
    Kind.SELU: (
        lambda x: SELU_SCALE * elu(SELU_ALPHA, x),
        lambda x: SELU_SCALE * (1.0 if x > 0 else SELU_ALPHA * math.exp(x)),
    ),
    Kind.GELU: (
        lambda x: x * normal_cdf(x),
        lambda x: normal_cdf(x) + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    ),
    Kind.SILU: (
        lambda x: x * sigmoid(x),
        lambda x: sigmoid(x) * (1 + x * sigmoid(-x)),
    ),
    Kind.SOFTPLUS: (
        lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
        sigmoid,
    ),
    Kind.MISH: (
        lambda x: x * math.tanh(softplus(x)),
        lambda x: (
            math.tanh(softplus(x))
            + (x * math.cosh(softplus(x)) ** -2 * sigmoid(x) if x < 300 else 0.0)
        ),
    ),
    Kind.CELU: (celu, lambda x: 1.0 if x > 0 else math.exp(x / 2)),
    Kind.EXPONENTIAL: (exp, exp),
    Kind.HARD_SIGMOID: (lambda x: clip(0, x / 6 + 0.5, 1), lambda x: (abs(x) < 3) / 6),
    Kind.HARD_SILU: (
        lambda x: x * clip(0, x / 6 + 0.5, 1),
        lambda x: 1.0 if x >= 3 else (x / 3 + 0.5) * (x > -3),
    ),
    Kind.HARD_TANH: (lambda x: clip(-1, x, 1), lambda x: float(abs(x) < 1)),
    Kind.HARD_SHRINK: (lambda x: x * (abs(x) > 0.5), lambda x: float(abs(x) > 0.5)),
    Kind.SOFT_SHRINK: (lambda x: x - clip(-0.5, x, 0.5), lambda x: float(abs(x) > 0.5)),
    Kind.TANH_SHRINK: (lambda x: x - math.tanh(x), lambda x: math.tanh(x) ** 2),
    Kind.SOFTSIGN: (lambda x: x / (1 + abs(x)), lambda x: (1 + abs(x)) ** -2),
    Kind.LOG_SIGMOID: (lambda x: -softplus(-x), lambda x: sigmoid(-x)),
    Kind.CLIPPED_RELU: (lambda x: clip(0, x, 6), lambda x: float(0 < x < 6)),
    Kind.SQUAREPLUS: (squareplus, lambda x: squareplus(x) / math.hypot(x, 2)),
    Kind.SPARSE_PLUS: (
        lambda x: x if x >= 1 else clip(0, x + 1, 2) ** 2 / 4,
        lambda x: clip(0, x + 1, 2) / 2,
    ),
    Kind.SPARSE_SIGMOID: (lambda x: clip(0, x + 1, 2) / 2, lambda x: (abs(x) < 1) / 2),
    Kind.THRESHOLD: (lambda x: x * (x > 0.25), lambda x: float(x > 0.25)),
    Kind.MINIMUM: (lambda x: min(x, 3.0), lambda x: float(x < 3)),
    Kind.JUMP: (lambda x: x + 0.25 * (x > 0), lambda x: 1.0),
    Kind.COSINE: (math.cos, lambda x: -math.sin(x)),
}

# (value at -inf, slope far below 0, slope far above 0); far above 0 the value is that of sigmoid
# and tanh, 1, or follows from the slope.
LIMITS = {
    Kind.SIGMOID: (0, 0, 0),
    Kind.TANH: (-1, 0, 0),
    Kind.RELU: (0, 0, 1),
    Kind.LEAKY_RELU: (-math.inf, 0.2, 1),
    Kind.ELU: (-1.5, 0, 1),
    Kind.SELU: (-SELU_SCALE * SELU_ALPHA, 0, SELU_SCALE),
    Kind.GELU: (math.nan, 0, 1),  # as in torch: -inf * 0
    Kind.SILU: (math.nan, 0, 1),
    Kind.SOFTPLUS: (0, 0, 1),
    Kind.MISH: (math.nan, 0, 1),
    Kind.CELU: (-2, 0, 1),
    Kind.EXPONENTIAL: (0, 0, math.inf),
    Kind.HARD_SIGMOID: (0, 0, 0),
    Kind.HARD_SILU: (math.nan, 0, 1),
    Kind.HARD_TANH: (-1, 0, 0),
    Kind.HARD_SHRINK: (-math.inf, 1, 1),
    Kind.SOFT_SHRINK: (-math.inf, 1, 1),
    Kind.TANH_SHRINK: (-math.inf, 1, 1),
    Kind.SOFTSIGN: (math.nan, 0, 0),  # as in torch: inf / inf
    Kind.LOG_SIGMOID: (-math.inf, 1, 0),
    Kind.CLIPPED_RELU: (0, 0, 0),
    Kind.SQUAREPLUS: (0, 0, 1),
    Kind.SPARSE_PLUS: (0, 0, 1),
    Kind.SPARSE_SIGMOID: (0, 0, 0),
    Kind.THRESHOLD: (0, 0, 1),
    Kind.MINIMUM: (-math.inf, 1, 0),
    Kind.JUMP: (-math.inf, 1, 1),
    Kind.COSINE: (math.nan, None, None),  # see its own test
}
# Where that is finite, the value at inf.
HIGHEST = {
    Kind.SIGMOID: 1, Kind.TANH: 1, Kind.HARD_SIGMOID: 1, Kind.HARD_TANH: 1,
    Kind.SOFTSIGN: math.nan, Kind.LOG_SIGMOID: 0, Kind.CLIPPED_RELU: 6, Kind.SPARSE_SIGMOID: 1,
    Kind.MINIMUM: 3, Kind.COSINE: math.nan,
}  # fmt: skip

every_kind = pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_backend = pytest.mark.parametrize("backend", ALL)


def forward(backend, kind, x):
    y = np.full_like(x, 77)
    with np.errstate(all="ignore"):
        kernels(backend).activation_forward(kind, x.dtype.type(ALPHA.get(kind, 0.0)), x, y)
    return y


def backward(backend, kind, x, y, dy):
    dx = np.full_like(x, 77)
    with np.errstate(all="ignore"):
        kernels(backend).activation_backward(kind, x.dtype.type(ALPHA.get(kind, 0.0)), x, y, dy, dx)
    return dx


def inputs(dtype, kind):
    """Return values of every size, tiny to large, of both signs."""
    rng = np.random.default_rng(0)
    sizes = 10.0 ** rng.uniform(-30, 2, COUNT)
    spread = rng.uniform(-12, 12, COUNT)
    x = np.concatenate([sizes, -sizes, spread]).astype(dtype)
    return np.minimum(x, dtype(80)) if kind == Kind.EXPONENTIAL else x


@functools.cache
def exact(dtype, kind, which):
    """Return the values (0) or the slopes (1) of the inputs, the same for every backend."""
    return np.array([FORMULAS[kind][which](float(x)) for x in inputs(dtype, kind)])


@every_backend
@every_dtype
@every_kind
class TestAccuracy:
    def test_values(self, backend, dtype, kind):
        x, values = inputs(dtype, kind), exact(dtype, kind, 0)
        # Sigmoids are made of four roundings of numbers up to 1, and 1 + erf(x), which is
        # multiplied with x, of numbers up to 2.
        scale = {Kind.SIGMOID: 1.0, Kind.TANH: 1.0}.get(kind, 1 + np.abs(x.astype(np.float64)))
        if kind == Kind.EXPONENTIAL:
            scale = (
                values * (1 + np.abs(x.astype(np.float64)))
                + np.finfo(dtype).tiny / np.finfo(dtype).eps
            )
        error = np.abs(forward(backend, kind, x).astype(np.float64) - values)
        assert (error <= 4 * np.finfo(dtype).eps * scale).all()

    def test_slopes(self, backend, dtype, kind):
        x, slopes = inputs(dtype, kind), exact(dtype, kind, 1)
        dy = np.random.default_rng(1).standard_normal(x.size).astype(dtype)
        dx = backward(backend, kind, x, forward(backend, kind, x), dy)
        # x (1 - s) in SiLU's slope: the rounding of s is multiplied with x.
        scale = (1 + np.abs(x.astype(np.float64))) * np.abs(dy)
        if kind == Kind.EXPONENTIAL:
            scale = scale * slopes + np.finfo(dtype).tiny / np.finfo(dtype).eps
        error = np.abs(dx.astype(np.float64) - dy * slopes)
        assert (error <= 6 * np.finfo(dtype).eps * scale).all()


@every_backend
@every_dtype
@every_kind
class TestExtremes:
    def test_far_from_0(self, backend, dtype, kind):
        _, low_slope, high_slope = LIMITS[kind]
        huge = float(np.sqrt(np.finfo(dtype).max))
        x = np.array([-huge, huge], dtype)
        y = forward(backend, kind, x)
        if kind == Kind.COSINE:  # such a number has no fraction of a turn
            assert (np.abs(y) <= 1).all()
            assert (np.abs(backward(backend, kind, x, y, np.ones_like(x))) <= 1).all()
            return
        exact = [FORMULAS[kind][0](float(v)) for v in x]
        np.testing.assert_allclose(y, exact, rtol=4 * np.finfo(dtype).eps, atol=0)
        slopes = backward(backend, kind, x, y, np.ones_like(x))
        # ELU's slope is y + alpha, the difference of two rounded numbers of size 1.8.
        np.testing.assert_allclose(
            slopes, [low_slope, high_slope], rtol=1e-6, atol=4 * np.finfo(dtype).eps
        )

    def test_infinities(self, backend, dtype, kind):
        above = HIGHEST.get(kind, math.inf)
        y = forward(backend, kind, np.array([-math.inf, math.inf], dtype))
        np.testing.assert_allclose(y, [LIMITS[kind][0], above], rtol=2 * np.finfo(dtype).eps)

    def test_nan_comes_through_and_stays_where_it_is(self, backend, dtype, kind):
        for position in (0, 3, 16, 36):
            x = np.linspace(-2, 2, 37).astype(dtype)
            expected = forward(backend, kind, x)
            x[position] = np.nan
            expected[position] = np.nan
            np.testing.assert_array_equal(forward(backend, kind, x), expected)

    def test_gradients_that_are_nan_come_through(self, backend, dtype, kind):
        x = np.linspace(0.5, 2, 37).astype(dtype)
        dy = np.ones_like(x)
        dy[5] = np.nan
        dx = backward(backend, kind, x, forward(backend, kind, x), dy)
        assert np.isnan(dx[5])
        assert np.isfinite(np.delete(dx, 5)).all()

    def test_around_0(self, backend, dtype, kind):
        smallest, tiny = np.finfo(dtype).smallest_subnormal, np.finfo(dtype).tiny
        x = np.array([0.0, -0.0, smallest, -smallest, tiny / 2, -tiny / 2, tiny, -tiny], dtype)
        y = forward(backend, kind, x)
        exact = np.array([FORMULAS[kind][0](float(v)) for v in x])
        # The smallest numbers have few bits: off by one of the last at most.
        np.testing.assert_allclose(y, exact, rtol=4 * np.finfo(dtype).eps, atol=float(smallest))
        assert (y[:2] == y[0]).all()
        dx = backward(backend, kind, x, y, np.ones_like(x))
        slopes = [FORMULAS[kind][1](float(v)) for v in x]
        np.testing.assert_allclose(dx, slopes, rtol=4 * np.finfo(dtype).eps, atol=float(tiny))


@pytest.mark.parametrize("backend", COMPILED)
@every_dtype
@every_kind
def test_backward_may_write_over_its_gradient(backend, dtype, kind):
    x = np.linspace(-3, 3, 67).astype(dtype)
    y = forward(backend, kind, x)
    dy = np.linspace(1, 2, 67).astype(dtype)
    expected = backward(backend, kind, x, y, dy)
    kernels(backend).activation_backward(kind, dtype(ALPHA.get(kind, 0.0)), x, y, dy, dy)
    np.testing.assert_array_equal(dy, expected)
