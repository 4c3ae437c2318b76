"""Activations with their derivatives, as the textbooks write them."""

import math

import numpy as np

from ..contract import SELU_ALPHA, SELU_SCALE, Activation

_erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def _normal_distribution(x):
    return (0.5 * (1 + _erf(x / math.sqrt(2)))).astype(x.dtype)


def _elu(alpha, x):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def activation_forward(kind, alpha, x, y):
    """Set flat ``y`` to the activation of flat ``x``."""
    match kind:
        case Activation.SIGMOID:
            y[:] = sigmoid(x)
        case Activation.TANH:
            y[:] = np.tanh(x)
        case Activation.RELU:
            y[:] = np.maximum(x, 0)
        case Activation.LEAKY_RELU:
            y[:] = np.where(x > 0, x, alpha * x)
        case Activation.ELU:
            y[:] = _elu(alpha, x)
        case Activation.SELU:
            y[:] = SELU_SCALE * _elu(SELU_ALPHA, x)
        case Activation.GELU:
            y[:] = x * _normal_distribution(x)
        case Activation.SILU:
            y[:] = x * sigmoid(x)
        case Activation.SOFTPLUS:
            y[:] = np.logaddexp(x, 0)
        case Activation.MISH:
            y[:] = x * np.tanh(np.logaddexp(x, 0))


def activation_backward(kind, alpha, x, y, dy, dx):
    """Set flat ``dx`` to ``dy`` times the slope at ``x``, where the activation is ``y``."""
    match kind:
        case Activation.SIGMOID:
            slope = y * (1 - y)
        case Activation.TANH:
            slope = 1 - y**2
        case Activation.RELU:
            slope = np.where(x > 0, 1, 0)
        case Activation.LEAKY_RELU:
            slope = np.where(x > 0, 1, alpha)
        case Activation.ELU:
            slope = np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0)))
        case Activation.SELU:
            slope = SELU_SCALE * np.where(x > 0, 1, SELU_ALPHA * np.exp(np.minimum(x, 0)))
        case Activation.GELU:
            density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
            slope = _normal_distribution(x) + x * density
        case Activation.SILU:
            s = sigmoid(x)
            slope = s * (1 + x * (1 - s))
        case Activation.SOFTPLUS:
            slope = sigmoid(x)
        case Activation.MISH:
            t = np.tanh(np.logaddexp(x, 0))
            slope = t + x * (1 - t**2) * sigmoid(x)
    dx[:] = dy * slope
