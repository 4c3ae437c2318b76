"""Metrics: what is counted over the batch's samples, beside the loss."""

import numpy as np

from ..contract import Metric


def metric(kind, alpha, x, rows, labels, targets):
    """Return the sum over the samples ``rows`` of what the metric makes of their outputs ``x``.

    Their right answers are integer ``labels`` or ``targets``.
    """
    match kind:
        case Metric.FIRST_MAXIMUM:
            right = labels[rows] if labels.size else first_maxima(targets[rows].T)
            return float(np.sum(first_maxima(x) == right))
        case Metric.BINARY:
            return float(np.sum((x > alpha) == targets[rows].T)) / len(x)
    raise ValueError(f"kind: expected a Metric, got {kind}")


def first_maxima(outputs):
    """The index of each column's first maximum; NaN is not larger than anything."""
    columns = np.arange(outputs.shape[1])
    best = np.zeros_like(columns)
    for i in range(1, len(outputs)):
        best[outputs[i] > outputs[best, columns]] = i
    return best
