"""The area under a curve, of counts at many thresholds."""

import math
from collections.abc import Sequence
from dataclasses import field
from functools import cached_property

import numpy as np

from ..losses import Loss
from ..runtime.arguments import integer, items, real_number, truth
from ..runtime.frozen import frozen
from ..runtime.lookup import by_name
from ..runtime.lowering import Builder
from .base import Totals, ratio
from .confusion import Counts, Values, _OfCounts

_EPSILON = 1e-7  # Keras'
_CURVES = {"ROC": "ROC", "PR": "PR", "PRGAIN": "PRGAIN"}
_METHODS = ("interpolation", "minoring", "majoring")


@frozen
class AUC(_OfCounts):
    """The area under a curve, summed over the counts at many thresholds, as in Keras.

    Parameters
    ----------
    num_thresholds : int, at least 2
        How many, evenly spaced from 0 to 1.
    curve : {"ROC", "PR", "PRGAIN"}
        The rate of true positives over that of false ones; precision over recall; or their gains
        (Flach & Kull, 2015).
    summation_method : {"interpolation", "minoring", "majoring"}
        How the curve goes from threshold to threshold; for "PR", "interpolation" is that of Davis &
        Goadrich, 2006.
    thresholds : sequence of float, optional, by keyword
        The thresholds between 0 and 1, which are added.
    multi_label : bool, by keyword
        Whether each output has an area of its own, and the metric is their mean; or all outputs
        are counted as one.
    num_labels : int, optional, by keyword
        With ``multi_label``: how many outputs there are.
    label_weights : sequence of float, optional, by keyword
        How much each output counts.
    from_logits : bool, by keyword
        Whether outputs are logits, of which thresholds are probabilities.
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    default_name = "auc"
    better = "max"

    num_thresholds: int = 200
    curve: str = "ROC"
    summation_method: str = "interpolation"
    thresholds: Sequence[float] | None = field(default=None, kw_only=True)
    multi_label: bool = field(default=False, kw_only=True)
    num_labels: int | None = field(default=None, kw_only=True)
    label_weights: Sequence[float] | None = field(default=None, kw_only=True)
    from_logits: bool = field(default=False, kw_only=True)

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        numbers = "a list of numbers"
        if self.thresholds is not None:
            given = items("thresholds", numbers, self.thresholds)
            kind = "numbers from 0 to 1"
            inner = sorted(real_number("thresholds", t, kind, low=0, high=1) for t in given)
            self._set(thresholds=tuple(inner), num_thresholds=len(inner) + 2)
        count = integer("num_thresholds", self.num_thresholds, "an integer of at least 2", 2)
        self._set(num_thresholds=count)
        by_name("curve", self.curve, _CURVES)
        by_name("summation_method", self.summation_method, {name: name for name in _METHODS})
        for name in ("multi_label", "from_logits"):
            self._set(**{name: truth(name, getattr(self, name))})
        if self.num_labels is not None:
            if not self.multi_label:
                raise ValueError("num_labels: needs multi_label=True")
            self._set(num_labels=integer("num_labels", self.num_labels, "a positive integer", 1))
        if self.label_weights is not None:
            weights = items("label_weights", numbers, self.label_weights)
            self._set(label_weights=tuple(real_number("label_weights", w) for w in weights))

    @cached_property
    def levels(self) -> Sequence[float]:
        """The thresholds, in rising order."""
        last = self.num_thresholds - 1
        inner: Sequence[float] = [(i + 1) / last for i in range(last - 1)]
        if self.thresholds is not None:
            inner = self.thresholds
        levels = [-_EPSILON, *inner, 1 + _EPSILON]
        return [_logit(level) for level in levels] if self.from_logits else levels

    @property
    def _by_output(self) -> bool:
        return self.multi_label or self.label_weights is not None

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        of_weights = None if self.label_weights is None else len(self.label_weights)
        for name, count in (("num_labels", self.num_labels), ("label_weights", of_weights)):
            if count is not None and count != builder.outputs:
                raise ValueError(
                    f"metrics: {self.name!r} has {name} for {count} outputs, and the net has "
                    f"{builder.outputs}"
                )
        super().lower(builder, loss)

    def result_of(self, totals: Totals, weight: float) -> float:
        """Return the metric's value, of what its row adds up to and the samples' weights do."""
        counts = Counts.of(totals, len(self.levels))
        weights = None if self.label_weights is None else np.array(self.label_weights)
        if not self.multi_label and weights is not None:
            counts = Counts(*(weights[None] @ values for values in counts))
            weights = None
        with np.errstate(invalid="ignore"):
            areas = self._area(counts)
        if weights is None:
            return float(areas.mean())
        return float(ratio(weights @ areas, weights.sum()))

    def _area(self, counts: Counts) -> Values:
        """Return the area of each row of the counts (outputs, levels)."""
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _interpolated(counts)
        x, y = self._points(counts)
        left, right = y[:, :-1], y[:, 1:]
        heights = {
            "interpolation": (left + right) / 2,
            "minoring": np.minimum(left, right),
            "majoring": np.maximum(left, right),
        }[self.summation_method]
        area: Values = ((x[:, :-1] - x[:, 1:]) * heights).sum(axis=1)
        return area

    def _points(self, counts: Counts) -> tuple[Values, Values]:
        """Return the curve's coordinates."""
        if self.curve == "ROC":
            rates = counts.false_positives + counts.true_negatives
            return ratio(counts.false_positives, rates), counts.recall
        if self.curve == "PR":
            return counts.recall, counts.precision
        hits = counts.true_positives
        scale = ratio(hits + counts.false_negatives, counts.true_negatives + counts.false_positives)
        recall = np.where(hits == 0, 0, 1 - scale * ratio(counts.false_negatives, hits))
        precision = np.where(hits == 0, 1, 1 - scale * ratio(counts.false_positives, hits))
        return np.maximum(recall, 0), precision


def _logit(share: float) -> float:
    """Return the logit of a probability, infinite beyond those."""
    if 0 < share < 1:
        return math.log(share / (1 - share))
    return -math.inf if share <= 0 else math.inf


def _interpolated(counts: Counts) -> Values:
    """Return the area below precision over recall: between thresholds, both grow evenly."""
    hits, said = counts.true_positives, counts.true_positives + counts.false_positives
    more_hits, more_said = hits[:, :-1] - hits[:, 1:], said[:, :-1] - said[:, 1:]
    slope = ratio(more_hits, np.maximum(more_said, 0))
    start = hits[:, 1:] - slope * said[:, 1:]
    both = (said[:, :-1] > 0) & (said[:, 1:] > 0)
    growth = np.where(both, ratio(said[:, :-1], np.maximum(said[:, 1:], 0)), 1)
    whole = np.maximum(hits[:, 1:] + counts.false_negatives[:, 1:], 0)
    area: Values = ratio(slope * (more_hits + start * np.log(growth)), whole).sum(axis=1)
    return area
