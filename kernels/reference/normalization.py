"""Batch normalization, feature by feature (axis 0).

``y = gamma * (x - mean) / sqrt(variance + epsilon) + beta``; statistics are taken in float64.
"""

import numpy as np


def batch_statistics(x, mean, variance):
    mean[:] = x.mean(axis=1, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        variance[:] = x.var(axis=1, dtype=np.float64)


def running_update(momentum, batch, running):
    running += (1 - momentum) * (batch - running)


def inverse_deviation(variance, epsilon):
    """Return a column; NaN where the variance is not finite, as 0 would hide the overflow."""
    inverse = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    return np.where(np.isfinite(variance), inverse, np.nan)[:, None]


def batchnorm_forward(epsilon, x, mean, variance, gamma, beta, y):
    y[:] = (x - mean[:, None]) * inverse_deviation(variance, epsilon)
    if gamma.size:
        y *= gamma[:, None]
    if beta.size:
        y += beta[:, None]


def batchnorm_weight_gradient(epsilon, x, mean, variance, dy, dgamma, dbeta):
    normalized = (x - mean[:, None]) * inverse_deviation(variance, epsilon)
    dgamma[:] = (dy * normalized).sum(axis=1)
    dbeta[:] = dy.sum(axis=1, dtype=np.float64)


def batchnorm_input_gradient(epsilon, x, mean, variance, gamma, dgamma, dbeta, dy, dx):
    """Set ``dx``, given the sums that :func:`batchnorm_weight_gradient` takes.

    The statistics depend on ``x`` too (Ioffe & Szegedy, 2015, section 3).
    """
    n = x.shape[1]
    inverse = inverse_deviation(variance, epsilon)
    normalized = (x - mean[:, None]) * inverse
    dx[:] = (dy - dbeta[:, None] / n - normalized * dgamma[:, None] / n) * inverse
    if gamma.size:
        dx *= gamma[:, None]
