"""Optimizer steps over flat vectors: the only place with the algebra of updates.

But for plain gradient descent, whose step a dense layer takes while it computes its gradient.
"""

import math

import numpy as np

from ..contract import Number, Rule
from .jit import exact
from .rounding import add_evenly, fma, next_turn, turn


@exact
def optimizer_step(
    rule, rate, step, evenly, first, params, gradient, first_moment, second_moment, numbers
):
    """Change the parameters, and the moments that the rule has, by one step.

    ``step`` counts from 0.  ``evenly`` lets no change be too small to count, as where the data have
    no gradient and a penalty's velocity is less than the rounding of the weight; see
    ``rounding.add_evenly``.  The vectors are those of all parameters from the number ``first`` on.
    """
    if rule == Rule.DESCENT:
        descent_step(rate, params, gradient)
    elif rule == Rule.MOMENTUM:
        momentum_step(numbers, rate, step, evenly, first, params, gradient, first_moment)
    else:
        adam_step(numbers, rate, step, evenly, first, params, gradient, first_moment, second_moment)


@exact
def descent_step(rate, params, gradient):
    """``w -= rate g``."""
    rate = params.dtype.type(rate)
    for i in range(params.size):
        params[i] = fma(-rate, gradient[i], params[i])


@exact
def momentum_step(numbers, rate, step, evenly, first, params, gradient, velocity):
    """Keras' form: ``v = m v - rate g``, then ``w += v``, or ``w += m v - rate g`` (Nesterov)."""
    rate = params.dtype.type(rate)
    momentum = params.dtype.type(numbers[Number.MOMENTUM])
    nesterov = numbers[Number.NESTEROV] != 0.0
    if evenly:
        now = turn(step, first)
        for i in range(params.size):
            change = rate * gradient[i]
            velocity[i] = fma(momentum, velocity[i], -change)
            change = fma(momentum, velocity[i], -change) if nesterov else velocity[i]
            params[i] = add_evenly(params[i], change, now)
            now = next_turn(now)
    elif nesterov:
        for i in range(params.size):
            change = rate * gradient[i]
            velocity[i] = fma(momentum, velocity[i], -change)
            params[i] += fma(momentum, velocity[i], -change)
    else:
        for i in range(params.size):
            velocity[i] = fma(-rate, gradient[i], momentum * velocity[i])
            params[i] += velocity[i]


@exact
def adam_step(numbers, rate, step, evenly, first, params, gradient, mean, square):
    """Algorithm 1 of Kingma & Ba (2015), with the decay of Loshchilov & Hutter (2019).

    ``m += (1 - b1) (g - m)``, ``v += (1 - b2) (g^2 - v)``, and with t steps up to this one
    ``w -= rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay w)``.

    A moment that is too small for a normal number becomes 0: arithmetic on those is many times
    slower, and moments that decay would stay there.
    """
    real = params.dtype.type
    beta_1, beta_2, t = numbers[Number.BETA_1], numbers[Number.BETA_2], step + 1.0
    rest_1, rest_2 = real(1.0 - beta_1), real(1.0 - beta_2)
    scale = real(-rate / (1.0 - math.pow(beta_1, t)))
    correction = real(1.0 / (1.0 - math.pow(beta_2, t)))
    epsilon, decay = real(numbers[Number.EPSILON]), real(-rate * numbers[Number.WEIGHT_DECAY])
    smallest = smallest_normal(params)
    now = turn(step, first)
    for i in range(params.size):
        g = gradient[i]
        m = fma(rest_1, g - mean[i], mean[i])
        v = fma(rest_2, fma(g, g, -square[i]), square[i])
        m = real(0) if abs(m) < smallest else m  # so written, NaN stays NaN
        v = real(0) if v < smallest else v
        mean[i] = m
        square[i] = v
        change = fma(decay, params[i], scale * m / (np.sqrt(v * correction) + epsilon))
        params[i] = add_evenly(params[i], change, now) if evenly else params[i] + change
        now = next_turn(now)


@exact
def smallest_normal(array):
    """Return the smallest normal number of an array's dtype."""
    return array.dtype.type(2.0**-126 if array.itemsize == 4 else 2.0**-1022)
