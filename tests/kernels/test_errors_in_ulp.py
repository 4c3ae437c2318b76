"""How far activations are off, in units of the last place: what their page says."""

import functools

import mpmath
import numpy as np
import pytest

from fastmlp.kernels.contract import Activation as Kind

from .op_table import COMPILED, JIT, kernels

mpmath.mp.prec = 100
COUNT = 3001 if JIT else 101


@functools.cache
def points(case, dtype):
    """Return inputs of a case within its interval, and the exact values, for all backends."""
    _, function, (low, high), _ = case
    x = np.linspace(low, high, COUNT).astype(dtype)
    x = np.concatenate([x, x[:101] * dtype(1e-3)])
    x = x[(x >= low) & (x <= high)]
    return x, [function(mpmath.mpf(float(v))) for v in x]


def error_in_ulp(y, exact):
    """The largest error, where the exact value is a normal number."""
    worst = 0.0
    for value, true in zip(y, exact, strict=True):
        if abs(true) >= np.finfo(y.dtype).tiny:
            unit = float(np.spacing(y.dtype.type(abs(float(true)))))
            worst = max(worst, float(abs(mpmath.mpf(float(value)) - true)) / unit)
    return worst


def softplus(x):
    return mpmath.log1p(mpmath.exp(x))


# kind, function, interval, bound; twice the bound where plain Python rounds each product by itself.
CASES = [
    (Kind.SIGMOID, lambda x: 1 / (1 + mpmath.exp(-x)), (-80, 80), 2.5),
    (Kind.TANH, mpmath.tanh, (-20, 20), 3),
    (Kind.EXPONENTIAL, mpmath.exp, (-80, 80), 1.2),
    (Kind.SOFTPLUS, softplus, (-80, 80), 3),
    (Kind.LOG_SIGMOID, lambda x: -softplus(-x), (-80, 80), 3),
    (Kind.GELU, lambda x: x * mpmath.ncdf(x), (-1, 20), 4),
    (Kind.GELU, lambda x: x * mpmath.ncdf(x), (-12, -1), 32),
    (Kind.COSINE, mpmath.cos, (-100, 100), 2),
]


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].name} {case[2]}")
def test_is_within_the_bound(backend, dtype, case):
    kind, _, _, bound = case
    x, exact = points(case, dtype)
    y = np.empty_like(x)
    kernels(backend).activation_forward(int(kind), dtype(0), x, y)
    assert 0 < error_in_ulp(y, exact) <= (bound if JIT else 2 * bound)
