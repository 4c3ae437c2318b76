"""Does the same call give the same result?  Only then can a gradient be checked."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .slopes import Flags, Vector

# A sum that threads add up in another order differs by a few roundings; nothing else should.
_SAME = 64 * np.finfo(np.float64).eps
_SAME_INCREMENT = 1e-6


@dataclass(frozen=True)
class Repeated:
    """What several calls at the same point returned.

    Attributes
    ----------
    value : float
    gradient : float64 array (entries,)
        Of the first call.
    others : list of float64 arrays (entries,)
        Of the calls after it: two if the second differs from the first.
    trouble : str
        Why nothing can be said of the gradient: the function is not deterministic.
    """

    value: float
    gradient: Vector
    others: list[Vector]
    trouble: str

    def changes(self, tolerance: float) -> Flags:
        """Tell which entries are others at the second call.

        One function has one gradient, so at least one of the two is wrong.
        """
        first, second = self.gradient, self.others[0]
        with np.errstate(all="ignore"):
            size = max(np.abs(first).max(), np.abs(second).max())
            margin = tolerance * (np.abs(first) + np.abs(second)) + _SAME * size
            changes: Flags = np.abs(first - second) > margin
        return changes

    def accumulates(self, changes: Flags) -> bool:
        """Tell whether each call adds the same once more to what ``changes``."""
        if len(self.others) == 1 or not changes.any():
            return False
        first, second, third = (g[changes] for g in (self.gradient, *self.others))
        with np.errstate(all="ignore"):
            step, next_step = second - first, third - second
            return bool(np.all(np.abs(next_step - step) <= _SAME_INCREMENT * np.abs(step)))


def call_repeatedly(call: Callable[[], tuple[float, Vector]]) -> Repeated:
    """Call twice, and a third time if the two gradients differ."""
    (value, first), (again, second) = call(), call()
    if not same_value(value, again):
        return Repeated(value, first, [second], describe_values(value, again))
    if np.array_equal(first, second, equal_nan=True):
        return Repeated(value, first, [second], "")
    return Repeated(value, first, [second, call()[1]], "")


def same_value(a: float, b: float) -> bool:
    """Tell whether two calls at the same point may be said to agree."""
    return bool(a == b or abs(a - b) <= _SAME * max(abs(a), abs(b)))


def describe_values(a: float, b: float) -> str:
    """Say that the function is not deterministic."""
    return (
        "the function is not deterministic: two calls at the same point return "
        f"{a:.17g} and {b:.17g}"
    )
