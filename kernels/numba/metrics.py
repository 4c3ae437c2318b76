"""Metrics: what is counted over the batch's samples, beside the loss.

``rows`` (n,) names the batch's samples; ``labels`` (count,) and ``targets`` (count, outputs)
are those of the whole data set, of which one is empty.
"""

import math

import numpy as np

from ..contract import Metric
from .jit import exact


@exact
def metric(kind, alpha, x, rows, labels, targets):
    """Return the sum over the samples of what the metric makes of their outputs ``x``."""
    if kind == Metric.FIRST_MAXIMUM:
        return np.float64(count_right_maxima(x, rows, labels, targets))
    if kind == Metric.BINARY:
        return count_binary(alpha, x, rows, targets) / x.shape[0]
    return math.nan  # there is no such metric


@exact
def count_right_maxima(x, rows, labels, targets):
    """Count the samples with their first maximum at their label, or where their target has it."""
    right = 0
    for j in range(x.shape[1]):
        answer = labels[rows[j]] if labels.size else first_maximum(targets[rows[j]])
        if first_maximum(x[:, j]) == answer:
            right += 1
    return right


@exact
def count_binary(threshold, x, rows, targets):
    """Count the outputs that are above the threshold for a target of 1, and not for one of 0."""
    right = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            answer = x.dtype.type(1 if x[i, j] > threshold else 0)
            if targets[rows[j], i] == answer:
                right += 1
    return right


@exact
def first_maximum(values):
    best = np.int64(0)
    for i in range(1, values.size):
        if values[i] > values[best]:
            best = np.int64(i)
    return best
