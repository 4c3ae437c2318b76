"""An activation: sigmoid, which is mostly the question of how to compute an exponential."""

import math

import numpy as np

from ..contract import Activation
from ..numba import elementary
from ..numba.elementary import (
    LN2_HIGH_32,
    LN2_HIGH_64,
    LN2_LOW_32,
    LN2_LOW_64,
    LOG2E_32,
    LOG2E_64,
    expm1_reduced_32,
    expm1_reduced_64,
    power_of_two_32,
    power_of_two_64,
)
from ..numba.jit import contracted, exact
from .c_backend import c_step
from .step import Ladder, Step


@contracted
def textbook(x, y):
    one = x.dtype.type(1)
    for i in range(x.size):
        y[i] = one / (one + math.exp(-x[i]))


@contracted
def two_branches(x, y):
    one = x.dtype.type(1)
    for i in range(x.size):
        if x[i] >= 0:
            y[i] = one / (one + math.exp(-x[i]))
        else:
            e = math.exp(x[i])
            y[i] = e / (one + e)


@contracted
def polynomial(x, y):
    one, limit = x.dtype.type(1), x.dtype.type(87)
    for i in range(x.size):
        z = -x[i]
        if z > limit:
            z = limit
        if z < -limit:
            z = -limit
        y[i] = one / (one + exp_by_floor(z))


@contracted
def exp_by_floor(x):
    """2^k exp(r) for x = k ln 2 + r, with k = floor(x / ln 2 + 1/2)."""
    if isinstance(x, np.float32):
        k = np.floor(x * LOG2E_32 + np.float32(0.5))
        m = expm1_reduced_32((x - k * LN2_HIGH_32) - k * LN2_LOW_32)
        return (np.float32(1) + m) * power_of_two_32(np.int32(k))
    k = np.floor(x * LOG2E_64 + 0.5)
    m = expm1_reduced_64((x - k * LN2_HIGH_64) - k * LN2_LOW_64)
    return (1.0 + m) * power_of_two_64(np.int64(k))


@contracted
def rational(x, y):
    half, limit = x.dtype.type(0.5), x.dtype.type(8.5)
    for i in range(x.size):
        z = half * x[i]
        if z > limit:
            z = limit
        if z < -limit:
            z = -limit
        y[i] = half + half * tanh_by_quotient(z)


@contracted
def tanh_by_quotient(x):
    """A quotient of polynomials fitted by least squares, within 3e-7 for |x| <= 8.5."""
    real = type(x)
    square = x * x
    p = real(1.09194873e-5)
    p = p * square + real(2.90338972e-3)
    p = p * square + real(0.128811482)
    p = p * square + real(0.999999761)
    q = real(2.29802125e-7)
    q = q * square + real(2.31967201e-4)
    q = q * square + real(0.0236201606)
    q = q * square + real(0.462142944)
    q = q * square + real(1)
    return x * p / q


@contracted
def bits(x, y):
    one, limit = x.dtype.type(1), x.dtype.type(87)
    for i in range(x.size):
        z = -x[i]
        if z > limit:
            z = limit
        if z < -limit:
            z = -limit
        y[i] = one / (one + exp_by_bits(z))


@contracted
def exp_by_bits(x):
    """The integer x / ln 2 + 127 written where a number keeps its exponent, fraction and all."""
    if isinstance(x, np.float32):
        return np.int32(x * np.float32(12102203.2) + np.float32(1064986823.0)).view(np.float32)
    return np.int64(x * 6497320848556798.0 + 4.606985713055957e18).view(np.float64)


@exact
def shipped(x, y):
    for i in range(x.size):
        y[i] = elementary.sigmoid(x[i])


def reference_sigmoid(x, y):
    y[:] = 1 / (1 + np.exp(-x))


def make(rng, dtype, n):
    return (4 * rng.standard_normal(n)).astype(dtype), np.zeros(n, dtype)


def bound(x, y):
    """Four roundings: two in the exponential, one in the sum, one in the quotient."""
    return 4 / (1 + np.exp(-x))


# For each value: the negative, the sum and the quotient, 7 to reduce the range, 11 for the
# polynomial, 3 to scale by 2^k.  What the C library does for an exponential is counted alike.
FLOPS = 24

SIGMOID = Ladder(
    title="An activation, sigmoid of 4,096 values",
    question="What does an exponential cost, and why?",
    steps=(
        Step(
            "textbook",
            textbook,
            "The formula, with the exponential of the C library: one call for each value, and a "
            "loop around a call is not vectorized.",
            loads=4,
            streams=4,
            flops=FLOPS,
        ),
        Step(
            "two_branches",
            two_branches,
            "The form that never overflows, e^x / (1 + e^x) where x is negative.",
            loads=4,
            streams=4,
            flops=FLOPS,
            rejected="An overflow would do no harm, 1 / (1 + inf) is 0, but the processor guesses "
            "which branch comes, and of random signs it guesses half wrong.",
        ),
        Step(
            "polynomial",
            polynomial,
            "e^x = 2^k e^r with |r| <= ln 2 / 2: there a polynomial of degree 6 is exact to 1e-8, "
            "and 2^k is k written into an exponent; no call, no branch, 16 values at a time.",
            loads=4,
            streams=4,
            flops=FLOPS,
            parts=(exp_by_floor, expm1_reduced_32, power_of_two_32),
        ),
        Step(
            "bits",
            bits,
            "No polynomial: x / ln 2 + 127 as an integer, read as the bits of a float, is an "
            "exponential with straight lines between the powers of two.",
            loads=4,
            streams=4,
            flops=6,
            parts=(exp_by_bits,),
            rejected="Three times as fast as what ships, and off by up to 4 %: no gradient check "
            "would pass.",
            error=0.01,
        ),
        Step(
            "rational",
            rational,
            "1/2 + tanh(x/2) / 2, and tanh as a quotient of two polynomials: no exponent bits.",
            loads=4,
            streams=4,
            flops=20,
            parts=(tanh_by_quotient,),
            rejected="The sum rounds to multiples of 6e-8: the sigmoid of -17, 4.1e-8, "
            "comes out as a small multiple of that, or as 0, and with it the gradient.",
            error=6e-7,
        ),
        Step(
            "shipped",
            shipped,
            "What fastmlp runs: k is found by adding 1.5 * 2^23, which leaves it in the low bits, "
            "without rounding and converting instructions.",
            loads=4,
            streams=4,
            flops=FLOPS,
            parts=(elementary.sigmoid_32, elementary.exp_within_32),
        ),
        *c_step(
            lambda kernels, x, y: kernels.activation_forward(Activation.SIGMOID, 0, x, y),
            "elementary.c",
            ("vector_sigmoid", "vector_exp", "reduce"),
            loads=4,
            streams=4,
            flops=FLOPS,
        ),
    ),
    reference=reference_sigmoid,
    make=make,
    sizes=(4096,),
    bound=bound,
    work=lambda n: n,
    unit="values/ns",
)
