"""The figures of an epoch, or of an evaluation: means, by the names that the history has."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..kernels.contract import Total
from .engine import Engine
from .shown import Shown

_COMMON = len(Total)  # those that every net has


def figures_of(
    engine: Engine, totals: NDArray[np.float64], metrics: Sequence[Shown]
) -> dict[str, float]:
    """Return the means that totals stand for; ``data_loss`` only where it is not ``loss``.

    ``metrics`` are those of the net, in the order in which they are wanted.
    """
    common = totals[:_COMMON].tolist()  # Python's numbers are sooner divided
    samples = max(common[Total.SAMPLES], 1.0)
    figures = {"loss": (common[Total.LOSS] + common[Total.PENALTY]) / samples}
    for metric, is_weighted in metrics:
        weight = common[Total.WEIGHTS] if is_weighted else samples
        figures[metric.name] = metric.result_of(totals[engine.plan.metrics[metric.name]], weight)
    if engine.plan.is_penalized:
        figures["data_loss"] = common[Total.LOSS] / samples
    return figures
