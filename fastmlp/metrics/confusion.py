"""Counts of true and false positives and negatives, and what is made of them."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.contract import OUT_OF_TOP_K, Op, Scalar
from ..kernels.contract import Metric as Kind
from ..losses import Loss
from ..runtime.arguments import integer, positive_integer, real_number, shown
from ..runtime.frozen import frozen
from ..runtime.lowering import Builder
from .base import Metric, Totals, ratio

Values = NDArray[np.float64]


class Counts(NamedTuple):
    """Sums of weights for each threshold, above which an output says yes."""

    true_positives: Values
    false_positives: Values
    true_negatives: Values
    false_negatives: Values

    @classmethod
    def of(cls, totals: Totals, levels: int) -> "Counts":
        """Return the counts that a row's totals (..., 2, levels + 1) stand for."""
        histograms = totals.reshape(*totals.shape[:-1], -1, 2, levels + 1)
        # Above the threshold k are those that are above more than k.
        above = histograms[..., ::-1].cumsum(axis=-1)[..., ::-1][..., 1:]
        both = histograms.sum(axis=-1, keepdims=True)
        positives, negatives = above[..., 1, :], above[..., 0, :]
        return cls(positives, negatives, both[..., 0, :] - negatives, both[..., 1, :] - positives)

    @property
    def precision(self) -> Values:
        """Of what is said to be, how much is."""
        share: Values = ratio(self.true_positives, self.true_positives + self.false_positives)
        return share

    @property
    def recall(self) -> Values:
        """Of what is, how much is said to be; the sensitivity."""
        share: Values = ratio(self.true_positives, self.true_positives + self.false_negatives)
        return share

    @property
    def specificity(self) -> Values:
        """Of what is not, how much is said not to be."""
        share: Values = ratio(self.true_negatives, self.true_negatives + self.false_positives)
        return share


@frozen
class _OfCounts(Metric):
    """A metric made of the counts for some thresholds.

    All outputs count alike, each as a sample of its own.  A target counts as positive if it is not
    0.
    """

    name: str = field(default="", kw_only=True)

    @property
    def levels(self) -> Sequence[float]:
        """The thresholds, in rising order."""
        raise NotImplementedError

    @property
    def _by_output(self) -> bool:
        """Whether each output has counts of its own."""
        return False

    @property
    def _selection(self) -> tuple[int | None, int | None]:
        """How many outputs count, and which."""
        return None, None

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        self._refuse_labels(loss)
        top_k, class_id = self._selection
        if class_id is not None and class_id >= builder.outputs:
            raise ValueError(
                f"metrics: the class_id of {self.name!r} is {class_id}, and the net has "
                f"{builder.outputs} outputs"
            )
        reals = {
            Scalar.ALPHA: top_k or 0,
            Scalar.BETA: -1 if class_id is None else class_id,
            Scalar.GAMMA: int(self._by_output),
        }
        totals = 2 * (len(self.levels) + 1) * (builder.outputs if self._by_output else 1)
        builder.judge(
            Op.METRIC, Kind.CONFUSION, self.name, reals=reals, totals=totals,
            thresholds=self.levels,
        )  # fmt: skip

    def result_of(self, totals: Totals, weight: float) -> float:
        """Return the metric's value, of what its row adds up to and the samples' weights do."""
        counts = Counts.of(totals, len(self.levels))
        return float(self.value_of(Counts(*(values.squeeze(0) for values in counts))))

    def value_of(self, counts: Counts) -> Any:
        """Return the metric's value, of the counts (levels,)."""
        raise NotImplementedError


def _checked_threshold(given: Any) -> float | None:
    """Return ``thresholds``, which may be a list of one."""
    if isinstance(given, (list, tuple)):
        if len(given) != 1:
            raise ValueError(
                "thresholds: expected a single number, for a figure of the history is one number; "
                f"give a metric for each, with names of their own; got {shown(given)}"
            )
        given = given[0]
    return None if given is None else real_number("thresholds", given)


def _checked_class(given: Any) -> int | None:
    if given is None:
        return None
    return integer("class_id", given, "the number of an output", 0)


@frozen
class _OfThreshold(_OfCounts):
    """A metric of one threshold, by default 0.5."""

    thresholds: float | None = None

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        self._set(thresholds=_checked_threshold(self.thresholds))

    @property
    def levels(self) -> Sequence[float]:
        """The thresholds, in rising order."""
        return [0.5 if self.thresholds is None else self.thresholds]


@frozen
class TruePositives(_OfThreshold):
    """The weight of the outputs above a threshold whose target is not 0.

    Parameters
    ----------
    thresholds : float, optional
        By default 0.5.
    name : str, optional, by keyword
    """

    better = "max"

    def value_of(self, counts: Counts) -> Any:
        """Return the metric's value, of the counts (levels,)."""
        return counts.true_positives[0]


@frozen
class FalsePositives(_OfThreshold):
    """The weight of the outputs above a threshold whose target is 0.

    Parameters
    ----------
    thresholds : float, optional
        By default 0.5.
    name : str, optional, by keyword
    """

    def value_of(self, counts: Counts) -> Any:
        """Return the metric's value, of the counts (levels,)."""
        return counts.false_positives[0]


