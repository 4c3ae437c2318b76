"""Optimizer steps over flat vectors: the only place with the algebra of updates.

But for plain gradient descent, whose step a dense layer takes while it computes its gradient.
``kernels/c/optimizers.c`` has the formulas' sources.

A moment that is too small for a normal number becomes 0 in all rules: arithmetic on those is many
times slower, and moments that decay would stay there.  NaN stays NaN.
"""

import math

import numpy as np

from ..contract import Number, Rule
from .jit import exact
from .late import Family
from .rounding import add_evenly, fma, next_turn, turn
from .sums import sum_of_squares


@exact
def smallest_normal(array):
    """Return the smallest normal number of an array's dtype."""
    return array.dtype.type(2.0**-126 if array.itemsize == 4 else 2.0**-1022)


@exact
def normal(x, smallest):
    """Return x, or 0 if it is too small for a normal number."""
    return type(x)(0) if abs(x) < smallest else x


@exact
def larger(a, b):
    """Return the larger of two; NaN if one of them is."""
    larger = a if a >= b else b
    return a if a != a else larger


@exact
def changed(w, change, decay, evenly, now):
    """Return a weight after its decay (Loshchilov & Hutter, 2019), and then its change.

    The decay is a sum of its own, and even: added to the change first, it would be lost in float32
    where it is less than the rounding of that.
    """
    if decay != 0:
        w = add_evenly(w, decay * w, now)
    return add_evenly(w, change, now) if evenly else w + change


@exact
def average_step(momentum, params, average):
    """Let a running mean of the parameters follow them; NaN stands for none yet."""
    share = params.dtype.type(1.0 - momentum)
    for i in range(params.size):
        w, a = params[i], average[i]
        average[i] = w if a != a else fma(share, w - a, a)


@exact
def square_sum(values):
    """Return the sum of squares, in float64."""
    return sum_of_squares(values, 0.0)


@exact
def clipping_scale(total, limit):
    """Return what values with that sum of squares are multiplied with, for their norm's limit.

    If the norm is not finite, that is NaN, and shows.
    """
    norm = math.sqrt(total)
    if norm <= limit:
        return 1.0
    return limit / norm if norm < math.inf else math.nan


@exact
def clip_values(limit, values):
    """Bring values into ``[-limit, limit]``."""
    for i in range(values.size):
        v = values[i]
        values[i] = limit if v > limit else (-limit if v < -limit else v)


@exact
def steps_of(step, numbers):
    """Return how many steps the moments know of, with this one, whose number counts from 0."""
    return step + 1.0 - numbers[Number.STEPS_BEFORE]


@exact
def descent_step(rate, params, gradient):
    """``w -= rate g``."""
    rate = params.dtype.type(rate)
    for i in range(params.size):
        params[i] = fma(-rate, gradient[i], params[i])


@exact
def plain_descent_step(
    rate, weight_decay, step, evenly, first, params, gradient, m1, m2, m3, numbers
):
    descent_step(rate, params, gradient)


@exact
def whole_descent_step(
    rate, weight_decay, step, evenly, first, params, gradient, m1, m2, m3, numbers
):
    """The same, with what a step along the whole gradient may have besides."""
    real = params.dtype.type
    down, decay = real(-rate), real(-rate * weight_decay)
    now = turn(step, first)
    for i in range(params.size):
        params[i] = changed(params[i], down * gradient[i], decay, evenly, now)
        now = next_turn(now)


@exact
def momentum_step(
    rate, weight_decay, step, evenly, first, params, gradient, velocity, m2, m3, numbers
):
    """Keras' form: ``v = m v - rate g``, then ``w += v``, or ``w += m v - rate g`` (Nesterov)."""
    real = params.dtype.type
    down, decay = real(-rate), real(-rate * weight_decay)
    momentum, smallest = real(numbers[Number.MOMENTUM]), smallest_normal(params)
    nesterov = numbers[Number.NESTEROV] != 0.0
    now = turn(step, first)
    for i in range(params.size):
        change = down * gradient[i]
        v = normal(fma(momentum, velocity[i], change), smallest)
        velocity[i] = v
        change = fma(momentum, v, change) if nesterov else v
        params[i] = changed(params[i], change, decay, evenly, now)
        now = next_turn(now)


