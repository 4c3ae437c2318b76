"""Losses: of the samples of a batch, reduced to that of the batch, and its gradient.

The loss of a batch is a sum of those of its samples, each times the sample's weight, over
something: see :class:`~fastmlp.kernels.contract.Reduction`.
"""

import numpy as np

from ..contract import Loss, Reduction, Scalar
from .activations import sigmoid
from .softmax import softmax_forward


def loss(kind, reduction, x, rows, labels, targets, weights, reals, scratch, dx):
    """Return the batch's loss times its number of samples, and set ``dx`` to the loss's gradient.

    ``rows`` names the batch's samples; their right answers are integer ``labels`` or ``targets``,
    their ``weights`` 1 if that is empty.
    """
    onehot = np.eye(len(x), dtype=x.dtype)
    target = onehot[labels[rows]].T if labels.size else targets[rows].T
    weight = weights[rows] if weights.size else np.ones(rows.size, x.dtype)
    values, slopes = of_samples(kind, reals, x, target, scratch)
    factor = factor_of(reduction, weight)
    dx[:] = slopes * (weight * (factor / rows.size))
    return float(np.sum(values * weight)) * factor


def factor_of(reduction, weight):
    """Return what turns a sum over samples into the batch's loss times its number of samples."""
    match reduction:
        case Reduction.SUM:
            return float(weight.size)
        case Reduction.WEIGHTED_MEAN:
            total = float(np.sum(weight, dtype=np.float64))
            return weight.size / total if total else 0.0
    return 1.0


def of_samples(kind, reals, x, target, scratch):
    """Return the loss of each sample, in float64, and its slopes by the sample's outputs."""
    if kind == Loss.SOFTMAX_CROSSENTROPY:
        return softmax_crossentropy(x, target, scratch)
    values, slopes = of_outputs(kind, x.dtype.type(reals[Scalar.ALPHA]), x, target)
    return values.mean(axis=0), slopes / len(x)


def softmax_crossentropy(logits, target, scratch):
    probabilities = np.empty_like(logits)
    softmax_forward(logits, scratch, probabilities)
    log_probabilities = logits.astype(np.float64) - scratch[0] + np.log(scratch[1])
    slopes = probabilities * target.sum(axis=0) - target  # the sum is 1 but for rounding
    return -np.sum(target * log_probabilities, axis=0, where=target != 0), slopes


def of_outputs(kind, alpha, x, target):
    """Return the losses, in float64, and their slopes, of each output by itself."""
    error = x - target
    precise = error.astype(np.float64)
    match kind:
        case Loss.MEAN_SQUARED_ERROR:
            return precise**2, 2 * error
        case Loss.HUBER:
            size = np.abs(precise)
            beyond = alpha * (size - alpha / 2)
            return np.where(size > alpha, beyond, precise**2 / 2), np.clip(error, -alpha, alpha)
        case Loss.MEAN_ABSOLUTE_ERROR:
            return np.abs(precise), np.sign(error)
        case Loss.SIGMOID_CROSSENTROPY:
            logits = x.astype(np.float64)
            values = np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))
            return values, sigmoid(x) - target
    raise ValueError(f"kind: expected a Loss, got {kind}")
