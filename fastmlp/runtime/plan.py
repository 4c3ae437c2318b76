"""Plans: a lowered net as tables of numbers, which is all that the kernels see.

What the rows of the tables mean is the business of :mod:`fastmlp.kernels.contract`, of the lowering
that writes them, of the kernels, and of the views in here: nobody else reads a row.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.contract import FIRST_LOSS, FORMS, Column, Factor, Loss, Op, Scalar, Total
from .python_rows import PythonJudge, PythonRows
from .tensors import Array, Shape, Slot

# With a kink where an error or a margin is 0, or an output is as small as outputs are taken for.
_BENT_LOSSES = (
    Loss.MEAN_ABSOLUTE_ERROR, Loss.MEAN_ABSOLUTE_PERCENTAGE_ERROR, Loss.HINGE,
    Loss.CATEGORICAL_HINGE, Loss.QUANTILE, Loss.KL_DIVERGENCE, Loss.MEAN_SQUARED_LOGARITHMIC_ERROR,
)  # fmt: skip


class Codes(NamedTuple):
    """Columns of the samples that must hold whole numbers below a limit."""

    layer: str
    first: int
    columns: int
    limit: int


@dataclass(frozen=True)
class Plan:
    """A lowered net.

    Attributes
    ----------
    table, reals : int64 and float64 arrays with a row per operation
        See :mod:`fastmlp.kernels.contract`.
    tensors, factors : int64 and float64 arrays with a row per tensor of the parameters
    thresholds : float64 array
        Those of all metrics.
    labels : list of str
        A name for each row.
    all_slots : list of Slot
        The tensors, in the order of ``get_weights``.
    size : int
        The length of the parameter vector.
    running_size : int
        That of the vector of running statistics.
    input_shape, output_shape : tuple of int
    python_layers : dict
        What is written in Python, by the layer index of its row: the layers of the CUSTOM rows,
        and, with indices beyond those of layers, a loss and metrics.
    changing : dict
        By row, what returns those of its ``reals`` that may change between two epochs.
    codes : tuple of Codes
        Which columns of the samples must be whole numbers.
    """

    table: NDArray[np.int64]
    reals: NDArray[np.float64]
    tensors: NDArray[np.int64]
    factors: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    labels: list[str]
    all_slots: list[Slot]
    size: int
    running_size: int
    input_shape: Shape
    output_shape: Shape
    python_layers: dict[int, PythonRows | PythonJudge]
    changing: dict[int, Callable[[], dict[Scalar, float]]]
    codes: tuple[Codes, ...] = ()

    def refresh(self) -> None:
        """Take over what layers have changed about themselves."""
        for r, numbers in self.changing.items():
            for scalar, number in numbers().items():
                self.reals[r, scalar] = number

    @cached_property
    def slots(self) -> list[Slot]:
        """The tensors that are trained, in the order of the parameter vector."""
        return [slot for slot in self.param_slots if not slot.frozen]

    @cached_property
    def param_slots(self) -> list[Slot]:
        """The tensors of the parameter vector, frozen ones among them, in its order."""
        return [slot for slot in self.all_slots if slot.weight.trainable]

    @property
    def features(self) -> int:
        """The workspace's size for one sample, of one member."""
        return int(self.table[0, Column.X])

    @cached_property
    def always_learns(self) -> bool:
        """Whether a row runs as in training also when the net predicts."""
        return bool(self.table[:, Column.LEARNS].any())

    @cached_property
    def members(self) -> int:
        """How many members it has, if it is an ensemble: see :mod:`.members`."""
        return int(self.table[:, Column.MEMBERS].max())

    @cached_property
    def is_penalized(self) -> bool:
        """Whether a tensor, or what a layer gives, has a regularizer."""
        on_activity = (self.table[:, Column.OP] == Op.ACTIVITY).any()
        return bool(self.factors[:, [Factor.L1, Factor.L2]].any() or on_activity)

    @property
    def last_metric(self) -> tuple[int, NDArray[np.float64], int]:
        """Of a plan that ends in a metric's row: its kind, its numbers, and how many totals."""
        row = self.table[-1]
        return int(row[Column.KIND]), self.reals[-1], int(row[Column.TOTALS])

    @property
    def has_hidden_kinks(self) -> bool:
        """Whether there may be kinks elsewhere than in the activations that the kernels know."""
        losses = self.table[self.table[:, Column.OP] == Op.LOSS]
        return bool(self.python_layers or np.isin(losses[:, Column.KIND], _BENT_LOSSES).any())

    @property
    def connections(self) -> int:
        """The number of multiplications in one sample's way forward through the dense layers."""
        dense = self.table[np.isin(self.table[:, Column.OP], (Op.DENSE, Op.GROUPED_DENSE))]
        return int((dense[:, Column.INPUTS] // dense[:, Column.GROUPS]) @ dense[:, Column.OUTPUTS])

    @cached_property
    def outputs(self) -> int:
        """The number of values in one output."""
        return math.prod(self.output_shape)

    @property
    def observed_rows(self) -> list[str | None]:
        """What telemetry calls each row, None where it does not measure."""
        names: list[str | None] = [None] * len(self.labels)
        for r, (label, row) in enumerate(zip(self.labels, self.table, strict=True)):
            if row[Column.OP] >= FIRST_LOSS:
                break
            if _learns(row) or row[Column.OP] == Op.ACTIVATION:
                names[r] = label
        return names

    @cached_property
    def metrics(self) -> dict[str, slice]:
        """Where the engine adds up each metric, by name."""
        rows = np.flatnonzero(self.table[:, Column.OP] > Op.LOSS)
        stops = len(Total) + np.cumsum(self.table[rows, Column.TOTALS])
        starts = stops - self.table[rows, Column.TOTALS]
        return {
            self.labels[r]: slice(int(start), int(stop))
            for r, start, stop in zip(rows, starts, stops, strict=True)
        }

    @cached_property
    def totals(self) -> int:
        """How many numbers the engine adds up."""
        judges = self.table[:, Column.OP] > Op.LOSS
        return len(Total) + int(self.table[judges, Column.TOTALS].sum())

    @property
    def last_label(self) -> str:
        """The label of the loss, or of a softmax that it has built in."""
        ops = self.table[:, Column.OP]
        return self.labels[int(np.flatnonzero(ops <= Op.LOSS)[-1])]

    @property
    def labels_above(self) -> dict[str, list[str]]:
        """What lies between each row with parameters and the next one, or the loss, by label."""
        above: dict[str, list[str]] = {}
        current: list[str] = []
        for row, label in zip(self.table, self.labels, strict=True):
            if _learns(row):
                current = above[label] = []
            else:
                current.append(label)
            if row[Column.OP] >= FIRST_LOSS:
                break
        return above

    def largest_factors(self, values: Array, n: int) -> Array:
        """Return the largest number that each parameter is multiplied with in a batch, or 1.

        ``values`` is a workspace that holds the batch's ``n`` samples.  It is 1 also where there is
        no product, or only zeros in it.
        """
        factors = np.ones(self.size)
        for row, reals in zip(self.table, self.reals, strict=True):
            if row[Column.OP] not in (Op.DENSE, Op.GROUPED_DENSE):
                continue
            inputs, outputs, groups = (
                row[c] for c in (Column.INPUTS, Column.OUTPUTS, Column.GROUPS)
            )
            x = self._buffer(values, row[Column.X], inputs, n)
            x = x.reshape(n, inputs).T if row[Column.ROWS] else x.reshape(inputs, n)
            largest = np.abs(reals[Scalar.SCALE] * x).max(axis=1)
            largest[largest == 0] = 1
            of_outputs = np.repeat(largest.reshape(groups, -1), outputs // groups, axis=0)
            factors[row[Column.WEIGHTS] :][: of_outputs.size] = of_outputs.ravel()
        return factors

    def activations(self, values: Array, n: int) -> list[tuple[str, Array]]:
        """Return what a batch of ``n`` samples has behind each activation, with the row's label."""
        return [
            (label, self._buffer(values, row[Column.Y], row[Column.OUTPUTS], n).reshape(-1, n))
            for row, label in zip(self.table, self.labels, strict=True)
            if row[Column.OP] in (Op.ACTIVATION, Op.MIXED_ACTIVATION)
        ]

    def first_not_finite(self, params: Array, values: Array, n: int) -> tuple[str, str]:
        """Return the label of the first row with weights or outputs that are not finite.

        With it comes what that is, in words; of the last row, if it is the loss itself.
        """
        for row, label in zip(self.table[1:], self.labels[1:], strict=True):
            if row[Column.OP] >= FIRST_LOSS:
                break
            if not np.isfinite(params[row[Column.WEIGHTS] :][: row[Column.SIZE]]).all():
                return label, f"the weights of {label!r}"
            place = row[Column.PLACE]
            y = self._buffer(values, row[Column.Y], place + row[Column.OUTPUTS], n)
            if not np.isfinite(y[place * n :]).all():
                return label, f"the outputs of {label!r}"
        return self.last_label, "the loss itself"

    def check_numbers(self, dtype: np.dtype[Any]) -> None:
        """Raise ValueError if a layer's number, such as an offset, is too large for a dtype."""
        largest = np.finfo(dtype).max
        if not any(_exceeds(numbers, largest) for numbers in (self.reals, self.factors)):
            return
        names = [f"{slot.name} penalty" for slot in self.param_slots]
        for labels, numbers, kinds in (
            (self.labels, self.reals, (Scalar.ALPHA, Scalar.BETA, Scalar.SCALE, Scalar.OFFSET)),
            (names, self.factors, (Factor.L1, Factor.L2)),
        ):
            for kind in kinds:
                for r in np.flatnonzero(np.abs(numbers[:, kind]) > largest):
                    raise ValueError(
                        f"layers: the {kind.name.lower()} of {labels[r]!r}, "
                        f"{numbers[r, kind]}, does not fit {dtype}; take another dtype"
                    )

    def _buffer(self, values: Array, offset: int, features: int, n: int) -> Array:
        """Return what a batch of ``n`` samples has in a buffer, flat."""
        capacity = values.size // self.features
        return values[offset * capacity :][: features * n]


def _exceeds(numbers: NDArray[np.float64], largest: float) -> bool:
    return bool(numbers.size and np.abs(numbers).max() > largest)


def _learns(row: NDArray[np.int64]) -> bool:
    """Whether a row has weights that are trained."""
    has_weights = FORMS[Op(row[Column.OP])].weights and row[Column.SIZE]
    return bool(has_weights and not row[Column.FROZEN])
