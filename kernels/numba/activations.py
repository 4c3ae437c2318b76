"""Activations with their derivatives, a pair of loops each, over flat buffers.

A derivative may use the input ``x``, the output ``y``, or both: whichever is cheaper.
"""

import math

import numpy as np

from ..contract import SELU_ALPHA, SELU_SCALE, Activation
from .elementary import (
    exp,
    expm1_negative,
    gaussian,
    log1p,
    normal_cdf,
    sigmoid,
    tail_bound,
    tanh,
)
from .jit import exact
from .rounding import fma

SIXTH = 1.0 / 6.0
INVERSE_SQRT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)


@exact
def within(low, high, x):
    """Return x, but within ``[low, high]``; NaN stays NaN."""
    x = low if x < low else x
    return high if x > high else x


@exact
def softplus(x):
    """log(1 + exp(x))."""
    return (type(x)(0) if x < type(x)(0) else x) + log1p(exp(-abs(x)))


@exact
def gelu_slope(x):
    """Phi(x) + x phi(x), for the normal distribution function Phi and its density phi."""
    real = type(x)
    a = within(-tail_bound(x), tail_bound(x), x)
    return fma(a, gaussian(abs(a)) * real(INVERSE_SQRT_TWO_PI), normal_cdf(x))


@exact
def squareplus(x, b):
    """(x + sqrt(x^2 + b)) / 2, with no difference of two like numbers below 0."""
    total = np.sqrt(fma(x, x, b)) + abs(x)
    half = type(x)(0.5)
    return half * b / total if x < type(x)(0) else half * total


# For e = exp(x), tanh(log(1 + e)) is n / (n + 2) with n = e (e + 2), which is 1 from 20 on.
MISH_ONE = 20.0


@exact
def mish(x):
    real = type(x)
    e = exp(real(MISH_ONE) if x > real(MISH_ONE) else x)
    n = e * (e + real(2))
    return x * (n / (n + real(2)))


@exact
def mish_slope(x):
    real = type(x)
    small = real(MISH_ONE) if x > real(MISH_ONE) else x
    e = exp(small)
    n = e * (e + real(2))
    m = n + real(2)
    return fma(real(4) * small, e * (real(1) + e) / (m * m), n / m)


@exact
def activation_forward(kind, alpha, x, y):
    """Set ``y`` to the activation of ``x``, with its number ``alpha``; NaN stays NaN."""
    n = x.size
    real = x.dtype.type
    zero = real(0)
    if kind == Activation.SIGMOID:
        for i in range(n):
            y[i] = sigmoid(x[i])
    elif kind == Activation.TANH:
        for i in range(n):
            y[i] = tanh(x[i])
    elif kind == Activation.RELU:
        for i in range(n):
            # Written so that NaN stays NaN; max(x, 0) would hide it.
            y[i] = zero if x[i] < zero else x[i]
    elif kind == Activation.LEAKY_RELU:
        for i in range(n):
            y[i] = alpha * x[i] if x[i] < zero else x[i]
    elif kind == Activation.ELU:
        for i in range(n):
            y[i] = alpha * expm1_negative(x[i]) if x[i] < zero else x[i]
    elif kind == Activation.SELU:
        for i in range(n):
            y[i] = (
                real(SELU_SCALE * SELU_ALPHA) * expm1_negative(x[i])
                if x[i] < zero
                else real(SELU_SCALE) * x[i]
            )
    elif kind == Activation.GELU:
        for i in range(n):
            y[i] = x[i] * normal_cdf(x[i])
    elif kind == Activation.SILU:
        for i in range(n):
            y[i] = x[i] * sigmoid(x[i])
    elif kind == Activation.SOFTPLUS:
        for i in range(n):
            y[i] = softplus(x[i])
    elif kind == Activation.MISH:
        for i in range(n):
            y[i] = mish(x[i])
    else:
        further_forward(kind, alpha, x, y)


@exact
def further_forward(kind, alpha, x, y):
    """The same for kinds from CELU on."""
    n = x.size
    real = x.dtype.type
    zero, half, one, two, sixth = real(0), real(0.5), real(1), real(2), real(SIXTH)
    if kind == Activation.CELU:
        inside = one / alpha
        for i in range(n):
            y[i] = alpha * expm1_negative(x[i] * inside) if x[i] < zero else x[i]
    elif kind == Activation.EXPONENTIAL:
        for i in range(n):
            y[i] = exp(x[i])
    elif kind == Activation.HARD_SIGMOID:
        for i in range(n):
            y[i] = within(zero, one, fma(x[i], sixth, half))
    elif kind == Activation.HARD_SILU:
        for i in range(n):
            y[i] = x[i] * within(zero, one, fma(x[i], sixth, half))
    elif kind == Activation.HARD_TANH:
        for i in range(n):
            y[i] = within(-one, one, x[i])
    elif kind == Activation.HARD_SHRINK:
        for i in range(n):
            y[i] = zero if abs(x[i]) <= alpha else x[i]
    elif kind == Activation.SOFT_SHRINK:
        for i in range(n):
            y[i] = x[i] - within(-alpha, alpha, x[i])
    elif kind == Activation.TANH_SHRINK:
        for i in range(n):
            y[i] = x[i] - tanh(x[i])
    elif kind == Activation.SOFTSIGN:
        for i in range(n):
            y[i] = x[i] / (one + abs(x[i]))
    elif kind == Activation.LOG_SIGMOID:
        for i in range(n):
            y[i] = -softplus(-x[i])
    elif kind == Activation.CLIPPED_RELU:
        for i in range(n):
            y[i] = within(zero, alpha, x[i])
    elif kind == Activation.SQUAREPLUS:
        for i in range(n):
            y[i] = squareplus(x[i], alpha)
    elif kind == Activation.SPARSE_PLUS:
        for i in range(n):
            q = half * within(zero, two, x[i] + one)
            y[i] = q * q if x[i] < one else x[i]
    elif kind == Activation.SPARSE_SIGMOID:
        for i in range(n):
            y[i] = half * within(zero, two, x[i] + one)
    elif kind == Activation.THRESHOLD:
        for i in range(n):
            y[i] = zero if x[i] <= alpha else x[i]
    elif kind == Activation.MINIMUM:
        for i in range(n):
            y[i] = alpha if x[i] > alpha else x[i]
    elif kind == Activation.JUMP:
        for i in range(n):
            y[i] = x[i] + alpha if x[i] > zero else x[i]


