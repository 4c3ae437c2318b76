"""What the experiments look at, measured inside the loop.

Observing changes nothing: a recorded step computes what it needs on the side, and then
takes the very step, bit for bit, that it would have taken unobserved.
"""

import math

from ..contract import SATURATED_SLOPE, Telemetry
from .activations import activation_backward
from .jit import exact
from .rounding import fma
from .sums import norm, sum_of_squares, sum_of_values
from .vectors import WIDE, load_wide, sum_of, wide


@exact
def record_values(y, out):
    """Record the mean and the standard deviation of flat ``y``."""
    mean = sum_of_values(y) / y.size
    out[Telemetry.MEAN] = mean
    out[Telemetry.STD] = math.sqrt(sum_of_squares(y, mean) / y.size)


@exact
def record_flat(slopes, n, rows, out):
    """Record how much of an activation is flat, given its slopes.

    ``rows`` says whether the n samples lie along the first axis or the second.
    """
    features = slopes.size // n
    sample_stride, feature_stride = (features, 1) if rows else (1, n)
    saturated = 0
    dead = 0
    for i in range(features):
        flat = 0
        for j in range(n):
            if abs(slopes[i * feature_stride + j * sample_stride]) < SATURATED_SLOPE:
                flat += 1
        saturated += flat
        dead += flat == n
    out[Telemetry.SATURATED] = saturated / slopes.size
    out[Telemetry.DEAD] = dead / features


def record_slopes(kind, alpha, x, y, n, rows, scratch, out):
    """Record how much of an activation is flat; ``x``, ``y`` and ``scratch`` are flat.

    For callers in Python: the engine takes its two steps by itself.
    """
    scratch[:] = 1
    activation_backward(kind, alpha, x, y, scratch, scratch)
    record_flat(scratch, n, rows, out)


@exact
def record_step(before, after, gradient, out):
    """Record the gradient's norm, and the ratio |step| / |parameters| of the step taken."""
    step_squared = wide(0.0)
    for i in range(0, before.size, WIDE):
        count = min(WIDE, before.size - i)
        step = load_wide(after, i, count) - load_wide(before, i, count)
        step_squared = fma(step, step, step_squared)
    out[Telemetry.GRADIENT_NORM] = norm(gradient)
    out[Telemetry.UPDATE_RATIO] = math.sqrt(sum_of(step_squared)) / norm(before)
