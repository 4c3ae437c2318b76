"""Lowering: from layers and a loss to the tables that the kernels run.

Layers describe themselves to a :class:`Builder`, row by row; it knows none of them by name.  It
hands out :class:`Buffer` values, which say where a row's output lies: a layer gets the one of its
input, and returns the one of its output.  What comes out, a :class:`~fastmlp.runtime.plan.Plan`,
is plain data.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..kernels.contract import (
    FIRST_LOSS,
    FORMS,
    Coding,
    Column,
    Factor,
    Op,
    Reduction,
    Scalar,
    Tensor,
)
from ..regularizers import L1L2
from .plan import Codes, Plan
from .python_rows import PythonJudge, PythonLayer, PythonRows
from .tensors import Array, Shape, Slot, Vectors, Weight

# A scale within these bounds may be applied to the sums of the first product instead of to the
# samples.  Beyond them, samples that it brings to a usual size are themselves so large or so small
# that their sums leave the range of float32.
_MOVABLE_SCALE = 2.0**16

# What one row multiplies by or divides by at most, and adds at most: float32 holds it with all its
# digits.  A scale beyond it takes several rows.
LARGEST_FACTOR = 2.0**100

_COLUMNS, _SCALARS = tuple(Column), tuple(Scalar)


class Layout(Enum):
    """How the samples of a batch lie in a buffer."""

    SAMPLES_FIRST = "(n, features)"  # as in data sets
    FEATURES_FIRST = "(features, n)"


@dataclass(frozen=True)
class Buffer:
    """A place in the workspace, with so many features for each sample."""

    offset: int
    features: int
    layout: Layout = Layout.FEATURES_FIRST
    part: "Part | None" = None


class Last(NamedTuple):
    """An activation that a net may end in, as its row has it."""

    name: str
    op: Op
    kind: int = 0


class Part(NamedTuple):
    """That a buffer is only some columns of the samples, and where what they become is wanted."""

    first: int  # column
    y: Buffer  # which has room for what becomes of all columns
    place: int  # of these in it


class Param(NamedTuple):
    """A tensor that a row's kernel reads, as the layer must have declared it."""

    name: str
    shape: Shape
    transposed: bool = False


class Lowers(Protocol):
    """What a layer is to the builder."""

    name: str
    _weights: dict[str, Array]
    _home: Vectors | None
    _learns: bool
    activity_regularizer: L1L2 | None

    @property
    def declared(self) -> tuple[Weight, ...]: ...

    def _output_shape(self, input_shape: Shape) -> Shape: ...

    def _lower(self, builder: "Builder", x: Buffer) -> Buffer: ...


class Loss(Protocol):
    """What a loss is to the builder."""

    def lower(self, builder: "Builder") -> None: ...


LossT = TypeVar("LossT", bound=Loss, contravariant=True)


class Metric(Protocol[LossT]):
    """What a metric is to the builder."""

    def lower(self, builder: "Builder", loss: LossT) -> None: ...


@dataclass
class _Row:
    """A row in the making."""

    label: str
    columns: dict[Column, int]
    reals: dict[Scalar, float]
    changing: Callable[[], dict[Scalar, float]] | None = None


@dataclass
class _Current:
    """The layer that is being lowered: its place in the net, and its tensors."""

    name: str
    layer: object = ""  # for messages
    index: int = 0
    output_shape: Shape = ()
    slots: list[Slot] = field(default_factory=list)
    frozen: bool = False
    rows_have: int = 0  # so many of the tensors that are trained belong to rows already

    @property
    def trained(self) -> list[Slot]:
        """The tensors that are trained."""
        return [slot for slot in self.slots if slot.weight.trainable]


