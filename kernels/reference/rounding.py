"""Sums to which numbers that are too small for one addition are added nevertheless."""

import numpy as np

from ..contract import ELEMENT_STRIDE, STEP_STRIDE


def add_evenly(a, b, step, first=0):
    """Return ``a + b`` for flat arrays, the elements from the number ``first`` on of a tensor.

    To the nearest number, ``a + b`` is ``a`` if b is below half the distance to the next one.
    Here the part that the sum lost is compared with a threshold between 0 and 1 of the distance.
    Thresholds are spread evenly over steps and elements: so in many sums no part of b is lost.
    """
    total = a + b
    lost = b - (total - a)
    distance = np.abs(np.spacing(total))
    indices = (first + np.arange(a.size)) % 2**31
    fractions = (int(step) * STEP_STRIDE % 2**31 + indices * ELEMENT_STRIDE) % 2**31
    thresholds = ((fractions + 0.5) / 2**31).astype(a.dtype)
    return np.where(
        np.abs(lost) > thresholds * distance, total + np.copysign(distance, lost), total
    )
