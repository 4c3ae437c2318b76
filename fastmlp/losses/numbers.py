"""Losses of outputs that are numbers, signs or directions."""

from typing import Any

import numpy as np

from ..kernels.contract import Loss as Kind
from ..kernels.contract import Scalar
from ..runtime import targets
from ..runtime.arguments import real_number
from ..runtime.frozen import frozen
from ..runtime.targets import Answers
from ..runtime.tensors import Array
from .base import Loss

_SMALLEST = 1e-30  # that float32 holds with all its digits


@frozen
class _OfOutputs(Loss):
    """A loss for targets (n, outputs), or (n,) for one output, of any finite numbers."""


@frozen
class MeanSquaredError(_OfOutputs):
    """``mean_i (output[i] - target[i])^2`` for targets (n, outputs)."""

    kind = Kind.MEAN_SQUARED_ERROR


@frozen
class MeanAbsoluteError(_OfOutputs):
    """``mean_i |output[i] - target[i]|`` for targets (n, outputs); its slope at 0 is 0."""

    kind = Kind.MEAN_ABSOLUTE_ERROR


@frozen
class MeanAbsolutePercentageError(_OfOutputs):
    """``100 mean_i |output[i] - target[i]| / max(|target[i]|, 1e-7)``."""

    kind = Kind.MEAN_ABSOLUTE_PERCENTAGE_ERROR


@frozen
class MeanSquaredLogarithmicError(_OfOutputs):
    """``mean_i (log(1 + output[i]) - log(1 + target[i]))^2``, with 1e-7 for what is less.

    An output below that has no slope.
    """

    kind = Kind.MEAN_SQUARED_LOGARITHMIC_ERROR


@frozen
class LogCosh(_OfOutputs):
    """``mean_i log(cosh(output[i] - target[i]))``: squares of small errors, sizes of large ones."""

    kind = Kind.LOG_COSH


@frozen
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


@frozen
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


@frozen
class Poisson(Loss):
    """``mean_i output[i] - target[i] log(output[i] + 1e-7)`` for targets that are not negative.

    Outputs are means of Poisson distributions, so they must be positive: the last layer may end in
    an exponential or a softplus.
    """

    kind = Kind.POISSON

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' counts as the kernel reads them."""
        return targets.within(argument, array, outputs, dtype, 0.0, np.inf)


@frozen
class CosineSimilarity(_OfOutputs):
    """``-sum_i output[i] target[i] / (|output| |target|)``: from -1 for the same direction to 1.

    A norm counts as 1e-7 if it is less.
    """

    kind = Kind.COSINE_SIMILARITY


@frozen
class _OfSigns(Loss):
    """A loss for targets that are -1 and 1, or 0 and 1, which mean the same."""

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' signs as the kernel reads them."""
        return targets.signs(argument, array, outputs, dtype)

    @property
    def threshold(self) -> float | None:
        """Above which an output says yes."""
        return 0.0


@frozen
class Hinge(_OfSigns):
    """``mean_i max(1 - target[i] output[i], 0)`` for targets of -1 and 1, or 0 and 1."""

    kind = Kind.HINGE


@frozen
class SquaredHinge(_OfSigns):
    """``mean_i max(1 - target[i] output[i], 0)^2`` for targets of -1 and 1, or 0 and 1."""

    kind = Kind.SQUARED_HINGE


@frozen
class CategoricalHinge(_OfOutputs):
    """``max(max_i (1 - target[i]) output[i] - sum_i target[i] output[i] + 1, 0)``.

    Targets (n, outputs) have a 1 for the right class.
    """

    kind = Kind.CATEGORICAL_HINGE


@frozen
class KLDivergence(Loss):
    """``sum_i target[i] log(target[i] / output[i])`` of probabilities, clipped to 1e-7 and 1.

    Targets (n, outputs) are from 0 to 1; the net ends in a softmax or a sigmoid.
    """

    name = "kl_divergence"
    kind = Kind.KL_DIVERGENCE

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' shares as the kernel reads them."""
        return targets.shares(argument, array, outputs, dtype)
