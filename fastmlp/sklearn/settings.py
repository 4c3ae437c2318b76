"""The arguments of an estimator, checked when it is fitted: scikit-learn stores them as given."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import activations, backends, optimizers, regularizers
from ..runtime.arguments import (
    is_integer,
    non_negative_integer,
    positive_integer,
    real_number,
    shown,
    truth,
)
from ..runtime.lookup import by_name
from ..runtime.threads import thread_count
from ..schedules import LearningRateSchedule, rates_of

# scikit-learn's names for what Keras calls otherwise.
_ACTIVATIONS = {
    "identity": "linear", "logistic": "sigmoid", **{name: name for name in activations.NAMES},
}  # fmt: skip
_NOT_NEGATIVE = "a finite number that is not negative"
_ABOVE_0 = "a finite number above 0"
_SMALLEST = 5e-324


@dataclass(frozen=True)
class ScaledSchedule(LearningRateSchedule):
    """A schedule times a number."""

    schedule: Callable[[Any], Any]
    factor: float

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step."""
        return self.factor * self.schedule(step)

    def rates(self, steps: range) -> NDArray[Any]:
        """Return the learning rates of several steps."""
        return self.factor * rates_of(self.schedule, steps.start, len(steps))


@dataclass(frozen=True)
class Settings:
    """The checked arguments; their meanings are those of the estimator's."""

    hidden: tuple[int, ...]
    hidden_activations: tuple[activations.Activation, ...]
    first_activation: activations.Activation
    dropout: tuple[float, ...]
    batch_norm: bool
    layer_norm: bool
    solver: str
    alpha: float
    l1: float
    batch_size: int | None
    schedule: str
    rate: float | Callable[[Any], Any]
    power_t: float
    max_iter: int
    max_fun: int
    shuffle: bool
    tol: float
    verbose: bool
    warm_start: bool
    momentum: float
    nesterov: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    patience: float
    threads: int | None
    backend: str

    def optimizer(self, slope: float) -> optimizers.Optimizer:
        """Return the optimizer for gradients that are ``1 / slope`` times scikit-learn's."""
        if self.solver == "sgd":
            nesterov = self.nesterov and self.momentum > 0
            return optimizers.SGD(self.scaled(self.rate, slope), self.momentum, nesterov)
        # Adam's steps do not change with the scale of the gradient, if epsilon has the same.
        epsilon = max(self.epsilon / slope, 1e-30)
        return optimizers.Adam(self.rate, self.beta_1, self.beta_2, epsilon)

    def scaled(
        self, rate: float | Callable[[Any], Any], slope: float
    ) -> float | Callable[[Any], Any]:
        """Return scikit-learn's learning rate, or its schedule, for gradients as in optimizer."""
        factor = slope if self.solver == "sgd" else 1.0
        if callable(rate):
            return rate if factor == 1 else ScaledSchedule(rate, factor)
        return rate * factor

    def penalty(self, batch_weight: float, slope: float) -> regularizers.L1L2 | None:
        """Return the penalty ``(alpha / 2 * sum(w**2) + l1 * sum(|w|)) / batch_weight``.

        Like the optimizer's, for gradients that are ``1 / slope`` times scikit-learn's.
        """
        if not self.alpha and not self.l1:
            return None
        scale = 1 / (batch_weight * slope)
        return regularizers.L1L2(l1=self.l1 * scale, l2=self.alpha / 2 * scale)

    def samples_a_batch(self, count: int) -> int:
        """Return the size of a batch of so many samples."""
        if self.solver == "lbfgs":
            return count
        return min(200 if self.batch_size is None else self.batch_size, count)


def checked(estimator: Any) -> Settings:
    """Return the checked arguments of an estimator.

    Raises
    ------
    TypeError, ValueError
        If one is not what it should be.
    """
    e = estimator
    hidden = checked_sizes(e.hidden_layer_sizes)
    functions = _activations(e.activation, len(hidden))
    solver = by_name("solver", e.solver, {n: n for n in ("lbfgs", "sgd", "adam")})
    rates = {n: n for n in ("constant", "invscaling", "adaptive")}
    found = Settings(
        hidden=hidden,
        hidden_activations=functions[:-1],
        first_activation=functions[-1],
        dropout=_dropout(e.dropout, len(hidden)),
        batch_norm=truth("batch_norm", e.batch_norm),
        layer_norm=truth("layer_norm", e.layer_norm),
        solver=solver,
        alpha=real_number("alpha", e.alpha, _NOT_NEGATIVE, low=0),
        l1=real_number("l1", e.l1, _NOT_NEGATIVE, low=0),
        batch_size=_batch_size(e.batch_size),
        schedule=by_name("learning_rate", e.learning_rate, rates),
        rate=_rate(e.learning_rate_init),
        power_t=real_number("power_t", e.power_t, _NOT_NEGATIVE, low=0),
        max_iter=positive_integer("max_iter", e.max_iter),
        max_fun=positive_integer("max_fun", e.max_fun),
        shuffle=truth("shuffle", e.shuffle),
        tol=real_number("tol", e.tol, _NOT_NEGATIVE, low=0),
        verbose=_verbose(e.verbose),
        warm_start=truth("warm_start", e.warm_start),
        momentum=real_number("momentum", e.momentum, "a number in [0, 1)", low=0, below=1),
        nesterov=truth("nesterovs_momentum", e.nesterovs_momentum),
        early_stopping=truth("early_stopping", e.early_stopping),
        validation_fraction=real_number(
            "validation_fraction", e.validation_fraction, "a number in [0, 1)", low=0, below=1
        ),
        beta_1=real_number("beta_1", e.beta_1, "a number in [0, 1)", low=0, below=1),
        beta_2=real_number("beta_2", e.beta_2, "a number in [0, 1)", low=0, below=1),
        epsilon=real_number("epsilon", e.epsilon, _ABOVE_0, low=_SMALLEST),
        patience=_patience(e.n_iter_no_change),
        threads=None if e.n_threads is None else thread_count("n_threads", e.n_threads),
        backend=backends.resolve(e.backend),
    )
    _check_together(found)
    return found


