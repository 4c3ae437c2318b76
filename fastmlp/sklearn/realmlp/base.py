"""What the two estimators share: how a table becomes nets, and what they answer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ...model import Sequential
from ...runtime.tensors import Array
from ...runtime.threads import get_num_threads, thread_count, threads_limited
from ..unchanged import unchanged_after_an_error
from ..workers import threads_here
from .columns import Columns, chosen_columns, columns_of, read_columns
from .course import Course
from .nets import Task, draw_weights, make_net
from .preparation import Preparation, prepared
from .settings import Settings, checked
from .variants import Variant

_LARGEST_SEED = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Samples:
    """Inputs and answers, of those that are learned from and of those that are scored."""

    x: Array
    y: Array
    x_val: Array
    y_val: Array


class BaseRealMLP(BaseEstimator, ABC):  # type: ignore[misc]
    """Use one of the subclasses; they document the arguments and the attributes."""

    _variants: Mapping[str, Variant]

    columns_: Columns
    preparation_: Preparation
    nets_: list[Sequential]
    best_epochs_: list[int]
    validation_errors_: list[list[float]]
    n_iter_: int

    # Any: scikit-learn has them stored as they are, and checked by fit.
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
    ) -> None:
        self.variant = variant
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.learning_rate_init = learning_rate_init
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.n_ens = n_ens
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.categorical_features = categorical_features
        self.random_state = random_state
        self.verbose = verbose
        self.n_threads = n_threads
        self.backend = backend

    @abstractmethod
    def _read_answers(self, y: Any) -> Array:
        """Return answers (n, ...) as scikit-learn checks them, and keep what is known of them."""

    @abstractmethod
    def _prepare_answers(self, y: Array) -> None:
        """Keep what is to be known of the answers that are learned from."""

    @abstractmethod
    def _task(self) -> Task:
        """Return what the net is for, apart from its inputs."""

    @abstractmethod
    def _targets(self, y: Array) -> Array:
        """Return what the net learns for answers (n, outputs)."""

    @abstractmethod
    def _error(self, settings: Settings) -> Callable[[Array, Array], float]:
        """Return the error of the net's outputs, given the answers."""

    def _fit(self, X: Any, y: Any, X_val: Any, y_val: Any) -> Self:
        with unchanged_after_an_error(self):
            return self._fit_anew(X, y, X_val, y_val)

    def _fit_anew(self, X: Any, y: Any, X_val: Any, y_val: Any) -> Self:
        if (X_val is None) != (y_val is None):
            missing = "X_val" if X_val is None else "y_val"
            raise ValueError(f"{missing}: expected X_val and y_val together, got None")
        settings = checked(self, self._variants)
        raw, answers = read_columns(self, X, reset=True), self._read_answers(y)
        check_consistent_length(raw[0], answers)
        names = getattr(self, "feature_names_in_", ())
        chosen = chosen_columns(self.categorical_features, names, len(raw))
        self.columns_ = columns_of(raw, chosen)
        table = self.columns_.encode(raw)
        random = check_random_state(self.random_state)
        split_seed = int(random.randint(_LARGEST_SEED))
        if X_val is None:
            learned, scored = _split(len(answers), settings.validation_fraction, split_seed)
            table_val, answers_val = table.of(scored), answers[scored]
            table, answers = table.of(learned), answers[learned]
        else:
            table_val = self.columns_.encode(read_columns(self, X_val, reset=False))
            answers_val = self._read_more_answers(y_val)
            check_consistent_length(table_val.numbers, answers_val)
        self._prepare_answers(answers)
        preparation = prepared(table, self.columns_.sizes, settings.largest_one_hot)
        self.preparation_ = preparation
        samples = Samples(
            preparation.transform(table),
            self._targets(answers),
            preparation.transform(table_val),
            answers_val,
        )
        seeds = [int(random.randint(_LARGEST_SEED)) for _ in range(settings.n_ens)]
        self._train(settings, samples, seeds)
        return self

    @abstractmethod
    def _read_more_answers(self, y: Any) -> Array:
        """Return answers to be scored, as those that are learned from are read."""

    def _train(self, settings: Settings, samples: Samples, seeds: list[int]) -> None:
        """Train the members, side by side if there are several: they do not hold Python's lock."""
        error = self._error(settings)

        def scored(outputs: Array) -> float:
            return error(outputs, samples.y_val)

        batch_size = min(settings.batch_size, len(samples.x))
        batches = len(samples.x) // batch_size  # the last one of an epoch may not be smaller
        task = self._task_of(settings, samples.x.shape[1])

        def train(index: int, seed: int, threads: int | None) -> tuple[Sequential, Course]:
            net = make_net(task, settings, settings.max_iter * batches, seed)
            draw_weights(net, settings, samples.x, seed)
            course = Course(settings, scored, samples.x_val, index)
            with threads_limited(threads):
                net.fit(
                    samples.x, samples.y, batch_size, settings.max_iter, 0, [course],
                    steps_per_epoch=batches,
                )  # fmt: skip
            return net, course

        threads = settings.threads or threads_here()
        if len(seeds) == 1:
            done = [train(0, seeds[0], threads)]
        else:
            jobs = min(threads or get_num_threads(), len(seeds))
            side_by_side = Parallel(n_jobs=jobs, prefer="threads", require="sharedmem")
            tasks = [delayed(train)(index, seed, 1) for index, seed in enumerate(seeds)]
            done = list(side_by_side(tasks))
        self.nets_ = [net for net, _ in done]
        self.best_epochs_ = [course.best_epoch for _, course in done]
        self.validation_errors_ = [course.errors for _, course in done]
        self.n_iter_ = settings.max_iter

    def _task_of(self, settings: Settings, inputs: int) -> Task:
        """Return what the net is for."""
        preparation = self.preparation_
        coded = zip(preparation.sizes, preparation.embedded, strict=True)
        return replace(
            self._task(),
            inputs=inputs,
            numbers=preparation.numbers if settings.embeds_numbers else 0,
            sizes=tuple(size for size, is_code in coded if is_code),
        )

    def _outputs(self, X: Any) -> Array:
        """Return the mean of the nets' outputs (n, outputs), in float64."""
        check_is_fitted(self, "nets_")
        x = self.preparation_.transform(self.columns_.encode(read_columns(self, X, reset=False)))
        threads = None if self.n_threads is None else thread_count("n_threads", self.n_threads)
        with threads_limited(threads or threads_here()):
            outputs = [net.predict(x, verbose=0).astype(np.float64) for net in self.nets_]
        mean: Array = np.mean(outputs, axis=0)
        return mean

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags


def check_given(estimator: BaseRealMLP, y: Any) -> None:
    """Raise ValueError if there are no answers."""
    if y is None:
        name = type(estimator).__name__
        raise ValueError(f"{name} requires y to be passed, but the target y is None.")


def _split(count: int, fraction: float, seed: int) -> tuple[Array, Array]:
    """Return which samples are learned from, and which are scored."""
    scored = int(np.ceil(count * fraction))
    if not 0 < scored < count:
        raise ValueError(
            f"validation_fraction: {fraction} of n_samples={count} leaves nothing to learn from, "
            "or to score"
        )
    order = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(4,))).permutation(count)
    return np.sort(order[scored:]), np.sort(order[:scored])
