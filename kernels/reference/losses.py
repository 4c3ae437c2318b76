"""Losses: the sum over the batch, and the gradient of the *mean* over the batch."""

import numpy as np

from .softmax import softmax_forward


def softmax_crossentropy_labels(logits, rows, labels, scratch, dlogits):
    classes, n = logits.shape
    onehot = np.eye(classes, dtype=logits.dtype)[labels[rows]]
    return softmax_crossentropy_targets(logits, np.arange(n), onehot, scratch, dlogits)


def softmax_crossentropy_targets(logits, rows, targets, scratch, dlogits):
    target = targets[rows].T
    softmax_forward(logits, scratch, dlogits)
    log_probabilities = logits.astype(np.float64) - scratch[0] + np.log(scratch[1])
    dlogits *= target.sum(axis=0)  # 1 but for rounding
    dlogits -= target
    dlogits /= logits.shape[1]
    return -float(np.sum(target * log_probabilities, where=target != 0))


def mean_squared_error(outputs, rows, targets, doutputs):
    difference = outputs - targets[rows].T
    doutputs[:] = 2 * difference / difference.size
    return float(np.sum(difference.astype(np.float64) ** 2)) / outputs.shape[0]


def count_correct_labels(outputs, rows, labels):
    return int(np.sum(first_maxima(outputs) == labels[rows]))


def count_correct_targets(outputs, rows, targets):
    return int(np.sum(first_maxima(outputs) == first_maxima(targets[rows].T)))


def first_maxima(outputs):
    """The index of each column's first maximum; NaN is not larger than anything."""
    columns = np.arange(outputs.shape[1])
    best = np.zeros_like(columns)
    for i in range(1, len(outputs)):
        best[outputs[i] > outputs[best, columns]] = i
    return best
