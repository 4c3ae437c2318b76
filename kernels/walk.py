"""The layer-by-layer path: the engine's loop in plain Python, one kernel call at a time.

It runs a plan on any set of kernels.  With ``reference`` it is the NumPy backend; with
``compiled`` it is what trains a net that has a layer written in Python (a ``CUSTOM`` row),
which the compiled engine cannot call; and it is the place to read, or to put a breakpoint,
when one wants to know what an epoch consists of.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from .contract import (
    FIRST_LOSS,
    FORMS,
    Batches,
    Column,
    Course,
    Factor,
    Memory,
    Mode,
    Net,
    Op,
    Phase,
    Rule,
    Scalar,
    Team,
    Tensor,
    Total,
)

Array = np.ndarray[Any, Any]


class PythonLayer(Protocol):
    """What a CUSTOM row calls: arrays are (n, features), ``dparams`` is flat."""

    def forward_rows(self, x: Array, training: bool) -> Array: ...

    def backward_rows(self, dy: Array, dparams: Array) -> Array: ...


@dataclass
class Walk:
    """One net's memory and kernels, seen row by row."""

    kernels: ModuleType
    python_layers: Mapping[int, PythonLayer]
    net: Net
    memory: Memory

    def buffer(self, workspace: Array, offset: int, features: int, n: int, rows: int) -> Array:
        capacity = self.memory.values.size // self.net.table[0, Column.X]
        flat = workspace[offset * capacity : offset * capacity + features * n]
        return flat.reshape((n, features) if rows else (features, n))

    def ends(self, workspace: Array, row: Array, n: int) -> tuple[Array, Array]:
        """The input and the output buffer of a row, each in its layout."""
        rows = row[Column.ROWS]
        rows_after = rows and FORMS[row[Column.OP]].keeps_layout
        return (
            self.buffer(workspace, row[Column.X], row[Column.INPUTS], n, rows),
            self.buffer(workspace, row[Column.Y], row[Column.OUTPUTS], n, rows_after),
        )

    def weights_and_bias(self, row: Array, params: Array) -> tuple[Array, Array]:
        inputs, outputs, start = row[Column.INPUTS], row[Column.OUTPUTS], row[Column.WEIGHTS]
        weights = params[start : start + inputs * outputs].reshape((outputs, inputs))
        bias = row[Column.BIAS]
        return weights, params[bias : bias + outputs] if bias >= 0 else params[:0]

    def own(self, row: Array, vector: Array) -> Array:
        """A row's part of a vector that is as long as the parameters, or empty."""
        start = row[Column.WEIGHTS]
        return vector[start : start + row[Column.SIZE]] if vector.size else vector

    def real(self, r: int, scalar: Scalar) -> Any:
        return self.memory.values.dtype.type(self.net.reals[r, scalar])

    def other(self, workspace: Array, row: Array, n: int) -> Array:
        """The buffer OTHER of a row, flat."""
        return self.buffer(workspace, row[Column.OTHER], row[Column.INPUTS], n, 0).ravel()

    def mask(self, row: Array, n: int) -> Array:
        """The mask of a DROPOUT row, flat."""
        features = row[Column.OUTPUTS]
        return self.buffer(self.memory.values, row[Column.Y] + features, features, n, 0).ravel()

    def gather(self, samples: Array, rows: Array) -> None:
        row = self.net.table[0]
        out = self.buffer(self.memory.values, row[Column.Y], row[Column.OUTPUTS], rows.size, 1)
        scale, offset = self.real(0, Scalar.SCALE), self.real(0, Scalar.OFFSET)
        if samples.shape[1] == row[Column.OUTPUTS]:
            self.kernels.gather_bytes(samples, rows, scale, offset, out)
        else:
            self.kernels.gather_reals(samples.view(out.dtype), rows, scale, offset, out)

    def forward_row(self, r: int, n: int, step: int, phase: Phase) -> Array:
        """Run one row forward; returns its output buffer."""
        row = self.net.table[r]
        x, y = self.ends(self.memory.values, row, n)
        match row[Column.OP]:
            case Op.DENSE:
                weights, bias = self.weights_and_bias(row, self.net.params)
                if row[Column.ROWS]:
                    scale = self.real(r, Scalar.SCALE)
                    self.kernels.dense_forward_rows(x, weights, bias, scale, y)
                else:
                    self.kernels.dense_forward(x, weights, bias, y)
            case Op.ACTIVATION:
                alpha = self.real(r, Scalar.ALPHA)
                self.kernels.activation_forward(row[Column.KIND], alpha, x.ravel(), y.ravel())
            case Op.SOFTMAX:
                end = row[Column.Y] + row[Column.OUTPUTS]
                scratch = self.buffer(self.memory.values, end, 2, n, 0)
                self.kernels.softmax_forward(x, scratch, y)
            case Op.RESCALE:
                scale, offset = self.real(r, Scalar.SCALE), self.real(r, Scalar.OFFSET)
                self.kernels.rescale(scale, offset, x.ravel(), y.ravel())
            case Op.TRANSPOSE:
                self.kernels.transpose(x, y)
            case Op.CUSTOM:
                layer = self.python_layers[int(row[Column.LAYER])]
                training = phase != Phase.PREDICT
                y[:] = layer.forward_rows(x if row[Column.ROWS] else x.T, training).T
            case Op.DROPOUT if phase == Phase.PREDICT:
                y[:] = x
            case Op.DROPOUT:
                mask = self.mask(row, n)
                if phase == Phase.LEARN:
                    rate = self.net.reals[r, Scalar.RATE]
                    self.kernels.dropout_mask(row[Column.KEY], step, rate, mask)
                self.kernels.multiply(x.ravel(), mask, y.ravel())
            case Op.ADD:
                self.kernels.add(x.ravel(), self.other(self.memory.values, row, n), y.ravel())
        return y

    def backward_row(self, r: int, n: int) -> None:
        """From the gradient with respect to a row's output to that of its input."""
        row = self.net.table[r]
        x, y = self.ends(self.memory.values, row, n)
        dx, dy = self.ends(self.memory.deltas, row, n)
        match row[Column.OP]:
            case Op.DENSE:
                weights, _ = self.weights_and_bias(row, self.net.params)
                self.kernels.dense_input_gradient(weights, dy, dx)
            case Op.ACTIVATION:
                alpha = self.real(r, Scalar.ALPHA)
                self.kernels.activation_backward(
                    row[Column.KIND], alpha, x.ravel(), y.ravel(), dy.ravel(), dx.ravel()
                )
            case Op.SOFTMAX:
                end = row[Column.Y] + row[Column.OUTPUTS]
                scratch = self.buffer(self.memory.deltas, end, 2, n, 0)
                self.kernels.softmax_backward(y, dy, scratch, dx)
            case Op.RESCALE:
                scale = self.real(r, Scalar.SCALE)
                self.kernels.rescale(scale, scale.dtype.type(0), dy.ravel(), dx.ravel())
            case Op.TRANSPOSE:
                self.kernels.transpose(dy, dx)
            case Op.CUSTOM:
                layer = self.python_layers[int(row[Column.LAYER])]
                gradient = layer.backward_rows(dy.T, self.own(row, self.net.gradient))
                dx[:] = gradient if row[Column.ROWS] else gradient.T
            case Op.DROPOUT:
                self.kernels.multiply(dy.ravel(), self.mask(row, n), dx.ravel())
            case Op.FORK:
                self.kernels.add(dx.ravel(), self.other(self.memory.deltas, row, n), dx.ravel())
            case Op.ADD:
                dx[:] = dy

    def loss(self, row: Array, rows: Array, labels: Array, targets: Array) -> float:
        """The batch's summed loss; leaves the mean's gradient in the deltas of X."""
        n = rows.size
        x = self.buffer(self.memory.values, row[Column.X], row[Column.INPUTS], n, 0)
        dx = self.buffer(self.memory.deltas, row[Column.X], row[Column.INPUTS], n, 0)
        scratch = self.buffer(self.memory.values, row[Column.Y], 2, n, 0)
        if row[Column.OP] == Op.MEAN_SQUARED_ERROR:
            return float(self.kernels.mean_squared_error(x, rows, targets, dx))
        if labels.size:
            kernel, right = self.kernels.softmax_crossentropy_labels, labels
        else:
            kernel, right = self.kernels.softmax_crossentropy_targets, targets
        return float(kernel(x, rows, right, scratch, dx))

    def count_correct(self, row: Array, rows: Array, labels: Array, targets: Array) -> int:
        x = self.buffer(self.memory.values, row[Column.X], row[Column.INPUTS], rows.size, 0)
        if labels.size:
            return int(self.kernels.count_correct_labels(x, rows, labels))
        return int(self.kernels.count_correct_targets(x, rows, targets))

    def penalized(self, tensors: Iterable[int]) -> Iterator[tuple[int, slice]]:
        """Those of some tensors that have a penalty, each with its place in the parameters."""
        for t in tensors:
            if self.net.factors[t, Factor.L1] or self.net.factors[t, Factor.L2]:
                start = self.net.tensors[t, Tensor.START]
                yield t, slice(start, start + self.net.tensors[t, Tensor.SIZE])

    def penalty(self) -> float:
        """The penalties' value."""
        total = 0.0
        for t, place in self.penalized(range(len(self.net.tensors))):
            l1, l2 = self.net.factors[t, Factor.L1], self.net.factors[t, Factor.L2]
            total += float(self.kernels.penalty(l1, l2, self.net.params[place]))
        return total

    def real_factors(self, t: int) -> Array:
        """L1 and L2 of a tensor, in the dtype of the net."""
        factors: Array = self.net.factors[t, [Factor.L1, Factor.L2]]
        return factors.astype(self.net.params.dtype)

    def penalty_updates(self, row: Array, rate: Any, step: int) -> None:
        """Step along the gradients of the penalties on a row's tensors."""
        own = range(row[Column.FIRST_TENSOR], row[Column.STOP_TENSOR])
        for t, place in self.penalized(own):
            l1, l2 = self.real_factors(t)
            self.kernels.penalty_update(l1, l2, rate, step, 0, self.net.params[place])

    def x_rows(self, row: Array, n: int) -> Array | None:
        """The input of a DENSE row as (n, inputs), transposed if need be, or None."""
        if row[Column.X_ROWS] < 0:
            return None
        rows = self.buffer(self.memory.values, row[Column.X_ROWS], row[Column.INPUTS], n, 1)
        if not row[Column.ROWS]:
            x, _ = self.ends(self.memory.values, row, n)
            self.kernels.transpose(x, rows)
        return rows

    def weight_gradient(self, r: int, n: int) -> None:
        row = self.net.table[r]
        x, _ = self.ends(self.memory.values, row, n)
        _, dy = self.ends(self.memory.deltas, row, n)
        dweights, dbias = self.weights_and_bias(row, self.net.gradient)
        x_rows = self.x_rows(row, n)
        if x_rows is None:
            self.kernels.dense_weight_gradient(x, dy, dweights)
        else:
            scale = self.real(r, Scalar.SCALE)
            self.kernels.dense_weight_gradient_rows(x_rows, dy, scale, dweights)
        self.kernels.dense_bias_gradient(dy, dbias)

    def weight_update(self, r: int, rate: Any, n: int) -> None:
        row = self.net.table[r]
        x, _ = self.ends(self.memory.values, row, n)
        _, dy = self.ends(self.memory.deltas, row, n)
        weights, bias = self.weights_and_bias(row, self.net.params)
        x_rows = self.x_rows(row, n)
        if x_rows is None:
            self.kernels.dense_weight_update(x, dy, -rate, weights)
        else:
            scale = self.real(r, Scalar.SCALE)
            self.kernels.dense_weight_update_rows(x_rows, dy, -rate * scale, weights)
        self.kernels.dense_bias_update(dy, -rate, bias)

    # The stages of a batch, as in kernels/c/engine.c and kernels/compiled/engine.py.

    def forward(self, loss_index: int, mode: Mode, n: int, step: int) -> Array:
        """Run all rows forward, up to the loss; to predict, also beyond it.

        Returns the output of the last one, as (features, n).
        """
        phase = Phase.LEARN if mode in (Mode.TRAIN, Mode.GRADIENT) else Phase.PREDICT
        row = self.net.table[0]
        y = self.buffer(self.memory.values, row[Column.Y], row[Column.OUTPUTS], n, 1).T
        for r in range(1, len(self.net.table)):
            if r != loss_index:
                y = self.forward_row(r, n, step, phase)
            elif mode != Mode.PREDICT:
                break
        return y

    def measure_loss(self, row: Array, batches: Batches, course: Course, rows: Array) -> bool:
        """Add to the totals, and leave the loss's gradient; tell whether both are finite."""
        loss, penalties = self.loss(row, rows, batches.labels, batches.targets), self.penalty()
        course.totals[Total.LOSS] += loss
        course.totals[Total.PENALTY] += penalties * rows.size
        course.totals[Total.SAMPLES] += rows.size
        if course.wants_accuracy:
            right = self.count_correct(row, rows, batches.labels, batches.targets)
            course.totals[Total.CORRECT] += right
        return math.isfinite(loss + penalties)

    def backward(self, loss_index: int, n: int, fused: bool, records: Array | None) -> None:
        """From the loss's gradient down to the first layer's weights.

        If ``fused``, rows take their steps later, and their gradient is only stored to be recorded;
        a layer in Python gives both gradients at once.
        """
        for r in range(loss_index - 1, 0, -1):
            row = self.net.table[r]
            custom = row[Column.OP] == Op.CUSTOM
            if row[Column.OP] == Op.DENSE and (records is not None or not fused):
                self.weight_gradient(r, n)
            if custom:
                self.backward_row(r, n)
            if records is not None:
                self.observe(r, n, records[r])
            if row[Column.INPUT_GRADIENT] and not custom:
                self.backward_row(r, n)

    def add_penalties(self, weights: Array, step: int) -> None:
        """Add the penalties' gradients, which ``weights`` have."""
        for t, place in self.penalized(range(len(self.net.tensors))):
            l1, l2 = self.real_factors(t)
            gradient = self.net.gradient[place]
            self.kernels.penalty_gradient(l1, l2, step, 0, weights[place], gradient)

    def take_step(self, loss_index: int, n: int, rate: float, step: int, fused: bool) -> None:
        """Step along the gradients of all rows, from the last one down.

        After the whole way back: if a layer in Python raises on it, no weight has changed yet.
        """
        if not fused:
            evenly = any(True for _ in self.penalized(range(len(self.net.tensors))))
            self.optimizer_step(rate, step, evenly, slice(None))
            return
        real_rate = self.net.params.dtype.type(rate)
        for r in range(loss_index - 1, 0, -1):
            row = self.net.table[r]
            self.penalty_updates(row, real_rate, step)
            if row[Column.OP] == Op.CUSTOM:
                start = row[Column.WEIGHTS]
                self.optimizer_step(rate, step, False, slice(start, start + row[Column.SIZE]))
            elif row[Column.OP] == Op.DENSE:
                self.weight_update(r, real_rate, n)

    def optimizer_step(self, rate: float, step: int, evenly: bool, part: slice) -> None:
        """Change some parameters, and their moments, as the rule says."""
        net, size = self.net, self.net.params.size
        first, second = net.moments[:size], net.moments[size : 2 * size]
        self.kernels.optimizer_step(
            net.rule, rate, step, evenly, part.start or 0,
            net.params[part], net.gradient[part], first[part], second[part], net.numbers,
        )  # fmt: skip

    @contextmanager
    def whole_steps(self, totals: Array) -> Iterator[None]:
        """Undo a step, and what its batch added to ``totals``, if an error or Ctrl-C ends it."""
        changed = (self.net.params, self.net.moments, self.net.running, totals)
        before = [vector.copy() for vector in changed]
        try:
            yield
        except BaseException:
            for vector, kept in zip(changed, before, strict=True):
                vector[:] = kept
            raise

    def observe(self, r: int, n: int, record: Array) -> None:
        """Record one row's telemetry; overwrites the deltas of its X."""
        row = self.net.table[r]
        x, y = self.ends(self.memory.values, row, n)
        self.kernels.record_values(y.ravel(), record)
        if row[Column.OP] == Op.ACTIVATION:
            scratch, _ = self.ends(self.memory.deltas, row, n)
            alpha = self.real(r, Scalar.ALPHA)
            self.kernels.record_slopes(
                row[Column.KIND], alpha, x.ravel(), y.ravel(), n, row[Column.ROWS],
                scratch.ravel(), record,
            )  # fmt: skip

    def observe_step(self, loss_index: int, before: Array, records: Array) -> None:
        """Record the step that was taken, for each row with weights."""
        for r in range(1, loss_index):
            row = self.net.table[r]
            if FORMS[row[Column.OP]].weights and row[Column.SIZE]:
                vectors = (self.own(row, v) for v in (before, self.net.params, self.net.gradient))
                self.kernels.record_step(*vectors, records[r])


