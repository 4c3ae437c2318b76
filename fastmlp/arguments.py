"""Checks that many functions have in common."""

from collections.abc import Iterable
from typing import Any

import numpy as np


def positive_integer(argument: str, value: object) -> int:
    """Return the value as an int.

    Raises
    ------
    ValueError
        If it is not a positive integer, Python's or NumPy's.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{argument}: expected a positive integer, got {value!r}")
    return int(value)


def items(argument: str, kind: str, values: object) -> list[Any]:
    """Return the values as a list; ``kind`` says in a message what they should be.

    Raises
    ------
    TypeError
        If they are a single thing instead of several.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{argument}: expected a list of {kind}, got {values!r}")
    return list(values)
