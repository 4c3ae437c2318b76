"""Regularizers: penalties on weights, added to the loss."""

from dataclasses import dataclass

from .runtime.arguments import real_number
from .runtime.configuration import Configurable
from .runtime.elsewhere import refusal
from .runtime.lookup import by_name


@dataclass(frozen=True)
class L1L2(Configurable):
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
        for argument in ("l1", "l2"):
            kind = "a finite number that is not negative"
            number = real_number(argument, getattr(self, argument), kind, low=0.0)
            object.__setattr__(self, argument, number)


class L1(L1L2):
    """``l1 * sum(|w|)``: drives weights to exactly 0 where the data allow it."""

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


class L2(L1L2):
    """``l2 * sum(w^2)``: shrinks all weights in proportion to their size."""

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)


# Keras' names in lower case, which are the same classes.
l1 = L1
l2 = L2
l1_l2 = L1L2

_KNOWN = {"l1": L1(), "l2": L2(), "l1_l2": L1L2(0.01, 0.01)}


def get(argument: str, regularizer: str | L1L2 | None) -> L1L2 | None:
    """Return the regularizer of that name (Keras' factor, 0.01), or the one given."""
    if regularizer is None:
        return None
    if isinstance(regularizer, L1L2):
        if callable(regularizer):
            raise TypeError(
                f"{argument}: {type(regularizer).__name__} has a __call__ of its own, which the "
                f"kernels would not call; expected one of {list(_KNOWN)}"
            )
        return regularizer
    return by_name(argument, regularizer, _KNOWN)


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("regularizers", name)
