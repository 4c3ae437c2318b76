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
from .runtime.arguments import real_number, truth
from .runtime.configuration import Configurable
from .runtime.lookup import by_name
from .runtime.lowering import Builder, Last
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
    """What all losses share; use one of the classes below.

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
    """

    name: ClassVar[str]
    kind: ClassVar[Kind]
    sparse: ClassVar[bool] = False

    reduction: str = field(default="sum_over_batch_size", kw_only=True)

    def __post_init__(self) -> None:
        if not hasattr(self, "kind"):
            raise TypeError("loss: expected one of the classes of fastmlp.losses, got Loss itself")
        by_name("reduction", self.reduction, _REDUCTIONS)
        self.check()

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
        )  # fmt: skip


@dataclass(frozen=True)
class _FromLogits(Loss):
    """A loss that can take what comes *before* the last activation."""

    last: ClassVar[Last]

    from_logits: bool = False

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
class _OfClasses(_FromLogits):
    """A cross-entropy with a class for each output."""

    kind = Kind.SOFTMAX_CROSSENTROPY
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

    name = "sparse_categorical_crossentropy"
    sparse = True

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' labels as the kernel reads them."""
        hint = "; one-hot targets go with the loss 'categorical_crossentropy'"
        return targets.labels(argument, array, outputs, dtype, hint)


@dataclass(frozen=True)
class CategoricalCrossentropy(_OfClasses):
    """``-sum_i target[i] log softmax(logits)[i]`` for targets (n, classes) that sum to 1.

    With ``from_logits=False`` the net must end in a softmax; the two are computed as one
    either way.
    """

    name = "categorical_crossentropy"

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' distributions as the kernel reads them."""
        hint = "; integer labels go with the loss 'sparse_categorical_crossentropy'"
        return targets.distributions(argument, array, outputs, dtype, hint)


@dataclass(frozen=True)
class BinaryCrossentropy(_FromLogits):
    """``mean_i -t_i log s_i - (1 - t_i) log(1 - s_i)``, with ``s = sigmoid(logits)``.

    Targets ``t`` (n, outputs), or (n,) for one output, are 0 and 1, or shares between them: each
    output answers a question of its own.  With ``from_logits=False`` the net must end in a
    sigmoid; the two are computed as one either way.
    """

    name = "binary_crossentropy"
    kind = Kind.SIGMOID_CROSSENTROPY
    last = Last("sigmoid", Op.ACTIVATION, Activation.SIGMOID)

    @property
    def threshold(self) -> float:
        """Above which an output says yes: a probability of 0.5."""
        return 0.0 if self.from_logits else 0.5

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' shares as the kernel reads them."""
        return targets.shares(argument, array, outputs, dtype)


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """``mean_i (output[i] - target[i])^2`` for targets (n, outputs)."""

    name = "mean_squared_error"
    kind = Kind.MEAN_SQUARED_ERROR


@dataclass(frozen=True)
class Huber(Loss):
    """``mean_i h(output[i] - target[i])``: squares of small errors, sizes of large ones.

    ``h(e)`` is ``e^2 / 2`` up to ``|e| = delta``, and ``delta * (|e| - delta / 2)`` beyond it
    (Huber, 1964).

    Parameters
    ----------
    delta : float, positive

    Raises
    ------
    ValueError
        If it is not a finite number above 0.
    """

    name = "huber"
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
class MeanAbsoluteError(Loss):
    """``mean_i |output[i] - target[i]|`` for targets (n, outputs); its slope at 0 is 0."""

    name = "mean_absolute_error"
    kind = Kind.MEAN_ABSOLUTE_ERROR


_CLASSES: tuple[type[Loss], ...] = (
    SparseCategoricalCrossentropy,
    CategoricalCrossentropy,
    BinaryCrossentropy,
    MeanSquaredError,
    Huber,
    MeanAbsoluteError,
)
# Keras' short names.
_SHORT: Mapping[str, type[Loss]] = {
    "bce": BinaryCrossentropy, "mse": MeanSquaredError, "mae": MeanAbsoluteError,
}  # fmt: skip
_KNOWN: dict[str, type[Loss]] = {**{loss.name: loss for loss in _CLASSES}, **_SHORT}


def get(loss: str | Loss) -> Loss:
    """Return the loss of that name with its default arguments, or the loss given."""
    return loss if isinstance(loss, Loss) else by_name("loss", loss, _KNOWN)()
