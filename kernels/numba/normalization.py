"""Batch normalization, feature by feature; the vector runs along the samples.

A feature's sums are taken in float64, in an order that depends on the number of samples alone.
"""

import math

import numpy as np

from .jit import exact
from .rounding import fma
from .sums import sum_of_squares, sum_of_values
from .vectors import WIDE, load_wide, sum_of, wide


@exact
def batch_statistics(x, mean, variance):
    """Set flat ``mean`` and ``variance`` to those of each row of ``x`` (features, n).

    In two passes: the mean of squares less the square of the mean would lose the digits of a
    variance that is small beside the mean.
    """
    features, n = x.shape
    for i in range(features):
        center = sum_of_values(x[i]) / n
        mean[i] = center
        variance[i] = sum_of_squares(x[i], center) / n


@exact
def running_update(momentum, batch, running):
    """Let flat ``running`` follow ``batch``; where it has arrived, it stays."""
    share = running.dtype.type(1 - momentum)
    for i in range(running.size):
        running[i] = fma(share, batch[i] - running[i], running[i])


@exact
def inverse_deviation(variance, epsilon):
    """Return NaN if the variance is not finite: 0 would hide that it has overflowed."""
    if not variance < math.inf:
        return math.nan
    return 1.0 / math.sqrt(np.float64(variance) + epsilon)


@exact
def sum_of_products(values, center, others):
    """The sum of ``(values - center) * others``, both flat."""
    total, centers = wide(0.0), wide(center)
    whole = values.size - values.size % WIDE
    for i in range(0, whole, WIDE):
        total = fma(load_wide(values, i, None) - centers, load_wide(others, i, None), total)
    if whole < values.size:
        count = values.size - whole
        distance = load_wide(values, whole, count) - centers
        total = fma(distance, load_wide(others, whole, count), total)
    return sum_of(total)


@exact
def batchnorm_forward(epsilon, x, mean, variance, gamma, beta, y):
    """Set ``y`` to the normalized ``x``, scaled and shifted."""
    features, n = x.shape
    real = x.dtype.type
    for i in range(features):
        scale = inverse_deviation(variance[i], epsilon)
        if gamma.size:
            scale *= np.float64(gamma[i])
        factor, center, offset = real(scale), mean[i], beta[i] if beta.size else real(0)
        for j in range(n):
            y[i, j] = fma(x[i, j] - center, factor, offset)


@exact
def batchnorm_weight_gradient(epsilon, x, mean, variance, dy, dgamma, dbeta):
    """Set flat ``dgamma`` and ``dbeta``; the gradient of ``x`` needs them as well."""
    for i in range(x.shape[0]):
        products = sum_of_products(x[i], np.float64(mean[i]), dy[i])
        dgamma[i] = products * inverse_deviation(variance[i], epsilon)
        dbeta[i] = sum_of_values(dy[i])


@exact
def batchnorm_input_gradient(epsilon, x, mean, variance, gamma, dgamma, dbeta, dy, dx):
    """Set ``dx``, given what :func:`batchnorm_weight_gradient` computes."""
    features, n = x.shape
    real = x.dtype.type
    for i in range(features):
        inverse = inverse_deviation(variance[i], epsilon)
        center = mean[i]
        slope, shift = real(-np.float64(dgamma[i]) / n * inverse), real(np.float64(dbeta[i]) / n)
        scale = real(inverse * np.float64(gamma[i]) if gamma.size else inverse)
        for j in range(n):
            dx[i, j] = scale * fma(x[i, j] - center, slope, dy[i, j] - shift)
