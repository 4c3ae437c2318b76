"""F-scores: means of precision and recall."""

from dataclasses import field

import numpy as np

from ..kernels.contract import Metric as Kind
from ..kernels.contract import Op, Scalar
from ..losses import Loss
from ..runtime.arguments import real_number
from ..runtime.frozen import frozen
from ..runtime.lookup import by_name
from ..runtime.lowering import Builder
from .base import Metric, Totals

_EPSILON = 1e-7  # Keras'
_AVERAGES = {name: name for name in ("micro", "macro", "weighted")}


@frozen
class FBetaScore(Metric):
    """``(1 + b^2) precision recall / (b^2 precision + recall)`` of each class, averaged.

    Parameters
    ----------
    average : {"macro", "micro", "weighted"}
        Over the classes: their mean; the score of all answers together; or their mean, each class
        counted by its samples.  (Keras returns the scores of all classes by default; a figure of
        the history is one number.)
    beta : float, positive
        How much more recall counts than precision.
    threshold : float, above 0 and up to 1, optional
        Above which an output says yes; by default the largest output of a sample does.
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    default_name = "fbeta_score"
    better = "max"

    name: str = field(default="", kw_only=True)
    average: str = "macro"
    beta: float = 1.0
    threshold: float | None = None

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        by_name("average", self.average, _AVERAGES)
        self._set(beta=real_number("beta", self.beta, "a positive number", low=1e-30))
        if self.threshold is not None:
            kind = "a number above 0, and up to 1"
            found = real_number("threshold", self.threshold, kind, low=1e-30, high=1)
            self._set(threshold=found)

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        self._refuse_labels(loss)
        reals = {Scalar.ALPHA: self.threshold or 0.0, Scalar.BETA: int(self.threshold is None)}
        builder.judge(Op.METRIC, Kind.YES, self.name, reals=reals, totals=3 * builder.outputs)

    def result_of(self, totals: Totals, weight: float) -> float:
        """Return the metric's value, of what its row adds up to and the samples' weights do."""
        hits, false_alarms, misses = totals.reshape(3, -1)
        if self.average == "micro":
            hits, false_alarms, misses = (
                np.array([values.sum()]) for values in (hits, false_alarms, misses)
            )
        precision = hits / (hits + false_alarms + _EPSILON)
        recall = hits / (hits + misses + _EPSILON)
        square = self.beta**2
        scores = precision * recall / (square * precision + recall + _EPSILON) * (1 + square)
        if self.average == "weighted":
            found = hits + misses
            return float((scores * (found / (found.sum() + _EPSILON))).sum())
        return float(scores.mean())


@frozen
class F1Score(FBetaScore):
    """``2 precision recall / (precision + recall)`` of each class, averaged.

    Parameters
    ----------
    average : {"macro", "micro", "weighted"}
        As of :class:`FBetaScore`; in Keras it is None by default.
    threshold : float, above 0 and up to 1, optional
        Above which an output says yes; by default the largest output of a sample does.
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    default_name = "f1_score"

    beta: float = field(default=1.0, init=False)
