"""Losses: of the samples of a batch, reduced to that of the batch, and its gradient.

The loss of a batch is a sum of those of its samples, each times the sample's weight, over
something: see :class:`~fastmlp.kernels.contract.Reduction`.
"""

import numpy as np

from ..contract import LOSS_EPSILON, Loss, Reduction, Scalar
from .activations import sigmoid
from .metrics import first_maxima
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
    x64, target = x.astype(np.float64), target.astype(np.float64)
    match kind:
        case Loss.SOFTMAX_CROSSENTROPY | Loss.SOFTMAX_FOCAL:
            return of_classes(kind, reals, x, smoothed(target, 1 / len(x), reals), scratch)
        case Loss.CATEGORICAL_HINGE:
            return categorical_hinge(x64, target)
        case Loss.COSINE_SIMILARITY:
            return cosine_similarity(x64, target)
        case Loss.KL_DIVERGENCE:
            values, slopes = of_outputs(kind, reals, x64, target)
            return values.sum(axis=0), slopes
    values, slopes = of_outputs(kind, reals, x64, target)
    return values.mean(axis=0), slopes / len(x)


def smoothed(target, share, reals):
    """Return targets of which all classes have a share alike."""
    smoothing = reals[Scalar.SMOOTHING]
    return target * (1 - smoothing) + smoothing * share


def of_classes(kind, reals, logits, target, scratch):
    """Losses of probabilities that a softmax makes."""
    p = np.empty_like(logits)
    softmax_forward(logits, scratch, p)
    log_p = logits.astype(np.float64) - scratch[0] + np.log(scratch[1])
    if kind == Loss.SOFTMAX_CROSSENTROPY:
        slopes = p * target.sum(axis=0) - target  # the sum is 1 but for rounding
        return -np.sum(target * log_p, axis=0, where=target != 0), slopes
    alpha, gamma = reals[Scalar.ALPHA], reals[Scalar.GAMMA]
    rest = -np.expm1(log_p)
    falling = gamma * power(rest, gamma - 1) * p * log_p if gamma else 0 * p
    q = -alpha * target * (power(rest, gamma) - falling)
    values = -alpha * np.sum(target * power(rest, gamma) * log_p, axis=0, where=target != 0)
    return values, q - p * q.sum(axis=0)


def power(base, exponent):
    """A power, of which that of 0 is never infinite: what it is multiplied with is 0 then."""
    return np.where(base > 0, np.power(base, exponent, where=base > 0, out=0 * base), exponent == 0)


def categorical_hinge(x, target):
    others = (1 - target) * x
    highest = first_maxima(others)
    columns = np.arange(x.shape[1])
    margin = others[highest, columns] - np.sum(target * x, axis=0) + 1
    slopes = -target
    slopes[highest, columns] += 1 - target[highest, columns]
    return np.where(margin < 0, 0 * margin, margin), np.where(margin > 0, slopes, 0)


def cosine_similarity(x, target):
    size = np.maximum(np.linalg.norm(x, axis=0), LOSS_EPSILON)
    unit = x / size
    aim = target / np.maximum(np.linalg.norm(target, axis=0), LOSS_EPSILON)
    cosine = np.sum(unit * aim, axis=0)
    # Below epsilon the size is a constant.
    turning = np.where(size > LOSS_EPSILON, cosine, 0)
    return -cosine, (turning * unit - aim) / size


def of_outputs(kind, reals, x, target):
    """Return the losses, and their slopes, of each output by itself."""
    alpha, error = reals[Scalar.ALPHA], x - target
    match kind:
        case Loss.MEAN_SQUARED_ERROR:
            return error**2, 2 * error
        case Loss.HUBER:
            size = np.abs(error)
            beyond = alpha * (size - alpha / 2)
            return np.where(size > alpha, beyond, error**2 / 2), np.clip(error, -alpha, alpha)
        case Loss.MEAN_ABSOLUTE_ERROR:
            return np.abs(error), np.sign(error)
        case Loss.MEAN_ABSOLUTE_PERCENTAGE_ERROR:
            scale = 100 / np.maximum(np.abs(target), LOSS_EPSILON)
            return scale * np.abs(error), scale * np.sign(error)
        case Loss.MEAN_SQUARED_LOGARITHMIC_ERROR:
            # Zero times what is below epsilon: what is not finite is not hidden.
            clipped = np.where(x < LOSS_EPSILON, LOSS_EPSILON + 0 * x, x)
            difference = np.log1p(clipped) - np.log1p(np.maximum(target, LOSS_EPSILON))
            return difference**2, np.where(x < LOSS_EPSILON, 0, 2 * difference / (clipped + 1))
        case Loss.LOG_COSH:
            size = np.abs(error)
            small = np.log1p(2 * np.sinh(np.minimum(size, 1) / 2) ** 2)
            large = size + np.log1p(np.exp(-2 * size)) - np.log(2)
            return np.where(size < 1, small, large), np.tanh(error)
        case Loss.POISSON:
            above = x + LOSS_EPSILON
            return x - target * np.log(above), 1 - target / above
        case Loss.HINGE | Loss.SQUARED_HINGE:
            sign = np.where(target == 0, -1, target)
            margin = 1 - sign * x
            rest, slope = np.where(margin < 0, 0 * margin, margin), np.where(margin > 0, -sign, 0)
            if kind == Loss.HINGE:
                return rest, slope
            return rest**2, 2 * slope * np.where(margin > 0, margin, 0 * (margin != margin))
        case Loss.KL_DIVERGENCE:
            inside = (x >= LOSS_EPSILON) & (x <= 1)
            share = np.clip(target, LOSS_EPSILON, 1)
            clipped = np.where(inside | np.isnan(x), x, np.clip(x, LOSS_EPSILON, 1) + 0 * x)
            return share * np.log(share / clipped), np.where(inside, -share / clipped, 0 * clipped)
        case Loss.QUANTILE:
            values = np.where(error > 0, (1 - alpha) * error, -alpha * error)
            return values, np.where(error > 0, 1 - alpha, np.where(error < 0, -alpha, error))
        case Loss.SIGMOID_CROSSENTROPY | Loss.SIGMOID_FOCAL:
            return of_questions(kind, reals, x, smoothed(target, 0.5, reals))
    raise ValueError(f"kind: expected a Loss, got {kind}")


def of_questions(kind, reals, z, target):
    """Losses of probabilities that a sigmoid makes, and their slopes."""
    e = np.exp(-np.abs(z))
    values, slopes = np.maximum(z, 0) - z * target + np.log1p(e), sigmoid(z) - target
    if kind == Loss.SIGMOID_CROSSENTROPY:
        return values, slopes
    gamma = reals[Scalar.GAMMA]
    yes, no = np.where(z < 0, e, 1) / (1 + e), np.where(z < 0, 1, e) / (1 + e)
    wrong = target * no + (1 - target) * yes
    factor = target * reals[Scalar.ALPHA] + (1 - target) * reals[Scalar.BETA]
    bend = gamma * power(wrong, gamma - 1) * (1 - 2 * target) * yes * no if gamma else 0 * z
    focus = power(wrong, gamma)
    return factor * focus * values, factor * (bend * values + focus * slopes)
