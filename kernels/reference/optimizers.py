"""Optimizer steps over flat vectors; kernels/c/optimizers.c has the formulas' sources."""

import numpy as np

from ..contract import Number, Rule
from .rounding import add_evenly


class Given:
    """A step's numbers: in double precision, and as the vectors' dtype has them."""

    def __init__(self, rate, step, numbers, real):
        self.rate, self.numbers, self.real = rate, numbers, real
        self.t = step + 1.0 - numbers[Number.STEPS_BEFORE]

    def number(self, which):
        return self.real(self.numbers[which])

    def rest(self, which):
        return self.real(1 - self.numbers[which])

    def correction(self, which):
        """1 / (1 - beta^t)."""
        return 1 / (1 - self.numbers[which] ** self.t)


def optimizer_step(
    rule, rate, decay, step, evenly, first, params, gradient, first_moment, second_moment,
    third_moment, numbers,
):  # fmt: skip
    """Change the parameters, and the moments that the rule has, by one step.

    ``step`` counts from 0.  ``evenly`` lets no change be too small to count; see ``add_evenly``.
    The vectors are those of all parameters from the number ``first`` on.
    """
    real = params.dtype.type
    moments = [m for m in (first_moment, second_moment, third_moment) if m.size]
    change = CHANGES[rule](Given(rate, step, numbers, real), gradient, *moments)
    if rule != Rule.DESCENT and decay:  # that of Loshchilov & Hutter (2019)
        params[:] = add_evenly(params, real(-rate * decay) * params, step, first)
    params[:] = add_evenly(params, change, step, first) if evenly else params + change


def average_step(momentum, params, average):
    """Let a running mean of the parameters follow them; NaN stands for none yet."""
    share = average.dtype.type(1 - momentum)
    average[:] = np.where(np.isnan(average), params, average + share * (params - average))


def square_sum(values):
    return float((values.astype(np.float64) ** 2).sum())


def clip_values(limit, values):
    np.clip(values, -limit, limit, out=values)


def keep(moment, value):
    """Replace a moment: what is too small for a normal number becomes 0."""
    moment[:] = np.where(np.abs(value) < np.finfo(moment.dtype).tiny, 0, value)
    return moment


def follow(moment, share, x):
    """Let a moment go on towards x, by a share of the distance."""
    return keep(moment, moment + share * (x - moment))


def descent_change(given, gradient):
    """Plain gradient descent."""
    return -given.real(given.rate) * gradient


def momentum_change(given, gradient, velocity):
    """Keras' form of momentum."""
    momentum, step = given.number(Number.MOMENTUM), descent_change(given, gradient)
    keep(velocity, momentum * velocity + step)
    return momentum * velocity + step if given.numbers[Number.NESTEROV] else velocity


def rmsprop_change(given, gradient, square, velocity=None, mean=None):
    """Keras' form of Hinton's RMSprop (2012), centered by Graves (2013)."""
    variance = follow(square, given.rest(Number.RHO), gradient * gradient)
    if mean is not None:
        follow(mean, given.rest(Number.RHO), gradient)
        variance = np.maximum(square - mean * mean, 0)
    change = descent_change(given, gradient) / np.sqrt(variance + given.number(Number.EPSILON))
    if velocity is None:
        return change
    return keep(velocity, given.number(Number.MOMENTUM) * velocity + change)


def adagrad_change(given, gradient, total):
    """Duchi, Hazan & Singer (2011)."""
    keep(total, total + gradient * gradient)
    numbers = given.numbers
    least = given.real(numbers[Number.INITIAL_ACCUMULATOR_VALUE] + numbers[Number.EPSILON])
    return descent_change(given, gradient) / np.sqrt(total + least)


def adadelta_change(given, gradient, square, changes):
    """Zeiler (2012)."""
    rest, epsilon = given.rest(Number.RHO), given.number(Number.EPSILON)
    follow(square, rest, gradient * gradient)
    change = gradient * (np.sqrt(changes + epsilon) / np.sqrt(square + epsilon))
    follow(changes, rest, change * change)
    return descent_change(given, change)


def adam_change(given, gradient, mean, square, largest=None):
    """Algorithm 1 of Kingma & Ba (2015), and AMSGrad (Reddi, Kale & Kumar, 2018)."""
    follow(mean, given.rest(Number.BETA_1), gradient)
    follow(square, given.rest(Number.BETA_2), gradient * gradient)
    if largest is not None:
        square = keep(largest, np.maximum(largest, square))
    scale = given.real(-given.rate * given.correction(Number.BETA_1))
    root = np.sqrt(square * given.real(given.correction(Number.BETA_2)))
    return scale * mean / (root + given.number(Number.EPSILON))


def adamax_change(given, gradient, mean, largest):
    """Section 7.1 of Kingma & Ba (2015)."""
    follow(mean, given.rest(Number.BETA_1), gradient)
    keep(largest, np.maximum(given.number(Number.BETA_2) * largest, np.abs(gradient)))
    scale = given.real(-given.rate * given.correction(Number.BETA_1))
    return scale * mean / (largest + given.number(Number.EPSILON))


def nadam_change(given, gradient, mean, square):
    """Dozat (2016)."""
    follow(mean, given.rest(Number.BETA_1), gradient)
    follow(square, given.rest(Number.BETA_2), gradient * gradient)
    beta_1, t = given.numbers[Number.BETA_1], given.t
    momentum, after = (beta_1 * (1 - 0.5 * 0.96**i) for i in (t, t + 1))
    # Beyond the 900th, factors are 1 but for rounding.
    product = beta_1**t * np.prod(1 - 0.5 * 0.96 ** np.arange(1, min(t, 900) + 1))
    of_mean = given.real(-given.rate * after / (1 - product * after))
    of_gradient = given.real(-given.rate * (1 - momentum) / (1 - product))
    root = np.sqrt(square * given.real(given.correction(Number.BETA_2)))
    return (of_mean * mean + of_gradient * gradient) / (root + given.number(Number.EPSILON))


def lion_change(given, gradient, mean):
    """Chen et al. (2023)."""
    direction = np.sign(mean + given.rest(Number.BETA_1) * (gradient - mean))
    follow(mean, given.rest(Number.BETA_2), gradient)
    return descent_change(given, direction)


CHANGES = {
    Rule.DESCENT: descent_change,
    Rule.WHOLE_DESCENT: descent_change,
    Rule.MOMENTUM: momentum_change,
    Rule.RMSPROP: rmsprop_change,
    Rule.RMSPROP_MOMENTUM: rmsprop_change,
    Rule.RMSPROP_CENTERED: rmsprop_change,
    Rule.ADAGRAD: adagrad_change,
    Rule.ADADELTA: adadelta_change,
    Rule.ADAM: adam_change,
    Rule.AMSGRAD: adam_change,
    Rule.ADAMAX: adamax_change,
    Rule.NADAM: nadam_change,
    Rule.LION: lion_change,
}