class Builder:
    """Collects the rows of a plan; each layer adds its own in ``lower``.

    Parameters
    ----------
    input_shape : tuple of int
    seed : int
        Of the layers that draw random numbers while training.

    Attributes
    ----------
    source : Buffer
        Where the samples are.
    shape : tuple of int
        Of what the layer that is being lowered gets, without the batch.
    always_learns : bool
        Whether the rows that are added run as in training, whatever the net does.
    """

    def __init__(self, input_shape: Shape, seed: int) -> None:
        self.shape = input_shape
        self.always_learns = False
        self._input_shape = input_shape
        self._seed = seed
        self._slots: list[Slot] = []
        self._sizes = {True: 0, False: 0}  # of what is trained, and of running statistics
        self._python_layers: dict[int, PythonRows] = {}
        self._thresholds: list[float] = []
        self._codes: list[Codes] = []
        self._python_judges: list[PythonJudge] = []
        self._rows: list[_Row] = []
        self.weighted = True  # whether what compares outputs with right answers weighs samples
        self._members = 1  # of an ensemble
        self._trainable = False  # whether anything so far has parameters
        self._layers = 0
        self._current = self._last = _Current("input")
        features = math.prod(input_shape)
        self._end = features
        self.source = Buffer(0, features, Layout.SAMPLES_FIRST)
        columns = {Column.OUTPUTS: features, Column.Y: 0, Column.ROWS: 1}
        self._append(Op.INPUT, "input", columns, {Scalar.SCALE: 1.0})

    def lower(self, layer: Lowers, x: Buffer) -> Buffer:
        """Let a layer add its rows, and return the buffer of its output."""
        outer, output_shape = self._current, layer._output_shape(self.shape)
        frozen = not layer._learns
        self._current = _Current(layer.name, layer, self._layers, output_shape, frozen=frozen)
        self._layers += 1
        for weight in layer.declared:
            self._current.slots.append(Slot(layer, weight, self._sizes[weight.trainable], frozen))
            self._sizes[weight.trainable] += weight.size
        self._slots += self._current.slots
        y = layer._lower(self, x)
        if 0 < self._current.rows_have < len(self._current.trained):
            raise self._other_tensors([])
        if layer.activity_regularizer is not None:
            self._penalize(y, layer.activity_regularizer)
        if y.features != math.prod(output_shape):
            raise ValueError(
                f"{layer!r}: output_shape says {output_shape}, but its kernel computes "
                f"{y.features} values"
            )
        self.shape = output_shape
        self._current, self._last = outer, self._current
        return y

    def row(
        self,
        op: Op,
        x: Buffer,
        features: int | None = None,
        *,
        params: Sequence[Param] = (),
        columns: dict[Column, int] | None = None,
        reals: dict[Scalar, float] | None = None,
        label: str | None = None,
        changing: Callable[[], dict[Scalar, float]] | None = None,
        into: Buffer | None = None,
    ) -> Buffer:
        """Add a row that reads ``x`` and writes a new buffer, and return that.

        Parameters
        ----------
        op : Op
        x : Buffer
        features : int, optional
            Of the output; by default as many as of the input.
        params : sequence of Param
            The layer's tensors, if they belong to this row.
        columns, reals : dict, optional
            What the operation reads beside that: see :mod:`fastmlp.kernels.contract`.
        label : str, optional
            By default the layer's name.
        changing : callable, optional
            Returns those of the ``reals`` that may change: it is asked before each epoch.
        into : Buffer, optional
            What it writes instead: memory that several rows share, and have no scratch behind.

        Raises
        ------
        ValueError
            If the layer has declared other tensors than ``params``, or other running statistics
            than the operation has.
        """
        form = FORMS[op]
        own = self._own_tensors(params)
        features = x.features if features is None else features
        if form.running:
            own[Column.RUNNING] = self._own_statistics((features,), form.running)
        y = into
        if y is None:
            layout = x.layout if form.keeps_layout else Layout.FEATURES_FIRST
            y = Buffer(self._end, features, layout)
            self._end += features + form.scratch.per_output * features + form.scratch.more
        fixed = {
            Column.INPUTS: x.features,
            Column.OUTPUTS: features,
            Column.X: x.offset,
            Column.Y: y.offset,
            Column.ROWS: int(x.layout is Layout.SAMPLES_FIRST),
            Column.INPUT_GRADIENT: int(self._trainable),
            Column.LEARNS: int(self.always_learns),
            Column.FROZEN: int(self._current.frozen),
            Column.MEMBERS: 1,
            Column.GROUPS: 1,
        }
        self._append(
            op, label or self._current.name, {**fixed, **own, **(columns or {})}, reals or {}
        )
        self._rows[-1].changing = changing
        if Column.SIZE in own and not self._current.frozen:
            self._trainable = self._trainable or own[Column.SIZE] > 0
        return y

    def have_members(self, members: int) -> None:
        """Let the net be an ensemble of so many members, as all its layers must say.

        Raises
        ------
        ValueError
            If another layer has said another number.
        """
        if members > 1 and self._members not in (1, members):
            raise ValueError(
                f"members: {self._current.layer!r} has {members}, and a layer before it "
                f"{self._members}; all that have members need as many"
            )
        self._members = max(self._members, members)

    def reserve(self, features: int, layout: Layout = Layout.SAMPLES_FIRST) -> Buffer:
        """Return new memory that no row but the layer's own knows of."""
        self._end += features
        return Buffer(self._end - features, features, layout)

    def start_of(self, name: str) -> int:
        """Return where a tensor of the layer begins in its flat vector, or -1 without one."""
        return next((s.start for s in self._current.slots if s.weight.name == name), -1)

    def random_key(self, seed: int | None) -> int:
        """Return a key for the layer's random numbers: by default one that no other layer has."""
        source = (
            np.random.SeedSequence(self._seed, spawn_key=(2, self._current.index))
            if seed is None
            else np.random.SeedSequence(seed)
        )
        return int(source.generate_state(1, np.uint64).view(np.int64)[0])

    def columns_row(
        self,
        op: Op,
        x: Buffer,
        features: int,
        limit: int | None = None,
        *,
        coding: Coding = Coding.PASS,
        params: Sequence[Param] = (),
    ) -> Buffer:
        """Add a row that reads columns of the samples; with a limit, whole numbers below it.

        Raises
        ------
        ValueError
            If ``x`` is not the samples, or columns of them, as they are.
        """
        reals = self._rows[0].reals
        is_source = (x.offset, x.layout) == (self.source.offset, self.source.layout)
        if not is_source or reals[Scalar.SCALE] != 1 or reals.get(Scalar.OFFSET, 0.0) != 0:
            raise ValueError(
                f"{self._current.layer!r} reads whole numbers from the samples themselves: "
                "put it first, or into Columns"
            )
        if limit is not None:
            first = 0 if x.part is None else x.part.first
            self._codes.append(Codes(self._current.name, first, x.features, limit))
        columns = {
            Column.INPUTS: self.source.features, Column.COLUMNS: x.features,
            Column.KIND: int(coding), Column.INPUT_GRADIENT: 0,
        }  # fmt: skip
        shared = None
        if x.part is not None:
            columns |= {Column.FIRST: x.part.first, Column.PLACE: x.part.place}
            shared = replace(x.part.y, features=features, part=x.part)
        return self.row(op, x, features, params=params, columns=columns, into=shared)

    def grouped_row(self, x: Buffer, y: Buffer, groups: int, params: Sequence[Param]) -> None:
        """Add a row with a matrix and a bias for each group of ``x``, to the beginning of ``y``.

        ``params`` are the matrices (groups, outputs of a group, inputs of a group), and the biases.
        """
        outputs = math.prod(params[1].shape)
        columns = {Column.GROUPS: groups, Column.BIAS: self.start_of(params[1].name)}
        self.row(Op.GROUPED_DENSE, x, outputs, params=params, columns=columns, into=y)

    def _penalize(self, y: Buffer, penalty: L1L2) -> None:
        """Add a penalty on what a layer gives, with no memory of its own."""
        columns = {
            Column.INPUTS: y.features, Column.OUTPUTS: y.features, Column.X: y.offset,
            Column.Y: y.offset, Column.ROWS: int(y.layout is Layout.SAMPLES_FIRST),
            Column.INPUT_GRADIENT: int(self._trainable),
        }  # fmt: skip
        if y.part is not None:
            columns[Column.PLACE] = y.part.place
        reals = {Scalar.ALPHA: penalty.l1, Scalar.BETA: penalty.l2}
        self._append(Op.ACTIVITY, f"{self._current.name}/activity", columns, reals)

    def along_batch(self, x: Buffer) -> Buffer:
        """Return ``x`` as (features, n), turned round if need be."""
        return self.row(Op.TRANSPOSE, x) if x.layout is Layout.SAMPLES_FIRST else x

    def fork(self, x: Buffer) -> int:
        """Begin a branch at ``x``, which is (features, n): what :meth:`join` ends."""
        both = {Column.INPUTS: x.features, Column.OUTPUTS: x.features}
        both |= {Column.X: x.offset, Column.Y: x.offset}
        columns = {**both, Column.INPUT_GRADIENT: int(self._trainable)}
        self._append(Op.FORK, self._current.name, columns, {})
        return len(self._rows) - 1

    def join(self, fork: int, x: Buffer, other: Buffer) -> Buffer:
        """End a branch: return ``x + other``, where ``other`` is what the branch began at."""
        y = self.row(Op.ADD, x, columns={Column.OTHER: other.offset})
        self._rows[fork].columns[Column.OTHER] = y.offset
        return y

    def rescale_source(self, x: Buffer, scale: float, offset: float) -> bool:
        """Make a rescaling part of reading the samples, if it is the first thing done to them."""
        if len(self._rows) > 1 or x != self.source:
            return False
        reals = self._rows[0].reals
        both = reals[Scalar.SCALE] * scale
        moved = reals.get(Scalar.OFFSET, 0.0) * scale + offset
        in_range = not both or 1 / LARGEST_FACTOR <= abs(both) <= LARGEST_FACTOR
        if not in_range or not abs(moved) <= LARGEST_FACTOR:
            return False
        reals[Scalar.SCALE], reals[Scalar.OFFSET] = both, moved
        return True

    def take_source_scale(self, x: Buffer) -> float:
        """Let the first row's product scale its sums, where the samples would only be scaled."""
        reals = self._rows[0].reals
        if len(self._rows) > 1 or x != self.source or reals.get(Scalar.OFFSET, 0.0) != 0:
            return 1.0
        scale = reals[Scalar.SCALE]
        if not 1 / _MOVABLE_SCALE <= abs(scale) <= _MOVABLE_SCALE:
            return 1.0
        reals[Scalar.SCALE] = 1.0
        return scale

    def python_row(self, layer: PythonLayer, x: Buffer) -> Buffer:
        """Add a row that calls ``layer.forward`` and ``layer.backward``."""
        shape = self._current.output_shape
        self._python_layers[self._current.index] = PythonRows(layer, self.shape, shape)
        params = [Param(w.name, w.shape, w.transposed) for w in layer.declared if w.trainable]
        return self.row(Op.CUSTOM, x, math.prod(shape), params=params)

    def end(self, y: Buffer) -> None:
        """Let the net end in ``y``: what follows compares that with the right answers."""
        self._current = self._last
        self._outputs = self.along_batch(y)
        last = self._rows[-1].columns
        if (last[Column.Y], last[Column.OUTPUTS]) != (self._outputs.offset, self.outputs):
            # Several rows have written it; predictions are read from one.
            self._outputs = self.row(Op.RESCALE, self._outputs, reals={Scalar.SCALE: 1.0})
        self._last_row = len(self._rows) - 1

    @property
    def outputs(self) -> int:
        """The number of values in one output of the net that has ended."""
        return self._outputs.features

    def ends_in(self, last: Last) -> bool:
        """Whether the last layer's last row is that activation.

        Raises
        ------
        ValueError
            If there is a penalty on its outputs, which a loss that has it built in does not see.
        """
        is_penalized = self._rows[self._last_row].columns[Column.OP] == Op.ACTIVITY
        columns = self._rows[self._last_row - is_penalized].columns
        found = columns[Column.OP] == last.op and columns.get(Column.KIND, 0) == last.kind
        if found and is_penalized:
            raise ValueError(
                f"activity_regularizer: a {last.name} that the loss is computed together with "
                "can't have one; regularize the layer before it"
            )
        return bool(found)

    def judge(
        self,
        op: Op,
        kind: int,
        label: str,
        *,
        reals: Mapping[Scalar, float] | None = None,
        built_in: Last | None = None,
        reduction: Reduction = Reduction.MEAN,
        python: PythonJudge | None = None,
        totals: int = 1,
        thresholds: Sequence[float] = (),
    ) -> None:
        """Add a row that compares the net's outputs with the right answers: a loss or a metric.

        ``reals`` are the numbers that its kernel reads; or ``python`` is what the row calls.
        A metric adds to so many ``totals``.
        If the net ends in an activation that the row has ``built_in``, it reads what that is
        computed from.  A loss comes before it in the plan then: the activation is run only to
        predict, and for metrics that read it.
        """
        place, x = len(self._rows), self._outputs.offset
        if built_in is not None and self.ends_in(built_in):
            x = self._rows[self._last_row].columns[Column.X]
            # A metric is never before the loss, which may read the activation.
            if op == Op.LOSS or self._rows[self._last_row - 1].columns[Column.OP] >= FIRST_LOSS:
                place = self._last_row
                self._last_row += 1
        columns = {Column.KIND: kind, Column.INPUTS: self.outputs, Column.X: x}
        columns |= {Column.WEIGHTED: int(self.weighted), Column.REDUCTION: reduction}
        scratch = FORMS[op].scratch.more
        columns[Column.Y] = self._end if scratch else 0
        self._end += scratch
        if op != Op.LOSS:
            columns[Column.TOTALS] = totals
            columns |= {Column.THRESHOLDS: len(self._thresholds), Column.LEVELS: len(thresholds)}
            self._thresholds += thresholds
        if python is not None:
            columns[Column.LAYER] = self._layers + len(self._python_judges)
            self._python_judges.append(python)
        self._append(op, label, columns, dict(reals or {}), place)

    def copy(self) -> "Builder":
        """Return a builder that goes on from here without a change to this one."""
        other = copy(self)
        other._rows = [replace(r, columns=dict(r.columns), reals=dict(r.reals)) for r in self._rows]
        other._slots, other._sizes = list(self._slots), dict(self._sizes)
        other._python_layers, other._codes = dict(self._python_layers), list(self._codes)
        other._thresholds, other._python_judges = [*self._thresholds], [*self._python_judges]
        return other

    def finish(self) -> Plan:
        """Return the plan."""
        rows = self._rows
        table = np.array([[row.columns.get(c, 0) for c in _COLUMNS] for row in rows], np.int64)
        reals = np.array([[row.reals.get(s, 0.0) for s in _SCALARS] for row in rows])
        table[0, Column.X] = self._end
        labels = [row.label for row in self._rows]
        python = {**self._python_layers, **dict(enumerate(self._python_judges, self._layers))}
        return Plan(
            table, reals, *self._tensor_tables(), np.array(self._thresholds), labels, self._slots,
            self._sizes[True], self._sizes[False], self._input_shape, self.shape, python,
            {r: row.changing for r, row in enumerate(self._rows) if row.changing is not None},
            tuple(self._codes),
        )  # fmt: skip

    def _tensor_tables(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the tables of the tensors; the optimizer may change rates and decays later."""
        slots = [slot for slot in self._slots if slot.weight.trainable]
        tensors = np.zeros((len(slots), len(Tensor)), dtype=np.int64)
        factors = np.zeros((len(slots), len(Factor)))
        for tensor, own, slot in zip(tensors, factors, slots, strict=True):
            weight = slot.weight
            tensor[Tensor.START], tensor[Tensor.SIZE] = slot.start, weight.size
            if slot.frozen:
                continue
            own[Factor.RATE] = own[Factor.DECAY] = 1
            if (penalty := weight.regularizer) is not None:
                own[Factor.L1], own[Factor.L2] = penalty.l1, penalty.l2
            if (constraint := weight.constraint) is not None:
                kind, *own[[Factor.LOWEST, Factor.HIGHEST, Factor.SHARE]] = constraint.form
                groups = constraint.groups(slot.name, weight.shape, transposed=weight.transposed)
                tensor[Tensor.CONSTRAINT] = kind
                tensor[Tensor.GROUP], tensor[Tensor.STRIDE] = groups
        return tensors, factors

    def _own_tensors(self, params: Sequence[Param]) -> dict[Column, int]:
        """Return the columns that say where ``params`` are, if there are any.

        Raises
        ------
        ValueError
            If the layer has declared others: a kernel would read them as what they are not.
        """
        if not params:
            return {}
        done = self._current.rows_have
        slots = self._current.trained[done : done + len(params)]
        if _params_of(slots) != list(params):
            raise self._other_tensors(params)
        self._current.rows_have += len(params)
        size = sum(slot.weight.size for slot in slots)
        first = [slot for slot in self._slots if slot.weight.trainable].index(slots[0])
        return {
            Column.WEIGHTS: slots[0].start, Column.SIZE: size,
            Column.FIRST_TENSOR: first, Column.STOP_TENSOR: first + len(slots),
        }  # fmt: skip

    def _other_tensors(self, params: Sequence[Param]) -> ValueError:
        """Return the error of a layer that has declared others than its rows read."""
        declared = _params_of(self._current.trained)
        read = [*declared[: self._current.rows_have], *params]
        return ValueError(
            f"{self._current.layer!r}: its kernel reads the weights "
            f"{[(name, shape) for name, shape, _ in read]}, but build declared "
            f"{[(name, shape) for name, shape, _ in declared]}; "
            "other weights need a forward and a backward of its own"
        )

    def _own_statistics(self, shape: Shape, count: int) -> int:
        """Return where the layer's running statistics are: so many, each of this shape.

        Raises
        ------
        ValueError
            If the layer has declared others.
        """
        slots = [slot for slot in self._current.slots if not slot.weight.trainable]
        if [slot.weight.shape for slot in slots] != [shape] * count:
            raise ValueError(
                f"{self._current.layer!r}: its kernel reads {count} running statistics of "
                f"shape {shape}, but build declared "
                f"{[(slot.weight.name, slot.weight.shape) for slot in slots]}"
            )
        return slots[0].start

    def _append(
        self,
        op: Op,
        label: str,
        columns: dict[Column, int],
        reals: dict[Scalar, float],
        place: int | None = None,
    ) -> None:
        own = {Column.BIAS: -1, Column.LAYER: self._current.index, **columns, Column.OP: op}
        place = len(self._rows) if place is None else place
        self._rows.insert(place, _Row(label, own, reals))


def _params_of(slots: Sequence[Slot]) -> list[Param]:
    """Return tensors as the rows' kernels know them."""
    return [Param(s.weight.name, s.weight.shape, s.weight.transposed) for s in slots]


def lower_layers(layers: Sequence[Lowers], input_shape: Shape, seed: int) -> Builder:
    """Return a builder with the rows of built layers, of a net that has ended.

    ``seed`` is that of the layers that draw random numbers while training.
    """
    builder = Builder(input_shape, seed)
    y = builder.source
    for layer in layers:
        y = builder.lower(layer, y)
    builder.end(y)
    return builder


def finish(net: Builder, loss: LossT | None, metrics: Sequence[tuple[Metric[LossT], bool]]) -> Plan:
    """Return the plan of a net that has ended, with a loss and metrics if there are any.

    With each metric comes whether it weighs samples.

    Raises
    ------
    ValueError
        If the loss or a metric does not fit the last layer.
    """
    builder = net.copy()
    if loss is not None:
        loss.lower(builder)
        for metric, builder.weighted in metrics:
            metric.lower(builder, loss)
    return builder.finish()
