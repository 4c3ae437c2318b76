"""The losses as functions of arrays, with Keras' names and arguments.

Each takes right answers and outputs, arrays of shape (samples, outputs), and returns the loss of
each sample; one of more axes, that of each entry along the last.  Labels of
:func:`sparse_categorical_crossentropy` have that axis not.  A net that is compiled with one of them
uses the loss of that name, with its default arguments.
"""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import ArrayLike

from ..runtime.tensors import Array
from .base import Loss
from .crossentropies import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
)
from .numbers import (
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SquaredHinge,
)


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`MeanSquaredError`."""
    return MeanSquaredError().values(y_true, y_pred)


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`MeanAbsoluteError`."""
    return MeanAbsoluteError().values(y_true, y_pred)


def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`MeanAbsolutePercentageError`."""
    return MeanAbsolutePercentageError().values(y_true, y_pred)


def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`MeanSquaredLogarithmicError`."""
    return MeanSquaredLogarithmicError().values(y_true, y_pred)


def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`LogCosh`."""
    return LogCosh().values(y_true, y_pred)


def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`Poisson`."""
    return Poisson().values(y_true, y_pred)


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`CosineSimilarity`."""
    return CosineSimilarity().values(y_true, y_pred)


def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`Hinge`."""
    return Hinge().values(y_true, y_pred)


def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`SquaredHinge`."""
    return SquaredHinge().values(y_true, y_pred)


def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`CategoricalHinge`."""
    return CategoricalHinge().values(y_true, y_pred)


def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return the loss of each sample; see :class:`KLDivergence`."""
    return KLDivergence().values(y_true, y_pred)


def huber(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    delta: float = 1.0,
) -> Array:
    """Return the loss of each sample; see :class:`Huber`."""
    loss = Huber(delta)
    return loss.values(y_true, y_pred)


def binary_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Return the loss of each sample; see :class:`BinaryCrossentropy`."""
    loss = BinaryCrossentropy(from_logits, label_smoothing)
    return loss.values(y_true, y_pred)


def categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Return the loss of each sample; see :class:`CategoricalCrossentropy`."""
    loss = CategoricalCrossentropy(from_logits, label_smoothing)
    return loss.values(y_true, y_pred)


def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
) -> Array:
    """Return the loss of each sample; see :class:`SparseCategoricalCrossentropy`."""
    loss = SparseCategoricalCrossentropy(from_logits)
    return loss.values(y_true, y_pred)


def binary_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Return the loss of each sample; see :class:`BinaryFocalCrossentropy`."""
    loss = BinaryFocalCrossentropy(
        apply_class_balancing, alpha, gamma, from_logits, label_smoothing
    )
    return loss.values(y_true, y_pred)


def categorical_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Return the loss of each sample; see :class:`CategoricalFocalCrossentropy`."""
    loss = CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing)
    return loss.values(y_true, y_pred)


OF_FUNCTIONS: Mapping[Callable[..., Any], type[Loss]] = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    log_cosh: LogCosh,
    poisson: Poisson,
    cosine_similarity: CosineSimilarity,
    hinge: Hinge,
    squared_hinge: SquaredHinge,
    categorical_hinge: CategoricalHinge,
    kl_divergence: KLDivergence,
    huber: Huber,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
}
