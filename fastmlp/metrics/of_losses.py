"""Metrics that are values of losses, of which nothing is learned."""

import math

import numpy as np

from .. import losses
from ..kernels.contract import Op
from ..losses import Loss
from ..runtime.arguments import real_number, truth
from ..runtime.frozen import frozen
from ..runtime.lowering import Builder
from ..runtime.tensors import Array
from .base import Mean, Totals


@frozen
class _OfLoss(Mean):
    """The mean of a loss."""

    @property
    def loss(self) -> Loss:
        """The loss."""
        raise NotImplementedError

    def _measure(self, right: Array, outputs: Array, weight: Array) -> Totals:
        """Return what a batch adds to the totals, outside of a net."""
        return np.array([self.loss.values(right, outputs).reshape(-1) @ weight])

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        own = self.loss
        if own.sparse != loss.sparse:
            self._refuse_labels(loss)
            raise ValueError(
                f"metrics: {self.name!r} compares with integer labels, and the loss "
                f"{loss.name!r} does not take them"
            )
        try:
            own.lower(builder, Op.LOSS_VALUE, self.name)
        except ValueError as reason:
            message = str(reason).replace("loss:", f"metrics: {self.name!r}:", 1)
            raise ValueError(message) from None


@frozen
class MeanSquaredError(_OfLoss):
    """``mean_i (output[i] - target[i])^2`` for targets (n, outputs)."""

    loss = losses.MeanSquaredError()


@frozen
class RootMeanSquaredError(_OfLoss):
    """The root of the mean, over samples and outputs, of ``(output - target)^2``."""

    loss = losses.MeanSquaredError()

    def result_of(self, totals: Totals, weight: float) -> float:
        """Return the metric's value, of what its row adds up to and the samples' weights do."""
        mean = super().result_of(totals, weight)
        return math.sqrt(mean) if mean >= 0 else math.nan


@frozen
class MeanAbsoluteError(_OfLoss):
    """``mean_i |output[i] - target[i]|`` for targets (n, outputs)."""

    loss = losses.MeanAbsoluteError()


@frozen
class MeanAbsolutePercentageError(_OfLoss):
    """``100 mean_i |output[i] - target[i]| / max(|target[i]|, 1e-7)``."""

    loss = losses.MeanAbsolutePercentageError()


@frozen
class MeanSquaredLogarithmicError(_OfLoss):
    """``mean_i (log(1 + output[i]) - log(1 + target[i]))^2``, with 1e-7 for what is less."""

    loss = losses.MeanSquaredLogarithmicError()


@frozen
class LogCoshError(_OfLoss):
    """``mean_i log(cosh(output[i] - target[i]))``."""

    default_name = "logcosh"
    loss = losses.LogCosh()


@frozen
class CosineSimilarity(_OfLoss):
    """``sum_i output[i] target[i] / (|output| |target|)``: 1 for the same direction."""

    better = "max"
    loss = losses.CosineSimilarity()

    def result_of(self, totals: Totals, weight: float) -> float:
        """Return the metric's value, of what its row adds up to and the samples' weights do."""
        return -super().result_of(totals, weight)


@frozen
class Poisson(_OfLoss):
    """``mean_i output[i] - target[i] log(output[i] + 1e-7)``."""

    loss = losses.Poisson()


@frozen
class KLDivergence(_OfLoss):
    """``sum_i target[i] log(target[i] / output[i])`` of probabilities, clipped to 1e-7 and 1."""

    default_name = "kl_divergence"
    loss = losses.KLDivergence()


@frozen
class Hinge(_OfLoss):
    """``mean_i max(1 - target[i] output[i], 0)`` for targets of -1 and 1, or 0 and 1."""

    loss = losses.Hinge()


@frozen
class SquaredHinge(_OfLoss):
    """``mean_i max(1 - target[i] output[i], 0)^2`` for targets of -1 and 1, or 0 and 1."""

    loss = losses.SquaredHinge()


@frozen
class CategoricalHinge(_OfLoss):
    """``max(max_i (1 - target[i]) output[i] - sum_i target[i] output[i] + 1, 0)``."""

    loss = losses.CategoricalHinge()


@frozen
class _CrossEntropy(_OfLoss):
    """A cross-entropy of probabilities, or of logits."""

    from_logits: bool = False

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        self._set(from_logits=truth("from_logits", self.from_logits))


@frozen
class SparseCategoricalCrossentropy(_CrossEntropy):
    """``-log softmax(logits)[label]`` for integer labels (n,).

    Parameters
    ----------
    name : str, optional
    from_logits : bool
        If not, the net must end in a softmax.
    """

    @property
    def loss(self) -> Loss:
        """The loss."""
        return losses.SparseCategoricalCrossentropy(self.from_logits)


@frozen
class _Smoothed(_CrossEntropy):
    """A cross-entropy with targets."""

    label_smoothing: float = 0.0

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        super().check()
        kind = "a number from 0 to 1"
        smoothing = real_number("label_smoothing", self.label_smoothing, kind, low=0, high=1)
        self._set(label_smoothing=smoothing)


@frozen
class CategoricalCrossentropy(_Smoothed):
    """``-sum_i target[i] log softmax(logits)[i]`` for targets (n, classes) that sum to 1.

    Parameters
    ----------
    name : str, optional
    from_logits : bool
        If not, the net must end in a softmax.
    label_smoothing : float, from 0 to 1
        As of :class:`fastmlp.losses.CategoricalCrossentropy`.
    """

    @property
    def loss(self) -> Loss:
        """The loss."""
        return losses.CategoricalCrossentropy(self.from_logits, self.label_smoothing)


@frozen
class BinaryCrossentropy(_Smoothed):
    """``mean_i -t_i log s_i - (1 - t_i) log(1 - s_i)``, with ``s = sigmoid(logits)``.

    Parameters
    ----------
    name : str, optional
    from_logits : bool
        If not, the net must end in a sigmoid.
    label_smoothing : float, from 0 to 1
        As of :class:`fastmlp.losses.BinaryCrossentropy`.
    """

    @property
    def loss(self) -> Loss:
        """The loss."""
        return losses.BinaryCrossentropy(self.from_logits, self.label_smoothing)