@exact
def rmsprop_step(
    rate, weight_decay, step, evenly, first, params, gradient, square, m2, m3, numbers
):
    """Keras' form of Hinton's RMSprop: ``s += (1 - rho) (g^2 - s)``.

    Then ``w -= rate g / sqrt(s + epsilon)``.
    """
    real = params.dtype.type
    down, decay = real(-rate), real(-rate * weight_decay)
    rest, epsilon = real(1.0 - numbers[Number.RHO]), real(numbers[Number.EPSILON])
    smallest, now = smallest_normal(params), turn(step, first)
    for i in range(params.size):
        g = gradient[i]
        s = normal(fma(rest, fma(g, g, -square[i]), square[i]), smallest)
        square[i] = s
        params[i] = changed(params[i], down * g / np.sqrt(s + epsilon), decay, evenly, now)
        now = next_turn(now)


@exact
def rmsprop_momentum_step(
    rate, weight_decay, step, evenly, first, params, gradient, square, velocity, m3, numbers
):
    """The same change, added to ``v = m v``; w changes by v."""
    real = params.dtype.type
    down, decay = real(-rate), real(-rate * weight_decay)
    rest, epsilon = real(1.0 - numbers[Number.RHO]), real(numbers[Number.EPSILON])
    momentum, smallest = real(numbers[Number.MOMENTUM]), smallest_normal(params)
    now = turn(step, first)
    for i in range(params.size):
        g = gradient[i]
        s = normal(fma(rest, fma(g, g, -square[i]), square[i]), smallest)
        v = normal(fma(momentum, velocity[i], down * g / np.sqrt(s + epsilon)), smallest)
        square[i] = s
        velocity[i] = v
        params[i] = changed(params[i], v, decay, evenly, now)
        now = next_turn(now)


@exact
def rmsprop_centered_step(
    rate, weight_decay, step, evenly, first, params, gradient, square, velocity, mean, numbers
):
    """That with s less the square of the mean ``a += (1 - rho) (g - a)``.

    But never less than 0, as rounding may have it.
    """
    real = params.dtype.type
    down, decay = real(-rate), real(-rate * weight_decay)
    rest, epsilon = real(1.0 - numbers[Number.RHO]), real(numbers[Number.EPSILON])
    momentum, smallest = real(numbers[Number.MOMENTUM]), smallest_normal(params)
    now = turn(step, first)
    for i in range(params.size):
        g = gradient[i]
        s = normal(fma(rest, fma(g, g, -square[i]), square[i]), smallest)
        a = normal(fma(rest, g - mean[i], mean[i]), smallest)
        square[i] = s
        mean[i] = a
        variance = fma(-a, a, s)
        variance = real(0) if variance < real(0) else variance
        v = normal(fma(momentum, velocity[i], down * g / np.sqrt(variance + epsilon)), smallest)
        velocity[i] = v
        params[i] = changed(params[i], v, decay, evenly, now)
        now = next_turn(now)


@exact
def adagrad_step(rate, weight_decay, step, evenly, first, params, gradient, total, m2, m3, numbers):
    """``s += g^2``, ``w -= rate g / sqrt(s + epsilon)``.

    The sum's first value is added where it is used, so that all moments start from 0.
    """
    real = params.dtype.type
    down, decay = real(-rate), real(-rate * weight_decay)
    least = real(numbers[Number.INITIAL_ACCUMULATOR_VALUE] + numbers[Number.EPSILON])
    smallest, now = smallest_normal(params), turn(step, first)
    for i in range(params.size):
        g = gradient[i]
        s = normal(fma(g, g, total[i]), smallest)
        total[i] = s
        params[i] = changed(params[i], down * g / np.sqrt(s + least), decay, evenly, now)
        now = next_turn(now)


@exact
def adadelta_step(
    rate, weight_decay, step, evenly, first, params, gradient, square, changes, m3, numbers
):
    """``s += (1 - rho) (g^2 - s)``, ``d = g sqrt(c + epsilon) / sqrt(s + epsilon)``.

    Then ``c += (1 - rho) (d^2 - c)``, ``w -= rate d``.
    """
    real = params.dtype.type
    down, decay = real(-rate), real(-rate * weight_decay)
    rest, epsilon = real(1.0 - numbers[Number.RHO]), real(numbers[Number.EPSILON])
    smallest, now = smallest_normal(params), turn(step, first)
    for i in range(params.size):
        g, c = gradient[i], changes[i]
        s = normal(fma(rest, fma(g, g, -square[i]), square[i]), smallest)
        d = g * (np.sqrt(c + epsilon) / np.sqrt(s + epsilon))
        square[i] = s
        changes[i] = normal(fma(rest, fma(d, d, -c), c), smallest)
        params[i] = changed(params[i], down * d, decay, evenly, now)
        now = next_turn(now)


