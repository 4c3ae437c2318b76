"""Long sums in float64, each in an order of its own that no compiler may change."""

import math

import numpy as np

from .jit import exact
from .rounding import fma
from .vectors import WIDE, load_wide, sum_of, wide


@exact
def sum_of_values(values):
    """The sum of flat ``values``."""
    total = wide(0.0)
    whole = values.size - values.size % WIDE
    for i in range(0, whole, WIDE):
        total = total + load_wide(values, i, None)
    return sum_of(total + load_wide(values, whole, values.size - whole))


@exact
def sum_of_squares(values, center):
    """The sum of ``(values - center) ** 2`` for flat ``values``."""
    total, centers = wide(0.0), wide(center)
    whole = values.size - values.size % WIDE
    for i in range(0, whole, WIDE):
        distance = load_wide(values, i, None) - centers
        total = fma(distance, distance, total)
    rest = 0.0
    for i in range(whole, values.size):
        distance_of_one = np.float64(values[i]) - center
        rest = fma(distance_of_one, distance_of_one, rest)
    return sum_of(total) + rest


@exact
def norm(values):
    """The Euclidean norm of flat ``values``."""
    return math.sqrt(sum_of_squares(values, 0.0))
