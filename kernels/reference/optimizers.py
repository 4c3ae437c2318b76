"""Optimizer steps over flat vectors."""

import numpy as np

from ..contract import Number, Rule
from .rounding import add_evenly


def optimizer_step(
    rule, rate, step, evenly, first, params, gradient, first_moment, second_moment, numbers
):
    """Change the parameters, and the moments that the rule has, by one step.

    ``step`` counts from 0.  ``evenly`` lets no change be too small to count; see ``add_evenly``.
    The vectors are those of all parameters from the number ``first`` on.
    """
    if rule == Rule.DESCENT:
        change = -params.dtype.type(rate) * gradient
    elif rule == Rule.MOMENTUM:
        change = momentum_change(numbers, rate, gradient, first_moment)
    else:
        change = adam_change(numbers, rate, step, params, gradient, first_moment, second_moment)
    params[:] = add_evenly(params, change, step, first) if evenly else params + change


def momentum_change(numbers, rate, gradient, velocity):
    """Keras' form of momentum."""
    real = gradient.dtype.type
    momentum, step = real(numbers[Number.MOMENTUM]), -real(rate) * gradient
    velocity[:] = momentum * velocity + step
    return momentum * velocity + step if numbers[Number.NESTEROV] else velocity


def adam_change(numbers, rate, step, params, gradient, mean, square):
    """Algorithm 1 of Kingma & Ba (2015), with the decay of Loshchilov & Hutter (2019)."""
    real = gradient.dtype.type
    beta_1, beta_2 = numbers[Number.BETA_1], numbers[Number.BETA_2]
    mean += real(1 - beta_1) * (gradient - mean)
    square += real(1 - beta_2) * (gradient * gradient - square)
    for moment in (mean, square):
        moment[np.abs(moment) < np.finfo(moment.dtype).tiny] = 0
    scale = real(-rate / (1 - beta_1 ** (step + 1.0)))
    correction = real(1 / (1 - beta_2 ** (step + 1.0)))
    change = scale * mean / (np.sqrt(square * correction) + real(numbers[Number.EPSILON]))
    return change + real(-rate * numbers[Number.WEIGHT_DECAY]) * params
