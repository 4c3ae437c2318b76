"""Activations with their derivatives, a pair of loops each, over flat buffers.

``alpha`` is the number of an activation that has one.  A derivative may use the input ``x``, the
output ``y``, or both: whichever is cheaper.  To add an activation: write its pair, and name it
below in both families.
"""

import math

import numpy as np

from ..contract import SELU_ALPHA, SELU_SCALE, Activation
from .elementary import (
    cosine,
    exp,
    expm1_negative,
    gaussian,
    log1p,
    normal_cdf,
    sigmoid,
    sine,
    tail_bound,
    tanh,
)
from .jit import exact
from .late import Family
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
def sigmoid_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = sigmoid(x[i])


@exact
def sigmoid_backward(alpha, x, y, dy, dx):
    one = x.dtype.type(1)
    for i in range(x.size):
        dx[i] = dy[i] * y[i] * (one - y[i])


@exact
def tanh_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = tanh(x[i])


@exact
def tanh_backward(alpha, x, y, dy, dx):
    one = x.dtype.type(1)
    for i in range(x.size):
        dx[i] = dy[i] * fma(-y[i], y[i], one)


@exact
def relu_forward(alpha, x, y):
    zero = x.dtype.type(0)
    for i in range(x.size):
        # Written so that NaN stays NaN; max(x, 0) would hide it.
        y[i] = zero if x[i] < zero else x[i]


@exact
def relu_backward(alpha, x, y, dy, dx):
    zero = x.dtype.type(0)
    for i in range(x.size):
        dx[i] = dy[i] if x[i] > zero else zero


@exact
def leaky_relu_forward(alpha, x, y):
    zero = x.dtype.type(0)
    for i in range(x.size):
        y[i] = alpha * x[i] if x[i] < zero else x[i]


@exact
def leaky_relu_backward(alpha, x, y, dy, dx):
    zero = x.dtype.type(0)
    for i in range(x.size):
        dx[i] = dy[i] if x[i] > zero else alpha * dy[i]


@exact
def elu_forward(alpha, x, y):
    zero = x.dtype.type(0)
    for i in range(x.size):
        y[i] = alpha * expm1_negative(x[i]) if x[i] < zero else x[i]


@exact
def elu_backward(alpha, x, y, dy, dx):
    zero = x.dtype.type(0)
    for i in range(x.size):
        dx[i] = dy[i] if x[i] > zero else dy[i] * (y[i] + alpha)


@exact
def selu_forward(alpha, x, y):
    real = x.dtype.type
    zero, scale, below = real(0), real(SELU_SCALE), real(SELU_SCALE * SELU_ALPHA)
    for i in range(x.size):
        y[i] = below * expm1_negative(x[i]) if x[i] < zero else scale * x[i]


@exact
def selu_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero, scale, below = real(0), real(SELU_SCALE), real(SELU_SCALE * SELU_ALPHA)
    for i in range(x.size):
        dx[i] = dy[i] * (scale if x[i] > zero else y[i] + below)


@exact
def gelu_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = x[i] * normal_cdf(x[i])


@exact
def gelu_backward(alpha, x, y, dy, dx):
    for i in range(x.size):
        dx[i] = dy[i] * gelu_slope(x[i])


@exact
def silu_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = x[i] * sigmoid(x[i])


@exact
def silu_backward(alpha, x, y, dy, dx):
    one = x.dtype.type(1)
    for i in range(x.size):
        s = sigmoid(x[i])
        dx[i] = dy[i] * s * fma(x[i], one - s, one)


@exact
def softplus_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = softplus(x[i])


@exact
def softplus_backward(alpha, x, y, dy, dx):
    for i in range(x.size):
        dx[i] = dy[i] * sigmoid(x[i])


@exact
def mish_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = mish(x[i])


@exact
def mish_backward(alpha, x, y, dy, dx):
    for i in range(x.size):
        dx[i] = dy[i] * mish_slope(x[i])


@exact
def celu_forward(alpha, x, y):
    real = x.dtype.type
    zero, one = real(0), real(1)
    inside = one / alpha
    for i in range(x.size):
        y[i] = alpha * expm1_negative(x[i] * inside) if x[i] < zero else x[i]


@exact
def celu_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero, one = real(0), real(1)
    inside = one / alpha
    for i in range(x.size):
        dx[i] = dy[i] if x[i] > zero else dy[i] * fma(y[i], inside, one)


@exact
def exponential_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = exp(x[i])


@exact
def exponential_backward(alpha, x, y, dy, dx):
    for i in range(x.size):
        dx[i] = dy[i] * y[i]


