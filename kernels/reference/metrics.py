"""Metrics: what is counted over the batch's samples, beside the loss."""

import numpy as np

from ..contract import Metric, Scalar


def metric(kind, x, rows, labels, targets, weights, reals):
    """Return the sum over the samples ``rows`` of what the metric makes of their outputs ``x``.

    Their right answers are integer ``labels`` or ``targets``, their ``weights`` 1 if that is empty.
    """
    values = of_samples(kind, reals, x, rows, labels, targets)
    return float(values @ weights[rows] if weights.size else np.sum(values))


def of_samples(kind, reals, x, rows, labels, targets):
    """Return what the metric makes of each sample."""
    match kind:
        case Metric.FIRST_MAXIMUM:
            right = labels[rows] if labels.size else first_maxima(targets[rows].T)
            return (first_maxima(x) == right).astype(np.float64)
        case Metric.BINARY:
            return ((x > x.dtype.type(reals[Scalar.ALPHA])) == targets[rows].T).mean(axis=0)
    raise ValueError(f"kind: expected a Metric, got {kind}")


def first_maxima(outputs):
    """The index of each column's first maximum; NaN is not larger than anything."""
    columns = np.arange(outputs.shape[1])
    best = np.zeros_like(columns)
    for i in range(1, len(outputs)):
        best[outputs[i] > outputs[best, columns]] = i
    return best
