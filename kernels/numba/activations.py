"""Activations with their derivatives, a pair of loops each, over flat buffers.

A derivative may use the input ``x``, the output ``y``, or both: whichever is cheaper.
"""

import math

from ..contract import SELU_ALPHA, SELU_SCALE, Activation
from .elementary import exp, expm1_negative, sigmoid, tanh
from .jit import exact
from .rounding import fma

SQRT_HALF = math.sqrt(0.5)
INVERSE_SQRT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)


@exact
def gelu_slope(x):
    """Phi(x) + x phi(x), for the normal distribution function Phi and its density phi."""
    real = type(x)
    cumulative = real(0.5) * (real(1) + real(math.erf(x * real(SQRT_HALF))))
    return fma(x * real(INVERSE_SQRT_TWO_PI), exp(real(-0.5) * x * x), cumulative)


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
    """Set ``y`` to the activation of ``x``; ``alpha`` is leaky ReLU's slope and ELU's scale."""
    n = x.size
    real = x.dtype.type
    zero, half, one = real(0), real(0.5), real(1)
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
            y[i] = half * x[i] * (one + real(math.erf(x[i] * real(SQRT_HALF))))
    elif kind == Activation.SILU:
        for i in range(n):
            y[i] = x[i] * sigmoid(x[i])
    elif kind == Activation.SOFTPLUS:
        for i in range(n):
            above = zero if x[i] < zero else x[i]
            y[i] = above + real(math.log1p(exp(-abs(x[i]))))
    elif kind == Activation.MISH:
        for i in range(n):
            y[i] = mish(x[i])


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