@exact
def adam_step(rate, weight_decay, step, evenly, first, params, gradient, mean, square, m3, numbers):
    """Algorithm 1 of Kingma & Ba: ``m += (1 - b1) (g - m)``, ``v += (1 - b2) (g^2 - v)``.

    And with t steps up to this one,
    ``w -= rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay w)``.
    """
    real = params.dtype.type
    beta_1, beta_2, t = numbers[Number.BETA_1], numbers[Number.BETA_2], steps_of(step, numbers)
    rest_1, rest_2 = real(1.0 - beta_1), real(1.0 - beta_2)
    scale = real(-rate / (1.0 - math.pow(beta_1, t)))
    correction = real(1.0 / (1.0 - math.pow(beta_2, t)))
    epsilon, decay = real(numbers[Number.EPSILON]), real(-rate * weight_decay)
    smallest, now = smallest_normal(params), turn(step, first)
    for i in range(params.size):
        g = gradient[i]
        m = normal(fma(rest_1, g - mean[i], mean[i]), smallest)
        v = normal(fma(rest_2, fma(g, g, -square[i]), square[i]), smallest)
        mean[i] = m
        square[i] = v
        change = scale * m / (np.sqrt(v * correction) + epsilon)
        params[i] = changed(params[i], change, decay, evenly, now)
        now = next_turn(now)


@exact
def amsgrad_step(
    rate, weight_decay, step, evenly, first, params, gradient, mean, square, largest, numbers
):
    """Adam, divided by the largest v so far."""
    real = params.dtype.type
    beta_1, beta_2, t = numbers[Number.BETA_1], numbers[Number.BETA_2], steps_of(step, numbers)
    rest_1, rest_2 = real(1.0 - beta_1), real(1.0 - beta_2)
    scale = real(-rate / (1.0 - math.pow(beta_1, t)))
    correction = real(1.0 / (1.0 - math.pow(beta_2, t)))
    epsilon, decay = real(numbers[Number.EPSILON]), real(-rate * weight_decay)
    smallest, now = smallest_normal(params), turn(step, first)
    for i in range(params.size):
        g = gradient[i]
        m = normal(fma(rest_1, g - mean[i], mean[i]), smallest)
        v = normal(fma(rest_2, fma(g, g, -square[i]), square[i]), smallest)
        mean[i] = m
        square[i] = v
        v = normal(larger(largest[i], v), smallest)
        largest[i] = v
        change = scale * m / (np.sqrt(v * correction) + epsilon)
        params[i] = changed(params[i], change, decay, evenly, now)
        now = next_turn(now)


@exact
def adamax_step(
    rate, weight_decay, step, evenly, first, params, gradient, mean, largest, m3, numbers
):
    """M as in Adam, ``u = max(b2 u, |g|)``, ``w -= rate m / (1 - b1^t) / (u + epsilon)``."""
    real = params.dtype.type
    beta_1 = numbers[Number.BETA_1]
    rest, beta_2 = real(1.0 - beta_1), real(numbers[Number.BETA_2])
    scale = real(-rate / (1.0 - math.pow(beta_1, steps_of(step, numbers))))
    epsilon, decay = real(numbers[Number.EPSILON]), real(-rate * weight_decay)
    smallest, now = smallest_normal(params), turn(step, first)
    for i in range(params.size):
        g = gradient[i]
        m = normal(fma(rest, g - mean[i], mean[i]), smallest)
        u = normal(larger(beta_2 * largest[i], abs(g)), smallest)
        mean[i] = m
        largest[i] = u
        params[i] = changed(params[i], scale * m / (u + epsilon), decay, evenly, now)
        now = next_turn(now)


@exact
def momentum_at(beta_1, t):
    """Return Nadam's momentum at step t, counted from 1."""
    return beta_1 * (1.0 - 0.5 * math.pow(0.96, t))


