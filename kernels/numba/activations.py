"""Activations with their derivatives, a pair of loops each, over flat buffers.

``alpha`` is leaky ReLU's slope and ELU's scale.  A derivative may use the input ``x``, the output
``y``, or both: whichever is cheaper.  To add an activation: write its pair, and name it below in
both families.
"""

import math

from ..contract import SELU_ALPHA, SELU_SCALE, Activation
from .elementary import exp, expm1_negative, sigmoid, tanh
from .jit import exact
from .late import Family
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
    real = x.dtype.type
    half, one = real(0.5), real(1)
    for i in range(x.size):
        y[i] = half * x[i] * (one + real(math.erf(x[i] * real(SQRT_HALF))))


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
    real = x.dtype.type
    zero = real(0)
    for i in range(x.size):
        above = zero if x[i] < zero else x[i]
        y[i] = above + real(math.log1p(exp(-abs(x[i]))))


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
    },
)
