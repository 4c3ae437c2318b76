"""Lowering: from a list of layers to the table that the kernels run.

This is the only corridor between the two.  What comes out, a :class:`Plan`, is plain data.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import activations, losses
from .arguments import check_memory, shape_of, shown
from .attributes import assign
from .kernels.contract import FEW_OUTPUTS, Column, Op, Scalar
from .layers.base import Array, Layer, Shape, Weight, runs_in_python
from .layers.shape import Input

# A scale within these bounds may be applied to the sums of the first product instead of to the
# samples.  Beyond them, samples that it brings to a usual size are themselves so large or so small
# that their sums leave the range of float32.
_MOVABLE_SCALE = 2.0**16

# What one row multiplies by or divides by at most, and adds at most: float32 holds it with all its
# digits.  A scale beyond it takes several rows.
_LARGEST_FACTOR = 2.0**100


@dataclass(frozen=True)
class Slot:
    """Where one tensor lies in the flat parameter vector."""

    layer: Layer
    weight: Weight
    start: int

    def view(self, vector: Array) -> Array:
        """Return the tensor in its users' shape, as a view of the flat vector."""
        shape = self.weight.shape
        flat = vector[self.start : self.start + math.prod(shape)]
        return flat.reshape(shape[::-1]).T if self.weight.transposed else flat.reshape(shape)


@dataclass
class PythonRows:
    """A layer written in Python, as the walk calls it: with samples as flat rows."""

    layer: Layer
    input_shape: Shape
    output_shape: Shape

    def forward_rows(self, x: Array, training: bool) -> Array:
        found = self.layer.forward(_read_only(x.reshape(-1, *self.input_shape)), training)
        y = self._expect("forward", "outputs", found, (len(x), *self.output_shape))
        return y.reshape(len(x), -1)

    def backward_rows(self, dy: Array, dparams: Array) -> Array:
        found = self.layer.backward(_read_only(dy.reshape(-1, *self.output_shape)))
        if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[1], Mapping):
            raise TypeError(f"{self.layer!r}.backward: expected dL/dx and a dict of gradients")
        gradients = found[1]
        dx = self._expect("backward", "dL/dx", found[0], (len(dy), *self.input_shape))
        declared = self.layer.declared
        for name in gradients:
            if name not in [weight.name for weight in declared]:
                raise ValueError(f"{self.layer!r}.backward: a gradient for {name!r}, no weight")
        start = 0
        for weight in declared:
            if weight.name not in gradients:
                raise ValueError(f"{self.layer!r}.backward: no gradient for {weight.name!r}")
            given = gradients[weight.name]
            gradient = self._expect("backward", f"dL/d{weight.name}", given, weight.shape)
            flat = (gradient.T if weight.transposed else gradient).ravel()
            dparams[start : start + flat.size] = flat
            start += flat.size
        return dx.reshape(len(dy), -1)

    def _expect(self, method: str, what: str, given: object, shape: Shape) -> Array:
        array = np.asarray(given)
        if array.dtype.kind not in "fiub" or np.ma.is_masked(given):
            kind = "masked values" if np.ma.is_masked(given) else f"dtype {array.dtype}"
            raise TypeError(f"{self.layer!r}.{method}: expected {what} in real numbers, got {kind}")
        if array.shape != shape:
            raise ValueError(
                f"{self.layer!r}.{method}: expected {what} of shape {shape}, got {array.shape}"
            )
        return array


def _read_only(array: Array) -> Array:
    """Return a view that a user's code cannot write into: the memory is the net's own."""
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True)
class Plan:
    """A lowered net.

    Attributes
    ----------
    table, reals : int64 and float64 arrays with a row per operation
        See :mod:`fastmlp.kernels.contract`.
    labels : list of str
        A name for each row.
    slots : list of Slot
        The tensors, in the order of the parameter vector and of ``get_weights``.
    size : int
        The length of the parameter vector.
    input_shape, output_shape : tuple of int
    python_layers : dict
        The layers of the CUSTOM rows, by layer index.
    """

    table: NDArray[np.int64]
    reals: NDArray[np.float64]
    labels: list[str]
    slots: list[Slot]
    size: int
    input_shape: Shape
    output_shape: Shape
    python_layers: dict[int, PythonRows]

    @property
    def features(self) -> int:
        """The workspace's size for one sample."""
        return int(self.table[0, Column.X])

    @cached_property
    def is_penalized(self) -> bool:
        """Whether a tensor has a regularizer."""
        return bool((self.table[:, Column.OP] == Op.PENALTY).any())

    @property
    def connections(self) -> int:
        """The number of multiplications in one sample's way forward through the dense layers."""
        dense = self.table[self.table[:, Column.OP] == Op.DENSE]
        return int(dense[:, Column.INPUTS] @ dense[:, Column.OUTPUTS])

    @cached_property
    def outputs(self) -> int:
        """The number of values in one output."""
        return math.prod(self.output_shape)

    def check_numbers(self, dtype: np.dtype[Any]) -> None:
        """Raise ValueError if a layer's number, such as an offset, is too large for a dtype."""
        for scalar in (Scalar.ALPHA, Scalar.SCALE, Scalar.OFFSET, Scalar.L1, Scalar.L2):
            too_large = np.abs(self.reals[:, scalar]) > np.finfo(dtype).max
            for r in np.flatnonzero(too_large):
                raise ValueError(
                    f"layers: the {scalar.name.lower()} of {self.labels[r]!r}, "
                    f"{self.reals[r, scalar]}, does not fit {dtype}; take another dtype"
                )