@exact
def activation_backward(kind, alpha, x, y, dy, dx):
    """Set ``dx`` to ``dy`` times the slope at ``x``, where the activation is ``y``."""
    n = x.size
    real = x.dtype.type
    zero, one = real(0), real(1)
    if kind == Activation.SIGMOID:
        for i in range(n):
            dx[i] = dy[i] * y[i] * (one - y[i])
    elif kind == Activation.TANH:
        for i in range(n):
            dx[i] = dy[i] * fma(-y[i], y[i], one)
    elif kind == Activation.RELU:
        for i in range(n):
            dx[i] = dy[i] if x[i] > zero else zero
    elif kind == Activation.LEAKY_RELU:
        for i in range(n):
            dx[i] = dy[i] if x[i] > zero else alpha * dy[i]
    elif kind == Activation.ELU:
        for i in range(n):
            dx[i] = dy[i] if x[i] > zero else dy[i] * (y[i] + alpha)
    elif kind == Activation.SELU:
        for i in range(n):
            dx[i] = dy[i] * (
                real(SELU_SCALE) if x[i] > zero else y[i] + real(SELU_SCALE * SELU_ALPHA)
            )
    elif kind == Activation.GELU:
        for i in range(n):
            dx[i] = dy[i] * gelu_slope(x[i])
    elif kind == Activation.SILU:
        for i in range(n):
            s = sigmoid(x[i])
            dx[i] = dy[i] * s * fma(x[i], one - s, one)
    elif kind == Activation.SOFTPLUS:
        for i in range(n):
            dx[i] = dy[i] * sigmoid(x[i])
    elif kind == Activation.MISH:
        for i in range(n):
            dx[i] = dy[i] * mish_slope(x[i])
    else:
        further_backward(kind, alpha, x, y, dy, dx)


@exact
def further_backward(kind, alpha, x, y, dy, dx):
    """The same for kinds from CELU on."""
    n = x.size
    real = x.dtype.type
    zero, half, one, two, three = real(0), real(0.5), real(1), real(2), real(3)
    sixth = real(SIXTH)
    if kind == Activation.CELU:
        inside = one / alpha
        for i in range(n):
            dx[i] = dy[i] if x[i] > zero else dy[i] * fma(y[i], inside, one)
    elif kind == Activation.EXPONENTIAL:
        for i in range(n):
            dx[i] = dy[i] * y[i]
    elif kind == Activation.HARD_SIGMOID:
        for i in range(n):
            dx[i] = dy[i] * sixth if abs(x[i]) < three else zero
    elif kind == Activation.HARD_SILU:
        for i in range(n):
            slope = fma(x[i], two * sixth, half) if x[i] > -three else zero
            dx[i] = dy[i] * slope if x[i] < three else dy[i]
    elif kind == Activation.HARD_TANH:
        for i in range(n):
            dx[i] = dy[i] if abs(x[i]) < one else zero
    elif kind == Activation.HARD_SHRINK or kind == Activation.SOFT_SHRINK:
        for i in range(n):
            dx[i] = dy[i] if abs(x[i]) > alpha else zero
    elif kind == Activation.TANH_SHRINK:
        for i in range(n):
            t = tanh(x[i])
            dx[i] = dy[i] * t * t
    elif kind == Activation.SOFTSIGN:
        for i in range(n):
            dx[i] = dy[i] / ((one + abs(x[i])) * (one + abs(x[i])))
    elif kind == Activation.LOG_SIGMOID:
        for i in range(n):
            dx[i] = dy[i] * sigmoid(-x[i])
    elif kind == Activation.CLIPPED_RELU:
        for i in range(n):
            inner = dy[i] if x[i] < alpha else zero
            dx[i] = inner if x[i] > zero else zero
    elif kind == Activation.SQUAREPLUS:
        for i in range(n):
            dx[i] = dy[i] * (y[i] / np.sqrt(fma(x[i], x[i], alpha)))
    elif kind == Activation.SPARSE_PLUS:
        for i in range(n):
            dx[i] = dy[i] * (half * within(zero, two, x[i] + one))
    elif kind == Activation.SPARSE_SIGMOID:
        for i in range(n):
            dx[i] = half * dy[i] if abs(x[i]) < one else zero
    elif kind == Activation.THRESHOLD:
        for i in range(n):
            dx[i] = dy[i] if x[i] > alpha else zero
    elif kind == Activation.MINIMUM:
        for i in range(n):
            dx[i] = dy[i] if x[i] < alpha else zero
    elif kind == Activation.JUMP:
        for i in range(n):
            dx[i] = dy[i]
