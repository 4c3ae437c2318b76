"""Losses: what each expects of the net and of the right answers, and the row that computes it.

A loss is a frozen dataclass whose fields are its arguments.  Its algebra is in
``kernels/*/losses.*`` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from .kernels.contract import Activation, Op, Reduction, Scalar
from .kernels.contract import Loss as Kind
from .runtime import targets
from .runtime.arguments import real_number, shown, truth
from .runtime.configuration import Configurable
from .runtime.lookup import by_name
from .runtime.lowering import Builder, Last
from .runtime.python_rows import PythonLoss
from .runtime.targets import Answers
from .runtime.tensors import Array

_REDUCTIONS = {
    "sum_over_batch_size": Reduction.MEAN,
    "mean": Reduction.MEAN,
    "sum": Reduction.SUM,
    "mean_with_sample_weight": Reduction.WEIGHTED_MEAN,
}
_SMALLEST = 1e-30  # that float32 holds with all its digits


@dataclass(frozen=True)
class Loss(Configurable):
    """What all losses share; use one of the classes below, or subclass it to write your own.

    A loss of your own computes the losses of samples in :meth:`call`, and their slopes in
    :meth:`gradient`, which have to be right: :func:`fastmlp.check_gradients` tells.  The net then
    runs in Python, layer by layer, with the same kernels for all the rest.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "sum", "mean_with_sample_weight"}, by keyword
        What the losses of a batch's samples, each times the sample's weight, become: their sum
        over the number of samples, which "mean" is another name of; their sum; or their sum over
        that of the weights.  The figure of an epoch is the mean over its batches, each counted by
        its number of samples.

    Attributes
    ----------
    name : str
        As in Keras.
    kind : fastmlp.kernels.contract.Loss
        Which kernel.
    sparse : bool
        Whether right answers are integer labels (n,) rather than targets (n, outputs).

    Examples
    --------
    >>> class FourthPower(Loss):
    ...     name = "fourth_power"
    ...
    ...     def call(self, y_true, y_pred):
    ...         return ((y_pred - y_true) ** 4).mean(axis=1)
    ...
    ...     def gradient(self, y_true, y_pred):
    ...         return 4 * (y_pred - y_true) ** 3 / y_true.shape[1]
    """

    name: ClassVar[str] = ""
    kind: ClassVar[Kind] = Kind.PYTHON
    sparse: ClassVar[bool] = False

    reduction: str = field(default="sum_over_batch_size", kw_only=True)

    def __init_subclass__(cls, **options: Any) -> None:
        """Name a loss after its class, if it has no name of its own."""
        super().__init_subclass__(**options)
        if "name" not in vars(cls) and not cls.__name__.startswith("_"):
            cls.name = snake_case(cls.__name__)

    def __post_init__(self) -> None:
        if self.kind == Kind.PYTHON:
            for method in ("call", "gradient"):
                if getattr(type(self), method) is getattr(Loss, method):
                    raise TypeError(
                        f"loss: expected one of the classes of fastmlp.losses, or a subclass with "
                        f"call and gradient; {type(self).__name__} has no {method}"
                    )
        by_name("reduction", self.reduction, _REDUCTIONS)
        self.check()

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return the loss of each sample (n,); in a class of your own.

        Parameters
        ----------
        y_true : float array (n, outputs), or int64 array (n,) if the class is ``sparse``
        y_pred : float array (n, outputs)
            What the net computes; of the net's dtype, and read-only.
        """
        raise NotImplementedError

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        """Return the slopes of each sample's loss (n, outputs); in a class of your own."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""

    @property
    def reals(self) -> dict[Scalar, float]:
        """The numbers that the kernel reads."""
        return {}

    @property
    def built_in(self) -> Last | None:
        """The activation that the kernel computes along with the loss, if it does."""
        return None

    @property
    def threshold(self) -> float | None:
        """Above which a single output says yes; None, if it answers no such question."""
        return None

    def check_net(self, builder: Builder) -> None:
        """Raise ValueError if the loss does not fit the last layer."""

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' right answers as the kernel reads them.

        Raises
        ------
        ValueError
            If they are not what the loss expects.
        """
        if self.sparse:
            return targets.labels(argument, array, outputs, dtype, "")
        return targets.targets(argument, array, outputs, dtype)

    def lower(self, builder: Builder, op: Op = Op.LOSS, label: str | None = None) -> None:
        """Add the row that computes the loss; or, by another op, one that only shows it.

        Raises
        ------
        ValueError
            If the loss does not fit the last layer.
        """
        self.check_net(builder)
        is_learned = op == Op.LOSS
        builder.judge(
            op, self.kind, label or self.name, reals=self.reals, built_in=self.built_in,
            reduction=_REDUCTIONS[self.reduction] if is_learned else Reduction.MEAN,
            python=PythonLoss(self) if self.kind == Kind.PYTHON else None,
        )  # fmt: skip


