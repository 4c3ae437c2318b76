"""Softmax over the features of each sample; the vector runs along the samples."""

import math

from .elementary import exp
from .jit import exact
from .rounding import fma


@exact
def softmax_forward(x, scratch, y):
    """Set ``y`` (features, n) to the softmax of each column of ``x``; ``scratch`` is (2, n)."""
    features, n = x.shape
    for j in range(n):
        scratch[0, j] = x[0, j]
        scratch[1, j] = x.dtype.type(0)
    for i in range(1, features):
        for j in range(n):
            scratch[0, j] = x[i, j] if x[i, j] > scratch[0, j] else scratch[0, j]
    for i in range(features):
        for j in range(n):
            y[i, j] = exp(x[i, j] - scratch[0, j])
            scratch[1, j] += y[i, j]
    for j in range(n):
        scratch[1, j] = x.dtype.type(1) / scratch[1, j]
    for i in range(features):
        for j in range(n):
            y[i, j] *= scratch[1, j]


@exact
def softmax_backward(y, dy, scratch, dx):
    """Set ``dx`` to ``y * (dy - sum(dy * y))``, the sum over each column's features."""
    features, n = y.shape
    for j in range(n):
        scratch[0, j] = y.dtype.type(0)
    for i in range(features):
        for j in range(n):
            scratch[0, j] = fma(dy[i, j], y[i, j], scratch[0, j])
    for i in range(features):
        for j in range(n):
            dx[i, j] = y[i, j] * (dy[i, j] - scratch[0, j])


@exact
def log_softmax_forward(x, scratch, y):
    """Set ``y`` (features, n) to the logarithm of the softmax of each column of ``x``.

    ``scratch`` (2, n) receives the maxima, and the logarithms of the sums of exponentials.
    """
    features, n = x.shape
    for j in range(n):
        scratch[0, j] = x[0, j]
        scratch[1, j] = x.dtype.type(0)
    for i in range(1, features):
        for j in range(n):
            scratch[0, j] = x[i, j] if x[i, j] > scratch[0, j] else scratch[0, j]
    for i in range(features):
        for j in range(n):
            scratch[1, j] += exp(x[i, j] - scratch[0, j])
    for j in range(n):  # one for all features of a sample
        scratch[1, j] = math.log(scratch[1, j])
    for i in range(features):
        for j in range(n):
            y[i, j] = (x[i, j] - scratch[0, j]) - scratch[1, j]


@exact
def log_softmax_backward(y, dy, scratch, dx):
    """Set ``dx`` to ``dy - exp(y) * sum(dy)``, the sum over each column's features."""
    features, n = y.shape
    for j in range(n):
        scratch[0, j] = y.dtype.type(0)
    for i in range(features):
        for j in range(n):
            scratch[0, j] += dy[i, j]
    for i in range(features):
        for j in range(n):
            dx[i, j] = fma(-exp(y[i, j]), scratch[0, j], dy[i, j])