def _check_together(settings: Settings) -> None:
    """Refuse what excludes each other, and what L-BFGS has no use for.

    It has no learning rate, and needs a function that stays the same.
    """
    if settings.batch_norm and settings.layer_norm:
        raise ValueError("layer_norm: not together with batch_norm")
    if callable(settings.rate) and settings.schedule != "constant":
        raise ValueError(
            f"learning_rate: expected 'constant' with a schedule as learning_rate_init, "
            f"got {settings.schedule!r}"
        )
    if settings.solver != "lbfgs":
        return
    for argument, is_given in (
        ("dropout", any(settings.dropout)),
        ("batch_norm", settings.batch_norm),
        ("early_stopping", settings.early_stopping),
        ("learning_rate_init", callable(settings.rate)),
    ):
        if is_given:
            raise ValueError(f"{argument}: not with solver='lbfgs'; 'sgd' and 'adam' have it")


def checked_sizes(given: Any) -> tuple[int, ...]:
    """Return the units of each hidden layer, as ``hidden_layer_sizes`` says them."""
    several = isinstance(given, Iterable) and not isinstance(given, str)
    sizes: list[Any] = list(given) if several else [given]
    for size in sizes:
        if not is_integer(size) or size < 1:
            raise ValueError(f"hidden_layer_sizes: must be > 0, and integers, got {shown(given)}")
    return tuple(int(size) for size in sizes)


def _activations(given: object, hidden: int) -> tuple[activations.Activation, ...]:
    """Return the activation of each hidden layer, and then the one that was given for the last."""
    if isinstance(given, Sequence) and not isinstance(given, str):
        _check_count("activation", given, hidden)
        functions = [_activation(function) for function in given]
        return (*functions, functions[-1] if functions else activations.relu)
    return (_activation(given),) * (hidden + 1)


def _activation(given: Any) -> activations.Activation:
    if given is None:
        raise TypeError("activation: expected a name such as 'relu' or 'identity', got None")
    is_name = isinstance(given, str)
    return activations.get(by_name("activation", given, _ACTIVATIONS) if is_name else given)


def _rate(given: Any) -> float | Callable[[Any], Any]:
    if callable(given):
        schedule: Callable[[Any], Any] = given
        return schedule
    return real_number("learning_rate_init", given, f"{_ABOVE_0}, or a schedule", low=_SMALLEST)


def _dropout(given: Any, hidden: int) -> tuple[float, ...]:
    if isinstance(given, Sequence) and not isinstance(given, str):
        _check_count("dropout", given, hidden)
        rates = list(given)
    else:
        rates = [given] * hidden
    kind = "a number in [0, 1)"
    real_number("dropout", rates[0] if rates else 0.0, kind, low=0, below=1)
    return tuple(real_number("dropout", rate, kind, low=0, below=1) for rate in rates)


def _check_count(argument: str, given: Sequence[Any], hidden: int) -> None:
    if len(given) != hidden:
        raise ValueError(
            f"{argument}: expected one for all hidden layers, or one for each of the {hidden}, "
            f"got {shown(given)}"
        )


def _batch_size(given: object) -> int | None:
    if isinstance(given, str) and given == "auto":
        return None
    if isinstance(given, str):
        raise ValueError(f"batch_size: expected 'auto' or a positive integer, got {given!r}")
    return positive_integer("batch_size", given)


def _verbose(given: object) -> bool:
    if isinstance(given, bool | np.bool_):
        return bool(given)
    return non_negative_integer("verbose", given) > 0


def _patience(given: object) -> float:
    if isinstance(given, float) and math.isinf(given) and given > 0:
        return math.inf
    return positive_integer("n_iter_no_change", given)
