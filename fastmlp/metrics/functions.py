"""The metrics that are means, as functions of arrays, with Keras' names and arguments.

Each returns a number for each sample; those that are values of losses are in :mod:`fastmlp.losses`.
"""

from numpy.typing import ArrayLike

from ..runtime.tensors import Array
from .accuracies import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from .alone import of_each


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> Array:
    """Return whether each sample is right; see :class:`BinaryAccuracy`."""
    return of_each(BinaryAccuracy(threshold=threshold), y_true, y_pred)


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return whether each sample is right; see :class:`CategoricalAccuracy`."""
    return of_each(CategoricalAccuracy(), y_true, y_pred)


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return whether each sample is right; see :class:`SparseCategoricalAccuracy`."""
    return of_each(SparseCategoricalAccuracy(), y_true, y_pred)


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> Array:
    """Return whether each sample is right; see :class:`TopKCategoricalAccuracy`."""
    return of_each(TopKCategoricalAccuracy(k=k), y_true, y_pred)


def sparse_top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> Array:
    """Return whether each sample is right; see :class:`SparseTopKCategoricalAccuracy`."""
    return of_each(SparseTopKCategoricalAccuracy(k=k), y_true, y_pred)
