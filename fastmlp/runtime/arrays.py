"""Arrays as the engine reads them: finite numbers of its dtype, in C order and aligned."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .tensors import Array

_SIZE_OF_PARTS = 2**22  # numbers that are looked at at once, a matter of milliseconds


def plain(array: Array) -> Array:
    """Return the array in C order and aligned; a copy, if it is not."""
    return np.require(array, requirements=["C", "A"])


def finite(argument: str, array: Array, dtype: np.dtype[Any]) -> Array:
    """Return the array in another dtype.

    Raises
    ------
    ValueError
        If something in it is not finite, or not in that dtype.
    """
    if array.size <= _SIZE_OF_PARTS:
        with np.errstate(over="ignore", invalid="ignore"):
            converted = array if array.dtype == dtype else array.astype(dtype)
            if np.isfinite(converted.sum(dtype=np.float64)):
                return converted
    converted = array if array.dtype == dtype else np.empty_like(array, dtype)
    for part in _parts(array):
        # A sum is finite only if every term is, and needs no array of Booleans beside the data.
        with np.errstate(over="ignore", invalid="ignore"):
            if converted is not array:
                converted[part] = array[part]
            if np.isfinite(converted[part].sum(dtype=np.float64)):
                continue
        for where in np.argwhere(~np.isfinite(converted[part]))[:1]:
            if where.size:
                where[0] += part.start
            index = ", ".join(map(str, where))
            raise ValueError(
                f"{argument}: expected finite numbers that fit {dtype}, "
                f"got {array[tuple(where)]} at [{index}]"
            )
    return converted


def _parts(array: Array) -> Iterator[Any]:
    """Yield slices along the first axis, each looked at so soon that Ctrl-C need not wait."""
    if array.ndim == 0:
        yield ...
        return
    rows = max(1, _SIZE_OF_PARTS * len(array) // max(array.size, 1))
    for start in range(0, len(array), rows):
        yield slice(start, start + rows)
