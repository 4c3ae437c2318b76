"""Constraints on weights: what a tensor is brought to after a step."""

import numpy as np

from ..contract import NORM_EPSILON, Constraint


def constrain(kind, lowest, highest, share, group, stride, first, stop, weights):
    """Constrain the groups of a flat tensor from ``first`` to before ``stop``.

    A group is ``group`` numbers, ``stride`` apart, whose norm is brought towards ``[lowest,
    highest]`` by a share; of ``NON_NEGATIVE``, one number.
    """
    if kind == Constraint.NON_NEGATIVE:
        weights[first:stop] *= ~(weights[first:stop] < 0)
    elif kind == Constraint.NORM:
        groups = np.arange(first, stop)
        starts = groups // stride * stride * group + groups % stride
        places = starts[:, None] + stride * np.arange(group)
        norms = np.sqrt((weights[places].astype(np.float64) ** 2).sum(axis=1, keepdims=True))
        wanted = share * np.clip(norms, lowest, highest) + (1 - share) * norms
        weights[places] *= (wanted / (NORM_EPSILON + norms)).astype(weights.dtype)
