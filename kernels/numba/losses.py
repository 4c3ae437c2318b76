"""Losses: of the samples of a batch, reduced to that of the batch, and its gradient.

``rows`` (n,) names the batch's samples; ``labels`` (count,), ``targets`` (count, outputs) and
``weights`` (count,) are those of the whole data set.
"""

import math

import numpy as np

from ..contract import Loss, Reduction, Scalar
from .elementary import exp
from .jit import exact
from .rounding import fma
from .softmax import softmax_forward
from .sums import sum_of_squares


@exact
def loss(kind, reduction, x, rows, labels, targets, weights, reals, scratch, dx):
    """Return the batch's loss times its number of samples, and set ``dx`` to the loss's gradient.

    A data set has either ``labels`` or ``targets``; the other is empty, and so are ``weights``, if
    all samples weigh the same.
    """
    alpha = x.dtype.type(reals[Scalar.ALPHA])
    total = loss_sum(kind, alpha, x, rows, labels, targets, weights, scratch, dx)
    factor = factor_of(reduction, rows, weights)
    if weights.size > 0 or factor != 1.0:
        for j in range(x.shape[1]):
            scale = x.dtype.type(weight_of(weights, rows, j) * factor)
            for i in range(x.shape[0]):
                dx[i, j] *= scale
    return total * factor


@exact
def weight_of(weights, rows, j):
    return np.float64(weights[rows[j]]) if weights.size > 0 else 1.0


@exact
def weight_sum(weights, rows):
    """Return the sum of the weights of the batch's samples."""
    if weights.size == 0:
        return np.float64(rows.size)
    total = 0.0
    for j in range(rows.size):
        total += np.float64(weights[rows[j]])
    return total


@exact
def factor_of(reduction, rows, weights):
    """Return what turns a sum over samples into the batch's loss times its number of samples."""
    if reduction == Reduction.SUM:
        return np.float64(rows.size)
    if reduction == Reduction.MEAN or weights.size == 0:
        return 1.0
    total = weight_sum(weights, rows)
    return rows.size / total if total != 0.0 else 0.0


@exact
def loss_sum(kind, alpha, x, rows, labels, targets, weights, scratch, dx):
    """Return the weighted sum of the samples' losses, and set ``dx`` to their slopes over n."""
    if kind == Loss.SOFTMAX_CROSSENTROPY:
        if labels.size:
            return softmax_crossentropy_labels(x, rows, labels, weights, scratch, dx)
        return softmax_crossentropy_targets(x, rows, targets, weights, scratch, dx)
    if kind == Loss.MEAN_SQUARED_ERROR:
        return mean_squared_error(x, rows, targets, weights, dx)
    if kind == Loss.HUBER:
        return huber(alpha, x, rows, targets, weights, dx)
    if kind == Loss.MEAN_ABSOLUTE_ERROR:
        return mean_absolute_error(x, rows, targets, weights, dx)
    if kind == Loss.SIGMOID_CROSSENTROPY:
        return sigmoid_crossentropy(x, rows, targets, weights, dx)
    return math.nan  # there is no such loss


@exact
def softmax_crossentropy_labels(logits, rows, labels, weights, scratch, dlogits):
    """Softmax and cross-entropy in one, for integer labels.

    With ``label = labels[rows[j]]``, ``loss = sum_j logsumexp(logits[:, j]) - logits[label, j]``
    and ``dlogits = (softmax - onehot) / n``: neither takes the log of a rounded probability.
    """
    n = logits.shape[1]
    softmax_forward(logits, scratch, dlogits)
    loss, product = 0.0, 1.0
    for j in range(n):
        label = labels[rows[j]]
        dlogits[label, j] -= logits.dtype.type(1)
        above = np.float64(scratch[0, j] - logits[label, j])
        if weights.size > 0:
            loss += weight_of(weights, rows, j) * (above - math.log(np.float64(scratch[1, j])))
            continue
        loss += above
        # One logarithm for 16 samples: at least 1 / classes each, they don't underflow together.
        product *= np.float64(scratch[1, j])
        if j % 16 == 15:
            loss -= math.log(product)
            product = 1.0
    loss -= math.log(product)
    scale_by(logits.dtype.type(1.0 / n), dlogits)
    return loss


