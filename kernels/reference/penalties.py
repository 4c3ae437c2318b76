"""L1 and L2 penalties, ``l1 * sum |w| + l2 * sum w^2``; the slope of |w| at 0 is taken as 0."""

import numpy as np


def penalty(l1, l2, weights):
    w = weights.astype(np.float64)
    return float(l1 * np.abs(w).sum() + l2 * (w**2).sum())


def penalty_gradient(l1, l2, weights, gradient):
    gradient += l1 * np.sign(weights) + 2 * l2 * weights


def penalty_update(l1, l2, rate, weights):
    weights -= rate * (l1 * np.sign(weights) + 2 * l2 * weights)
