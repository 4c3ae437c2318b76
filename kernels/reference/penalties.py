"""L1 and L2 penalties, ``l1 * sum |w| + l2 * sum w^2``; the slope of |w| at 0 is taken as 0."""

import numpy as np

from .rounding import add_evenly


def penalty(l1, l2, weights):
    w = weights.astype(np.float64)
    return float(l1 * np.abs(w).sum() + l2 * (w**2).sum())


def slope(l1, l2, weights):
    return l1 * np.sign(weights) + 2 * l2 * weights


def penalty_gradient(l1, l2, step, first, weights, gradient):
    gradient[:] = add_evenly(gradient, slope(l1, l2, weights), step, first)


def penalty_update(l1, l2, rate, step, first, weights):
    weights[:] = add_evenly(weights, slope(-rate * l1, -rate * l2, weights), step, first)


def activity_gradient(l1, l2, y, dy):
    """Add the slopes of the penalties on ``y`` to ``dy``."""
    dy += slope(l1, l2, y)
