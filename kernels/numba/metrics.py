"""Metrics: what is counted over the batch's samples, beside the loss.

``rows`` (n,) names the batch's samples; ``labels`` (count,) and ``targets`` (count, outputs)
are those of the whole data set, of which one is empty, and so are its ``weights`` (count,).
"""

import math

import numpy as np

from ..contract import Metric, Scalar
from .jit import exact
from .losses import weight_of


@exact
def metric(kind, x, rows, labels, targets, weights, reals):
    """Return the weighted sum over the samples of what the metric makes of their outputs ``x``."""
    if kind == Metric.FIRST_MAXIMUM:
        return right_maxima(x, rows, labels, targets, weights)
    if kind == Metric.BINARY:
        threshold = x.dtype.type(reals[Scalar.ALPHA])
        return right_answers(threshold, x, rows, targets, weights) / x.shape[0]
    return math.nan  # there is no such metric


@exact
def right_maxima(x, rows, labels, targets, weights):
    """Sum the weights of the samples with their first maximum at their label or their target's."""
    right = 0.0
    for j in range(x.shape[1]):
        answer = labels[rows[j]] if labels.size else first_maximum(targets[rows[j]])
        if first_maximum(x[:, j]) == answer:
            right += weight_of(weights, rows, j)
    return right


@exact
def right_answers(threshold, x, rows, targets, weights):
    """Sum the weights of outputs above the threshold for a target of 1, and not for one of 0."""
    right = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            answer = x.dtype.type(1 if x[i, j] > threshold else 0)
            if targets[rows[j], i] == answer:
                right += weight_of(weights, rows, j)
    return right


@exact
def first_maximum(values):
    best = np.int64(0)
    for i in range(1, values.size):
        if values[i] > values[best]:
            best = np.int64(i)
    return best
