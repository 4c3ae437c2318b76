"""Metrics: what is shown of each epoch beside the loss, and learned by nobody.

A metric is the mean over the samples.  One that is the value of a loss, such as
:class:`MeanSquaredError`, is a few lines here; the others have their own formula in
``kernels/*/metrics.*``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from . import losses
from .kernels.contract import Metric as Kind
from .kernels.contract import Op, Scalar
from .losses import Loss
from .runtime.arguments import items, real_number, shown
from .runtime.configuration import Configurable
from .runtime.lookup import by_name
from .runtime.lowering import Builder


@dataclass(frozen=True)
class Metric(Configurable):
    """What all metrics share; use one of the classes below.

    Parameters
    ----------
    name : str, optional
        What it is called in the history and in what is shown; by default as in Keras.

    Raises
    ------
    TypeError, ValueError
        If the name is none, or that of the loss.
    """

    default_name: ClassVar[str]
    better: ClassVar[Literal["min", "max"]] = "min"  # whether smaller or larger values are better

    name: str = ""

    def __post_init__(self) -> None:
        if not hasattr(self, "default_name"):
            kind = type(self).__name__
            raise TypeError(f"metrics: expected a class of fastmlp.metrics, got {kind} itself")
        if not isinstance(self.name, str):
            raise TypeError(f"name: expected a string, got {shown(self.name)}")
        if self.name in ("loss", "data_loss") or self.name.startswith("val_"):
            raise ValueError(f"name: expected none that the history has, got {shown(self.name)}")
        object.__setattr__(self, "name", self.name or self.default_name)

    @property
    def known_as(self) -> str | None:
        """The name that :func:`get` makes this very metric of, if there is one."""
        kind = _KNOWN.get(self.name)
        return self.name if kind is not None and kind(self.name) == self else None

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss.

        Raises
        ------
        ValueError
            If the metric does not fit the loss or the last layer.
        """
        raise NotImplementedError

    def result_of(self, total: float, weight: float) -> float:
        """Return the metric's value, of what its row adds up to and the samples' weights do."""
        return float(total / weight) if weight else 0.0

    def _refuse_labels(self, loss: Loss) -> None:
        if loss.sparse:
            raise ValueError(
                f"metrics: {self.name!r} compares with targets (n, outputs), and the loss "
                f"{loss.name!r} takes integer labels"
            )


@dataclass(frozen=True)
class _OfLabels(Metric):
    """A share of right answers among samples of one class each."""

    better = "max"
    takes_labels: ClassVar[bool | None] = None  # None: either, as the loss does

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        if builder.outputs < 2:
            raise ValueError(
                f"metrics: {self.name!r} needs at least two outputs, the net has {builder.outputs}"
            )
        if self.takes_labels is not None and self.takes_labels != loss.sparse:
            raise ValueError(
                f"metrics: {self.name!r} compares with "
                + ("integer labels, and" if self.takes_labels else "targets (n, outputs), and")
                + f" the loss {loss.name!r} does not take them"
            )
        # A softmax changes no order: it need not be computed for this.
        builder.judge(Op.METRIC, Kind.FIRST_MAXIMUM, self.name, built_in=loss.built_in)


@dataclass(frozen=True)
class SparseCategoricalAccuracy(_OfLabels):
    """The share of samples whose largest output is that of their label, an integer.

    Of equal outputs, the first counts as the largest.
    """

    default_name = "sparse_categorical_accuracy"
    takes_labels = True


@dataclass(frozen=True)
class CategoricalAccuracy(_OfLabels):
    """The share of samples whose largest output is where their target (outputs,) is largest.

    Of equal values, the first counts as the largest.
    """

    default_name = "categorical_accuracy"
    takes_labels = False


@dataclass(frozen=True)
class BinaryAccuracy(Metric):
    """The share of outputs that say yes where the target is 1, and no where it is 0.

    Parameters
    ----------
    name : str, optional
    threshold : float
        Above which an output says yes.  With ``from_logits=True`` 0 is the probability 0.5.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    default_name = "binary_accuracy"
    better = "max"

    threshold: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "threshold", real_number("threshold", self.threshold))

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        self._refuse_labels(loss)
        builder.judge(Op.METRIC, Kind.BINARY, self.name, reals={Scalar.ALPHA: self.threshold})


@dataclass(frozen=True)
class _Accuracy(_OfLabels):
    """What the name "accuracy" stands for: as with Keras, the accuracy that goes with the loss.

    That is :class:`BinaryAccuracy` for a single output that says yes or no.  Its threshold is the
    probability 0.5 also with ``from_logits=True``, where Keras takes the logit 0.5.
    """

    default_name = "accuracy"

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        if builder.outputs == 1 and loss.threshold is not None:
            BinaryAccuracy(self.name, loss.threshold).lower(builder, loss)
        else:
            super().lower(builder, loss)


@dataclass(frozen=True)
class _OfLoss(Metric):
    """The value of a loss that is not learned from."""

    loss: ClassVar[Loss]

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        self._refuse_labels(loss)
        self.loss.lower(builder, Op.LOSS_VALUE, self.name)


@dataclass(frozen=True)
class MeanSquaredError(_OfLoss):
    """``mean_i (output[i] - target[i])^2`` for targets (n, outputs)."""

    default_name = "mean_squared_error"
    loss = losses.MeanSquaredError()


@dataclass(frozen=True)
class MeanAbsoluteError(_OfLoss):
    """``mean_i |output[i] - target[i]|`` for targets (n, outputs)."""

    default_name = "mean_absolute_error"
    loss = losses.MeanAbsoluteError()


_CLASSES: tuple[type[Metric], ...] = (
    SparseCategoricalAccuracy,
    CategoricalAccuracy,
    BinaryAccuracy,
    MeanSquaredError,
    MeanAbsoluteError,
)


# Keras' short names.
_SHORT: dict[str, type[Metric]] = {
    "acc": _Accuracy, "accuracy": _Accuracy, "mse": MeanSquaredError, "mae": MeanAbsoluteError,
}  # fmt: skip
_KNOWN: dict[str, type[Metric]] = {**_SHORT, **{c.default_name: c for c in _CLASSES}}

# Whether smaller or larger values are better, of figures by the names that they usually have.
DIRECTIONS: dict[str, str] = {
    "loss": "min", "data_loss": "min", **{name: kind.better for name, kind in _KNOWN.items()}
}  # fmt: skip


def get(metrics: Sequence[str | Metric] | None, argument: str = "metrics") -> list[Metric]:
    """Return metrics that are given by their names, or as they are.

    As with Keras, one that is given by a name is shown under that name.

    Raises
    ------
    TypeError, ValueError
        If one is unknown, or two have the same name.
    """
    given: list[Any] = items(
        argument, "names such as 'accuracy'", () if metrics is None else metrics
    )
    found = [m if isinstance(m, Metric) else by_name(argument, m, _KNOWN)(m) for m in given]
    names = [metric.name for metric in found]
    if len(set(names)) < len(names):
        raise ValueError(f"{argument}: expected each name once, got {names}")
    return found


def beside(weighted: Sequence[Metric], metrics: Sequence[Metric]) -> list[Metric]:
    """Return weighted metrics under names that the other ones do not have, as Keras' are."""
    names = [metric.name for metric in metrics]
    return [
        replace(metric, name=f"weighted_{metric.name}") if metric.name in names else metric
        for metric in weighted
    ]
