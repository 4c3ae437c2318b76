"""The classifier."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from .. import losses
from ..callbacks import Callback
from ..runtime.tensors import Array
from .base import BaseMLP, read_samples
from .extras import Extras
from .labels import Labels, labels_of
from .objective import WEIGHTED_MEAN, Objective


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron for classes, with scikit-learn's arguments and more.

    Parameters
    ----------
    hidden_layer_sizes : int, or array-like of int, default=(100,)
        The units of each hidden layer.
    activation : str, Activation, or sequence of them, default="relu"
        Of all hidden layers, or of each: scikit-learn's "identity", "logistic", "tanh" and "relu",
        and all of :mod:`fastmlp.activations`.
    solver : {"adam", "sgd", "lbfgs"}, default="adam"
    alpha : float, default=0.0001
        Adds ``alpha / 2 * sum(w**2) / batch size`` to the loss.
    batch_size : int or "auto", default="auto"
        "auto" is 200, or the number of samples if that is less.
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        With "sgd": ``learning_rate_init / (t + 1)**power_t``, where ``t`` counts samples, epoch by
        epoch; or a fifth of the rate whenever the fit would otherwise stop, until it is 1e-6.
    learning_rate_init : float or schedule, default=0.001
        One of :mod:`fastmlp.schedules`, or any function of the step's number, gives the rate of
        each step, and needs ``learning_rate="constant"``.
    power_t : float, default=0.5
    max_iter : int, default=200
        The largest number of epochs, or of L-BFGS's iterations.
    shuffle : bool, default=True
    random_state : int, RandomState or None, default=None
        Of first weights, order, dropout and validation data.
    tol : float, default=1e-4
        What the loss, or with ``early_stopping`` the score, must get better by; with "lbfgs", the
        slope at which it stops.
    verbose : bool or int, default=False
    warm_start : bool, default=False
        Whether ``fit`` goes on with the weights there are.
    momentum : float in [0, 1), default=0.9
        Of "sgd".
    nesterovs_momentum : bool, default=True
    early_stopping : bool, default=False
        Whether to stop by the score of validation data, and take the best weights then.
    validation_fraction : float, default=0.1
        The share set apart for that, if ``fit`` is given no ``X_val``.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
        Of "adam".
    n_iter_no_change : int or inf, default=10
        More epochs than this that are not better end the fit.
    max_fun : int, default=15000
        The largest number of loss evaluations of "lbfgs".
    dropout : float in [0, 1), or sequence of them, default=0.0
        The share of values dropped after all hidden layers, or after each.
    batch_norm : bool, default=False
        Batch normalization before each hidden activation.
    layer_norm : bool, default=False
        Layer normalization there; not together with ``batch_norm``.
    l1 : float, default=0.0
        Adds ``l1 * sum(|w|) / batch size`` to the loss.
    n_threads : int, optional
        The largest number of threads of a fit or a prediction: by default one in a worker of
        joblib, else :func:`fastmlp.get_num_threads`.  It never changes a result.
    backend : {"auto", "cython", "numba", "numpy"}, default="auto"
    class_weight : dict, list of dict or "balanced", optional
        What samples of a class are weighted with, besides ``sample_weight``; classes that are
        missing weigh 1.  "balanced" lets each class weigh as much as any other; it takes all
        samples at once, so there is no ``partial_fit`` then.  Of several labels a sample, a list
        with a dict from 0 and 1 to weights for each.

    Attributes
    ----------
    classes_ : array (classes,)
    net_ : fastmlp.Sequential
        What is trained.
    coefs_, intercepts_ : list of array
        Views of its weights (inputs, outputs) and biases (outputs,).
    loss_, best_loss_ : float
        Of the last epoch and the best one, penalties included.
    loss_curve_, validation_scores_ : list of float
        By epoch, over all warm starts; the second is None without validation data.
    best_validation_score_ : float or None
    n_iter_ : int
        The epochs since the last ``fit`` began, those of ``partial_fit`` among them.
    t_ : int
        The samples seen, each as often as it was.
    n_layers_, n_outputs_, n_features_in_ : int
    feature_names_in_ : array (features,), if the samples have names
    out_activation_ : {"logistic", "softmax"}
    """

    classes_: Array
    _labels: Labels

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: Any = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: Any = 0.001,
        power_t: Any = 0.5,
        max_iter: Any = 200,
        shuffle: Any = True,
        random_state: Any = None,
        tol: Any = 1e-4,
        verbose: Any = False,
        warm_start: Any = False,
        momentum: Any = 0.9,
        nesterovs_momentum: Any = True,
        early_stopping: Any = False,
        validation_fraction: Any = 0.1,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: Any = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: Any = 15000,
        dropout: Any = 0.0,
        batch_norm: Any = False,
        layer_norm: Any = False,
        l1: Any = 0.0,
        n_threads: Any = None,
        backend: Any = "auto",
        class_weight: Any = None,
    ) -> None:
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
            dropout=dropout,
            batch_norm=batch_norm,
            layer_norm=layer_norm,
            l1=l1,
            n_threads=n_threads,
            backend=backend,
        )
        self.class_weight = class_weight

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
        callbacks: Sequence[Callback] | None = None,
    ) -> Self:
        """Train.

        Parameters
        ----------
        X : array, sparse matrix or DataFrame (n, features)
            A sparse matrix becomes an array.
        y : array (n,) of classes, or (n, labels) of 0 and 1
        sample_weight : array (n,), optional
            How much each sample counts: the loss of a batch is the weighted mean, and the score of
            samples that are set apart, too.
        X_val, y_val : like X and y, optional
            Scored after each epoch; ``early_stopping`` goes by them.
        callbacks : sequence of fastmlp.callbacks.Callback, optional

        Raises
        ------
        TypeError, ValueError
            If an argument is not what it should be, or the loss is no longer finite.
        """
        return self._fit(X, y, Extras(X_val, y_val, callbacks, sample_weight))

    @available_if(lambda estimator: estimator._check_solver())  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        *,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
        callbacks: Sequence[Callback] | None = None,
    ) -> Self:
        """Train for one epoch; so many calls with the same data are ``fit`` of so many epochs.

        With ``early_stopping``, the same share is set apart and scored as in ``fit``; whether to
        stop is for the caller to decide, and the weights stay those of the last epoch.

        Parameters
        ----------
        X, y, sample_weight, X_val, y_val, callbacks
            As for :meth:`fit`.
        classes : array (classes,)
            All that will come: needed at the first call, unless ``y`` has a column for each.

        Raises
        ------
        TypeError, ValueError
            As for :meth:`fit`.
        """
        return self._fit(
            X, y, Extras(X_val, y_val, callbacks, sample_weight, classes, incremental=True)
        )

    def predict(self, X: Any) -> Array:
        """Return the likeliest class of each sample (n,), or its labels (n, labels) of 0 and 1."""
        outputs = self._outputs(X)
        return self._labels.decode(outputs)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, or label (n, classes)."""
        outputs = self._outputs(X)
        return self._labels.probabilities(outputs)

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of :meth:`predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _objective(self, answers: Array) -> Objective:
        if self._labels.is_multilabel:
            count = float(len(self._labels.classes))
            return Objective(
                losses.BinaryCrossentropy(reduction=WEIGHTED_MEAN), "sigmoid", count, count
            )
        if self._labels.is_binary:
            return Objective(losses.BinaryCrossentropy(reduction=WEIGHTED_MEAN), "sigmoid")
        loss = losses.SparseCategoricalCrossentropy(reduction=WEIGHTED_MEAN)
        return Objective(loss, "softmax")

    def _weights(self, x: Array, answers: Array, given: Any, incremental: bool) -> Array | None:
        if incremental and isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight: {self.class_weight!r} not with partial_fit, which does not see all "
                "samples; sklearn.utils.class_weight.compute_class_weight gives numbers for a dict"
            )
        weights = super()._weights(x, answers, given, incremental)
        weights = self._labels.weights(self.class_weight, answers, weights)
        if weights is not None and not weights.any():
            raise ValueError("class_weight: expected a class that is not weighted by 0")
        return weights

    def _read_first(self, X: Any, y: Any, extras: Extras, fresh: bool) -> tuple[Array, Array]:
        x, y = self._read(X, y, reset=fresh)
        classes = extras.classes
        if fresh:
            labels = labels_of(y, classes)
            if extras.incremental and classes is None and not labels.is_multilabel:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            self._labels, self.classes_ = labels, labels.classes
            return x, y
        known = self._labels
        known.check_kind(y)
        if classes is not None and not np.array_equal(known.classes, labels_of(y, classes).classes):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{known.classes!r}"
            )
        is_subset = extras.incremental or known.is_multilabel
        if not is_subset and not np.array_equal(known.classes, np.unique(y)):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {known.classes}, `y` has {np.unique(y)}"
            )
        return x, y

    def _read(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        return read_samples(self, X, y, reset=reset)

    def _answers(self, y: Array) -> Array:
        return self._labels.encode(y)

    def _score_of(self, outputs: Array, y: Array, weights: Array | None = None) -> float:
        if not np.isfinite(outputs).all():
            return float(np.nan)
        right = outputs.argmax(axis=1) == y if y.ndim == 1 else ((outputs > 0.5) == y).all(axis=1)
        return float(np.average(right, weights=weights))

    def _strata(self, answers: Array) -> Array | None:
        # scikit-learn's choice: several classes are not stratified, so that rare ones may be there.
        return answers == 1 if self._labels.is_binary else None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
