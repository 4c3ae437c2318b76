"""Batch normalization, feature by feature (axis 0), and layer normalization, sample by sample.

``y = gamma * (x - mean) / sqrt(variance + epsilon) + beta``; statistics are taken in float64.
"""

import numpy as np

from ..contract import Spread


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


def layernorm_forward(kind, epsilon, x, gamma, beta, scratch, y):
    """Set ``scratch`` to each sample's mean, or 0, and to the inverse of its deviation."""
    centered = kind == Spread.VARIANCE
    with np.errstate(over="ignore", invalid="ignore"):
        scratch[0] = x.mean(axis=0) if centered else 0
        variance = ((x - scratch[0]) ** 2).mean(axis=0)
        scratch[1] = inverse_deviation(variance, epsilon)[:, 0]
    y[:] = (x - scratch[0]) * scratch[1]
    if gamma.size:
        y *= gamma[:, None]
    if beta.size:
        y += beta[:, None]


def layernorm_weight_gradient(x, statistics, dy, dgamma, dbeta):
    dgamma[:] = (dy * (x - statistics[0]) * statistics[1]).sum(axis=1, dtype=np.float64)
    dbeta[:] = dy.sum(axis=1, dtype=np.float64)


def layernorm_input_gradient(kind, x, statistics, gamma, dy, scratch, dx):
    """Set ``dx``; ``scratch`` receives the two sums over features that it needs."""
    normalized = (x - statistics[0]) * statistics[1]
    slope = dy * gamma[:, None] if gamma.size else dy
    scratch[0] = slope.mean(axis=0) if kind == Spread.VARIANCE else 0
    scratch[1] = (slope * normalized).mean(axis=0)
    dx[:] = statistics[1] * (slope - scratch[0] - normalized * scratch[1])
