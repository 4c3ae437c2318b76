"""Losses: what each expects of the net and of the right answers, and the row that computes it.

A loss is a frozen dataclass whose fields are its arguments.  Its algebra is in
``kernels/*/losses.*`` alone.  As in Keras, each is a function of arrays, too:
``mean_squared_error(y_true, y_pred)`` returns the loss of each sample, and
``MeanSquaredError()(y_true, y_pred)`` that of all of them.  Both are computed in NumPy.
"""

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from ..runtime.arguments import shown
from ..runtime.elsewhere import refusal
from ..runtime.lookup import by_name
from .base import Loss, snake_case
from .crossentropies import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
)
from .functions import (
    OF_FUNCTIONS,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
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
    Quantile,
    SquaredHinge,
)

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "Quantile",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "snake_case",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

_CLASSES: tuple[type[Loss], ...] = (
    SparseCategoricalCrossentropy,
    CategoricalCrossentropy,
    BinaryCrossentropy,
    MeanSquaredError,
    Huber,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    LogCosh,
    Quantile,
    Poisson,
    CosineSimilarity,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    KLDivergence,
    CategoricalFocalCrossentropy,
    BinaryFocalCrossentropy,
)
# Keras' short names.
_SHORT: Mapping[str, type[Loss]] = {
    "bce": BinaryCrossentropy, "mse": MeanSquaredError, "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError, "msle": MeanSquaredLogarithmicError, "kld": KLDivergence,
}  # fmt: skip
_KNOWN: dict[str, type[Loss]] = {
    **{loss.name: loss for loss in _CLASSES},
    **_SHORT,
    **{short.upper(): loss for short, loss in _SHORT.items()},
    **{loss.__name__: loss for loss in _CLASSES},
}


Given = str | Loss | type[Loss] | Callable[..., Any]


def get(loss: Given) -> Loss:
    """Return the loss of a name, class or function of this module, or the loss given."""
    if isinstance(loss, type) and issubclass(loss, Loss):
        return loss()
    if isinstance(loss, FunctionType) and loss in OF_FUNCTIONS:
        return OF_FUNCTIONS[loss]()
    if callable(loss) and not isinstance(loss, Loss):
        raise TypeError(
            f"loss: {shown(loss)} is a function, which has no gradient; write a subclass of "
            "fastmlp.losses.Loss with the methods call and gradient"
        )
    return loss if isinstance(loss, Loss) else by_name("loss", loss, _KNOWN)()


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("losses", name)
