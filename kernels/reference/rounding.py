"""Sums to which numbers that are too small for one addition are added nevertheless."""

import numpy as np

from ..contract import ELEMENT_STRIDE, STEP_STRIDE


def add_evenly(a, b, step, first):
    """Return ``a + b`` for flat arrays, the elements from the number ``first`` on of a tensor.

    To the nearest number, ``a + b`` is ``a`` if b is below half the distance to the next one.
    Here the part that the sum lost is compared with a threshold between 0 and 1 of the distance.
    Thresholds are spread evenly over steps and elements: so in many sums no part of b is lost.
    """
    total = a + b
    lost = b - (total - a)
    distance = np.abs(np.spacing(total))
    start = (int(step) * STEP_STRIDE + int(first) * ELEMENT_STRIDE) % 2**32
    turns = (start + np.arange(a.size, dtype=np.uint64) * ELEMENT_STRIDE).astype(np.uint32)
    thresholds = turns.view(np.int32).astype(a.dtype) * a.dtype.type(2.0**-32) + a.dtype.type(0.5)
    return np.where(
        np.abs(lost) > thresholds * distance, total + np.copysign(distance, lost), total
    )
