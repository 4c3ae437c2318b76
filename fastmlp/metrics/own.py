"""A user's function as a metric."""

from collections.abc import Callable
from dataclasses import field
from typing import Any

import numpy as np

from ..kernels.contract import Metric as Kind
from ..kernels.contract import Op
from ..losses import Loss
from ..runtime.frozen import frozen
from ..runtime.lowering import Builder
from ..runtime.python_rows import PythonMean
from ..runtime.tensors import Array
from .base import Metric, Totals


@frozen
class MeanMetricWrapper(Metric):
    """The mean over the samples of what a function of your own makes of them.

    A function can be given without this: it is shown under its name then.

    Parameters
    ----------
    fn : function
        Of ``y_true`` (n, outputs), or (n,) integer labels, and ``y_pred`` (n, outputs), NumPy
        arrays; returns an array of which each entry, or row, belongs to a sample, or a number for
        the batch, which counts as one.
    name : str, optional, by keyword
        By default the function's.

    Raises
    ------
    TypeError
        If it is no function.
    """

    default_name = ""

    name: str = field(default="", kw_only=True)
    fn: Callable[[Any, Any], Any] | None = None

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        if not callable(self.fn):
            raise TypeError(f"fn: expected a function of y_true and y_pred, got {self.fn!r}")
        self._set(name=self.name or getattr(self.fn, "__name__", type(self.fn).__name__))

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss."""
        assert self.fn is not None
        python = PythonMean(self.fn)
        builder.judge(Op.METRIC, Kind.PYTHON, self.name, python=python, totals=2)

    def _measure(self, right: Array, outputs: Array, weight: Array) -> Totals:
        """Return what a batch adds to the totals, outside of a net."""
        assert self.fn is not None
        totals = np.zeros(2)
        PythonMean(self.fn).update(right, outputs, weight, totals)
        return totals

    def result_of(self, totals: Totals, weight: float) -> float:
        """Return the metric's value, of what its row adds up to."""
        return float(totals[0] / totals[1]) if totals[1] else 0.0
