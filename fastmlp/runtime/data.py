"""What a net is trained on: users' arrays, checked, in the form that the engine reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import real_array
from .arrays import finite, plain
from .plan import Codes
from .tensors import Array, Shape

if TYPE_CHECKING:
    from ..losses import Loss


@dataclass(frozen=True)
class Data:
    """Samples with their labels or targets.

    Attributes
    ----------
    samples : uint8 array (count, bytes per sample)
        The samples as they lie in memory, be they uint8 or the net's float.
    labels : int64 array (count,), or empty
    targets : float array (count, outputs), or empty
    weights : float array (count,), or empty if all samples weigh the same
    """

    samples: NDArray[np.uint8]
    labels: NDArray[np.int64]
    targets: Array
    weights: Array = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if not self.weights.size:
            object.__setattr__(self, "weights", np.empty(0, self.targets.dtype))
        # All read-only, as some are anyway: arrays that are not are another type to the compiler,
        # which would compile the engine once more.
        for name in ("samples", "labels", "targets", "weights"):
            array = getattr(self, name)[...]
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def count(self) -> int:
        """The number of samples."""
        return len(self.samples)

    def part(self, rows: slice) -> "Data":
        """Return some of the samples, as views."""
        return Data(self.samples[rows], self.labels[rows], self.targets[rows], self.weights[rows])


def check_samples(
    argument: str,
    x: ArrayLike,
    shape: Shape,
    dtype: np.dtype[Any],
    codes: Sequence[Codes] = (),
) -> Data:
    """Return ``x`` as data without targets; some of its columns may have to be whole numbers.

    Raises
    ------
    TypeError
        If ``x`` does not hold real numbers.
    ValueError
        If its shape does not fit the net, if it is empty, or not finite; or if a column that is
        embedded or encoded holds other numbers than it may.
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
    flat = plain(array).reshape(len(array), -1)
    for columns in codes:
        _check_codes(argument, flat, columns)
    return Data(flat.view(np.uint8), np.empty(0, np.int64), np.empty((0, 0), dtype))


def _check_codes(argument: str, samples: Array, codes: Codes) -> None:
    """Raise ValueError if columns hold anything but whole numbers below a limit."""
    numbers = samples[:, codes.first : codes.first + codes.columns]
    right = (numbers >= 0) & (numbers < codes.limit) & (numbers == np.floor(numbers))
    if not right.all():
        sample, column = np.argwhere(~right)[0]
        raise ValueError(
            f"{argument}: {codes.layer!r} takes integers from 0 to {codes.limit - 1}, "
            f"got {numbers[sample, column]} in column {codes.first + column} of sample {sample}"
        )


def check_data(
    argument: str,
    x: ArrayLike,
    y: ArrayLike,
    input_shape: Shape,
    outputs: int,
    loss: "Loss",
    dtype: np.dtype[Any],
    codes: Sequence[Codes] = (),
) -> Data:
    """Return ``x`` and ``y`` as data; ``argument`` is a pattern such as ``"{}"``.

    Raises
    ------
    TypeError, ValueError
        As :func:`check_samples`; and if ``y`` is not what the loss expects.
    """
    x_name, y_name = argument.format("x"), argument.format("y")
    data = check_samples(x_name, x, input_shape, dtype, codes)
    array = real_array(y_name, y)
    if array.ndim == 0 or len(array) != data.count:
        raise ValueError(
            f"{y_name}: expected one entry for each of the {data.count} samples in {x_name}, "
            f"got shape {array.shape}"
        )
    labels, targets = loss.answers(y_name, array, outputs, dtype)
    return replace(data, labels=labels, targets=targets)
