"""What the two estimators share: how a fit goes, and what it leaves behind."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from .. import regularizers
from ..callbacks import Callback, check_callbacks
from ..model import Sequential
from ..runtime.tensors import Array
from ..runtime.threads import thread_count, threads_limited
from . import lbfgs
from .course import Course
from .extras import Extras
from .objective import Objective
from .recipe import Recipe, dense_layers, intercepts_of
from .settings import Settings, checked
from .unchanged import unchanged_after_an_error
from .validation import Split, set_apart
from .workers import threads_here


class BaseMLP(BaseEstimator, ABC):  # type: ignore[misc]
    """Use one of the subclasses; they document the arguments and the attributes."""

    net_: Sequential
    n_iter_: int
    n_outputs_: int
    out_activation_: str
    t_: int
    loss_: float
    best_loss_: float | None
    loss_curve_: list[float]
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    # Epochs in a row that were not better; how often an adaptive rate was lowered; and what the
    # net was made with, which may be given anew for the fit that goes on.
    _no_improvement_count: int
    _reductions: int
    _made_by: Recipe
    _penalty: regularizers.L1L2 | None

    # Any: scikit-learn has them stored as they are, and checked by fit.
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
        members: Any = 1,
        n_threads: Any = None,
        backend: Any = "auto",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.layer_norm = layer_norm
        self.l1 = l1
        self.members = members
        self.n_threads = n_threads
        self.backend = backend

    @abstractmethod
    def _objective(self, answers: Array) -> Objective:
        """Return what is minimized, for answers that have been read."""

    @abstractmethod
    def _read_first(self, X: Any, y: Any, extras: Extras, fresh: bool) -> tuple[Array, Array]:
        """Return samples and answers to learn from, as scikit-learn checks them.

        ``fresh`` says whether what is known from an earlier fit is forgotten.
        """

    @abstractmethod
    def _read(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        """Return samples and answers as scikit-learn checks them."""

    @abstractmethod
    def _answers(self, y: Array) -> Array:
        """Return answers as the net's loss reads them: labels (n,), or targets (n, outputs)."""

    @abstractmethod
    def _score_of(self, outputs: Array, y: Array, weights: Array | None = None) -> float:
        """Return the score of the net's outputs."""

    def _weights(self, x: Array, answers: Array, given: Any, incremental: bool) -> Array | None:
        """Return how much each sample counts; None if all count alike."""
        if given is None:
            return None
        weights: Array = _check_sample_weight(given, x, dtype=x.dtype, ensure_non_negative=True)
        if not weights.any():
            raise ValueError("sample_weight: expected one that is not 0, got zeros alone")
        return weights

    def _offset(self, split: Split) -> float:
        """Return what ``loss_`` has more than the loss that is minimized."""
        return 0.0

    @abstractmethod
    def _strata(self, answers: Array) -> Array | None:
        """Return by what the validation set is stratified, if it is."""

    @property
    def coefs_(self) -> list[Array]:
        """The weights (inputs, outputs) of each dense layer: views of the net's memory."""
        return [layer.kernel for layer in dense_layers(self._fitted_net("coefs_"))]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases (outputs,) of each dense layer, or (members, outputs): likewise views."""
        return intercepts_of(self._fitted_net("intercepts_"))

    @property
    def n_layers_(self) -> int:
        """The number of layers as scikit-learn counts: input, hidden ones, output."""
        return len(dense_layers(self._fitted_net("n_layers_"))) + 1

    def _fitted_net(self, attribute: str) -> Sequential:
        if "net_" not in vars(self):
            name = type(self).__name__
            raise AttributeError(f"{name!r} object has no attribute {attribute!r} before fit")
        return self.net_

    def _check_solver(self) -> bool:
        """Return True; or raise AttributeError if there is no partial_fit."""
        if self.solver == "lbfgs":
            raise AttributeError(
                "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
            )
        return True

    def _fit(self, X: Any, y: Any, extras: Extras) -> Self:
        settings, called = checked(self), check_callbacks(extras.callbacks)
        extras.check(settings.solver)
        fresh = "net_" not in vars(self) or not (settings.warm_start or extras.incremental)
        with unchanged_after_an_error(self):
            x, y = self._read_first(X, y, extras, fresh)
            return self._learn(x, self._answers(y), settings, extras, called, fresh)

    def _learn(
        self,
        x: Array,
        answers: Array,
        settings: Settings,
        extras: Extras,
        called: Sequence[Callback],
        fresh: bool,
    ) -> Self:
        """Train on samples and answers that have been read."""
        incremental = extras.incremental
        objective = self._objective(answers)
        recipe = self._recipe(settings, objective, x, answers, fresh)
        if fresh:
            seed, first = recipe.draw(check_random_state(self.random_state))
        else:
            recipe.check_fits(self._made_by)
            seed = self.net_.seed
        weights = self._weights(x, answers, extras.sample_weight, incremental)
        split = self._split(settings, Split(x, answers, weights), extras, seed)
        objective = replace(objective, offset=self._offset(split))
        batch_size = settings.samples_a_batch(len(split.x))
        if settings.batch_size is not None and settings.batch_size > len(split.x):
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be "
                f"clipped: batch_size={settings.batch_size} of {len(split.x)} samples",
                stacklevel=3,
            )
        penalty = settings.penalty(batch_size * split.mean_weight, objective.slope)
        if fresh:
            self._begin(recipe.new(seed, first, penalty), settings, objective)
        elif (recipe, penalty) != (self._made_by, self._penalty):
            self._replace_net(recipe.remake(self.net_, penalty))
        if not (fresh or incremental):
            self._begin_again(settings)
        self._made_by, self._penalty = recipe, penalty
        self._compile(settings, objective, incremental)
        with threads_limited(settings.threads or threads_here()):
            if settings.solver == "lbfgs":
                self._run_lbfgs(settings, objective, split)
            else:
                course = self._course(settings, objective, split)
                self._run(settings, course, split, batch_size, [course, *called], incremental)
        return self

    def _recipe(
        self, settings: Settings, objective: Objective, x: Array, answers: Array, fresh: bool
    ) -> Recipe:
        """Return what the net is made by."""
        outputs = len(self.classes_) if answers.ndim == 1 else answers.shape[1]
        return Recipe(
            features=x.shape[1],
            hidden=settings.hidden,
            outputs=outputs,
            hidden_activations=settings.hidden_activations,
            first_activation=settings.first_activation,
            dropout=settings.dropout,
            batch_norm=settings.batch_norm,
            layer_norm=settings.layer_norm,
            members=settings.members,
            output=objective.output,
            dtype=str(x.dtype) if fresh else str(self.net_.dtype),
            backend=settings.backend,
        )

    def _split(self, settings: Settings, given: Split, extras: Extras, seed: int) -> Split:
        """Return what is learned from, and what is scored."""
        if extras.x_val is not None:
            x_val, y_val = self._read(extras.x_val, extras.y_val, reset=False)
            return given._replace(x_val=x_val, y_val=self._answers(y_val))
        if not settings.early_stopping:
            return given
        return set_apart(given, settings.validation_fraction, seed, self._strata(given.y))

    def _begin(self, net: Sequential, settings: Settings, objective: Objective) -> None:
        """Forget an earlier fit."""
        self.net_ = net
        self.n_outputs_ = dense_layers(net)[-1].units
        names = {"linear": "identity", "sigmoid": "logistic", "exponential": "exp"}
        self.out_activation_ = names.get(objective.output, objective.output)
        self.t_ = 0
        for name in ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_"):
            self.__dict__.pop(name, None)
        if settings.solver != "lbfgs":
            self.loss_curve_, self.validation_scores_ = [], None
        self._begin_again(settings)

    def _begin_again(self, settings: Settings) -> None:
        """Forget all but the net and the curves: a warm start is judged by itself."""
        self.n_iter_ = self._no_improvement_count = self._reductions = 0
        if settings.solver != "lbfgs":
            if "loss_curve_" not in vars(self):
                self.loss_curve_, self.validation_scores_ = [], None
            self.best_loss_ = None if settings.early_stopping else np.inf
            self.best_validation_score_ = None

    def _replace_net(self, net: Sequential) -> None:
        """Go on with a net that has the same weights, and what the optimizer had gathered."""
        net.compile(self.net_.optimizer or "sgd", self.net_.loss)
        net._state.take_moments(self.net_._state)
        self.net_ = net

    def _compile(self, settings: Settings, objective: Objective, incremental: bool) -> None:
        """Give the net its optimizer; one that it has goes on, with numbers that may be new."""
        net, optimizer = self.net_, settings.optimizer(objective.slope)
        same = type(net.optimizer) is type(optimizer) and net.loss == objective.loss
        if incremental and same:
            vars(net.optimizer).update(vars(optimizer))
        else:
            net.compile(optimizer, objective.loss)

    def _course(self, settings: Settings, objective: Objective, split: Split) -> Course:
        x_val, y_val = split.x_val, split.y_val
        if x_val is None or y_val is None:
            return Course(self, settings, objective, None)
        weights = split.weights_val
        return Course(
            self,
            settings,
            objective,
            lambda: self._score_of(self.net_.predict(x_val), y_val, weights),
        )

    def _run(
        self,
        settings: Settings,
        course: Course,
        split: Split,
        batch_size: int,
        callbacks: Sequence[Callback],
        incremental: bool,
    ) -> None:
        """Train for an epoch, or until the course is done; and take the best weights then."""
        epochs = 1 if incremental else settings.max_iter
        try:
            self.net_.fit(
                split.x,
                split.y,
                batch_size,
                epochs,
                0,
                callbacks,
                shuffle=settings.shuffle,
                sample_weight=split.weights,
            )
            if not course.has_stopped and not incremental and self.n_iter_ == epochs:
                warnings.warn(
                    f"Stochastic Optimizer: Maximum iterations ({epochs}) reached and the "
                    "optimization hasn't converged yet.",
                    ConvergenceWarning,
                    stacklevel=4,
                )
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
        if settings.early_stopping and not incremental and course.best_weights is not None:
            self.net_.set_weights(course.best_weights)

    def _run_lbfgs(self, settings: Settings, objective: Objective, split: Split) -> None:
        """Train by L-BFGS-B."""
        net = self.net_
        self.n_iter_, reason = lbfgs.minimize(net, split, settings, objective)
        figures = net.evaluate(
            split.x, split.y, len(split.x), sample_weight=split.weights, return_dict=True
        )
        self.loss_ = objective.loss_of(figures)
        if reason is not None:
            warnings.warn(
                f"lbfgs failed to converge after {self.n_iter_} iteration(s): {reason}",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _outputs(self, X: Any) -> Array:
        """Return the net's outputs (n, outputs) for users' samples."""
        check_is_fitted(self, "net_")
        x = dense(validate_data(self, X, **READ_X, reset=False))
        threads = None if self.n_threads is None else thread_count("n_threads", self.n_threads)
        with threads_limited(threads or threads_here()):
            return self.net_.predict(x)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


# How scikit-learn is to check samples: a net of the same dtype learns from them.
READ_X: dict[str, Any] = {
    "accept_sparse": ["csr", "csc"], "dtype": (np.float64, np.float32),
}  # fmt: skip


def dense(x: Any) -> Array:
    """Return an array as it is, and a sparse matrix as an array."""
    array: Array = x.toarray() if issparse(x) else x
    return array


def read_samples(estimator: BaseMLP, X: Any, y: Any, **options: Any) -> tuple[Array, Array]:
    """Return samples (n, features) and answers as scikit-learn checks them.

    A column of answers (n, 1) becomes (n,), with scikit-learn's warning.
    """
    x, y = validate_data(estimator, X, y, **READ_X, multi_output=True, **options)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    return dense(x), dense(y)
