"""Regularizers: penalties on weights, added to the loss."""

import math
from dataclasses import dataclass

from .lookup import by_name


@dataclass(frozen=True)
class L1L2:
    """Adds ``l1 * sum(|w|) + l2 * sum(w^2)`` to the loss, as in Keras.

    The gradient is ``l1 * sign(w) + 2 * l2 * w``, with ``sign(0) = 0``.

    Parameters
    ----------
    l1, l2 : float, not negative

    Raises
    ------
    ValueError
        If a factor is negative or not finite.
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        for argument, value in (("l1", self.l1), ("l2", self.l2)):
            real = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not real or not (value >= 0 and math.isfinite(value)):
                raise ValueError(
                    f"{argument}: expected a finite number that is not negative, got {value!r}"
                )


def L1(l1: float = 0.01) -> L1L2:  # noqa: N802
    """``l1 * sum(|w|)``: drives weights to exactly 0 where the data allow it."""
    return L1L2(l1=l1)


def L2(l2: float = 0.01) -> L1L2:  # noqa: N802
    """``l2 * sum(w^2)``: shrinks all weights in proportion to their size."""
    return L1L2(l2=l2)


_KNOWN = {"l1": L1(), "l2": L2(), "l1_l2": L1L2(0.01, 0.01)}


def get(argument: str, regularizer: str | L1L2 | None) -> L1L2 | None:
    """Return the regularizer of that name (Keras' factor, 0.01), or the one given."""
    if regularizer is None or isinstance(regularizer, L1L2):
        return regularizer
    return by_name(argument, regularizer, _KNOWN)
