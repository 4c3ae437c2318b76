"""Losses: of the samples of a batch, reduced to that of the batch, and its gradient.

``rows`` (n,) names the batch's samples; ``labels`` (count,), ``targets`` (count, outputs) and
``weights`` (count,) are those of the whole data set.  Of labels and targets one is empty, and so
are weights, if all samples weigh the same.  ``reals`` has a loss's numbers, such as Huber's delta.

Each loss sums those of the samples, each times its weight, sets ``dx`` to their slopes over n, and
leaves the rest to ``reduced``.
"""

import math

import numpy as np

from ..contract import LOSS_EPSILON, Loss, Reduction, Scalar
from .elementary import exp
from .jit import exact
from .late import Family
from .rounding import fma
from .softmax import softmax_forward
from .sums import sum_of_squares


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
def factor_of(reduction, weights, rows):
    """Return what turns a sum over samples into the batch's loss times its number of samples."""
    if reduction == Reduction.SUM:
        return np.float64(rows.size)
    if reduction == Reduction.MEAN or weights.size == 0:
        return 1.0
    total = weight_sum(weights, rows)
    return rows.size / total if total != 0.0 else 0.0


@exact
def reduced(total, reduction, rows, weights, dx):
    """Return the batch's loss times its number of samples, and weigh the gradient."""
    factor = factor_of(reduction, weights, rows)
    if weights.size > 0 or factor != 1.0:
        for j in range(dx.shape[1]):
            scale = dx.dtype.type(weight_of(weights, rows, j) * factor)
            for i in range(dx.shape[0]):
                dx[i, j] *= scale
    return total * factor


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
def softmax_crossentropy_targets(logits, rows, targets, weights, reals, scratch, dlogits):
    """Softmax and cross-entropy in one, for targets that are distributions over the classes."""
    classes, n = logits.shape
    real, smoothing = logits.dtype.type, reals[Scalar.SMOOTHING]
    keep, lift = real(1.0 - smoothing), real(smoothing / classes)
    softmax_forward(logits, scratch, dlogits)
    loss = 0.0
    for j in range(n):
        given, weight = targets[rows[j]], weight_of(weights, rows, j)
        mass = real(0)  # 1 but for rounding
        for i in range(classes):
            mass += keep * given[i] + lift
        log_inverse = math.log(np.float64(scratch[1, j]))
        for i in range(classes):
            target = keep * given[i] + lift
            log_probability = np.float64(logits[i, j] - scratch[0, j]) + log_inverse
            if target != 0:
                loss = fma(-weight * np.float64(target), log_probability, loss)
            dlogits[i, j] = fma(dlogits[i, j], mass, -target)
    scale_by(real(1.0 / n), dlogits)
    return loss


@exact
def softmax_crossentropy(
    reduction, logits, rows, labels, targets, weights, reals, scratch, dlogits
):
    """Softmax and cross-entropy in one, for whichever there is of labels and targets."""
    if labels.size:
        loss = softmax_crossentropy_labels(logits, rows, labels, weights, scratch, dlogits)
    else:
        loss = softmax_crossentropy_targets(logits, rows, targets, weights, reals, scratch, dlogits)
    return reduced(loss, reduction, rows, weights, dlogits)