def snake_case(name: str) -> str:
    """Return ``mean_squared_error`` for ``MeanSquaredError``."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


@dataclass(frozen=True)
class _OfOutputs(Loss):
    """A loss for targets (n, outputs), or (n,) for one output, of any finite numbers."""


@dataclass(frozen=True)
class MeanSquaredError(_OfOutputs):
    """``mean_i (output[i] - target[i])^2`` for targets (n, outputs)."""

    kind = Kind.MEAN_SQUARED_ERROR


@dataclass(frozen=True)
class MeanAbsoluteError(_OfOutputs):
    """``mean_i |output[i] - target[i]|`` for targets (n, outputs); its slope at 0 is 0."""

    kind = Kind.MEAN_ABSOLUTE_ERROR


@dataclass(frozen=True)
class MeanAbsolutePercentageError(_OfOutputs):
    """``100 mean_i |output[i] - target[i]| / max(|target[i]|, 1e-7)``."""

    kind = Kind.MEAN_ABSOLUTE_PERCENTAGE_ERROR


@dataclass(frozen=True)
class MeanSquaredLogarithmicError(_OfOutputs):
    """``mean_i (log(1 + output[i]) - log(1 + target[i]))^2``, with 1e-7 for what is less.

    An output below that has no slope.
    """

    kind = Kind.MEAN_SQUARED_LOGARITHMIC_ERROR


@dataclass(frozen=True)
class LogCosh(_OfOutputs):
    """``mean_i log(cosh(output[i] - target[i]))``: squares of small errors, sizes of large ones."""

    kind = Kind.LOG_COSH


@dataclass(frozen=True)
class Huber(_OfOutputs):
    """``mean_i h(output[i] - target[i])``: squares of small errors, sizes of large ones.

    ``h(e)`` is ``e^2 / 2`` up to ``|e| = delta``, and ``delta * (|e| - delta / 2)`` beyond it
    (Huber, 1964).

    Parameters
    ----------
    delta : float, positive
    reduction : str, by keyword
        See :class:`Loss`.

    Raises
    ------
    ValueError
        If it is not a finite number above 0.
    """

    kind = Kind.HUBER

    delta: float = 1.0

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        delta = real_number("delta", self.delta, "a positive number", low=_SMALLEST)
        object.__setattr__(self, "delta", delta)

    @property
    def reals(self) -> dict[Scalar, float]:
        """The numbers that the kernel reads."""
        return {Scalar.ALPHA: self.delta}


@dataclass(frozen=True)
class Quantile(_OfOutputs):
    """``mean_i max(q (target[i] - output[i]), (1 - q) (output[i] - target[i]))``: pinball loss.

    Outputs learn the quantile ``q`` of the targets (Koenker & Bassett, 1978); with 0.5, the median.
    Its slope at 0 is 0.

    Parameters
    ----------
    quantile : float, between 0 and 1
    reduction : str, by keyword
        See :class:`Loss`.

    Raises
    ------
    ValueError
        If it is not a number between 0 and 1.
    """

    kind = Kind.QUANTILE

    quantile: float = 0.5

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        kind = "a number between 0 and 1"
        quantile = real_number("quantile", self.quantile, kind, low=_SMALLEST, below=1)
        object.__setattr__(self, "quantile", quantile)

    @property
    def reals(self) -> dict[Scalar, float]:
        """The numbers that the kernel reads."""
        return {Scalar.ALPHA: self.quantile}


@dataclass(frozen=True)
class Poisson(Loss):
    """``mean_i output[i] - target[i] log(output[i] + 1e-7)`` for targets that are not negative.

    Outputs are means of Poisson distributions, so they must be positive: the last layer may end in
    an exponential or a softplus.
    """

    kind = Kind.POISSON

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' counts as the kernel reads them."""
        return targets.within(argument, array, outputs, dtype, 0.0, np.inf)


@dataclass(frozen=True)
class CosineSimilarity(_OfOutputs):
    """``-sum_i output[i] target[i] / (|output| |target|)``: from -1 for the same direction to 1.

    A norm counts as 1e-7 if it is less.
    """

    kind = Kind.COSINE_SIMILARITY