class Builder:
    """Collects the rows of a plan; each layer adds its own in ``lower``."""

    def __init__(self, input_shape: Shape, seed: int) -> None:
        self.shape = input_shape
        self.seed = seed
        self.layer: Layer = Input(input_shape)
        self.layer_index = 0
        self.slots: list[Slot] = []
        self.size = 0
        self.python_layers: dict[int, PythonRows] = {}
        self._next_shape = input_shape
        self._rows: list[dict[Column, int]] = []
        self._reals: list[dict[Scalar, float]] = []
        self._labels: list[str] = []
        self._as_rows = True  # samples are (n, features) up to the first dense layer
        self._trainable = False  # whether anything so far has parameters
        self._x = 0
        features = math.prod(input_shape)
        self._end = features
        self._append(
            Op.INPUT, "input", {Column.OUTPUTS: features, Column.Y: 0, Column.ROWS: 1},
            {Scalar.SCALE: 1.0},
        )  # fmt: skip

    def add(self, index: int, layer: Layer) -> None:
        """Lower one layer."""
        self.layer_index, self.layer = index, layer
        self._next_shape = output_shape_of(layer, self.shape)
        start = self.size
        for weight in layer.declared:
            self.slots.append(Slot(layer, weight, self.size))
            self.size += math.prod(weight.shape)
        self._own_start = start
        if runs_in_python(layer):
            self.custom(layer)
        else:
            layer.lower(self)
        if self._width != int(np.prod(self._next_shape)):
            raise ValueError(
                f"{layer!r}: output_shape says {self._next_shape}, but its kernel computes "
                f"{self._width} values"
            )
        self.shape = self._next_shape

    def dense(self, units: int, use_bias: bool) -> None:
        """Add a DENSE row for the layer's declared kernel and bias."""
        inputs, start = self._width, self._own_start
        self._expect_declared(
            ("kernel", (inputs, units), True), *[("bias", (units,), False)] * use_bias
        )
        if self._as_rows:
            x_rows = self._x
        elif units > FEW_OUTPUTS:
            x_rows = self._end
            self._end += inputs
        else:
            x_rows = -1
        self._operation(
            Op.DENSE, units, {
                Column.WEIGHTS: start,
                Column.BIAS: start + inputs * units if use_bias else -1,
                Column.SIZE: self.size - start,
                Column.X_ROWS: x_rows,
            },
            {Scalar.SCALE: self._take_scale()},
        )  # fmt: skip
        self._as_rows = False
        self._trainable = True
        self._penalties()

    def _expect_declared(self, *expected: tuple[str, Shape, bool]) -> None:
        """Raise ValueError unless the layer declared just what a kernel reads."""
        declared = [(w.name, w.shape, w.transposed) for w in self.layer.declared]
        if declared != list(expected):
            raise ValueError(
                f"{self.layer!r}: its kernel reads the weights "
                f"{[(name, shape) for name, shape, _ in expected]}, but build declared "
                f"{[(name, shape) for name, shape, _ in declared]}; "
                "other weights need a forward and a backward of its own"
            )

    def _take_scale(self) -> float:
        """Let the first row's product scale its sums, where the samples would only be scaled."""
        if len(self._rows) > 1 or self._reals[0].get(Scalar.OFFSET, 0.0) != 0:
            return 1.0
        scale = self._reals[0][Scalar.SCALE]
        if not 1 / _MOVABLE_SCALE <= abs(scale) <= _MOVABLE_SCALE:
            return 1.0
        self._reals[0][Scalar.SCALE] = 1.0
        return scale

    def activation(self, activation: activations.Activation) -> None:
        """Add an ACTIVATION or a SOFTMAX row; for ``linear``, nothing."""
        label = f"{self.layer.name}/{activation.name}"
        if activation.name == "softmax":
            self._along_batch()
            self._operation(Op.SOFTMAX, self._width, {}, label=label)
            self._end += 2  # scratch
        elif activation.kind is not None:
            self._operation(
                Op.ACTIVATION, self._width, {Column.KIND: activation.kind},
                {Scalar.ALPHA: activation.alpha}, label,
            )  # fmt: skip

    def dropout(self, rate: float, seed: int | None) -> None:
        """Add a DROPOUT row, with a key that no other layer has."""
        source = (
            np.random.SeedSequence(self.seed, spawn_key=(2, self.layer_index))
            if seed is None
            else np.random.SeedSequence(seed)
        )
        key = int(source.generate_state(1, np.uint64).view(np.int64)[0])
        self._operation(Op.DROPOUT, self._width, {Column.KEY: key}, {Scalar.RATE: rate})
        self._end += self._width  # the mask

    def rescale(self, scale: float, offset: float) -> None:
        """Add a RESCALE row, or make it part of reading the samples; or several, for a large step.

        Between two rows, values lie between those before and those after.
        """
        while scale and not 1 / _LARGEST_FACTOR <= abs(scale) <= _LARGEST_FACTOR:
            factor = _LARGEST_FACTOR if abs(scale) > 1 else 1 / _LARGEST_FACTOR
            self._rescale_once(factor, 0.0)
            scale /= factor
        self._rescale_once(scale, offset)

    def _rescale_once(self, scale: float, offset: float) -> None:
        if len(self._rows) == 1:
            reals = self._reals[0]
            both = reals[Scalar.SCALE] * scale
            moved = reals.get(Scalar.OFFSET, 0.0) * scale + offset
            in_range = not both or 1 / _LARGEST_FACTOR <= abs(both) <= _LARGEST_FACTOR
            if in_range and abs(moved) <= _LARGEST_FACTOR:
                reals[Scalar.SCALE], reals[Scalar.OFFSET] = both, moved
                return
        self._operation(Op.RESCALE, self._width, {}, {Scalar.SCALE: scale, Scalar.OFFSET: offset})

    def custom(self, layer: Layer) -> None:
        """Add a CUSTOM row, which calls ``layer.forward`` and ``layer.backward``."""
        self.python_layers[self.layer_index] = PythonRows(layer, self.shape, self._next_shape)
        self._operation(
            Op.CUSTOM,
            math.prod(self._next_shape),
            {Column.WEIGHTS: self._own_start, Column.SIZE: layer.count},
        )
        self._as_rows = False
        self._trainable = self._trainable or layer.count > 0
        self._penalties()

    def finish(self, input_shape: Shape, loss: losses.Loss | None) -> Plan:
        """Return the plan, with a row for the loss where it reads what it needs.

        A softmax before the cross-entropy stays in the plan *behind* the loss: it is run to
        predict, and the loss has it built in.
        """
        self._along_batch()
        if loss is not None:
            loss_row: dict[Column, int] = {Column.INPUTS: self._width, Column.X: self._x}
            loss_row[Column.Y] = self._end
            self._end += 2  # scratch
            fused = loss.op == Op.SOFTMAX_CROSSENTROPY and not loss.from_logits
            if fused:
                loss_row[Column.X] = self._rows[-1][Column.X]
            self._append(loss.op, loss.name, loss_row, {}, at=-1 if fused else None)
        table = np.zeros((len(self._rows), len(Column)), dtype=np.int64)
        reals = np.zeros((len(self._rows), len(Scalar)))
        for r, (row, row_reals) in enumerate(zip(self._rows, self._reals, strict=True)):
            for column, value in row.items():
                table[r, column] = value
            for scalar, real in row_reals.items():
                reals[r, scalar] = real
        table[0, Column.X] = self._end
        return Plan(
            table, reals, self._labels, self.slots, self.size,
            input_shape, self.shape, self.python_layers,
        )  # fmt: skip

    def _penalties(self) -> None:
        """Add a PENALTY row for each of the layer's tensors that has a regularizer."""
        for slot in self.slots:
            weight, penalty = slot.weight, slot.weight.regularizer
            if slot.layer is self.layer and penalty is not None and (penalty.l1 or penalty.l2):
                self._append(
                    Op.PENALTY,
                    f"{self.layer.name}/{weight.name} penalty",
                    {
                        Column.INPUTS: self._width, Column.OUTPUTS: self._width,
                        Column.X: self._x, Column.Y: self._x,
                        Column.WEIGHTS: slot.start, Column.SIZE: math.prod(weight.shape),
                    },
                    {Scalar.L1: penalty.l1, Scalar.L2: penalty.l2},
                )  # fmt: skip

    @property
    def ends_in_softmax(self) -> bool:
        """Whether the last row so far is a softmax."""
        return bool(self._rows[-1][Column.OP] == Op.SOFTMAX)

    @property
    def _width(self) -> int:
        return self._rows[-1][Column.OUTPUTS]

    def _along_batch(self) -> None:
        """Turn (n, features) into (features, n), if need be."""
        if self._as_rows:
            self._operation(Op.TRANSPOSE, self._width, {})
            self._as_rows = False

    def _operation(
        self,
        op: Op,
        outputs: int,
        columns: dict[Column, int],
        reals: dict[Scalar, float] | None = None,
        label: str | None = None,
    ) -> None:
        """Append a row that reads the last buffer and writes a new one."""
        row = {
            Column.INPUTS: self._width,
            Column.OUTPUTS: outputs,
            Column.X: self._x,
            Column.Y: self._end,
            Column.ROWS: int(self._as_rows),
            Column.INPUT_GRADIENT: int(self._trainable),
            **columns,
        }
        self._x = self._end
        self._end += outputs
        self._append(op, label or self.layer.name, row, reals or {})

    def _append(
        self,
        op: Op,
        label: str,
        columns: dict[Column, int],
        reals: dict[Scalar, float],
        at: int | None = None,
    ) -> None:
        row = {Column.BIAS: -1, **columns, Column.OP: op, Column.LAYER: self.layer_index}
        position = len(self._rows) if at is None else len(self._rows) + at
        self._rows.insert(position, row)
        self._reals.insert(position, reals)
        self._labels.insert(position, label)