def run(
    kernels: ModuleType,
    python_layers: Mapping[int, PythonLayer],
    net: Net,
    memory: Memory,
    batches: Batches,
    course: Course,
    team: Team,
) -> int:
    """Do what ``compiled.engine.run`` does, a row at a time, and on one thread."""
    if team.thread > 0:
        return batches.stop
    walk, mode = Walk(kernels, python_layers, net, memory), Mode(course.mode)
    fused = mode == Mode.TRAIN and net.rule == Rule.DESCENT
    losses = [r for r in range(len(net.table)) if net.table[r, Column.OP] >= FIRST_LOSS]
    loss_index = losses[0] if losses else len(net.table)

    for batch in range(batches.first, batches.stop):
        start = batch * batches.size
        rows = batches.order[start : start + batches.size]
        n, step = rows.size, course.first_step + batch
        walk.gather(batches.samples, rows)
        if mode == Mode.PREDICT:
            y = walk.forward(loss_index, mode, n, step)
            kernels.transpose(y, course.outputs[start : start + n])
            continue
        with walk.whole_steps(course.totals) if mode == Mode.TRAIN else nullcontext():
            walk.forward(loss_index, mode, n, step)
            finite = walk.measure_loss(net.table[loss_index], batches, course, rows)
            if mode == Mode.EVALUATE:
                continue
            if not finite:
                return batch
            every = course.telemetry_every
            observed = every > 0 and batch % every == 0
            records = course.telemetry[batch // every] if observed else None
            if records is not None:
                course.before[:] = net.params
            walk.backward(loss_index, n, fused, records)
            if not fused:
                walk.add_penalties(net.params, step)
            if mode == Mode.TRAIN:
                walk.take_step(loss_index, n, course.rates[batch - batches.first], step, fused)
            if records is not None:
                if fused:
                    walk.add_penalties(course.before, step)
                walk.observe_step(loss_index, course.before, records)
    return batches.stop