@exact
def hard_sigmoid_forward(alpha, x, y):
    real = x.dtype.type
    zero, half, one, sixth = real(0), real(0.5), real(1), real(SIXTH)
    for i in range(x.size):
        y[i] = within(zero, one, fma(x[i], sixth, half))


@exact
def hard_sigmoid_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero, three, sixth = real(0), real(3), real(SIXTH)
    for i in range(x.size):
        dx[i] = dy[i] * sixth if abs(x[i]) < three else zero


@exact
def hard_silu_forward(alpha, x, y):
    real = x.dtype.type
    zero, half, one, sixth = real(0), real(0.5), real(1), real(SIXTH)
    for i in range(x.size):
        y[i] = x[i] * within(zero, one, fma(x[i], sixth, half))


@exact
def hard_silu_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero, half, two, three, sixth = real(0), real(0.5), real(2), real(3), real(SIXTH)
    for i in range(x.size):
        slope = fma(x[i], two * sixth, half) if x[i] > -three else zero
        dx[i] = dy[i] * slope if x[i] < three else dy[i]


@exact
def hard_tanh_forward(alpha, x, y):
    real = x.dtype.type
    one = real(1)
    for i in range(x.size):
        y[i] = within(-one, one, x[i])


@exact
def hard_tanh_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero, one = real(0), real(1)
    for i in range(x.size):
        dx[i] = dy[i] if abs(x[i]) < one else zero


@exact
def hard_shrink_forward(alpha, x, y):
    real = x.dtype.type
    zero = real(0)
    for i in range(x.size):
        y[i] = zero if abs(x[i]) <= alpha else x[i]


@exact
def hard_shrink_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero = real(0)
    for i in range(x.size):
        dx[i] = dy[i] if abs(x[i]) > alpha else zero


@exact
def soft_shrink_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = x[i] - within(-alpha, alpha, x[i])


@exact
def soft_shrink_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero = real(0)
    for i in range(x.size):
        dx[i] = dy[i] if abs(x[i]) > alpha else zero


@exact
def tanh_shrink_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = x[i] - tanh(x[i])


@exact
def tanh_shrink_backward(alpha, x, y, dy, dx):
    for i in range(x.size):
        t = tanh(x[i])
        dx[i] = dy[i] * t * t


@exact
def softsign_forward(alpha, x, y):
    real = x.dtype.type
    one = real(1)
    for i in range(x.size):
        y[i] = x[i] / (one + abs(x[i]))


@exact
def softsign_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    one = real(1)
    for i in range(x.size):
        dx[i] = dy[i] / ((one + abs(x[i])) * (one + abs(x[i])))


@exact
def log_sigmoid_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = -softplus(-x[i])


@exact
def log_sigmoid_backward(alpha, x, y, dy, dx):
    for i in range(x.size):
        dx[i] = dy[i] * sigmoid(-x[i])


@exact
def clipped_relu_forward(alpha, x, y):
    real = x.dtype.type
    zero = real(0)
    for i in range(x.size):
        y[i] = within(zero, alpha, x[i])


@exact
def clipped_relu_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero = real(0)
    for i in range(x.size):
        inner = dy[i] if x[i] < alpha else zero
        dx[i] = inner if x[i] > zero else zero


@exact
def squareplus_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = squareplus(x[i], alpha)


@exact
def squareplus_backward(alpha, x, y, dy, dx):
    for i in range(x.size):
        dx[i] = dy[i] * (y[i] / np.sqrt(fma(x[i], x[i], alpha)))


@exact
def sparse_plus_forward(alpha, x, y):
    real = x.dtype.type
    zero, half, one, two = real(0), real(0.5), real(1), real(2)
    for i in range(x.size):
        q = half * within(zero, two, x[i] + one)
        y[i] = q * q if x[i] < one else x[i]


@exact
def sparse_plus_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero, half, one, two = real(0), real(0.5), real(1), real(2)
    for i in range(x.size):
        dx[i] = dy[i] * (half * within(zero, two, x[i] + one))


@exact
def sparse_sigmoid_forward(alpha, x, y):
    real = x.dtype.type
    zero, half, one, two = real(0), real(0.5), real(1), real(2)
    for i in range(x.size):
        y[i] = half * within(zero, two, x[i] + one)


@exact
def sparse_sigmoid_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero, half, one = real(0), real(0.5), real(1)
    for i in range(x.size):
        dx[i] = half * dy[i] if abs(x[i]) < one else zero


