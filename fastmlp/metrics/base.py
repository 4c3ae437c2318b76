"""What all metrics have, and what a user's own metric fills in."""

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ..kernels.contract import Metric as Kind
from ..kernels.contract import Op
from ..losses import Loss, snake_case
from ..runtime.arguments import is_real, shown
from ..runtime.configuration import Configurable
from ..runtime.frozen import frozen
from ..runtime.lowering import Builder
from ..runtime.python_rows import PythonMetric
from ..runtime.tensors import Array
from .alone import checked_batch, totals_of

Totals = NDArray[np.float64]


@frozen
class Metric(Configurable):
    """What all metrics share; use one of the classes of this module, or subclass it.

    A metric of your own has :meth:`update_state`, :meth:`result` and :meth:`reset_state`, as in
    Keras.  The net then runs in Python, layer by layer, with the same kernels for all the rest.

    Those of this module have them, too, for arrays that come from elsewhere: as in Keras,
    ``metric.update_state(y_true, y_pred)`` takes in a batch, ``metric.result()`` is the metric of
    all of them, and ``metric(y_true, y_pred)`` does both.  What a net that is compiled with the
    metric computes is apart from that.

    Parameters
    ----------
    name : str, optional
        What it is called in the history and in what is shown; by default as in Keras.

    Raises
    ------
    TypeError, ValueError
        If the name is none, or that of the loss.

    Examples
    --------
    >>> class WorstError(Metric):
    ...     def reset_state(self):
    ...         self.worst = 0.0
    ...
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.worst = max(self.worst, abs(y_pred - y_true).max())
    ...
    ...     def result(self):
    ...         return self.worst
    """

    default_name: ClassVar[str] = ""
    better: ClassVar[Literal["min", "max"]] = "min"  # whether smaller or larger values are better
    takes_labels: ClassVar[bool | None] = None  # None: either, as the loss does
    _taken_in = None  # the totals, and the sum of the weights, of batches outside of a net

    name: str = ""

    def __init_subclass__(cls, **options: Any) -> None:
        """Name a metric after its class, if it has no name of its own."""
        super().__init_subclass__(**options)
        if "default_name" not in vars(cls):
            cls.default_name = snake_case(cls.__name__)

    def __post_init__(self) -> None:
        if type(self) is Metric:
            raise TypeError("metrics: expected a class of fastmlp.metrics, got Metric itself")
        if not isinstance(self.name, str):
            raise TypeError(f"name: expected a string, got {shown(self.name)}")
        if self.name in ("loss", "data_loss") or self.name.startswith("val_"):
            raise ValueError(f"name: expected none that the history has, got {shown(self.name)}")
        self._set(name=self.name or self.default_name)
        self.check()

    def _set(self, **values: Any) -> None:
        """Set fields, as a frozen dataclass may do when it is made."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""

    @property
    def known_as(self) -> str | None:
        """The name that makes this very metric, if there is one."""
        from . import KNOWN

        kind = KNOWN.get(self.name)
        return self.name if kind is type(self) and kind(name=self.name) == self else None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch.

        Parameters
        ----------
        y_true : float array (n, outputs), or int64 array (n,) of labels
        y_pred : float array (n, outputs)
        sample_weight : float array (n,), optional
            A net gives them to ``weighted_metrics`` alone, and if samples have weights.

        Raises
        ------
        TypeError, ValueError
            If arrays do not fit together, or are not what the metric compares.
        """
        self._refuse_missing("update_state")
        right, outputs, weight = checked_batch(y_true, y_pred, sample_weight)
        totals = self._measure(right, outputs, weight)
        before, weights = self._taken_in or (np.zeros_like(totals), 0.0)
        if before.shape != totals.shape:
            raise ValueError("y_pred: expected as many outputs as in the batches before")
        self._set(_taken_in=(before + totals, weights + float(weight.sum())))

    def result(self) -> float:
        """Return the metric of all batches since the state was reset; 0 before the first."""
        self._refuse_missing("result")
        return self.result_of(*self._taken_in) if self._taken_in else 0.0

    def reset_state(self) -> None:
        """Forget all batches."""
        self._refuse_missing("reset_state")
        self._set(_taken_in=None)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Take in a batch, and return the metric of all batches since the state was reset."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def _measure(self, right: Array, outputs: Array, weight: Array) -> Totals:
        """Return what a batch adds to the totals, outside of a net."""
        return totals_of(self, right, outputs, weight, bool(self.takes_labels))

    def _refuse_missing(self, method: str) -> None:
        """Raise NotImplementedError in a class that has no kernel, and must have the method."""
        if type(self).lower is Metric.lower:
            raise NotImplementedError(f"{type(self).__name__}.{method} is missing")

    def lower(self, builder: Builder, loss: Loss) -> None:
        """Add the row that computes the metric, behind that of the loss.

        Raises
        ------
        ValueError
            If the metric does not fit the loss or the last layer.
        """
        python = PythonMetric(self)
        builder.judge(Op.METRIC, Kind.PYTHON, self.name, python=python)

    def result_of(self, totals: Totals, weight: float) -> float:
        """Return the metric's value, of what its row adds up to and the samples' weights do."""
        if not totals[0]:
            self.reset_state()
        value = self.result()
        if not is_real(value):
            raise TypeError(f"{self!r}.result: expected a number, got {shown(value)}")
        return float(value)

    def _refuse_labels(self, loss: Loss) -> None:
        if loss.sparse:
            raise ValueError(
                f"metrics: {self.name!r} compares with targets (n, outputs), and the loss "
                f"{loss.name!r} takes integer labels"
            )


@frozen
class Mean(Metric):
    """A metric that is a mean over the samples; use one of its subclasses."""

    def result_of(self, totals: Totals, weight: float) -> float:
        """Return the metric's value, of what its row adds up to and the samples' weights do."""
        return float(totals[0] / weight) if weight else 0.0


def ratio(part: Any, whole: Any) -> Any:
    """Return ``part / whole``, and 0 where that is 0 / 0, or anything over 0."""
    return np.divide(part, whole, out=np.zeros_like(whole, np.float64), where=whole != 0)
