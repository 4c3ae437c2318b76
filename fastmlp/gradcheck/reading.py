"""What a value of ``|a - n| / (|a| + |n|)`` says, and which mistakes are known to give it.

``examples/reading_near_one.py`` makes each of the mistakes that are named here, and its test holds
the readings that it measures against the ranges below.
"""

import math

import numpy as np

AGREES = 1e-7
NEARLY = 1e-2
# Two vectors of equal length at right angles read sqrt(1/2), so from here on chance is no reason.
BEYOND_CHANCE = 0.9
# From here on a mistake of a factor of thousands, or a reversed sign, is needed.
NEAR_ONE = 0.9999
# Nearer to 1 than this, float64 cannot tell the reading from 1.
INDISTINCT = 4 * float(np.finfo(np.float64).eps)

GUARD = 1e-12  # what is often added to the denominator to keep it from being 0


def explain_reading(relative_error: float) -> str:
    """Say what a value of ``|a - n| / (|a| + |n|)`` means.

    Parameters
    ----------
    relative_error : float in [0, 1]

    Returns
    -------
    str
        What the value says of the two vectors, and mistakes that are known to give it.

    Raises
    ------
    ValueError
        If it is out of its range.
    """
    r = relative_error
    if not 0 <= r <= 1:
        raise ValueError(f"relative_error: expected a number in [0, 1], got {r!r}")
    if r <= AGREES:
        return "the two gradients agree"
    if r <= NEARLY:
        return (
            f"nearly: they differ by some {2 * r:.1g} of their size; the numeric gradient may be "
            "inexact (a step too large or too small, float32, a kink inside the step), or a small "
            "term is missing"
        )
    if r < BEYOND_CHANCE:
        return (
            f"they differ: if one is a multiple of the other, its factor is {factor(r):.4g}; two "
            "unrelated vectors of equal length read about 0.71; float32 with a small step gives "
            "such readings of right gradients, too"
        )
    if 1 - r < INDISTINCT:
        return (
            "one of the two is exactly 0 (an analytic gradient never filled in, a step so small "
            "that the loss does not change), or they have opposite signs, or one is more than "
            f"{2 / INDISTINCT:.0e} times the other"
        )
    if r < NEAR_ONE:
        return (
            f"either one of the two is about {factor(r):.1f} times the other (a sum over the "
            "batch beside a mean), or they point in nearly opposite directions; two unrelated "
            "vectors of equal length read about 0.71"
        )
    return (
        f"if the two point the same way, one is {factor(r):.1e} times the other; two unrelated "
        "vectors of equal length read only about 0.71. Mistakes that read like this: operator "
        "precedence, (J+ - J-) / 2 * eps in place of (J+ - J-) / (2 * eps), which multiplies the "
        f"right n by eps squared (eps = {precedence_step(r):.1e} would do); a gradient of zeros "
        f"(never filled in, or cleared) with a guard in the denominator ({GUARD:g} and a norm of "
        f"{guarded_norm(r):.2g} beside it would do); a wrong sign, with differences that are off "
        f"by an angle of {angle(r):.1e}"
    )


def factor(reading: float) -> float:
    """Return how many times longer one of two vectors of the same direction is."""
    return (1 + reading) / (1 - reading)


def precedence_step(reading: float) -> float:
    """Return the step whose square, as a factor between the two vectors, gives the reading."""
    return math.sqrt((1 - reading) / (1 + reading))


def guarded_norm(reading: float, guard: float = GUARD) -> float:
    """Return the norm that, beside zeros and with a guard in the denominator, gives the reading."""
    return guard * reading / (1 - reading)


def angle(reading: float) -> float:
    """Return how far from opposite two vectors of equal length are, in radians."""
    return 2 * math.acos(min(reading, 1.0))
