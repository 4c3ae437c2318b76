"""Helpers for data that Keras has under this name, and nothing else."""

import random
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .backend import clear_session
from .runtime.arguments import (
    integer,
    is_integer,
    items,
    non_negative_integer,
    positive_integer,
    real_array,
    real_number,
    shown,
    truth,
)
from .runtime.configuration import custom_object_scope, register_keras_serializable
from .runtime.elsewhere import refusal
from .runtime.seeds import set_source

__all__ = [
    "CustomObjectScope",
    "clear_session",
    "custom_object_scope",
    "normalize",
    "register_keras_serializable",
    "set_random_seed",
    "split_dataset",
    "to_categorical",
]

CustomObjectScope = custom_object_scope


def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray[np.float64]:
    """Return labels as rows that are 1 at the label and 0 elsewhere.

    Parameters
    ----------
    x : array of integers
        Labels from 0; of shape (..., 1), the last axis is left out.
    num_classes : int, positive, optional
        By default one more than the largest label.

    Returns
    -------
    float64 array (*shape of x, num_classes)

    Raises
    ------
    TypeError, ValueError
        If they are no whole numbers, or not from 0 to ``num_classes - 1``.
    """
    labels = real_array("x", x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    whole = labels.astype(np.int64, copy=False) if labels.size else np.zeros(labels.shape, np.int64)
    if (whole != labels).any() or (whole < 0).any():
        raise ValueError("x: expected whole numbers from 0")
    if num_classes is None:
        if not whole.size:
            raise ValueError("num_classes: expected a positive integer where x is empty, got None")
        num_classes = int(whole.max()) + 1
    num_classes = positive_integer("num_classes", num_classes)
    if (whole >= num_classes).any():
        raise ValueError(
            f"x: expected labels from 0 to {num_classes - 1}, as num_classes says, "
            f"got {whole.max()}"
        )
    return np.eye(num_classes)[whole]


def normalize(x: ArrayLike, axis: int = -1, order: int = 2) -> NDArray[np.float64]:
    """Return ``x`` with each vector along an axis divided by its norm, if that is not 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """
    array = np.atleast_1d(real_array("x", x)).astype(np.float64)
    norms = np.linalg.norm(array, positive_integer("order", order), axis, keepdims=True)
    return np.asarray(array / np.where(norms == 0, 1, norms))


def set_random_seed(seed: int) -> None:
    """Seed Python's random numbers, NumPy's, and those of the nets that are made from here on.

    A net that is given a ``seed`` of its own does not depend on this.

    Raises
    ------
    ValueError
        If it is not an integer from 0 to 2**32 - 1.
    """
    seed = integer("seed", seed, "an integer from 0 to 4294967295", 0, 2**32 - 1)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (it is users' old-style random numbers that want it)
    set_source(seed)


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """Split samples in two: an array, or a tuple or list of arrays of the same length.

    As Keras' function of this name, but of arrays, which it also returns.

    Parameters
    ----------
    dataset : array (samples, ...), or tuple or list of them
    left_size, right_size : float in (0, 1) or int, optional
        A share of the samples, or how many; one of the two suffices.
    shuffle : bool
        Whether to draw them, instead of taking the first and the last.
    seed : int, optional
        Of the drawing.

    Returns
    -------
    left, right : of the same kind as ``dataset``

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be, or nothing would be left for one of the two.
    """
    is_several = isinstance(dataset, (tuple, list))
    arrays = [np.asarray(a) for a in (items("dataset", "arrays", dataset) if is_several
                                      else [dataset])]  # fmt: skip
    counts = {len(array) if array.ndim else 0 for array in arrays}
    if len(counts) != 1 or counts == {0}:
        raise ValueError("dataset: expected arrays of the same length, with samples in them")
    (count,) = counts
    left, right = _sizes(count, left_size, right_size)
    order = np.arange(count)
    if truth("shuffle", shuffle):
        order = np.random.default_rng(
            None if seed is None else non_negative_integer("seed", seed)
        ).permutation(count)
    elif seed is not None:
        raise ValueError("seed: needs shuffle=True")
    parts = [[array[rows] for array in arrays] for rows in (order[:left], order[count - right :])]
    if not is_several:
        return parts[0][0], parts[1][0]
    kind = type(dataset)
    return kind(parts[0]), kind(parts[1])


def _sizes(count: int, left_size: float | None, right_size: float | None) -> tuple[int, int]:
    """Return how many samples the two parts have."""
    if left_size is None and right_size is None:
        raise ValueError("left_size: expected a share or a number of samples, got None")
    left, right = _size(count, "left_size", left_size), _size(count, "right_size", right_size)
    left = count - right if left is None and right is not None else left
    right = count - left if right is None and left is not None else right
    assert left is not None
    assert right is not None
    if left < 1 or right < 1 or left + right > count:
        raise ValueError(
            f"left_size: {shown(left_size)} and right_size: {shown(right_size)} make parts of "
            f"{left} and {right} out of {count} samples"
        )
    return left, right


def _size(count: int, argument: str, size: float | None) -> int | None:
    if size is None or is_integer(size):
        return None if size is None else int(size)
    share = real_number(argument, size, "a number in (0, 1), or an integer", low=0, below=1)
    return round(share * count)


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("utils", name)