@exact
def mean_squared_error(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
    """``sum_j mean_i (outputs[i, j] - targets[rows[j], i])^2`` and its gradient over n."""
    features, n = outputs.shape
    scale = outputs.dtype.type(2.0 / (features * n))
    loss = 0.0
    for i in range(features):
        for j in range(n):
            dx[i, j] = outputs[i, j] - targets[rows[j], i]
        if weights.size == 0:
            loss += sum_of_squares(dx[i], 0.0)
            continue
        for j in range(n):
            error = np.float64(dx[i, j])
            loss += weight_of(weights, rows, j) * (error * error)
    scale_by(scale, dx)
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def huber(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
    """For an error e, ``e^2 / 2``; beyond delta, where that is steeper, its tangent goes on."""
    features, n = outputs.shape
    real = outputs.dtype.type
    half, scale, delta = real(0.5), real(1.0 / (features * n)), real(reals[Scalar.ALPHA])
    loss = 0.0
    for i in range(features):
        for j in range(n):
            error = outputs[i, j] - targets[rows[j], i]
            size, weight = abs(error), weight_of(weights, rows, j)
            if size > delta:
                loss += weight * np.float64(delta * (size - half * delta))
                dx[i, j] = scale * (delta if error > real(0) else -delta)
            else:
                loss += weight * np.float64(half * error * error)
                dx[i, j] = scale * error
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def mean_absolute_error(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
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
            dx[i, j] = scale if error > zero else -scale if error < zero else error
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def mean_absolute_percentage_error(
    reduction, outputs, rows, labels, targets, weights, reals, scratch, dx
):
    """The size of an error in percent of the target's."""
    features, n = outputs.shape
    loss = 0.0
    for i in range(features):
        for j in range(n):
            target = np.float64(targets[rows[j], i])
            error = np.float64(outputs[i, j]) - target
            scale = 100.0 / max(abs(target), LOSS_EPSILON)
            loss += weight_of(weights, rows, j) * (scale * abs(error))
            slope = 1.0 if error > 0.0 else -1.0 if error < 0.0 else error
            dx[i, j] = scale * slope / (features * n)
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def above(bound, x):
    """The larger one; but what is not finite is not hidden, for 0 times it is NaN."""
    return bound + 0.0 * x if x < bound else x


@exact
def mean_squared_logarithmic_error(
    reduction, outputs, rows, labels, targets, weights, reals, scratch, dx
):
    """``(log(1 + y) - log(1 + t))^2``, with epsilon for what is less."""
    features, n = outputs.shape
    loss = 0.0
    for i in range(features):
        for j in range(n):
            y = above(LOSS_EPSILON, np.float64(outputs[i, j]))
            t = above(LOSS_EPSILON, np.float64(targets[rows[j], i]))
            difference = math.log1p(y) - math.log1p(t)
            loss += weight_of(weights, rows, j) * (difference * difference)
            slope = 2.0 * difference / (y + 1.0) / (features * n)
            dx[i, j] = 0.0 if np.float64(outputs[i, j]) < LOSS_EPSILON else slope
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def log_cosh(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
    """``log(cosh e)``, without a difference of numbers that are larger than it."""
    features, n = outputs.shape
    loss = 0.0
    for i in range(features):
        for j in range(n):
            error = np.float64(outputs[i, j] - targets[rows[j], i])
            size = abs(error)
            if size < 1.0:
                half = math.sinh(size / 2.0)
                value = math.log1p(2.0 * half * half)
            else:
                value = size + math.log1p(math.exp(-2.0 * size)) - math.log(2.0)
            loss += weight_of(weights, rows, j) * value
            dx[i, j] = math.tanh(error) / (features * n)
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def poisson(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
    """``y - t log(y + epsilon)``."""
    features, n = outputs.shape
    loss = 0.0
    for i in range(features):
        for j in range(n):
            y, t = np.float64(outputs[i, j]), np.float64(targets[rows[j], i])
            loss += weight_of(weights, rows, j) * (y - t * math.log(y + LOSS_EPSILON))
            dx[i, j] = (1.0 - t / (y + LOSS_EPSILON)) / (features * n)
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def margin_of(output, target):
    """``1 - t y``, and ``t``; a target of 0 is one of -1."""
    sign = -1.0 if target == 0 else np.float64(target)
    return 1.0 - sign * np.float64(output), sign


@exact
def hinge(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
    """``max(1 - t y, 0)``."""
    features, n = outputs.shape
    loss = 0.0
    for i in range(features):
        for j in range(n):
            margin, sign = margin_of(outputs[i, j], targets[rows[j], i])
            loss += weight_of(weights, rows, j) * above(0.0, margin)
            dx[i, j] = -sign / (features * n) if margin > 0.0 else 0.0
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def squared_hinge(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
    """``max(1 - t y, 0)^2``."""
    features, n = outputs.shape
    loss = 0.0
    for i in range(features):
        for j in range(n):
            margin, sign = margin_of(outputs[i, j], targets[rows[j], i])
            rest = above(0.0, margin)
            loss += weight_of(weights, rows, j) * (rest * rest)
            slope = -2.0 * sign * margin / (features * n)
            dx[i, j] = 0.0 if margin <= 0.0 else slope
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def categorical_hinge(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
    """``max(max_i (1 - t_i) y_i - sum_i t_i y_i + 1, 0)``."""
    features, n = outputs.shape
    loss = 0.0
    for j in range(n):
        target = targets[rows[j]]
        right, wrong, highest = 0.0, 0.0, 0
        for i in range(features):
            y, t = np.float64(outputs[i, j]), np.float64(target[i])
            right += t * y
            if i == 0 or (1.0 - t) * y > wrong:
                wrong, highest = (1.0 - t) * y, i
        margin = wrong - right + 1.0
        loss += weight_of(weights, rows, j) * above(0.0, margin)
        for i in range(features):
            t = np.float64(target[i])
            slope = (1.0 - t if i == highest else 0.0) - t
            dx[i, j] = slope / n if margin > 0.0 else 0.0
    return reduced(loss, reduction, rows, weights, dx)


@exact
def kl_divergence(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
    """``t log(t / y)``, both clipped to what a probability is, from epsilon to 1."""
    features, n = outputs.shape
    loss = 0.0
    for i in range(features):
        for j in range(n):
            t = min(above(LOSS_EPSILON, np.float64(targets[rows[j], i])), 1.0)
            output = np.float64(outputs[i, j])
            y = above(LOSS_EPSILON, output)
            if y > 1.0:
                y = 1.0 + 0.0 * y
            loss += weight_of(weights, rows, j) * (t * math.log(t / y))
            inside = LOSS_EPSILON <= output <= 1.0
            dx[i, j] = -t / y / n if inside else 0.0 * y
    return reduced(loss, reduction, rows, weights, dx)


@exact
def cosine_similarity(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
    """Minus the cosine of the angle; a norm below epsilon counts as that."""
    features, n = outputs.shape
    loss = 0.0
    for j in range(n):
        of_y, of_t, cosine = 0.0, 0.0, 0.0
        for i in range(features):
            y, t = np.float64(outputs[i, j]), np.float64(targets[rows[j], i])
            of_y = fma(y, y, of_y)
            of_t = fma(t, t, of_t)
        norm, aim = math.sqrt(of_y), max(math.sqrt(of_t), LOSS_EPSILON)
        size = LOSS_EPSILON if norm < LOSS_EPSILON else norm
        for i in range(features):
            y, t = np.float64(outputs[i, j]) / size, np.float64(targets[rows[j], i]) / aim
            cosine = fma(y, t, cosine)
        loss -= weight_of(weights, rows, j) * cosine
        # Below epsilon, the size is a constant.
        turning = 0.0 if norm <= LOSS_EPSILON else cosine
        for i in range(features):
            y, t = np.float64(outputs[i, j]) / size, np.float64(targets[rows[j], i]) / aim
            dx[i, j] = fma(turning, y, -t) / size / n
    return reduced(loss, reduction, rows, weights, dx)


@exact
def quantile(reduction, outputs, rows, labels, targets, weights, reals, scratch, dx):
    """Alpha times what a target is above, or 1 - alpha times what the output is."""
    features, n = outputs.shape
    alpha = reals[Scalar.ALPHA]
    loss = 0.0
    for i in range(features):
        for j in range(n):
            error = np.float64(outputs[i, j] - targets[rows[j], i])
            slope = 1.0 - alpha if error > 0.0 else -alpha
            weight = weight_of(weights, rows, j)
            loss += weight * (slope * error)
            dx[i, j] = (slope if error != 0.0 else 0.0) / (features * n)
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def sigmoid_crossentropy(reduction, logits, rows, labels, targets, weights, reals, scratch, dx):
    """Sigmoid and cross-entropy in one, for targets from 0 to 1.

    ``-t log s - (1 - t) log(1 - s)`` for ``s = sigmoid(z)`` is ``max(z, 0) - z t + log(1 + e)``
    with ``e = exp(-|z|)``: no logarithm of a rounded probability.
    """
    features, n = logits.shape
    real, smoothing = logits.dtype.type, reals[Scalar.SMOOTHING]
    zero, one, scale = real(0), real(1), real(1.0 / (features * n))
    keep, lift = real(1.0 - smoothing), real(smoothing / 2.0)
    loss = 0.0
    for i in range(features):
        for j in range(n):
            dx[i, j] = exp(-abs(logits[i, j]))
        product = 1.0
        for j in range(n):
            z, target, e = logits[i, j], keep * targets[rows[j], i] + lift, dx[i, j]
            inverse = one / (one + e)
            dx[i, j] = scale * ((e * inverse if z < zero else inverse) - target)
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
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def power(base, exponent):
    """``base ** exponent`` for a base from 0 to 1; but 0 for 0 to a negative power.

    What that is multiplied with is 0 then.
    """
    if exponent == 2.0:
        return base * base
    if exponent == 1.0:
        return base
    return math.pow(base, exponent) if base > 0.0 or exponent == 0.0 else 0.0 * base


@exact
def sigmoid_focal(reduction, logits, rows, labels, targets, weights, reals, scratch, dx):
    """Cross-entropy of a logit, times the probability of the wrong answer to the power gamma."""
    features, n = logits.shape
    gamma, smoothing = reals[Scalar.GAMMA], reals[Scalar.SMOOTHING]
    loss = 0.0
    for i in range(features):
        for j in range(n):
            z = np.float64(logits[i, j])
            t = np.float64(targets[rows[j], i]) * (1.0 - smoothing) + smoothing / 2.0
            e = exp(-abs(z))
            inverse = 1.0 / (1.0 + e)
            yes, no = inverse, e * inverse
            if z < 0.0:
                yes, no = no, yes
            entropy = (0.0 if z < 0.0 else z) - z * t + math.log1p(e)
            wrong = t * no + (1.0 - t) * yes
            factor = t * reals[Scalar.ALPHA] + (1.0 - t) * reals[Scalar.BETA]
            focus, bend = power(wrong, gamma), 0.0
            if gamma != 0.0:
                bend = gamma * power(wrong, gamma - 1.0) * (1.0 - 2.0 * t) * yes * no
            loss += weight_of(weights, rows, j) * (factor * focus * entropy)
            dx[i, j] = factor * (bend * entropy + focus * (yes - t)) / (features * n)
    return reduced(loss / features, reduction, rows, weights, dx)


@exact
def focal_of(target, p, log_p, reals):
    """Of one class, ``-alpha t (1 - p)^gamma log p``, and p times its slope by p."""
    gamma, scale = reals[Scalar.GAMMA], -reals[Scalar.ALPHA] * target
    rest = -math.expm1(log_p)
    focus, falling = power(rest, gamma), 0.0
    if gamma != 0.0:
        falling = gamma * power(rest, gamma - 1.0) * p * log_p
    return (scale * focus * log_p if target != 0.0 else 0.0), scale * (focus - falling)


@exact
def softmax_focal(reduction, logits, rows, labels, targets, weights, reals, scratch, dx):
    """Softmax and focal loss in one: with q that of ``focal_of``, the slope is q_i - p_i sum q."""
    classes, n = logits.shape
    keep, lift = 1.0 - reals[Scalar.SMOOTHING], reals[Scalar.SMOOTHING] / classes
    softmax_forward(logits, scratch, dx)
    loss = 0.0
    for j in range(n):
        log_inverse, total = math.log(np.float64(scratch[1, j])), 0.0
        weight = weight_of(weights, rows, j)
        for i in range(classes):
            log_p = np.float64(logits[i, j] - scratch[0, j]) + log_inverse
            t = keep * np.float64(targets[rows[j], i]) + lift
            value, q = focal_of(t, np.float64(dx[i, j]), log_p, reals)
            loss += weight * value
            total += q
        for i in range(classes):
            log_p = np.float64(logits[i, j] - scratch[0, j]) + log_inverse
            t = keep * np.float64(targets[rows[j], i]) + lift
            p = np.float64(dx[i, j])
            _, q = focal_of(t, p, log_p, reals)
            dx[i, j] = fma(-p, total, q) / n
    return reduced(loss, reduction, rows, weights, dx)


@exact
def scale_by(factor, values):
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            values[i, j] *= factor


# ``loss(kind, reduction, x, rows, labels, targets, weights, reals, scratch, dx)`` returns the
# batch's loss times its number of samples, and sets ``dx`` (outputs, n) to the loss's gradient.
loss = Family(
    "loss",
    {
        Loss.SOFTMAX_CROSSENTROPY: softmax_crossentropy,
        Loss.MEAN_SQUARED_ERROR: mean_squared_error,
        Loss.HUBER: huber,
        Loss.MEAN_ABSOLUTE_ERROR: mean_absolute_error,
        Loss.SIGMOID_CROSSENTROPY: sigmoid_crossentropy,
        Loss.MEAN_ABSOLUTE_PERCENTAGE_ERROR: mean_absolute_percentage_error,
        Loss.MEAN_SQUARED_LOGARITHMIC_ERROR: mean_squared_logarithmic_error,
        Loss.LOG_COSH: log_cosh,
        Loss.POISSON: poisson,
        Loss.HINGE: hinge,
        Loss.SQUARED_HINGE: squared_hinge,
        Loss.CATEGORICAL_HINGE: categorical_hinge,
        Loss.KL_DIVERGENCE: kl_divergence,
        Loss.COSINE_SIMILARITY: cosine_similarity,
        Loss.QUANTILE: quantile,
        Loss.SIGMOID_FOCAL: sigmoid_focal,
        Loss.SOFTMAX_FOCAL: softmax_focal,
    },
)
