"""Losses: the sum over the batch, and the gradient of the *mean* over the batch.

``rows`` (n,) names the batch's samples; ``labels`` (count,) and ``targets`` (count, outputs)
are those of the whole data set.  A data set has either; the other is empty.  ``alpha`` is a loss's
number, such as Huber's delta.
"""

import math

import numpy as np

from ..contract import Loss
from .elementary import exp
from .jit import exact
from .late import Family
from .rounding import fma
from .softmax import softmax_forward
from .sums import sum_of_squares


@exact
def softmax_crossentropy_labels(logits, rows, labels, scratch, dlogits):
    """Softmax and cross-entropy in one, for integer labels.

    With ``label = labels[rows[j]]``, ``loss = sum_j logsumexp(logits[:, j]) - logits[label, j]``
    and ``dlogits = (softmax - onehot) / n``: neither takes the log of a rounded probability.
    """
    n = logits.shape[1]
    softmax_forward(logits, scratch, dlogits)
    loss, product = 0.0, 1.0
    for j in range(n):
        label = labels[rows[j]]
        loss += np.float64(scratch[0, j] - logits[label, j])
        # One logarithm for 16 samples: at least 1 / classes each, they don't underflow together.
        product *= np.float64(scratch[1, j])
        if j % 16 == 15:
            loss -= math.log(product)
            product = 1.0
        dlogits[label, j] -= logits.dtype.type(1)
    loss -= math.log(product)
    scale_by(logits.dtype.type(1.0 / n), dlogits)
    return loss


@exact
def softmax_crossentropy_targets(logits, rows, targets, scratch, dlogits):
    """Softmax and cross-entropy in one, for targets that are distributions over the classes."""
    classes, n = logits.shape
    softmax_forward(logits, scratch, dlogits)
    loss = 0.0
    for j in range(n):
        target = targets[rows[j]]
        mass = logits.dtype.type(0)  # 1 but for rounding
        for i in range(classes):
            mass += target[i]
        log_inverse = math.log(np.float64(scratch[1, j]))
        for i in range(classes):
            log_probability = np.float64(logits[i, j] - scratch[0, j]) + log_inverse
            if target[i] != 0:
                loss = fma(-np.float64(target[i]), log_probability, loss)
            dlogits[i, j] = fma(dlogits[i, j], mass, -target[i])
    scale_by(logits.dtype.type(1.0 / n), dlogits)
    return loss


@exact
def softmax_crossentropy(alpha, logits, rows, labels, targets, scratch, dlogits):
    """Softmax and cross-entropy in one, for whichever there is of labels and targets."""
    if labels.size:
        return softmax_crossentropy_labels(logits, rows, labels, scratch, dlogits)
    return softmax_crossentropy_targets(logits, rows, targets, scratch, dlogits)


@exact
def mean_squared_error(alpha, outputs, rows, labels, targets, scratch, doutputs):
    """``sum_j mean_i (outputs[i, j] - targets[rows[j], i])^2`` and its gradient over n."""
    features, n = outputs.shape
    scale = outputs.dtype.type(2.0 / (features * n))
    loss = 0.0
    for i in range(features):
        for j in range(n):
            doutputs[i, j] = outputs[i, j] - targets[rows[j], i]
        loss += sum_of_squares(doutputs[i], 0.0)
    scale_by(scale, doutputs)
    return loss / features


@exact
def huber(delta, outputs, rows, labels, targets, scratch, doutputs):
    """For an error e, ``e^2 / 2``; beyond delta, where that is steeper, its tangent goes on."""
    features, n = outputs.shape
    real = outputs.dtype.type
    half, scale = real(0.5), real(1.0 / (features * n))
    loss = 0.0
    for i in range(features):
        for j in range(n):
            error = outputs[i, j] - targets[rows[j], i]
            size = abs(error)
            if size > delta:
                loss += np.float64(delta * (size - half * delta))
                doutputs[i, j] = scale * (delta if error > real(0) else -delta)
            else:
                loss += np.float64(half * error * error)
                doutputs[i, j] = scale * error
    return loss / features


@exact
def mean_absolute_error(alpha, outputs, rows, labels, targets, scratch, doutputs):
    """The size of an error, whose slope is 0 where there is none."""
    features, n = outputs.shape
    real = outputs.dtype.type
    zero, scale = real(0), real(1.0 / (features * n))
    loss = 0.0
    for i in range(features):
        for j in range(n):
            error = outputs[i, j] - targets[rows[j], i]
            loss += np.float64(abs(error))
            # What is left is 0, or NaN.
            doutputs[i, j] = scale if error > zero else -scale if error < zero else error
    return loss / features


@exact
def sigmoid_crossentropy(alpha, logits, rows, labels, targets, scratch, dlogits):
    """Sigmoid and cross-entropy in one, for targets from 0 to 1.

    ``-t log s - (1 - t) log(1 - s)`` for ``s = sigmoid(z)`` is ``max(z, 0) - z t + log(1 + e)``
    with ``e = exp(-|z|)``: no logarithm of a rounded probability.
    """
    features, n = logits.shape
    real = logits.dtype.type
    zero, one, scale = real(0), real(1), real(1.0 / (features * n))
    loss = 0.0
    for i in range(features):
        for j in range(n):
            dlogits[i, j] = exp(-abs(logits[i, j]))
        product = 1.0
        for j in range(n):
            z, target, e = logits[i, j], targets[rows[j], i], dlogits[i, j]
            loss += np.float64((zero if z < zero else z) - z * target)
            # One logarithm for 512 samples: at most 2 each, they don't overflow together.
            product *= 1.0 + np.float64(e)
            if j % 512 == 511:
                loss += math.log(product)
                product = 1.0
            inverse = one / (one + e)
            dlogits[i, j] = scale * ((e * inverse if z < zero else inverse) - target)
        loss += math.log(product)
    return loss / features


@exact
def scale_by(factor, values):
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            values[i, j] *= factor


# ``loss(kind, alpha, x, rows, labels, targets, scratch, dx)`` returns the batch's summed loss, and
# sets ``dx`` (outputs, n) to the mean's gradient.
loss = Family(
    "loss",
    {
        Loss.SOFTMAX_CROSSENTROPY: softmax_crossentropy,
        Loss.MEAN_SQUARED_ERROR: mean_squared_error,
        Loss.HUBER: huber,
        Loss.MEAN_ABSOLUTE_ERROR: mean_absolute_error,
        Loss.SIGMOID_CROSSENTROPY: sigmoid_crossentropy,
    },
)
