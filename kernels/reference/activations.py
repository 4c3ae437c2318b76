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
        case Activation.CELU:
            y[:] = np.where(x > 0, x, alpha * np.expm1(np.minimum(x / alpha, 0)))
        case Activation.EXPONENTIAL:
            y[:] = np.exp(x)
        case Activation.HARD_SIGMOID:
            y[:] = np.clip(x / 6 + 0.5, 0, 1)
        case Activation.HARD_SILU:
            y[:] = x * np.clip(x / 6 + 0.5, 0, 1)
        case Activation.HARD_TANH:
            y[:] = np.clip(x, -1, 1)
        case Activation.HARD_SHRINK:
            y[:] = np.where(np.abs(x) <= alpha, 0, x)
        case Activation.SOFT_SHRINK:
            y[:] = x - np.clip(x, -alpha, alpha)
        case Activation.TANH_SHRINK:
            y[:] = x - np.tanh(x)
        case Activation.SOFTSIGN:
            y[:] = x / (1 + np.abs(x))
        case Activation.LOG_SIGMOID:
            y[:] = -np.logaddexp(-x, 0)
        case Activation.CLIPPED_RELU:
            y[:] = np.clip(x, 0, alpha)
        case Activation.SQUAREPLUS:
            total = np.sqrt(x * x + alpha) + np.abs(x)
            y[:] = np.where(x < 0, alpha / (2 * total), total / 2)
        case Activation.SPARSE_PLUS:
            y[:] = np.where(x < 1, np.clip(x + 1, 0, 2) ** 2 / 4, x)
        case Activation.SPARSE_SIGMOID:
            y[:] = np.clip(x + 1, 0, 2) / 2
        case Activation.THRESHOLD:
            y[:] = np.where(x <= alpha, 0, x)
        case Activation.MINIMUM:
            y[:] = np.minimum(x, alpha)
        case Activation.JUMP:
            y[:] = np.where(x > 0, x + alpha, x)
        case Activation.COSINE:
            y[:] = np.cos(x)


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
        case Activation.CELU:
            slope = np.where(x > 0, 1, np.exp(np.minimum(x / alpha, 0)))
        case Activation.EXPONENTIAL:
            slope = y
        case Activation.HARD_SIGMOID:
            slope = np.where(np.abs(x) < 3, 1 / 6, 0)
        case Activation.HARD_SILU:
            slope = np.where(x < 3, np.where(x > -3, x / 3 + 0.5, 0), 1)
        case Activation.HARD_TANH:
            slope = np.abs(x) < 1
        case Activation.HARD_SHRINK | Activation.SOFT_SHRINK:
            slope = np.abs(x) > alpha
        case Activation.TANH_SHRINK:
            slope = np.tanh(x) ** 2
        case Activation.SOFTSIGN:
            slope = (1 + np.abs(x)) ** -2.0
        case Activation.LOG_SIGMOID:
            slope = sigmoid(-x)
        case Activation.CLIPPED_RELU:
            slope = (x > 0) & (x < alpha)
        case Activation.SQUAREPLUS:
            slope = y / np.sqrt(x * x + alpha)
        case Activation.SPARSE_PLUS:
            slope = np.clip(x + 1, 0, 2) / 2
        case Activation.SPARSE_SIGMOID:
            slope = np.where(np.abs(x) < 1, 0.5, 0)
        case Activation.THRESHOLD:
            slope = x > alpha
        case Activation.MINIMUM:
            slope = x < alpha
        case Activation.JUMP:
            slope = 1
        case Activation.COSINE:
            slope = -np.sin(x)
    dx[:] = dy * slope
