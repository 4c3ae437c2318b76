"""Checks that many functions have in common: each names the argument that it refuses."""

import functools
import math
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Sizes and counts go to the kernels as 64-bit integers; up to here, the sum of two of them does.
LARGEST_INTEGER = 2**62

_SHOWN = 60  # characters of a value in a message


def shown(value: object) -> str:
    """Return a value as messages show it: short, whatever it is."""
    try:
        text = repr(value)
    except Exception:  # an integer of thousands of digits, or an object with a faulty __repr__
        size = f" of {value.bit_length():,} bits" if isinstance(value, int) else ""
        return f"{type(value).__name__}{size}"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def is_integer(value: object) -> bool:
    """Return whether the value is an integer, Python's or NumPy's; a Boolean is none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_real(value: object) -> bool:
    """Return whether the value is a real number, Python's or NumPy's; a Boolean is none."""
    return is_integer(value) or isinstance(value, (float, np.floating))


def integer(
    argument: str, value: Any, kind: str, low: int, high: int | None = LARGEST_INTEGER
) -> int:
    """Return the value as an int; ``kind`` says in a message what it should be.

    Raises
    ------
    ValueError
        If it is no integer, Python's or NumPy's, or not from ``low`` to ``high``.
    """
    if not is_integer(value) or value < low:
        raise ValueError(f"{argument}: expected {kind}, got {shown(value)}")
    if high is not None and value > high:
        limit = "2**62" if high == LARGEST_INTEGER else high
        raise ValueError(f"{argument}: expected {kind} of at most {limit}, got {shown(value)}")
    return int(value)


def positive_integer(argument: str, value: object) -> int:
    """Return the value as an int.

    Raises
    ------
    ValueError
        If it is not an integer from 1 to 2**62, Python's or NumPy's.
    """
    return integer(argument, value, "a positive integer", 1)


def non_negative_integer(argument: str, value: object) -> int:
    """Return the value as an int.

    Raises
    ------
    ValueError
        If it is not an integer from 0 to 2**62, Python's or NumPy's.
    """
    return integer(argument, value, "a non-negative integer", 0)


def seed_integer(argument: str, value: object) -> int:
    """Return the value as an int, however large: random numbers take any.

    Raises
    ------
    ValueError
        If it is not a non-negative integer, Python's or NumPy's.
    """
    return integer(argument, value, "a non-negative integer", 0, None)


def real_number(
    argument: str, value: Any, kind: str = "a finite number", *,
    low: float = -math.inf, high: float = math.inf, below: float = math.inf,
) -> float:  # fmt: skip
    """Return the value as a float; ``kind`` says in a message what it should be.

    Parameters
    ----------
    argument, value, kind
    low, high : float
        The smallest and the largest value that is allowed.
    below : float
        What the value must be smaller than.

    Raises
    ------
    ValueError
        If it is no real number, Python's or NumPy's, if it is not finite, or out of its range.
    """
    try:
        number = float(value) if is_real(value) else math.nan
    except OverflowError:  # an integer that no float comes near
        number = math.inf
    if not (math.isfinite(number) and low <= number <= high and number < below):
        raise ValueError(f"{argument}: expected {kind}, got {shown(value)}")
    return number


def truth(argument: str, value: object) -> bool:
    """Return the value as a bool.

    Raises
    ------
    TypeError
        If it is neither True nor False, Python's or NumPy's.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{argument}: expected True or False, got {shown(value)}")
    return bool(value)


def items(argument: str, kind: str, values: object) -> list[Any]:
    """Return the values as a list; ``kind`` says in a message what they should be.

    Raises
    ------
    TypeError
        If they are a single thing instead of several.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{argument}: expected a list of {kind}, got {shown(values)}")
    return list(values)


def real_array(argument: str, values: ArrayLike) -> NDArray[Any]:
    """Return the values as an array.

    Raises
    ------
    TypeError, ValueError
        If they are no real numbers, no array, or some of them are masked.
    """
    parts = values if isinstance(values, (list, tuple)) else [values]
    if any(np.ma.is_masked(part) for part in parts if isinstance(part, np.ma.MaskedArray)):
        raise TypeError(
            f"{argument}: expected an array without masked entries, whose masks would be ignored; "
            "fill them with .filled(value), or leave those samples out"
        )
    try:
        array = np.asarray(values)
    except Exception as reason:
        # NumPy's of ragged lists; or whatever another library raises when it is asked for an
        # array, such as torch of a tensor that requires its gradient.
        kind = TypeError if isinstance(reason, TypeError) else ValueError
        raise kind(f"{argument}: cannot be made an array: {reason}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{argument}: expected real numbers, got dtype {array.dtype}")
    return array


def shape_of(argument: str, shape: object) -> tuple[int, ...]:
    """Return a shape as a tuple of int; it may be empty.

    Raises
    ------
    TypeError
        If it is not a tuple or a list.
    ValueError
        If a size is not a positive integer.
    """
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"{argument}: expected a tuple of positive integers, got {shown(shape)}")
    if all(type(size) is int and 0 < size <= LARGEST_INTEGER for size in shape):
        return tuple(shape)
    return tuple(positive_integer(f"{argument}[{i}]", size) for i, size in enumerate(shape))


@functools.cache
def machine_memory() -> int:
    """Return how many bytes of memory this machine has; where it does not tell, very many."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not a Unix system
        return 2**47


def check_memory(argument: str, what: str, size: int) -> None:
    """Raise ValueError if something needs more bytes of memory than the machine has."""
    if size > machine_memory():
        raise ValueError(
            f"{argument}: {what} would take {_bytes(size)}, and this machine has "
            f"{_bytes(machine_memory())} of memory"
        )


def _bytes(size: int) -> str:
    gigabytes = size / 2**30 if size < 2**90 else math.inf
    return f"{gigabytes:,.1f} GiB" if gigabytes < 1e6 else "more than a million GiB"