@exact
def softmax_crossentropy_targets(logits, rows, targets, weights, scratch, dlogits):
    """Softmax and cross-entropy in one, for targets that are distributions over the classes."""
    classes, n = logits.shape
    softmax_forward(logits, scratch, dlogits)
    loss = 0.0
    for j in range(n):
        target, weight = targets[rows[j]], weight_of(weights, rows, j)
        mass = logits.dtype.type(0)  # 1 but for rounding
        for i in range(classes):
            mass += target[i]
        log_inverse = math.log(np.float64(scratch[1, j]))
        for i in range(classes):
            log_probability = np.float64(logits[i, j] - scratch[0, j]) + log_inverse
            if target[i] != 0:
                loss = fma(-weight * np.float64(target[i]), log_probability, loss)
            dlogits[i, j] = fma(dlogits[i, j], mass, -target[i])
    scale_by(logits.dtype.type(1.0 / n), dlogits)
    return loss


@exact
def mean_squared_error(outputs, rows, targets, weights, doutputs):
    """``sum_j mean_i (outputs[i, j] - targets[rows[j], i])^2`` and its gradient over n."""
    features, n = outputs.shape
    scale = outputs.dtype.type(2.0 / (features * n))
    loss = 0.0
    for i in range(features):
        for j in range(n):
            doutputs[i, j] = outputs[i, j] - targets[rows[j], i]
        if weights.size == 0:
            loss += sum_of_squares(doutputs[i], 0.0)
            continue
        for j in range(n):
            loss += weight_of(weights, rows, j) * np.float64(doutputs[i, j]) ** 2
    scale_by(scale, doutputs)
    return loss / features


@exact
def huber(delta, outputs, rows, targets, weights, doutputs):
    """For an error e, ``e^2 / 2``; beyond delta, where that is steeper, its tangent goes on."""
    features, n = outputs.shape
    real = outputs.dtype.type
    half, scale = real(0.5), real(1.0 / (features * n))
    loss = 0.0
    for i in range(features):
        for j in range(n):
            error = outputs[i, j] - targets[rows[j], i]
            size, weight = abs(error), weight_of(weights, rows, j)
            if size > delta:
                loss += weight * np.float64(delta * (size - half * delta))
                doutputs[i, j] = scale * (delta if error > real(0) else -delta)
            else:
                loss += weight * np.float64(half * error * error)
                doutputs[i, j] = scale * error
    return loss / features


@exact
def mean_absolute_error(outputs, rows, targets, weights, doutputs):
    """The size of an error, whose slope is 0 where there is none."""
    features, n = outputs.shape
    real = outputs.dtype.type
    zero, scale = real(0), real(1.0 / (features * n))
    loss = 0.0
    for i in range(features):
        for j in range(n):
            error = outputs[i, j] - targets[rows[j], i]
            loss += weight_of(weights, rows, j) * np.float64(abs(error))
            # What is left is 0, or NaN.
            doutputs[i, j] = scale if error > zero else -scale if error < zero else error
    return loss / features


@exact
def sigmoid_crossentropy(logits, rows, targets, weights, dlogits):
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
            inverse = one / (one + e)
            dlogits[i, j] = scale * ((e * inverse if z < zero else inverse) - target)
            straight = np.float64((zero if z < zero else z) - z * target)
            if weights.size > 0:
                weight = weight_of(weights, rows, j)
                loss += weight * (straight + math.log1p(np.float64(e)))
                continue
            loss += straight
            # One logarithm for 512 samples: at most 2 each, they don't overflow together.
            product *= 1.0 + np.float64(e)
            if j % 512 == 511:
                loss += math.log(product)
                product = 1.0
        loss += math.log(product)
    return loss / features


@exact
def scale_by(factor, values):
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            values[i, j] *= factor