@dataclass(frozen=True)
class _OfSigns(Loss):
    """A loss for targets that are -1 and 1, or 0 and 1, which mean the same."""

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' signs as the kernel reads them."""
        return targets.signs(argument, array, outputs, dtype)

    @property
    def threshold(self) -> float | None:
        """Above which an output says yes."""
        return 0.0


@dataclass(frozen=True)
class Hinge(_OfSigns):
    """``mean_i max(1 - target[i] output[i], 0)`` for targets of -1 and 1, or 0 and 1."""

    kind = Kind.HINGE


@dataclass(frozen=True)
class SquaredHinge(_OfSigns):
    """``mean_i max(1 - target[i] output[i], 0)^2`` for targets of -1 and 1, or 0 and 1."""

    kind = Kind.SQUARED_HINGE


@dataclass(frozen=True)
class CategoricalHinge(_OfOutputs):
    """``max(max_i (1 - target[i]) output[i] - sum_i target[i] output[i] + 1, 0)``.

    Targets (n, outputs) have a 1 for the right class.
    """

    kind = Kind.CATEGORICAL_HINGE


@dataclass(frozen=True)
class KLDivergence(Loss):
    """``sum_i target[i] log(target[i] / output[i])`` of probabilities, clipped to 1e-7 and 1.

    Targets (n, outputs) are from 0 to 1; the net ends in a softmax or a sigmoid.
    """

    name = "kl_divergence"
    kind = Kind.KL_DIVERGENCE

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' shares as the kernel reads them."""
        return targets.shares(argument, array, outputs, dtype)


@dataclass(frozen=True)
class _FromLogits(Loss):
    """A loss that can take what comes *before* the last activation."""

    last: ClassVar[Last]

    from_logits = False  # each class has it as a field, in Keras' order

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        object.__setattr__(self, "from_logits", truth("from_logits", self.from_logits))

    @property
    def built_in(self) -> Last | None:
        """The activation that the kernel computes along with the loss, if it does."""
        return None if self.from_logits else self.last

    def check_net(self, builder: Builder) -> None:
        """Raise ValueError if the loss does not fit the last layer."""
        if builder.ends_in(self.last) == self.from_logits:
            raise ValueError(
                f"loss: {self.name}(from_logits={self.from_logits}) needs a net that "
                + ("does not end" if self.from_logits else "ends")
                + f" in a {self.last.name}"
                + ("" if self.from_logits else ", or from_logits=True")
            )


@dataclass(frozen=True)
class _Smoothed(_FromLogits):
    """A loss whose targets can be made less certain."""

    label_smoothing = 0.0  # a field of each class, too

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        super().check()
        kind = "a number from 0 to 1"
        smoothing = real_number("label_smoothing", self.label_smoothing, kind, low=0, high=1)
        object.__setattr__(self, "label_smoothing", smoothing)

    @property
    def reals(self) -> dict[Scalar, float]:
        """The numbers that the kernel reads."""
        return {Scalar.SMOOTHING: self.label_smoothing}


@dataclass(frozen=True)
class _OfClasses(_FromLogits):
    """A cross-entropy with a class for each output."""

    last = Last("softmax", Op.SOFTMAX)

    def check_net(self, builder: Builder) -> None:
        """Raise ValueError if the loss does not fit the last layer."""
        if len(builder.shape) != 1 or builder.shape[0] < 2:
            raise ValueError(
                f"loss: {self.name} needs a last layer with an output for each class, "
                f"got outputs of shape {builder.shape}"
            )
        super().check_net(builder)


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(_OfClasses):
    """``-log softmax(logits)[label]`` for integer labels (n,).

    With ``from_logits=False`` the net must end in a softmax; the two are computed as one
    either way.
    """

    kind = Kind.SOFTMAX_CROSSENTROPY
    sparse = True

    from_logits: bool = False

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' labels as the kernel reads them."""
        hint = "; one-hot targets go with the loss 'categorical_crossentropy'"
        return targets.labels(argument, array, outputs, dtype, hint)


@dataclass(frozen=True)
class _OfDistributions(_Smoothed, _OfClasses):
    """A loss for targets (n, classes) that sum to 1."""

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' distributions as the kernel reads them."""
        hint = "; integer labels go with the loss 'sparse_categorical_crossentropy'"
        return targets.distributions(argument, array, outputs, dtype, hint)


@dataclass(frozen=True)
class _OfQuestions(_Smoothed):
    """A loss of outputs that each answer a question of their own, for targets from 0 to 1."""

    last = Last("sigmoid", Op.ACTIVATION, Activation.SIGMOID)

    @property
    def threshold(self) -> float:
        """Above which an output says yes: a probability of 0.5."""
        return 0.0 if self.from_logits else 0.5

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' shares as the kernel reads them."""
        return targets.shares(argument, array, outputs, dtype)