@exact
def momentums_up_to(beta_1, t):
    """Return the product of those up to step t.

    Of the second factors, those beyond the 900th are 1 but for rounding; and of a product that 1 is
    subtracted from, what is below 2^-60 does not count.
    """
    product, power = math.pow(beta_1, t), 1.0
    if product < 2.0**-60:
        return 0.0
    for _ in range(int(min(t, 900.0))):
        power *= 0.96
        product *= 1.0 - 0.5 * power
    return product


@exact
def nadam_step(
    rate, weight_decay, step, evenly, first, params, gradient, mean, square, m3, numbers
):
    """M and v as in Adam, ``u_t = b1 (1 - 0.96^t / 2)``, and p_t the product of u_1 to u_t.

    Then w decreases by ``rate (u_(t+1) m / (1 - p_(t+1)) + (1 - u_t) g / (1 - p_t))``, divided by
    ``sqrt(v / (1 - b2^t)) + epsilon``.
    """
    real = params.dtype.type
    beta_1, beta_2, t = numbers[Number.BETA_1], numbers[Number.BETA_2], steps_of(step, numbers)
    rest_1, rest_2 = real(1.0 - beta_1), real(1.0 - beta_2)
    product, after = momentums_up_to(beta_1, t), momentum_at(beta_1, t + 1.0)
    of_mean = real(-rate * after / (1.0 - product * after))
    of_gradient = real(-rate * (1.0 - momentum_at(beta_1, t)) / (1.0 - product))
    correction = real(1.0 / (1.0 - math.pow(beta_2, t)))
    epsilon, decay = real(numbers[Number.EPSILON]), real(-rate * weight_decay)
    smallest, now = smallest_normal(params), turn(step, first)
    for i in range(params.size):
        g = gradient[i]
        m = normal(fma(rest_1, g - mean[i], mean[i]), smallest)
        v = normal(fma(rest_2, fma(g, g, -square[i]), square[i]), smallest)
        mean[i] = m
        square[i] = v
        change = fma(of_mean, m, of_gradient * g) / (np.sqrt(v * correction) + epsilon)
        params[i] = changed(params[i], change, decay, evenly, now)
        now = next_turn(now)


@exact
def lion_step(rate, weight_decay, step, evenly, first, params, gradient, mean, m2, m3, numbers):
    """``w -= rate sign(m + (1 - b1) (g - m))``, then ``m += (1 - b2) (g - m)``.

    The sign of 0 is 0, that of NaN is NaN.
    """
    real = params.dtype.type
    up, down, decay = real(rate), real(-rate), real(-rate * weight_decay)
    rest_1, rest_2 = real(1.0 - numbers[Number.BETA_1]), real(1.0 - numbers[Number.BETA_2])
    smallest, now = smallest_normal(params), turn(step, first)
    for i in range(params.size):
        g, m = gradient[i], mean[i]
        change = fma(rest_1, g - m, m)
        change = down if change > real(0) else (up if change < real(0) else change)
        mean[i] = normal(fma(rest_2, g - m, m), smallest)
        params[i] = changed(params[i], change, decay, evenly, now)
        now = next_turn(now)


# ``optimizer_step(rule, rate, weight_decay, step, evenly, first, params, gradient, first_moment,
# second_moment, third_moment, numbers)`` changes the parameters, and the moments that the rule has,
# by one step.
#
# ``step`` counts from 0.  ``evenly`` lets no change be too small to count, as where the data have
# no gradient and a penalty's velocity is less than the rounding of the weight; see
# ``rounding.add_evenly``.  The vectors are those of all parameters from the number ``first`` on.
optimizer_step = Family(
    "optimizer_step",
    {
        Rule.DESCENT: plain_descent_step,
        Rule.MOMENTUM: momentum_step,
        Rule.ADAM: adam_step,
        Rule.WHOLE_DESCENT: whole_descent_step,
        Rule.RMSPROP: rmsprop_step,
        Rule.RMSPROP_MOMENTUM: rmsprop_momentum_step,
        Rule.RMSPROP_CENTERED: rmsprop_centered_step,
        Rule.ADAGRAD: adagrad_step,
        Rule.ADADELTA: adadelta_step,
        Rule.AMSGRAD: amsgrad_step,
        Rule.ADAMAX: adamax_step,
        Rule.NADAM: nadam_step,
        Rule.LION: lion_step,
    },
)
