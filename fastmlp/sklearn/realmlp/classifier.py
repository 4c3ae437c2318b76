"""The classifier."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import assert_all_finite, column_or_1d

from ...runtime.tensors import Array
from ..labels import Labels, labels_of
from .base import BaseRealMLP, check_given
from .nets import Task
from .settings import Settings
from .variants import OF_CLASSES


class RealMLPClassifier(ClassifierMixin, BaseRealMLP):  # type: ignore[misc]
    """A classifier for tables as they come, which needs no tuning.

    RealMLP of Holzmueller, Grinsztajn & Steinwart (2024), "Better by default".  Columns of numbers
    are scaled by their quartiles, and clipped smoothly; categories have an input each, or are
    embedded if there are many; a missing number counts as the median, with an input that says so,
    and a missing category as none of them.  The weights are those of the epoch with the fewest
    errors on samples that are set apart.

    Parameters
    ----------
    variant : {"td", "td-s"}, default="td"
        The tuned defaults of the paper, or their simplified variant: without embeddings, dropout,
        decay of weights, trained activations, and first weights that follow from the data.
    hidden_layer_sizes : int, or array-like of int, default=(256, 256, 256)
    activation : str or Activation, optional
        By default "selu"; of the regressor, "mish".
    learning_rate_init : float, optional
        The highest: by default 0.04; of the regressor, 0.2, or 0.07 in the variant "td-s".
    dropout : float in [0, 1), optional
        By default 0.15, or 0 in the variant "td-s".  In the second half of a fit, it goes down to 0
        along a cosine.
    weight_decay : float, optional
        By default 0.02, or 0 in the variant "td-s".  So does it.
    n_ens : int, default=1
        How many nets are trained, side by side; they answer together.
    max_iter : int, default=256
        The number of epochs.
    batch_size : int, default=256
        Samples that make no full batch are left out of an epoch.
    validation_fraction : float, default=0.2
        The share of samples that is set apart, if ``fit`` is given no ``X_val``.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Which columns have categories: those of strings, categories and Booleans; or those with
        these indices or names, or for which it is True; or none.
    random_state : int, RandomState or None, default=None
    verbose : bool, default=False
        Whether to show the error of each epoch.
    n_threads : int, optional
        The largest number of threads of a fit or a prediction: by default one in a worker of
        joblib, else :func:`fastmlp.get_num_threads`.  It never changes a result.
    backend : {"auto", "cython", "numba", "numpy"}, default="auto"
    label_smoothing : float in [0, 1), optional
        By default 0.1: what is learned is ``1 - label_smoothing`` of a class, and the rest of all.

    Attributes
    ----------
    classes_ : array (classes,)
    nets_ : list of fastmlp.Sequential
    best_epochs_ : list of int
        That whose weights each net has, counted from 1.
    validation_errors_ : list of list of float
        Of each net, the share of wrong answers by epoch.
    columns_, preparation_
        How a table becomes the inputs of a net.
    n_iter_ : int
        The number of epochs.
    n_features_in_ : int
    feature_names_in_ : array (features,), if the samples have names

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastmlp.sklearn import RealMLPClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> net = RealMLPClassifier("td-s", max_iter=20, random_state=0).fit(x, y)
    >>> net.predict(x[:2])
    array([0, 0])
    """

    _variants = OF_CLASSES

    classes_: Array
    _labels: Labels

    def __init__(
        self,
        variant: Any = "td",
        *,
        hidden_layer_sizes: Any = (256, 256, 256),
        activation: Any = None,
        learning_rate_init: Any = None,
        dropout: Any = None,
        weight_decay: Any = None,
        n_ens: Any = 1,
        max_iter: Any = 256,
        batch_size: Any = 256,
        validation_fraction: Any = 0.2,
        categorical_features: Any = "from_dtype",
        random_state: Any = None,
        verbose: Any = False,
        n_threads: Any = None,
        backend: Any = "auto",
        label_smoothing: Any = None,
    ) -> None:
        super().__init__(
            variant,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            learning_rate_init=learning_rate_init,
            dropout=dropout,
            weight_decay=weight_decay,
            n_ens=n_ens,
            max_iter=max_iter,
            batch_size=batch_size,
            validation_fraction=validation_fraction,
            categorical_features=categorical_features,
            random_state=random_state,
            verbose=verbose,
            n_threads=n_threads,
            backend=backend,
        )
        self.label_smoothing = label_smoothing

    def fit(
        self, X: Any, y: ArrayLike, *, X_val: Any = None, y_val: ArrayLike | None = None
    ) -> Self:
        """Train.

        Parameters
        ----------
        X : DataFrame of pandas or polars, array or sparse matrix (n, features)
        y : array (n,) of classes
        X_val, y_val : like X and y, optional
            What is scored after each epoch, in place of samples that are set apart.

        Raises
        ------
        TypeError, ValueError
            If an argument is not what it should be, or the loss is not finite in the first epoch.
        """
        return self._fit(X, y, X_val, y_val)

    def predict(self, X: Any) -> Array:
        """Return the likeliest class of each sample (n,)."""
        outputs = self._outputs(X)
        found: Array = self.classes_[outputs[:, : len(self.classes_)].argmax(axis=1)]
        return found

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class (n, classes): the mean of those of all nets."""
        outputs = self._outputs(X)
        if len(self.classes_) == 1:
            return np.ones((len(outputs), 1))
        shares: Array = outputs / outputs.sum(axis=1, keepdims=True)
        return shares

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of :meth:`predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _read_answers(self, y: Any) -> Array:
        check_given(self, y)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        self._labels = labels_of(y)
        self.classes_ = self._labels.classes
        numbers: Array = np.searchsorted(self.classes_, y)
        return numbers

    def _read_more_answers(self, y: Any) -> Array:
        y = column_or_1d(y, warn=True)
        self._labels.check_known(y)
        numbers: Array = np.searchsorted(self.classes_, y)
        return numbers

    def _prepare_answers(self, y: Array) -> None:
        """Nothing: all classes are known."""

    @property
    def _count(self) -> int:
        """The number of outputs: a softmax has two at least."""
        return max(2, len(self.classes_))

    def _task(self) -> Task:
        return Task(0, self._count, of_classes=True)

    def _targets(self, y: Array) -> Array:
        return np.eye(self._count, dtype=np.float32)[y]

    def _error(self, settings: Settings) -> Callable[[Array, Array], float]:
        return lambda outputs, y: float(np.mean(outputs.argmax(axis=1) != y))
