"""Batch normalization, feature by feature, and layer normalization, sample by sample.

The vector runs along the samples.

A feature's sums are taken in float64, in an order that depends on the number of samples alone.
"""

import math

import numpy as np

from ..contract import Spread
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


@exact
def layernorm_forward(kind, epsilon, x, gamma, beta, scratch, y):
    """Set ``y`` to ``x``, normalized sample by sample.

    ``scratch`` (2, n) receives each sample's mean, or 0, and the inverse of its deviation: NaN if
    the variance has overflowed, which 0 would hide.
    """
    features, n = x.shape
    real = x.dtype.type
    share, added, one = real(1.0 / features), real(epsilon), real(1)
    for j in range(n):
        scratch[0, j] = real(0)
        scratch[1, j] = real(0)
    if kind == Spread.VARIANCE:
        for i in range(features):
            for j in range(n):
                scratch[0, j] += x[i, j]
        for j in range(n):
            scratch[0, j] *= share
    for i in range(features):
        for j in range(n):
            distance = x[i, j] - scratch[0, j]
            scratch[1, j] = fma(distance, distance, scratch[1, j])
    for j in range(n):
        squares = scratch[1, j]
        inverse = one / np.sqrt(fma(squares, share, added))
        scratch[1, j] = inverse if squares < real(math.inf) else real(math.nan)
    for i in range(features):
        scale, offset = gamma[i] if gamma.size else one, beta[i] if beta.size else real(0)
        for j in range(n):
            y[i, j] = (x[i, j] - scratch[0, j]) * scratch[1, j] * scale + offset


@exact
def layernorm_weight_gradient(x, statistics, dy, dgamma, dbeta):
    """Set flat ``dgamma`` and ``dbeta``, with what :func:`layernorm_forward` has left."""
    for i in range(x.shape[0]):
        dgamma[i] = sum_of_normalized(x[i], statistics[0], statistics[1], dy[i])
        dbeta[i] = sum_of_values(dy[i])


@exact
def sum_of_normalized(values, means, scales, others):
    """The sum of ``(values - means) * scales * others``, all flat."""
    total = wide(0.0)
    whole = values.size - values.size % WIDE
    for i in range(0, whole, WIDE):
        distance = load_wide(values, i, None) - load_wide(means, i, None)
        total = fma(
            fma(distance, load_wide(scales, i, None), wide(0.0)), load_wide(others, i, None), total
        )
    if whole < values.size:
        count = values.size - whole
        distance = load_wide(values, whole, count) - load_wide(means, whole, count)
        total = fma(
            fma(distance, load_wide(scales, whole, count), wide(0.0)),
            load_wide(others, whole, count),
            total,
        )
    return sum_of(total)


@exact
def layernorm_input_gradient(kind, x, statistics, gamma, dy, scratch, dx):
    """Set ``dx``; a sample's mean and deviation are functions of it, too.

    ``scratch`` receives the two sums over the features that it needs.
    """
    features, n = x.shape
    real = x.dtype.type
    share, one = real(1.0 / features), real(1)
    for j in range(n):
        scratch[0, j] = real(0)
        scratch[1, j] = real(0)
    for i in range(features):
        scale = gamma[i] if gamma.size else one
        for j in range(n):
            slope = dy[i, j] * scale
            normalized = (x[i, j] - statistics[0, j]) * statistics[1, j]
            scratch[0, j] += slope
            scratch[1, j] = fma(slope, normalized, scratch[1, j])
    centered = real(1 if kind == Spread.VARIANCE else 0)
    for j in range(n):
        scratch[0, j] *= share * centered
        scratch[1, j] *= -share
    for i in range(features):
        scale = gamma[i] if gamma.size else one
        for j in range(n):
            normalized = (x[i, j] - statistics[0, j]) * statistics[1, j]
            rest = dy[i, j] * scale - scratch[0, j]
            dx[i, j] = statistics[1, j] * fma(normalized, scratch[1, j], rest)
