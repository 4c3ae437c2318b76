"""The forms that right answers may take: integer labels, or targets for each output."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import finite, plain
from .tensors import Array


class Answers(NamedTuple):
    """What the engine compares outputs with; one of the two is empty.

    Attributes
    ----------
    labels : int64 array (count,)
    targets : float array (count, outputs)
    """

    labels: NDArray[np.int64]
    targets: Array


def labels(argument: str, array: Array, classes: int, dtype: np.dtype[Any], hint: str) -> Answers:
    """Return whole numbers of any dtype, (count,) or (count, 1), as labels.

    Raises
    ------
    ValueError
        If they have another shape, of which ``hint`` says more, or are not from 0 to
        ``classes - 1``.
    """
    # A copy, made before it is checked: kernels use labels as indices, and whoever has the
    # original may change it while they run.
    array = array.copy()
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"{argument}: expected integer labels of shape (samples,), got shape "
            f"{array.shape}{hint}"
        )
    if array.dtype.kind == "f":
        broken = np.flatnonzero(array != np.floor(array))  # NaN among them
        if broken.size:
            where = int(broken[0])
            raise ValueError(
                f"{argument}: expected integer labels, got {array[where]} at [{where}]"
            )
    lowest, highest = array.min(), array.max()
    if lowest < 0 or highest >= classes:
        wrong = lowest if lowest < 0 else highest
        where = int(np.flatnonzero(array == wrong)[0])
        raise ValueError(
            f"{argument}: expected labels from 0 to {classes - 1}, for the net has {classes} "
            f"outputs; got {wrong} at [{where}]"
        )
    return Answers(plain(array.astype(np.int64, copy=False)), np.empty((0, 0), dtype))


def targets(
    argument: str, array: Array, outputs: int, dtype: np.dtype[Any], hint: str = ""
) -> Answers:
    """Return any finite numbers, (count, outputs) or (count,) for one output, as targets.

    Raises
    ------
    ValueError
        If they have another shape, of which ``hint`` says more, or are not finite.
    """
    if array.ndim == 1 and outputs == 1:
        array = array[:, None]
    flat = array.reshape(len(array), -1)
    if array.ndim < 2 or flat.shape[1] != outputs:
        raise ValueError(
            f"{argument}: expected targets of shape (samples, {outputs}), "
            f"got shape {array.shape}{hint}"
        )
    return Answers(np.empty(0, np.int64), plain(finite(argument, flat, dtype)))


def within(
    argument: str, array: Array, outputs: int, dtype: np.dtype[Any], low: float, high: float
) -> Answers:
    """Return numbers from ``low`` to ``high``, shaped as :func:`targets` may be.

    Raises
    ------
    ValueError
        As :func:`targets`; and if a number is below or above.
    """
    found = targets(argument, array, outputs, dtype)
    lowest, highest = found.targets.min(), found.targets.max()
    if lowest < low or highest > high:
        wrong = lowest if lowest < low else highest
        where = int(np.flatnonzero((found.targets == wrong).any(axis=1))[0])
        upto = f" to {high:g}" if high < np.inf else " on"
        raise ValueError(
            f"{argument}: expected numbers from {low:g}{upto}, got {array[where]} at [{where}]"
        )
    return found


def shares(argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
    """Return numbers from 0 to 1, shaped as :func:`targets` may be; see :func:`within`."""
    return within(argument, array, outputs, dtype, 0.0, 1.0)


def signs(argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
    """Return numbers that are all -1 and 1, or all 0 and 1, shaped as :func:`targets` may be.

    Raises
    ------
    ValueError
        As :func:`targets`; and if there is another number.
    """
    found = targets(argument, array, outputs, dtype)
    low = -1 if (found.targets < 0).any() else 0
    wrong = np.flatnonzero(((found.targets != 1) & (found.targets != low)).any(axis=1))
    if wrong.size:
        where = int(wrong[0])
        raise ValueError(
            f"{argument}: expected -1 and 1, or 0 and 1, got {array[where]} at [{where}]"
        )
    return found


def distributions(
    argument: str, array: Array, outputs: int, dtype: np.dtype[Any], hint: str
) -> Answers:
    """Return probabilities (count, outputs) that sum to 1 for each sample.

    Raises
    ------
    ValueError
        As :func:`targets`; and if they are no probabilities.
    """
    found = targets(argument, array, outputs, dtype, hint)
    sums = found.targets.sum(axis=1)
    wrong = np.flatnonzero((np.abs(sums - 1) > 1e-3) | (found.targets < 0).any(axis=1))
    if wrong.size:
        raise ValueError(
            f"{argument}: expected probabilities that sum to 1 in each row, "
            f"got {array[wrong[0]]} at [{wrong[0]}]"
        )
    return found
