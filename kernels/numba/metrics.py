"""Metrics: what is counted over the batch's samples, beside the loss.

``rows`` (n,) names the batch's samples; ``labels`` (count,) and ``targets`` (count, outputs)
are those of the whole data set, of which one is empty, and so may be its ``weights`` (count,).
"""

import math

import numpy as np

from ..contract import OUT_OF_TOP_K, Metric, Scalar
from .jit import exact
from .late import Family
from .losses import weight_of


@exact
def right_label(rows, labels, targets, j):
    """Return a sample's label, or where its target is largest."""
    return labels[rows[j]] if labels.size else first_maximum(targets[rows[j]])


@exact
def first_maxima(x, rows, labels, targets, weights, reals, thresholds, totals):
    """Sum the weights of the samples with their first maximum at their label or their target's."""
    for j in range(x.shape[1]):
        if first_maximum(x[:, j]) == right_label(rows, labels, targets, j):
            totals[0] += weight_of(weights, rows, j)


@exact
def in_top_k(x, rows, labels, targets, weights, reals, thresholds, totals):
    """Sum the weights of samples of which fewer than k outputs are larger than the right one."""
    for j in range(x.shape[1]):
        own, larger = x[right_label(rows, labels, targets, j), j], 0
        for i in range(x.shape[0]):
            larger += x[i, j] > own
        if larger < reals[Scalar.ALPHA] and abs(own) < math.inf:
            totals[0] += weight_of(weights, rows, j)


@exact
def binary(x, rows, labels, targets, weights, reals, thresholds, totals):
    """Sum the shares of outputs above the threshold for a target of 1, and not for one of 0."""
    threshold, right = x.dtype.type(reals[Scalar.ALPHA]), 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            answer = x.dtype.type(1 if x[i, j] > threshold else 0)
            if targets[rows[j], i] == answer:
                right += weight_of(weights, rows, j)
    totals[0] += right / x.shape[0]


@exact
def equal(x, rows, labels, targets, weights, reals, thresholds, totals):
    """Sum the shares of outputs that are their targets."""
    right = 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if targets[rows[j], i] == x[i, j]:
                right += weight_of(weights, rows, j)
    totals[0] += right / x.shape[0]


@exact
def levels_below(value, thresholds):
    """Return how many of some thresholds, which rise, a value is above."""
    low, high = 0, thresholds.size
    while low < high:
        middle = (low + high) // 2
        if value > thresholds[middle]:
            low = middle + 1
        else:
            high = middle
    return low


@exact
def larger_than(x, i, j):
    """Return how many outputs of a sample are larger than output i, or equal and before it."""
    count = 0
    for other in range(x.shape[0]):
        count += x[other, j] > x[i, j] or (other < i and x[other, j] == x[i, j])
    return count


@exact
def confusion(x, rows, labels, targets, weights, reals, thresholds, totals):
    """Sort outputs by how many thresholds they are above."""
    top_k, only, levels = reals[Scalar.ALPHA], reals[Scalar.BETA], thresholds.size
    for i in range(x.shape[0]):
        if only >= 0.0 and i != only:
            continue
        start = i * 2 * (levels + 1) if reals[Scalar.GAMMA] != 0.0 else 0
        for j in range(x.shape[1]):
            value = np.float64(x[i, j])
            if top_k > 0.0 and larger_than(x, i, j) >= top_k:
                value = OUT_OF_TOP_K
            place = start + levels_below(value, thresholds)
            if targets[rows[j], i] != 0:
                place += levels + 1
            totals[place] += weight_of(weights, rows, j)


@exact
def yes(x, rows, labels, targets, weights, reals, thresholds, totals):
    """Count, for each output, right and wrong yeses and wrong noes."""
    features, threshold = x.shape[0], x.dtype.type(reals[Scalar.ALPHA])
    for j in range(x.shape[1]):
        largest, weight = x[first_maximum(x[:, j]), j], weight_of(weights, rows, j)
        for i in range(features):
            t = np.float64(targets[rows[j], i])
            if reals[Scalar.BETA] != 0.0:
                says_yes = x[i, j] >= largest and abs(np.float64(x[i, j])) > 1e-9
            else:
                says_yes = x[i, j] > threshold
            if says_yes:
                totals[i] += weight * t
                totals[features + i] += weight * (1.0 - t)
            else:
                totals[2 * features + i] += weight * t


@exact
def squares(x, rows, labels, targets, weights, reals, thresholds, totals):
    """Sum targets, their squares, and squared errors, for each output."""
    features = x.shape[0]
    for j in range(x.shape[1]):
        weight = weight_of(weights, rows, j)
        for i in range(features):
            t = np.float64(targets[rows[j], i])
            error = np.float64(x[i, j] - targets[rows[j], i])
            totals[i] += weight * t
            totals[features + i] += weight * (t * t)
            totals[2 * features + i] += weight * (error * error)


@exact
def first_maximum(values):
    best = np.int64(0)
    for i in range(1, values.size):
        if values[i] > values[best]:
            best = np.int64(i)
    return best


# ``metric(kind, x, rows, labels, targets, weights, reals, thresholds, totals)`` adds to ``totals``
# what it makes of the samples' outputs ``x`` (outputs, n).
metric = Family(
    "metric",
    {
        Metric.FIRST_MAXIMUM: first_maxima,
        Metric.BINARY: binary,
        Metric.IN_TOP_K: in_top_k,
        Metric.EQUAL: equal,
        Metric.CONFUSION: confusion,
        Metric.YES: yes,
        Metric.SQUARES: squares,
    },
)
