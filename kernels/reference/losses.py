"""Losses: the sum over the batch, and the gradient of the *mean* over the batch."""

import numpy as np

from ..contract import Loss
from .activations import sigmoid
from .softmax import softmax_forward


def loss(kind, alpha, x, rows, labels, targets, scratch, dx):
    """Return the sum of the losses, and set ``dx`` to the gradient of their mean.

    ``rows`` names the batch's samples; their right answers are integer ``labels`` or ``targets``.
    """
    onehot = np.eye(len(x), dtype=x.dtype)
    target = onehot[labels[rows]].T if labels.size else targets[rows].T
    if kind == Loss.SOFTMAX_CROSSENTROPY:
        return softmax_crossentropy(x, target, scratch, dx)
    values, slopes = of_outputs(kind, alpha, x, target)
    dx[:] = slopes / x.size
    return float(np.sum(values)) / len(x)


def softmax_crossentropy(logits, target, scratch, dlogits):
    softmax_forward(logits, scratch, dlogits)
    log_probabilities = logits.astype(np.float64) - scratch[0] + np.log(scratch[1])
    dlogits *= target.sum(axis=0)  # 1 but for rounding
    dlogits -= target
    dlogits /= logits.shape[1]
    return -float(np.sum(target * log_probabilities, where=target != 0))


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