def output_shape_of(layer: Layer, input_shape: Shape) -> Shape:
    """Return what a layer's ``output_shape`` does, checked.

    Raises
    ------
    TypeError, ValueError
        If that is no tuple of positive integers, or the layer cannot take such inputs.
    """
    shape = layer.output_shape(input_shape)
    if not isinstance(shape, tuple):
        raise TypeError(
            f"output_shape: expected a tuple of positive integers such as ({shown(shape)},), "
            f"got {shown(shape)}"
        )
    return shape_of("output_shape", shape)


def build_layers(
    layers: Sequence[Layer], input_shape: Shape, dtype: np.dtype[np.floating[Any]]
) -> None:
    """Let every layer that is new declare its weights; errors name the layer that does not fit.

    Raises
    ------
    TypeError, ValueError
        If a layer cannot take what the layer before it gives, if its ``output_shape`` returns no
        shape, or if its weights or its outputs do not fit into memory.
    """
    shape = input_shape
    count = features = 0
    for index, layer in enumerate(layers):
        try:
            output_shape = output_shape_of(layer, shape)
            if not layer._in_use:
                assign(layer, _declared=[], _building=True)
                layer.build(shape)
        except (TypeError, ValueError) as reason:
            kind = TypeError if isinstance(reason, TypeError) else ValueError
            raise kind(f"layers[{index}] ({layer.name!r}): {reason}") from reason
        finally:
            assign(layer, _building=False)
        count += layer.count
        features += math.prod(output_shape)
        argument = f"layers[{index}] ({layer.name!r})"
        check_memory(argument, "the weights up to this layer", count * dtype.itemsize)
        check_memory(argument, "one sample's values up to this layer", features * dtype.itemsize)
        shape = output_shape


def lower(layers: Sequence[Layer], input_shape: Shape, loss: losses.Loss | None, seed: int) -> Plan:
    """Lower built layers, and a loss if there is one, to a plan.

    ``seed`` is that of the layers that draw random numbers while training.

    Raises
    ------
    ValueError
        If the loss does not fit the last layer.
    """
    builder = Builder(input_shape, seed)
    for index, layer in enumerate(layers):
        builder.add(index, layer)
    if loss is not None and loss.op == Op.SOFTMAX_CROSSENTROPY:
        if len(builder.shape) != 1 or builder.shape[0] < 2:
            raise ValueError(
                f"loss: {loss.name} needs a last layer with an output for each class, "
                f"got outputs of shape {builder.shape}"
            )
        if builder.ends_in_softmax == loss.from_logits:
            raise ValueError(
                f"loss: {loss.name}(from_logits={loss.from_logits}) needs a net that "
                + ("does not end" if loss.from_logits else "ends")
                + " in a softmax"
                + ("" if loss.from_logits else ", or from_logits=True")
            )
    return builder.finish(input_shape, loss)
