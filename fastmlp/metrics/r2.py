"""How much of the variance of targets a net explains."""

from dataclasses import field

import numpy as np

from ..kernels.contract import Metric as Kind
from ..kernels.contract import Op
from ..losses import Loss
from ..runtime.frozen import frozen
from ..runtime.lookup import by_name
from ..runtime.lowering import Builder
from .base import Metric, Totals

_AGGREGATIONS = {name: name for name in ("uniform_average", "variance_weighted_average")}


@frozen
class R2Score(Metric):
    """``1 - sum (target - output)^2 / sum (target - mean target)^2``, averaged over the outputs.

    Parameters
    ----------
    class_aggregation : {"uniform_average", "variance_weighted_average"}
        The mean over the outputs, or each counted by the variance of its targets.
    name : str, optional, by keyword

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    default_name = "r2_score"
    better = "max"

    name: str = field(default="", kw_only=True)
    class_aggregation: str = "uniform_average"

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        by_name("class_aggregation", self.class_aggregation, _AGGREGATIONS)

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        self._refuse_labels(loss)
        builder.judge(Op.METRIC, Kind.SQUARES, self.name, totals=3 * builder.outputs)

    def result_of(self, totals: Totals, weight: float) -> float:
        """Return the metric's value, of what its row adds up to and the samples' weights do."""
        sums, squares, errors = totals.reshape(3, -1)
        with np.errstate(divide="ignore", invalid="ignore"):
            variances = squares - sums * (sums / weight)
            scores = 1 - errors / variances
            scores = np.where(np.isinf(scores), 0, scores)
            if self.class_aggregation == "uniform_average":
                return float(scores.mean())
            return float((variances * scores).sum() / variances.sum())
