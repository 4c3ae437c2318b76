"""The regressor."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if

from .. import losses
from ..callbacks import Callback
from ..runtime.lookup import by_name
from ..runtime.tensors import Array
from .base import BaseMLP, read_samples
from .extras import Extras
from .objective import WEIGHTED_MEAN, Objective
from .validation import Split


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron for numbers, with scikit-learn's arguments and more.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber", "quantile", "poisson"}, \
default="squared_error"
        What is minimized, summed over the outputs: ``e**2 / 2``, ``|e|``, Huber's mixture of the
        two, the pinball loss of a quantile, or half the Poisson deviance of an exponential.
        ``loss_`` shows its mean over the outputs, or the sum of "poisson", as in scikit-learn.
    delta : float, default=1.0
        The error from which on "huber" grows linearly.
    quantile : float, between 0 and 1, default=0.5
        Which one "quantile" is of.

    The others are those of :class:`MLPClassifier`, in the same order.

    Attributes
    ----------
    out_activation_ : {"identity", "exp"}

    The others are those of :class:`MLPClassifier`, but for ``classes_``.
    """

    def __init__(
        self,
        loss: Any = "squared_error",
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
        delta: Any = 1.0,
        quantile: Any = 0.5,
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
        self.loss = loss
        self.delta = delta
        self.quantile = quantile

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
        y : array (n,) or (n, outputs)
            Of "poisson", none below 0.
        sample_weight : array (n,), optional
            How much each sample counts: the loss of a batch is the weighted mean, and the score of
            samples that are set apart, too.
        X_val, y_val : like X and y, optional
            Scored (R2) after each epoch; ``early_stopping`` goes by them.
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

        Raises
        ------
        TypeError, ValueError
            As for :meth:`fit`.
        """
        extras = Extras(X_val, y_val, callbacks, sample_weight, incremental=True)
        return self._fit(X, y, extras)

    def predict(self, X: Any) -> Array:
        """Return the net's outputs (n,) for one output, or (n, outputs)."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _objective(self, answers: Array) -> Objective:
        count = float(answers.shape[1])
        chosen: dict[str, tuple[type[losses.Loss], dict[str, Any], float]] = {
            "squared_error": (losses.MeanSquaredError, {}, 0.5),
            "absolute_error": (losses.MeanAbsoluteError, {}, 1.0),
            "huber": (losses.Huber, {"delta": self.delta}, 1.0),
            "quantile": (losses.Quantile, {"quantile": self.quantile}, 1.0),
            "poisson": (losses.Poisson, {}, count),
        }
        kind, options, figure = by_name("loss", self.loss, chosen)
        loss = kind(**options, reduction=WEIGHTED_MEAN)
        if self.loss != "poisson":
            return Objective(loss, "linear", figure, figure * count)
        return Objective(loss, "exponential", figure, count)

    def _offset(self, split: Split) -> float:
        if self.loss != "poisson":
            return 0.0
        constants = (xlogy(split.y, split.y) - split.y).sum(axis=1)
        return float(np.average(constants, weights=split.weights))

    def _read_first(self, X: Any, y: Any, extras: Extras, fresh: bool) -> tuple[Array, Array]:
        return self._read(X, y, reset=fresh)

    def _read(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        return read_samples(self, X, y, reset=reset, y_numeric=True)

    def _answers(self, y: Array) -> Array:
        return y.reshape(len(y), -1)

    def _score_of(self, outputs: Array, y: Array, weights: Array | None = None) -> float:
        if not np.isfinite(outputs).all():
            return float(np.nan)
        return float(r2_score(y, outputs, sample_weight=weights))

    def _strata(self, answers: Array) -> Array | None:
        return None
