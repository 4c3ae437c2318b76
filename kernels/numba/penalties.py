"""L1 and L2 penalties, ``l1 * sum |w| + l2 * sum w^2``: the value and its two uses side by side.

At 0, where |w| has no slope, the subgradient is 0: a weight that a penalty has driven to 0
is not pushed off again by it.

A penalty of 1e-8 changes a weight by less than its rounding.  Both uses therefore round evenly
over the steps (``rounding.add_evenly``), by the number of the ``step`` and that of the weight.
"""

from .jit import exact
from .rounding import add_evenly, fma, next_turn, turn
from .vectors import WIDE, load_wide, sum_of, wide


@exact
def penalty(l1, l2, weights):
    """The value, for flat ``weights``, summed in float64."""
    magnitudes, squares = wide(0.0), wide(0.0)
    whole = weights.size - weights.size % WIDE
    for i in range(0, whole, WIDE):
        w = load_wide(weights, i, None)
        magnitudes = magnitudes + abs(w)
        squares = fma(w, w, squares)
    w = load_wide(weights, whole, weights.size - whole)
    magnitudes = magnitudes + abs(w)
    squares = fma(w, w, squares)
    return l1 * sum_of(magnitudes) + l2 * sum_of(squares)


@exact
def slope(l1, l2, w):
    zero = type(w)(0)
    return fma(l2 + l2, w, l1 if w > zero else (-l1 if w < zero else zero))


@exact
def penalty_gradient(l1, l2, step, first, weights, gradient):
    """Add the gradient at flat ``weights`` to flat ``gradient``.

    They are those of a tensor from the number ``first`` on.
    """
    now = turn(step, first)
    for i in range(weights.size):
        gradient[i] = add_evenly(gradient[i], slope(l1, l2, weights[i]), now)
        now = next_turn(now)


@exact
def penalty_update(l1, l2, rate, step, first, weights):
    """Take the penalty's part of an SGD step, in place.

    One array in and out: given the weights twice, as input and as output of
    ``penalty_gradient``, the compiler would have to assume that they overlap.
    """
    now = turn(step, first)
    for i in range(weights.size):
        weights[i] = add_evenly(weights[i], slope(-rate * l1, -rate * l2, weights[i]), now)
        now = next_turn(now)


@exact
def activity_gradient(l1, l2, y, dy):
    """Add the slopes of the penalties on flat ``y`` to flat ``dy``."""
    for i in range(y.size):
        dy[i] += slope(l1, l2, y[i])
