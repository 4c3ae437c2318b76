"""What a setting may be: the dimensions of a space."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..runtime.arguments import integer, is_integer, items, real_number, shown


class Dimension(Protocol):
    """Turns a number in [0, 1) into a value of a setting."""

    def at(self, share: float) -> Any:
        """Return the value at a share of the way."""
        ...


@dataclass(frozen=True)
class Choice:
    """One of several values, all as likely; a list in a space means this."""

    values: tuple[Any, ...]

    def at(self, share: float) -> Any:
        """Return the value at a share of the way."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]


@dataclass(frozen=True)
class Uniform:
    """A number from ``low`` up to ``high``."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """Return the value at a share of the way."""
        return self.low + share * (self.high - self.low)


@dataclass(frozen=True)
class LogUniform:
    """A number from ``low`` up to ``high``, whose logarithm is uniform."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """Return the value at a share of the way."""
        return math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))


@dataclass(frozen=True)
class Integers:
    """An integer from ``low`` to ``high``, both included."""

    low: int
    high: int

    def at(self, share: float) -> int:
        """Return the value at a share of the way."""
        return min(self.low + int(share * (self.high - self.low + 1)), self.high)


def uniform(low: float, high: float) -> Uniform:
    """Return the dimension of numbers from ``low`` up to ``high``, all as likely.

    Raises
    ------
    ValueError
        If they are no finite numbers, or ``high`` is not above ``low``.
    """
    low = real_number("low", low)
    return Uniform(low, _above(low, real_number("high", high)))


def log_uniform(low: float, high: float) -> LogUniform:
    """Return the dimension of numbers from ``low`` up to ``high``, whose logarithm is uniform.

    Raises
    ------
    ValueError
        If they are no positive numbers, or ``high`` is not above ``low``.
    """
    low = real_number("low", low, "a positive number", low=1e-300)
    return LogUniform(low, _above(low, real_number("high", high)))


def integers(low: int, high: int) -> Integers:
    """Return the dimension of integers from ``low`` to ``high``, both included, all as likely.

    Raises
    ------
    ValueError
        If they are no integers, or ``high`` is not above ``low``.
    """
    if not is_integer(low):
        raise ValueError(f"low: expected an integer, got {shown(low)}")
    return Integers(int(low), integer("high", high, "an integer above low", int(low) + 1))


def _above(low: float, high: float) -> float:
    if not high > low:
        raise ValueError(f"high: expected a number above low={low:g}, got {high:g}")
    return high


def plain(argument: str, value: Any) -> Any:
    """Return a value of a setting as a table can hold it: NumPy's numbers become Python's.

    Raises
    ------
    TypeError
        If it is neither a number, a text, a truth value or None, nor a list of those.
    """
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return type(value)(plain(argument, part) for part in value)
    raise TypeError(
        f"{argument}: expected numbers, texts, truth values or None, or lists of them, which a "
        f"table can hold, got {shown(value)}; build can turn a name into anything"
    )


def choice(argument: str, values: Sequence[Any]) -> Choice:
    """Return the dimension of a list of values.

    Raises
    ------
    TypeError, ValueError
        If it is no list, empty, or holds what no table can.
    """
    found = tuple(plain(argument, value) for value in items(argument, "values", values))
    if not found:
        raise ValueError(f"{argument}: expected at least one value")
    return Choice(found)