@exact
def threshold_forward(alpha, x, y):
    real = x.dtype.type
    zero = real(0)
    for i in range(x.size):
        y[i] = zero if x[i] <= alpha else x[i]


@exact
def threshold_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero = real(0)
    for i in range(x.size):
        dx[i] = dy[i] if x[i] > alpha else zero


@exact
def minimum_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = alpha if x[i] > alpha else x[i]


@exact
def minimum_backward(alpha, x, y, dy, dx):
    real = x.dtype.type
    zero = real(0)
    for i in range(x.size):
        dx[i] = dy[i] if x[i] < alpha else zero


@exact
def jump_forward(alpha, x, y):
    real = x.dtype.type
    zero = real(0)
    for i in range(x.size):
        y[i] = x[i] + alpha if x[i] > zero else x[i]


@exact
def jump_backward(alpha, x, y, dy, dx):
    for i in range(x.size):
        dx[i] = dy[i]


@exact
def cosine_forward(alpha, x, y):
    for i in range(x.size):
        y[i] = cosine(x[i])


@exact
def cosine_backward(alpha, x, y, dy, dx):
    for i in range(x.size):
        dx[i] = -dy[i] * sine(x[i])


# Called with the kind first: ``activation_forward(kind, alpha, x, y)`` sets ``y``, and
# ``activation_backward(kind, alpha, x, y, dy, dx)`` sets ``dx`` to ``dy`` times the slope at ``x``.
activation_forward = Family(
    "activation_forward",
    {
        Activation.SIGMOID: sigmoid_forward,
        Activation.TANH: tanh_forward,
        Activation.RELU: relu_forward,
        Activation.LEAKY_RELU: leaky_relu_forward,
        Activation.ELU: elu_forward,
        Activation.SELU: selu_forward,
        Activation.GELU: gelu_forward,
        Activation.SILU: silu_forward,
        Activation.SOFTPLUS: softplus_forward,
        Activation.MISH: mish_forward,
        Activation.CELU: celu_forward,
        Activation.EXPONENTIAL: exponential_forward,
        Activation.HARD_SIGMOID: hard_sigmoid_forward,
        Activation.HARD_SILU: hard_silu_forward,
        Activation.HARD_TANH: hard_tanh_forward,
        Activation.HARD_SHRINK: hard_shrink_forward,
        Activation.SOFT_SHRINK: soft_shrink_forward,
        Activation.TANH_SHRINK: tanh_shrink_forward,
        Activation.SOFTSIGN: softsign_forward,
        Activation.LOG_SIGMOID: log_sigmoid_forward,
        Activation.CLIPPED_RELU: clipped_relu_forward,
        Activation.SQUAREPLUS: squareplus_forward,
        Activation.SPARSE_PLUS: sparse_plus_forward,
        Activation.SPARSE_SIGMOID: sparse_sigmoid_forward,
        Activation.THRESHOLD: threshold_forward,
        Activation.MINIMUM: minimum_forward,
        Activation.JUMP: jump_forward,
        Activation.COSINE: cosine_forward,
    },
)
activation_backward = Family(
    "activation_backward",
    {
        Activation.SIGMOID: sigmoid_backward,
        Activation.TANH: tanh_backward,
        Activation.RELU: relu_backward,
        Activation.LEAKY_RELU: leaky_relu_backward,
        Activation.ELU: elu_backward,
        Activation.SELU: selu_backward,
        Activation.GELU: gelu_backward,
        Activation.SILU: silu_backward,
        Activation.SOFTPLUS: softplus_backward,
        Activation.MISH: mish_backward,
        Activation.CELU: celu_backward,
        Activation.EXPONENTIAL: exponential_backward,
        Activation.HARD_SIGMOID: hard_sigmoid_backward,
        Activation.HARD_SILU: hard_silu_backward,
        Activation.HARD_TANH: hard_tanh_backward,
        Activation.HARD_SHRINK: hard_shrink_backward,
        Activation.SOFT_SHRINK: soft_shrink_backward,
        Activation.TANH_SHRINK: tanh_shrink_backward,
        Activation.SOFTSIGN: softsign_backward,
        Activation.LOG_SIGMOID: log_sigmoid_backward,
        Activation.CLIPPED_RELU: clipped_relu_backward,
        Activation.SQUAREPLUS: squareplus_backward,
        Activation.SPARSE_PLUS: sparse_plus_backward,
        Activation.SPARSE_SIGMOID: sparse_sigmoid_backward,
        Activation.THRESHOLD: threshold_backward,
        Activation.MINIMUM: minimum_backward,
        Activation.JUMP: jump_backward,
        Activation.COSINE: cosine_backward,
    },
)
