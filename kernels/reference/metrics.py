"""Metrics: what is counted over the batch's samples, beside the loss."""

import numpy as np

from ..contract import OUT_OF_TOP_K, Metric, Scalar


def metric(kind, x, rows, labels, targets, weights, reals, thresholds, totals):
    """Add to ``totals`` what the metric makes of the outputs ``x`` of the samples ``rows``.

    Their right answers are integer ``labels`` or ``targets``, their ``weights`` 1 if that is empty.
    """
    right = labels[rows] if labels.size else targets[rows].T
    weight = (weights[rows] if weights.size else np.ones(rows.size)).astype(np.float64)
    match kind:
        case Metric.CONFUSION:
            count_above(x, right, weight, reals, thresholds, totals)
        case Metric.YES:
            count_yes(x, right, weight, reals, totals)
        case Metric.SQUARES:
            answers, error = right.astype(np.float64), (x - right).astype(np.float64)
            sums = totals.reshape(3, -1)
            for total, values in zip(sums, (answers, answers**2, error**2), strict=True):
                total += values @ weight
        case _:
            totals += of_samples(kind, x, right, reals) @ weight


def of_samples(kind, x, right, reals):
    """Return what the metric makes of each sample; ``right`` are labels, or targets."""
    alpha = x.dtype.type(reals[Scalar.ALPHA])
    match kind:
        case Metric.FIRST_MAXIMUM | Metric.IN_TOP_K:
            label = first_maxima(right) if right.ndim == 2 else right
            if kind == Metric.FIRST_MAXIMUM:
                return (first_maxima(x) == label).astype(np.float64)
            own = x[label, np.arange(label.size)]
            return (np.sum(x > own, axis=0) < alpha).astype(np.float64) * np.isfinite(own)
        case Metric.BINARY:
            return ((x > alpha) == right).mean(axis=0)
        case Metric.EQUAL:
            return (x == right).mean(axis=0)
    raise ValueError(f"kind: expected a Metric, got {kind}")


def count_above(x, right, weight, reals, thresholds, totals):
    """Sort outputs by how many thresholds they are above."""
    top_k, only, by_output = (reals[s] for s in (Scalar.ALPHA, Scalar.BETA, Scalar.GAMMA))
    found = totals.reshape(-1, 2, thresholds.size + 1)
    for i in range(len(x)):
        if only in (i, -1):
            # Of equal outputs the first ones are the larger ones.
            larger = np.sum(x > x[i], axis=0) + np.sum(x[:i] == x[i], axis=0)
            values = np.where((top_k > 0) & (larger >= top_k), OUT_OF_TOP_K, x[i])
            above = np.sum(values > thresholds[:, None], axis=0)
            place = found[i if by_output else 0]
            np.add.at(place, ((right[i] != 0).astype(int), above), weight)


def count_yes(x, right, weight, reals, totals):
    if reals[Scalar.BETA]:
        says_yes = (x >= x.max(axis=0)) & (np.abs(x) > 1e-9)
    else:
        says_yes = x > x.dtype.type(reals[Scalar.ALPHA])
    right = right.astype(np.float64)
    both = totals.reshape(3, -1)
    both[0] += (says_yes * right) @ weight
    both[1] += (says_yes * (1 - right)) @ weight
    both[2] += (~says_yes * right) @ weight


def first_maxima(outputs):
    """The index of each column's first maximum; NaN is not larger than anything."""
    columns = np.arange(outputs.shape[1])
    best = np.zeros_like(columns)
    for i in range(1, len(outputs)):
        best[outputs[i] > outputs[best, columns]] = i
    return best
