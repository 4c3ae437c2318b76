"""Layers with a number or two for each feature: x, y and their gradients are (features, n)."""

import numpy as np

from .jit import exact
from .normalization import sum_of_products
from .rounding import fma
from .sums import sum_of_values


@exact
def scale_forward(x, gamma, beta, y):
    """Set ``y`` to ``gamma x + beta``, without one of them if it is empty."""
    features, n = x.shape
    real = x.dtype.type
    for i in range(features):
        scale, offset = gamma[i] if gamma.size else real(1), beta[i] if beta.size else real(0)
        for j in range(n):
            y[i, j] = fma(x[i, j], scale, offset)


@exact
def scale_weight_gradient(x, dy, dgamma, dbeta):
    """Set flat ``dgamma`` and ``dbeta``."""
    for i in range(x.shape[0]):
        dgamma[i] = sum_of_products(x[i], 0.0, dy[i])
        dbeta[i] = sum_of_values(dy[i])


@exact
def mix_forward(x, other, weights, y):
    """Set ``y`` to ``x + weight (x - other)``, with a weight for each feature."""
    features, n = x.shape
    for i in range(features):
        weight = weights[i]
        for j in range(n):
            y[i, j] = fma(weight, x[i, j] - other[i, j], x[i, j])


@exact
def mix_weight_gradient(x, other, dy, dweights):
    """Set flat ``dweights`` to the sums of dy (x - other)."""
    for i in range(x.shape[0]):
        of_x = sum_of_products(x[i], 0.0, dy[i])
        dweights[i] = of_x - sum_of_products(other[i], 0.0, dy[i])


@exact
def prelu_forward(x, slopes, y):
    """Set ``y`` to x above 0, and to slope x below (He et al., 2015); NaN stays NaN."""
    features, n = x.shape
    zero = x.dtype.type(0)
    for i in range(features):
        slope = slopes[i]
        for j in range(n):
            y[i, j] = slope * x[i, j] if x[i, j] < zero else x[i, j]


@exact
def prelu_weight_gradient(x, dy, dslopes):
    """Set flat ``dslopes`` to the sums of dy x where x is below 0."""
    features, n = x.shape
    for i in range(features):
        total = 0.0
        for j in range(n):
            if x[i, j] < 0:
                total = fma(np.float64(x[i, j]), np.float64(dy[i, j]), total)
        dslopes[i] = total


@exact
def prelu_input_gradient(x, slopes, dy, dx):
    """Set ``dx``."""
    features, n = x.shape
    zero = x.dtype.type(0)
    for i in range(features):
        slope = slopes[i]
        for j in range(n):
            dx[i, j] = dy[i, j] if x[i, j] > zero else slope * dy[i, j]
