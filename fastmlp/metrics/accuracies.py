"""Accuracies: shares of right answers."""

from dataclasses import field

from ..kernels.contract import Metric as Kind
from ..kernels.contract import Op, Scalar
from ..losses import Loss
from ..runtime.arguments import positive_integer, real_number
from ..runtime.frozen import frozen
from ..runtime.lowering import Builder
from .base import Mean


@frozen
class _OfLabels(Mean):
    """A share of right answers among samples of one class each."""

    better = "max"

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
        builder.judge(Op.METRIC, self._kind, self.name, reals=self._reals, built_in=loss.built_in)

    @property
    def _kind(self) -> Kind:
        return Kind.FIRST_MAXIMUM

    @property
    def _reals(self) -> dict[Scalar, float]:
        return {}


@frozen
class SparseCategoricalAccuracy(_OfLabels):
    """The share of samples whose largest output is that of their label, an integer.

    Of equal outputs, the first counts as the largest.
    """

    takes_labels = True


@frozen
class CategoricalAccuracy(_OfLabels):
    """The share of samples whose largest output is where their target (outputs,) is largest.

    Of equal values, the first counts as the largest.
    """

    takes_labels = False


@frozen
class _InTopK(_OfLabels):
    """The share of samples whose right output is among the k largest.

    Parameters
    ----------
    k : int, positive
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    name: str = field(default="", kw_only=True)
    k: int = 5

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        self._set(k=positive_integer("k", self.k))

    @property
    def _kind(self) -> Kind:
        return Kind.IN_TOP_K

    @property
    def _reals(self) -> dict[Scalar, float]:
        return {Scalar.ALPHA: self.k}


@frozen
class SparseTopKCategoricalAccuracy(_InTopK):
    """The share of samples of which fewer than ``k`` outputs are larger than that of their label.

    Parameters
    ----------
    k : int, positive
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    takes_labels = True


@frozen
class TopKCategoricalAccuracy(_InTopK):
    """The same for targets (n, outputs), whose largest, or the first of them, is the right one.

    Parameters
    ----------
    k : int, positive
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    takes_labels = False


@frozen
class Accuracy(Mean):
    """The share of outputs that are equal to their targets.

    The name "accuracy" stands for another one: the accuracy that goes with the loss.
    """

    better = "max"

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        self._refuse_labels(loss)
        builder.judge(Op.METRIC, Kind.EQUAL, self.name)


@frozen
class BinaryAccuracy(Mean):
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

    better = "max"

    threshold: float = 0.5

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        self._set(threshold=real_number("threshold", self.threshold))

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        self._refuse_labels(loss)
        reals = {Scalar.ALPHA: self.threshold}
        builder.judge(Op.METRIC, Kind.BINARY, self.name, reals=reals)


@frozen
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
