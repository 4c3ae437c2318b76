"""L1 and L2 penalties, ``l1 * sum |w| + l2 * sum w^2``: the value and its two uses side by side.

At 0, where |w| has no slope, the subgradient is 0: a weight that a penalty has driven to 0
is not pushed off again by it.
"""

from .jit import fast


@fast
def penalty(l1, l2, weights):
    """The value, for flat ``weights``, summed in float64."""
    total = 0.0
    for i in range(weights.size):
        w = float(weights[i])
        total += l1 * abs(w) + l2 * (w * w)
    return total


@fast
def slope(l1, l2, w):
    real = type(w)
    sign = real(1) if w > real(0) else (real(-1) if w < real(0) else real(0))
    return l1 * sign + (l2 + l2) * w


@fast
def penalty_gradient(l1, l2, weights, gradient):
    """Add the gradient at flat ``weights`` to flat ``gradient``."""
    for i in range(weights.size):
        gradient[i] += slope(l1, l2, weights[i])


@fast
def penalty_update(l1, l2, rate, weights):
    """Take the penalty's part of an SGD step, in place.

    One array in and out: given the weights twice, as input and as output of
    ``penalty_gradient``, the compiler would have to assume that they overlap.
    """
    for i in range(weights.size):
        weights[i] -= rate * slope(l1, l2, weights[i])