@dataclass(frozen=True)
class CategoricalCrossentropy(_OfDistributions):
    """``-sum_i target[i] log softmax(logits)[i]`` for targets (n, classes) that sum to 1.

    With ``from_logits=False`` the net must end in a softmax; the two are computed as one
    either way.

    Parameters
    ----------
    from_logits : bool
    label_smoothing : float, from 0 to 1
        The share of each target that all classes have alike: a target ``t`` becomes
        ``t (1 - s) + s / classes`` (Szegedy et al., 2016).
    reduction : str, by keyword
        See :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    kind = Kind.SOFTMAX_CROSSENTROPY

    from_logits: bool = False
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class BinaryCrossentropy(_OfQuestions):
    """``mean_i -t_i log s_i - (1 - t_i) log(1 - s_i)``, with ``s = sigmoid(logits)``.

    Targets ``t`` (n, outputs), or (n,) for one output, are 0 and 1, or shares between them: each
    output answers a question of its own.  With ``from_logits=False`` the net must end in a
    sigmoid; the two are computed as one either way.

    Parameters
    ----------
    from_logits : bool
    label_smoothing : float, from 0 to 1
        A target ``t`` becomes ``t (1 - s) + s / 2``.
    reduction : str, by keyword
        See :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    kind = Kind.SIGMOID_CROSSENTROPY

    from_logits: bool = False
    label_smoothing: float = 0.0


def _check_focus(loss: Any) -> None:
    for name in ("alpha", "gamma"):
        number = real_number(name, getattr(loss, name), "a number that is not negative", low=0)
        object.__setattr__(loss, name, number)


@dataclass(frozen=True)
class CategoricalFocalCrossentropy(_OfDistributions):
    """``-alpha sum_i target[i] (1 - p[i])^gamma log p[i]``, with ``p = softmax(logits)``.

    Classes that are known well count less than in a cross-entropy (Lin et al., 2017).  With
    ``from_logits=False`` the net must end in a softmax; the two are computed as one either way.

    Parameters
    ----------
    alpha : float, not negative
        A factor.
    gamma : float, not negative
        With 0, it is the cross-entropy times ``alpha``.
    from_logits : bool
    label_smoothing : float, from 0 to 1
        As of :class:`CategoricalCrossentropy`.
    reduction : str, by keyword
        See :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    kind = Kind.SOFTMAX_FOCAL

    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        super().check()
        _check_focus(self)

    @property
    def reals(self) -> dict[Scalar, float]:
        """The numbers that the kernel reads."""
        return super().reals | {Scalar.ALPHA: self.alpha, Scalar.GAMMA: self.gamma}


@dataclass(frozen=True)
class BinaryFocalCrossentropy(_OfQuestions):
    """Binary cross-entropy times the probability of the wrong answer to the power ``gamma``.

    Questions whose answers are known well count less (Lin et al., 2017).  With
    ``from_logits=False`` the net must end in a sigmoid; the two are computed as one either way.

    Parameters
    ----------
    apply_class_balancing : bool
        Whether the loss is also multiplied with ``t alpha + (1 - t) (1 - alpha)``.
    alpha : float, not negative
    gamma : float, not negative
        With 0, it is the cross-entropy.
    from_logits : bool
    label_smoothing : float, from 0 to 1
        As of :class:`BinaryCrossentropy`.
    reduction : str, by keyword
        See :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    kind = Kind.SIGMOID_FOCAL

    apply_class_balancing: bool = False
    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        super().check()
        balances = truth("apply_class_balancing", self.apply_class_balancing)
        object.__setattr__(self, "apply_class_balancing", balances)
        _check_focus(self)

    @property
    def reals(self) -> dict[Scalar, float]:
        """The numbers that the kernel reads."""
        yes, no = (self.alpha, 1 - self.alpha) if self.apply_class_balancing else (1.0, 1.0)
        return super().reals | {Scalar.ALPHA: yes, Scalar.BETA: no, Scalar.GAMMA: self.gamma}


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


def get(loss: str | Loss | type[Loss]) -> Loss:
    """Return the loss of that name or class with its default arguments, or the loss given."""
    if isinstance(loss, type) and issubclass(loss, Loss):
        return loss()
    if callable(loss) and not isinstance(loss, Loss):
        raise TypeError(
            f"loss: {shown(loss)} is a function, which has no gradient; write a subclass of "
            "fastmlp.losses.Loss with the methods call and gradient"
        )
    return loss if isinstance(loss, Loss) else by_name("loss", loss, _KNOWN)()
