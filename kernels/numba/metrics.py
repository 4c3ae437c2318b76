"""Metrics: what is counted over the batch's samples, beside the loss.

``rows`` (n,) names the batch's samples; ``labels`` (count,) and ``targets`` (count, outputs)
are those of the whole data set, of which one is empty.
"""

import numpy as np

from ..contract import Metric
from .jit import exact
from .late import Family


@exact
def count_right_maxima(alpha, x, rows, labels, targets):
    """Count the samples with their first maximum at their label, or where their target has it."""
    right = 0.0
    for j in range(x.shape[1]):
        answer = labels[rows[j]] if labels.size else first_maximum(targets[rows[j]])
        if first_maximum(x[:, j]) == answer:
            right += 1.0
    return right


@exact
def share_of_binary(threshold, x, rows, labels, targets):
    """The share of a sample's outputs that are above the threshold for 1, and not for 0, summed."""
    right = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            answer = x.dtype.type(1 if x[i, j] > threshold else 0)
            if targets[rows[j], i] == answer:
                right += 1
    return right / x.shape[0]


@exact
def first_maximum(values):
    best = np.int64(0)
    for i in range(1, values.size):
        if values[i] > values[best]:
            best = np.int64(i)
    return best


# ``metric(kind, alpha, x, rows, labels, targets)`` returns the sum over the samples of what it
# makes of their outputs ``x`` (outputs, n).
metric = Family(
    "metric", {Metric.FIRST_MAXIMUM: count_right_maxima, Metric.BINARY: share_of_binary}
)
