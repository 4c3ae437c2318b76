"""Constraints on weights: what a tensor is brought to after a step."""

import math

from ..contract import NORM_EPSILON, Constraint
from .jit import exact


@exact
def constrain(kind, lowest, highest, share, group, stride, first, stop, weights):
    """Constrain the groups of a flat tensor from ``first`` to before ``stop``.

    A group is ``group`` numbers, ``stride`` apart; of ``NON_NEGATIVE``, one number.
    """
    if kind == Constraint.NON_NEGATIVE:
        for i in range(first, stop):  # NaN stays NaN
            weights[i] = weights.dtype.type(0) if weights[i] < 0 else weights[i]
    elif kind == Constraint.NORM:
        for g in range(first, stop):
            start = g // stride * stride * group + g % stride
            constrain_group(lowest, highest, share, group, stride, start, weights)


@exact
def constrain_group(lowest, highest, share, group, stride, start, weights):
    """Bring the norm of a group of numbers towards ``[lowest, highest]`` by a share.

    Keras' formula: the epsilon keeps a norm of 0 from a division by it, and lets others shrink a
    little.
    """
    total = 0.0
    for i in range(start, start + group * stride, stride):
        total += float(weights[i]) * float(weights[i])
    norm = math.sqrt(total)
    within = lowest if norm < lowest else (highest if norm > highest else norm)
    scale = weights.dtype.type((share * within + (1.0 - share) * norm) / (NORM_EPSILON + norm))
    for i in range(start, start + group * stride, stride):
        weights[i] *= scale