@frozen
class TrueNegatives(_OfThreshold):
    """The weight of the outputs that are not above a threshold whose target is 0.

    Parameters
    ----------
    thresholds : float, optional
        By default 0.5.
    name : str, optional, by keyword
    """

    better = "max"

    def value_of(self, counts: Counts) -> Any:
        """Return the metric's value, of the counts (levels,)."""
        return counts.true_negatives[0]


@frozen
class FalseNegatives(_OfThreshold):
    """The weight of the outputs that are not above a threshold whose target is not 0.

    Parameters
    ----------
    thresholds : float, optional
        By default 0.5.
    name : str, optional, by keyword
    """

    def value_of(self, counts: Counts) -> Any:
        """Return the metric's value, of the counts (levels,)."""
        return counts.false_negatives[0]


@frozen
class _OfSelection(_OfThreshold):
    """A metric of one threshold, and of some of the outputs."""

    better = "max"

    top_k: int | None = None
    class_id: int | None = None

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        super().check()
        top_k = None if self.top_k is None else positive_integer("top_k", self.top_k)
        self._set(top_k=top_k, class_id=_checked_class(self.class_id))

    @property
    def levels(self) -> Sequence[float]:
        """The thresholds, in rising order."""
        if self.thresholds is None and self.top_k is not None:
            return [OUT_OF_TOP_K]
        return super().levels

    @property
    def _selection(self) -> tuple[int | None, int | None]:
        return self.top_k, self.class_id


@frozen
class Precision(_OfSelection):
    """Of the outputs that say yes, the share whose target is not 0; 0 if none says so.

    Parameters
    ----------
    thresholds : float, optional
        Above which an output says yes: by default 0.5, or with ``top_k`` any.
    top_k : int, positive, optional
        Only so many of a sample's outputs, the largest, may say yes.
    class_id : int, optional
        The output that alone counts.
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    def value_of(self, counts: Counts) -> Any:
        """Return the metric's value, of the counts (levels,)."""
        return counts.precision[0]


@frozen
class Recall(_OfSelection):
    """Of the outputs whose target is not 0, the share that says yes; 0 if there is none.

    Parameters
    ----------
    thresholds : float, optional
        Above which an output says yes: by default 0.5, or with ``top_k`` any.
    top_k : int, positive, optional
        Only so many of a sample's outputs, the largest, may say yes.
    class_id : int, optional
        The output that alone counts.
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    def value_of(self, counts: Counts) -> Any:
        """Return the metric's value, of the counts (levels,)."""
        return counts.recall[0]


@frozen
class _Constrained(_OfCounts):
    """The best of one share where another one is large enough, over evenly spaced thresholds."""

    better = "max"
    # Of Counts: which share is wanted, which must be large enough, and the argument that says how.
    wanted: ClassVar[str]
    limited: ClassVar[str]
    limit: ClassVar[str]

    num_thresholds: int = field(default=200, kw_only=True)
    class_id: int | None = field(default=None, kw_only=True)

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        count = positive_integer("num_thresholds", self.num_thresholds)
        self._set(num_thresholds=count, class_id=_checked_class(self.class_id))
        limit = getattr(self, self.limit)
        limit = real_number(self.limit, limit, "a number from 0 to 1", low=0, high=1)
        self._set(**{self.limit: limit})

    def value_of(self, counts: Counts) -> Any:
        """Return the metric's value, of the counts (levels,)."""
        allowed = getattr(counts, self.limited) >= getattr(self, self.limit)
        return getattr(counts, self.wanted)[allowed].max(initial=0)

    @property
    def levels(self) -> Sequence[float]:
        """The thresholds, in rising order."""
        if self.num_thresholds == 1:
            return [0.5]
        last = self.num_thresholds - 1
        return [0.0, *((i + 1) / last for i in range(last - 1)), 1.0]

    @property
    def _selection(self) -> tuple[int | None, int | None]:
        return None, self.class_id


@frozen
class SensitivityAtSpecificity(_Constrained):
    """The best sensitivity with a threshold for which the specificity is at least a number.

    Parameters
    ----------
    specificity : float, from 0 to 1
    num_thresholds : int, positive, by keyword
    class_id : int, optional, by keyword
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    wanted, limited, limit = "recall", "specificity", "specificity"

    specificity: float = 0.5


@frozen
class SpecificityAtSensitivity(_Constrained):
    """The best specificity with a threshold for which the sensitivity is at least a number.

    Parameters
    ----------
    sensitivity : float, from 0 to 1
    num_thresholds : int, positive, by keyword
    class_id : int, optional, by keyword
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    wanted, limited, limit = "specificity", "recall", "sensitivity"

    sensitivity: float = 0.5


@frozen
class PrecisionAtRecall(_Constrained):
    """The best precision with a threshold for which the recall is at least a number.

    Parameters
    ----------
    recall : float, from 0 to 1
    num_thresholds : int, positive, by keyword
    class_id : int, optional, by keyword
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    wanted, limited, limit = "precision", "recall", "recall"

    recall: float = 0.5


@frozen
class RecallAtPrecision(_Constrained):
    """The best recall with a threshold for which the precision is at least a number.

    Parameters
    ----------
    precision : float, from 0 to 1
    num_thresholds : int, positive, by keyword
    class_id : int, optional, by keyword
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    wanted, limited, limit = "recall", "precision", "precision"

    precision: float = 0.5
