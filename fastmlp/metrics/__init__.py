"""Metrics: what is shown of each epoch beside the loss, and learned by nobody.

A metric that is a mean of losses of samples, such as :class:`MeanSquaredError`, is a few lines in
``of_losses.py``; the others have their own formula in ``kernels/*/metrics.*``, which adds to totals
of which :meth:`Metric.result_of` makes the figure.
"""

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from ..losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    snake_case,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from ..runtime.arguments import items
from ..runtime.elsewhere import refusal
from ..runtime.lookup import by_name
from .accuracies import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    _Accuracy,
)
from .auc import AUC
from .base import Metric
from .confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from .f_score import F1Score, FBetaScore
from .functions import (
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from .own import MeanMetricWrapper
from .r2 import R2Score

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

# Those that need no arguments.
_CLASSES: tuple[type[Metric], ...] = (
    SparseCategoricalAccuracy, CategoricalAccuracy, BinaryAccuracy, SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy, MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredLogarithmicError, LogCoshError, CosineSimilarity,
    R2Score, AUC, Precision, Recall, TruePositives, FalsePositives, TrueNegatives, FalseNegatives,
    F1Score, FBetaScore, Poisson, KLDivergence, Hinge, SquaredHinge, CategoricalHinge,
    BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
)  # fmt: skip
# Keras' short names.
_SHORT: dict[str, type[Metric]] = {
    "acc": _Accuracy, "accuracy": _Accuracy, "mse": MeanSquaredError, "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError, "msle": MeanSquaredLogarithmicError,
    "bce": BinaryCrossentropy,
}  # fmt: skip
KNOWN: dict[str, type[Metric]] = {
    **_SHORT,
    **{short.upper(): kind for short, kind in _SHORT.items() if kind is not _Accuracy},
    **{kind.default_name: kind for kind in _CLASSES},
    **{snake_case(kind.__name__): kind for kind in _CLASSES},
    **{kind.__name__: kind for kind in _CLASSES},
}

# Whether smaller or larger values are better, of figures by the names that they usually have.
DIRECTIONS: dict[str, str] = {
    "loss": "min", "data_loss": "min", **{name: kind.better for name, kind in KNOWN.items()}
}  # fmt: skip

Given = str | Metric | type[Metric] | Callable[[Any, Any], Any]


def get(metrics: Sequence[Given] | None, argument: str = "metrics") -> list[Metric]:
    """Return metrics that are given by their names, as functions, or as they are.

    As with Keras, one that is given by a name is shown under that name.

    Raises
    ------
    TypeError, ValueError
        If one is unknown, or two have the same name.
    """
    given: list[Any] = items(
        argument, "names such as 'accuracy'", () if metrics is None else metrics
    )
    found = [_one(metric, argument) for metric in given]
    names = [metric.name for metric in found]
    if len(set(names)) < len(names):
        raise ValueError(f"{argument}: expected each name once, got {names}")
    return found


def _one(given: Any, argument: str) -> Metric:
    if isinstance(given, type) and issubclass(given, Metric):
        given = given()
    if isinstance(given, Metric):
        own = type(given).lower is Metric.lower
        missing = [m for m in ("update_state", "result", "reset_state") if _lacks(given, m)]
        if own and missing:
            raise TypeError(
                f"{argument}: expected a class of fastmlp.metrics, or a subclass of Metric with "
                f"{', '.join(missing)}; got {type(given).__name__}"
            )
        if not given.name:  # its __init__ has not called that of Metric
            given._set(name=given.default_name)
        return given
    if callable(given) and not isinstance(given, type):
        name = getattr(given, "__name__", "")
        is_ours = globals().get(name) is given
        return KNOWN[name]() if is_ours and name in KNOWN else MeanMetricWrapper(fn=given)
    return by_name(argument, given, KNOWN)(name=given)


def _lacks(metric: Metric, method: str) -> bool:
    return getattr(type(metric), method) is getattr(Metric, method)


def beside(weighted: Sequence[Metric], metrics: Sequence[Metric]) -> list[Metric]:
    """Return weighted metrics under names that the other ones do not have, as Keras' are."""
    names = [metric.name for metric in metrics]
    found = []
    for metric in weighted:
        if metric.name in names:
            metric = copy(metric)
            metric._set(name=f"weighted_{metric.name}")
        found.append(metric)
    return found


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("metrics", name)
