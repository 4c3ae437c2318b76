"""How much each sample counts: users' weights, as the engine reads them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import is_integer, real_array, real_number, shown
from .arrays import finite, plain
from .data import Data
from .tensors import Array


class Weights(NamedTuple):
    """What a user says about how much samples count: nothing, or one of the two.

    Attributes
    ----------
    sample_weight : array (samples,) or (samples, 1), optional
    class_weight : dict, optional
        From classes, as integers, to weights; those that are missing weigh 1.
    """

    sample_weight: ArrayLike | None = None
    class_weight: Mapping[int, float] | None = None

    @property
    def are_given(self) -> bool:
        """Whether the user says anything."""
        return self.sample_weight is not None or self.class_weight is not None

    def of(self, data: Data, outputs: int, argument: str = "sample_weight") -> Data:
        """Return the data with a weight for each sample, or with none if all of them are 1.

        ``outputs`` are those of the net; ``argument`` is what messages call ``sample_weight``.

        Raises
        ------
        TypeError, ValueError
            If the weights are not what they should be, or both kinds are given.
        """
        dtype = data.targets.dtype
        if self.class_weight is not None:
            if self.sample_weight is not None:
                raise ValueError("class_weight: not together with sample_weight")
            by_class = _by_class(self.class_weight, data, max(2, outputs))
            weights = finite("class_weight", by_class, dtype)
        elif self.sample_weight is not None:
            weights = _by_sample(argument, self.sample_weight, data.count, dtype)
        else:
            return data
        # So that weights of 1 give the very bits that no weights give.
        return data if (weights == 1).all() else replace(data, weights=weights)


def _by_sample(argument: str, given: ArrayLike, count: int, dtype: np.dtype[Any]) -> Array:
    array = real_array(argument, given)
    if array.shape not in ((count,), (count, 1)):
        raise ValueError(
            f"{argument}: expected a weight for each of the {count} samples, shape ({count},), "
            f"got shape {array.shape}"
        )
    return plain(finite(argument, array.reshape(count), dtype))


def _by_class(given: Mapping[int, float], data: Data, classes: int) -> Array:
    if not isinstance(given, Mapping):
        raise TypeError(
            f"class_weight: expected a dict from classes to weights, got {shown(given)}"
        )
    known = {}
    for key, value in given.items():
        if not is_integer(key) or not 0 <= key < classes:
            raise ValueError(
                f"class_weight: expected classes from 0 to {classes - 1}, got {shown(key)}"
            )
        known[int(key)] = real_number(f"class_weight[{key}]", value)
    table: Array = np.array([known.get(k, 1.0) for k in range(classes)])
    return table[_class_of(data)]


def _class_of(data: Data) -> NDArray[np.int64]:
    """Return each sample's class: its label, or where its target is largest, or 0 or 1."""
    if data.labels.size:
        return data.labels
    if data.targets.shape[1] > 1:
        return np.asarray(data.targets.argmax(axis=1), np.int64)
    rounded = np.round(data.targets[:, 0])
    wrong = np.flatnonzero((rounded != 0) & (rounded != 1))
    if wrong.size:
        raise ValueError(
            f"class_weight: expected targets of two classes, 0 and 1, got "
            f"{data.targets[wrong[0], 0]} at [{wrong[0]}]"
        )
    classes: NDArray[np.int64] = rounded.astype(np.int64)
    return classes
