"""What the experiments look at, measured inside the loop.

Observing changes nothing: a recorded step computes what it needs on the side, and then
takes the very step, bit for bit, that it would have taken unobserved.
"""

import math

from ..table import SATURATED_SLOPE, Hyper, Telemetry
from .activations import activation_backward
from .jit import fast


@fast
def norm(values):
    """The Euclidean norm, summed in float64."""
    total = 0.0
    for i in range(values.size):
        total += float(values[i]) * float(values[i])
    return math.sqrt(total)


@fast
def record_values(y, out):
    """Record the mean and the standard deviation of flat ``y``."""
    mean = 0.0
    for i in range(y.size):
        mean += float(y[i])
    mean /= y.size
    variance = 0.0
    for i in range(y.size):
        variance += (float(y[i]) - mean) ** 2
    out[Telemetry.MEAN] = mean
    out[Telemetry.STD] = math.sqrt(variance / y.size)


@fast
def record_slopes(kind, alpha, x, y, n, rows, scratch, out):
    """Record how much of an activation is flat; ``x``, ``y`` and ``scratch`` are flat.

    ``rows`` says whether the n samples lie along the first axis or the second.
    """
    for i in range(x.size):
        scratch[i] = x.dtype.type(1)
    activation_backward(kind, alpha, x, y, scratch, scratch)
    features = x.size // n
    sample_stride, feature_stride = (features, 1) if rows else (1, n)
    saturated = 0
    dead = 0
    for i in range(features):
        flat = 0
        for j in range(n):
            if abs(scratch[i * feature_stride + j * sample_stride]) < SATURATED_SLOPE:
                flat += 1
        saturated += flat
        dead += flat == n
    out[Telemetry.SATURATED] = saturated / x.size
    out[Telemetry.DEAD] = dead / features


@fast
def record_step(params, gradient, velocity, hyper, out):
    """Record the gradient's norm and the ratio |step| / |params| of the step to come.

    Without momentum ``velocity`` is empty.
    """
    rate, momentum = hyper[Hyper.LEARNING_RATE], hyper[Hyper.MOMENTUM]
    nesterov = hyper[Hyper.NESTEROV] != 0.0
    step_squared = 0.0
    for i in range(params.size):
        step = rate * gradient[i]
        if velocity.size:
            step -= momentum * velocity[i]
            if nesterov:
                step = momentum * step + rate * gradient[i]
        step_squared += float(step) * float(step)
    out[Telemetry.GRADIENT_NORM] = norm(gradient)
    out[Telemetry.UPDATE_RATIO] = math.sqrt(step_squared) / norm(params)
