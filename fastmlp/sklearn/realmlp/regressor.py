"""The regressor."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array, column_or_1d

from ...runtime.tensors import Array
from .base import BaseRealMLP, check_given
from .nets import Task
from .settings import Settings
from .variants import OF_NUMBERS


class RealMLPRegressor(RegressorMixin, BaseRealMLP):  # type: ignore[misc]
    """A regressor for tables as they come, which needs no tuning.

    It is to numbers what :class:`RealMLPClassifier` is to classes, and has its arguments but for
    ``label_smoothing``.  What it learns is scaled to a mean of 0 and a variance of 1; the best
    epoch is that with the smallest mean squared error. In the variant "td", predictions stay within
    the numbers that were learned from.

    Attributes
    ----------
    nets_, best_epochs_, columns_, preparation_, n_iter_, n_features_in_, feature_names_in_
        Those of :class:`RealMLPClassifier`.
    validation_errors_ : list of list of float
        Of each net, the root of the mean squared error by epoch.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from fastmlp.sklearn import RealMLPRegressor
    >>> x, y = load_diabetes(return_X_y=True)
    >>> net = RealMLPRegressor(max_iter=20, random_state=0).fit(x, y)
    >>> net.predict(x[:2]).shape
    (2,)
    """

    _variants = OF_NUMBERS

    _shape: tuple[int, ...]  # of an answer
    _mean: NDArray[np.float64]
    _deviation: NDArray[np.float64]
    _limits: tuple[NDArray[np.float64], NDArray[np.float64]]
    _clamps: bool

    def fit(
        self, X: Any, y: ArrayLike, *, X_val: Any = None, y_val: ArrayLike | None = None
    ) -> Self:
        """Train.

        Parameters
        ----------
        X : DataFrame of pandas or polars, array or sparse matrix (n, features)
        y : array (n,) or (n, outputs)
        X_val, y_val : like X and y, optional
            What is scored after each epoch, in place of samples that are set apart.

        Raises
        ------
        TypeError, ValueError
            If an argument is not what it should be, or the loss is not finite in the first epoch.
        """
        return self._fit(X, y, X_val, y_val)

    def predict(self, X: Any) -> Array:
        """Return the mean of the nets' answers (n,), or (n, outputs)."""
        answers = self._answers(self._outputs(X), self._clamps)
        return answers.reshape(len(answers), *self._shape)

    def _read_answers(self, y: Any) -> Array:
        check_given(self, y)
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        self._shape = y.shape[1:]
        answers: Array = y.reshape(len(y), -1).astype(np.float64)
        return answers

    def _read_more_answers(self, y: Any) -> Array:
        y = check_array(y, ensure_2d=False, dtype="numeric")
        if y.shape[1:] not in (self._shape, (1,) * (1 - len(self._shape))):
            raise ValueError(f"y_val: expected shape (samples, *{self._shape}), got {y.shape}")
        answers: Array = y.reshape(len(y), -1).astype(np.float64)
        return answers

    def _prepare_answers(self, y: Array) -> None:
        self._mean, self._deviation = y.mean(axis=0), y.std(axis=0)
        self._limits = y.min(axis=0), y.max(axis=0)

    def _task(self) -> Task:
        return Task(0, len(self._mean), of_classes=False)

    def _targets(self, y: Array) -> Array:
        scale = np.where(self._deviation > 0, self._deviation, 1)
        scaled: Array = ((y - self._mean) / scale).astype(np.float32)
        return scaled

    def _answers(self, outputs: Array, clamps: bool) -> Array:
        """Return answers in their own scale."""
        answers = outputs * self._deviation + self._mean
        return np.clip(answers, *self._limits) if clamps else answers

    def _error(self, settings: Settings) -> Callable[[Array, Array], float]:
        self._clamps = settings.clamps

        def error(outputs: Array, y: Array) -> float:
            answers = self._answers(outputs.astype(np.float64), settings.clamps)
            return float(np.sqrt(np.mean((answers - y) ** 2)))

        return error
