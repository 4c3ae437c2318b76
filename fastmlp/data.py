"""What a net is trained on: users' arrays, checked, in the form that the engine reads."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import real_array
from .kernels.contract import Op
from .losses import Loss
from .tensors import Array, Shape

_SIZE_OF_PARTS = 2**22  # numbers that are looked at at once, a matter of milliseconds


@dataclass(frozen=True)
class Data:
    """Samples with their labels or targets.

    Attributes
    ----------
    samples : uint8 array (count, bytes per sample)
        The samples as they lie in memory, be they uint8 or the net's float.
    labels : int64 array (count,), or empty
    targets : float array (count, outputs), or empty
    """

    samples: NDArray[np.uint8]
    labels: NDArray[np.int64]
    targets: Array

    def __post_init__(self) -> None:
        # All read-only, as some are anyway: arrays that are not are another type to the compiler,
        # which would compile the engine once more.
        for name in ("samples", "labels", "targets"):
            array = getattr(self, name)[...]
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def count(self) -> int:
        """The number of samples."""
        return len(self.samples)

    def part(self, rows: slice) -> "Data":
        """Return some of the samples, as views."""
        return Data(self.samples[rows], self.labels[rows], self.targets[rows])


def check_samples(argument: str, x: ArrayLike, shape: Shape, dtype: np.dtype[Any]) -> Data:
    """Return ``x`` as data without targets.

    Raises
    ------
    TypeError
        If ``x`` does not hold real numbers.
    ValueError
        If its shape does not fit the net, if it is empty, or not finite.
    """
    array = real_array(argument, x)
    if array.shape[1:] != shape or array.ndim == 0:
        raise ValueError(
            f"{argument}: expected shape (samples, {', '.join(map(str, shape))}), got {array.shape}"
        )
    if len(array) == 0:
        raise ValueError(f"{argument}: expected at least one sample, got shape {array.shape}")
    if array.dtype != np.uint8:
        array = finite(argument, array, dtype)
    flat = _plain(array).reshape(len(array), -1)
    return Data(flat.view(np.uint8), np.empty(0, np.int64), np.empty((0, 0), dtype))


def check_data(
    argument: str,
    x: ArrayLike,
    y: ArrayLike,
    input_shape: Shape,
    outputs: int,
    loss: Loss,
    dtype: np.dtype[Any],
) -> Data:
    """Return ``x`` and ``y`` as data; ``argument`` is a pattern such as ``"{}"``.

    Raises
    ------
    TypeError, ValueError
        As :func:`check_samples`; and if ``y`` is not what the loss expects.
    """
    x_name, y_name = argument.format("x"), argument.format("y")
    data = check_samples(x_name, x, input_shape, dtype)
    array = real_array(y_name, y)
    if array.ndim == 0 or len(array) != data.count:
        raise ValueError(
            f"{y_name}: expected one entry for each of the {data.count} samples in {x_name}, "
            f"got shape {array.shape}"
        )
    if loss.sparse:
        # A copy, made before it is checked: kernels use labels as indices, and whoever has the
        # original may change it while they run.
        return replace(data, labels=_labels(y_name, array.copy(), outputs))
    return replace(data, targets=_targets(y_name, array, outputs, loss, dtype))


def _plain(array: Array) -> Array:
    """Return the array in C order and aligned; a copy, if it is not."""
    return np.require(array, requirements=["C", "A"])


def finite(argument: str, array: Array, dtype: np.dtype[Any]) -> Array:
    """Return the array in another dtype.

    Raises
    ------
    ValueError
        If something in it is not finite, or not in that dtype.
    """
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


def _labels(argument: str, array: Array, classes: int) -> NDArray[np.int64]:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"{argument}: expected integer labels of shape (samples,), got shape {array.shape}; "
            "one-hot targets go with the loss 'categorical_crossentropy'"
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
    return _plain(array.astype(np.int64, copy=False))


def _targets(argument: str, array: Array, outputs: int, loss: Loss, dtype: np.dtype[Any]) -> Array:
    if array.ndim == 1 and outputs == 1:
        array = array[:, None]
    flat = array.reshape(len(array), -1)
    if array.ndim < 2 or flat.shape[1] != outputs:
        hint = (
            "; integer labels go with the loss 'sparse_categorical_crossentropy'"
            if loss.op == Op.SOFTMAX_CROSSENTROPY
            else ""
        )
        raise ValueError(
            f"{argument}: expected targets of shape (samples, {outputs}), "
            f"got shape {array.shape}{hint}"
        )
    targets = _plain(finite(argument, flat, dtype))
    if loss.op == Op.SOFTMAX_CROSSENTROPY:
        sums = targets.sum(axis=1)
        wrong = np.flatnonzero((np.abs(sums - 1) > 1e-3) | (targets < 0).any(axis=1))
        if wrong.size:
            raise ValueError(
                f"{argument}: expected probabilities that sum to 1 in each row, "
                f"got {array[wrong[0]]} at [{wrong[0]}]"
            )
    return targets
