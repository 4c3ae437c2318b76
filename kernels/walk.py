"""The layer-by-layer path: the engine's loop in plain Python, one kernel call at a time.

It runs a plan on any set of kernels.  With ``reference`` it is the NumPy backend; with
``compiled`` it is what trains a net that has a layer written in Python (a ``CUSTOM`` row),
which the compiled engine cannot call; and it is the place to read, or to put a breakpoint,
when one wants to know what an epoch consists of.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from .contract import FIRST_LOSS, FORMS, Column, Mode, Op, Phase, Rule, Scalar, Total

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
    table: Array
    reals: Array
    params: Array
    gradient: Array
    moments: Array
    rule: int
    numbers: Array
    values: Array
    deltas: Array
    running: Array

    def buffer(self, workspace: Array, offset: int, features: int, n: int, rows: int) -> Array:
        capacity = self.values.size // self.table[0, Column.X]
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

    def has_weights(self, r: int) -> bool:
        row = self.table[r]
        return bool(FORMS[row[Column.OP]].weights and row[Column.SIZE])

    def real(self, r: int, scalar: Scalar) -> Any:
        return self.values.dtype.type(self.reals[r, scalar])

    def other(self, workspace: Array, row: Array, n: int) -> Array:
        """The buffer OTHER of a row, flat."""
        return self.buffer(workspace, row[Column.OTHER], row[Column.INPUTS], n, 0).ravel()

    def mask(self, row: Array, n: int) -> Array:
        """The mask of a DROPOUT row, flat."""
        features = row[Column.OUTPUTS]
        return self.buffer(self.values, row[Column.Y] + features, features, n, 0).ravel()

    def gamma_and_beta(self, row: Array, params: Array) -> tuple[Array, Array]:
        """Those of a BATCH_NORMALIZATION row, each empty if it has none."""
        start, outputs, bias = row[Column.WEIGHTS], row[Column.OUTPUTS], row[Column.BIAS]
        beta = params[bias : bias + outputs] if bias >= 0 else params[:0]
        return params[start : start + row[Column.SIZE] - beta.size], beta

    def pair(self, workspace: Array, row: Array, n: int) -> tuple[Array, Array]:
        """Two vectors behind a BATCH_NORMALIZATION row's Y.

        Among the values they are the batch's means and variances, among the deltas the gradients of
        gamma and beta.
        """
        outputs = row[Column.OUTPUTS]
        flat = self.buffer(workspace, row[Column.Y] + outputs, 2 * outputs, n, 0).ravel()
        return flat[:outputs], flat[outputs : 2 * outputs]

    def running_pair(self, row: Array) -> tuple[Array, Array]:
        """The running means and variances of a BATCH_NORMALIZATION row."""
        start, outputs = row[Column.RUNNING], row[Column.OUTPUTS]
        both = self.running[start : start + 2 * outputs]
        return both[:outputs], both[outputs:]

    def gather(self, samples: Array, rows: Array) -> None:
        row = self.table[0]
        out = self.buffer(self.values, row[Column.Y], row[Column.OUTPUTS], rows.size, 1)
        scale, offset = self.real(0, Scalar.SCALE), self.real(0, Scalar.OFFSET)
        if samples.shape[1] == row[Column.OUTPUTS]:
            self.kernels.gather_bytes(samples, rows, scale, offset, out)
        else:
            self.kernels.gather_reals(samples.view(out.dtype), rows, scale, offset, out)

    def forward(self, r: int, n: int, step: int, phase: Phase) -> Array:
        """Run one row forward; returns its output buffer."""
        row = self.table[r]
        x, y = self.ends(self.values, row, n)
        match row[Column.OP]:
            case Op.DENSE:
                weights, bias = self.weights_and_bias(row, self.params)
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
                scratch = self.buffer(self.values, end, 2, n, 0)
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
                    rate = self.reals[r, Scalar.RATE]
                    self.kernels.dropout_mask(row[Column.KEY], step, rate, mask)
                self.kernels.multiply(x.ravel(), mask, y.ravel())
            case Op.ADD:
                self.kernels.add(x.ravel(), self.other(self.values, row, n), y.ravel())
            case Op.BATCH_NORMALIZATION:
                if phase == Phase.PREDICT:
                    statistics = self.running_pair(row)
                else:
                    statistics = self.pair(self.values, row, n)
                    self.kernels.batch_statistics(x, *statistics)
                gamma, beta = self.gamma_and_beta(row, self.params)
                epsilon = self.reals[r, Scalar.EPSILON]
                self.kernels.batchnorm_forward(epsilon, x, *statistics, gamma, beta, y)
        return y

    def backward(self, r: int, n: int) -> None:
        """From the gradient with respect to a row's output to that of its input."""
        row = self.table[r]
        x, y = self.ends(self.values, row, n)
        dx, dy = self.ends(self.deltas, row, n)
        match row[Column.OP]:
            case Op.DENSE:
                weights, _ = self.weights_and_bias(row, self.params)
                self.kernels.dense_input_gradient(weights, dy, dx)
            case Op.ACTIVATION:
                alpha = self.real(r, Scalar.ALPHA)
                self.kernels.activation_backward(
                    row[Column.KIND], alpha, x.ravel(), y.ravel(), dy.ravel(), dx.ravel()
                )
            case Op.SOFTMAX:
                end = row[Column.Y] + row[Column.OUTPUTS]
                scratch = self.buffer(self.deltas, end, 2, n, 0)
                self.kernels.softmax_backward(y, dy, scratch, dx)
            case Op.RESCALE:
                scale = self.real(r, Scalar.SCALE)
                self.kernels.rescale(scale, scale.dtype.type(0), dy.ravel(), dx.ravel())
            case Op.TRANSPOSE:
                self.kernels.transpose(dy, dx)
            case Op.CUSTOM:
                layer = self.python_layers[int(row[Column.LAYER])]
                gradient = layer.backward_rows(dy.T, self.own(row, self.gradient))
                dx[:] = gradient if row[Column.ROWS] else gradient.T
            case Op.DROPOUT:
                self.kernels.multiply(dy.ravel(), self.mask(row, n), dx.ravel())
            case Op.FORK:
                self.kernels.add(dx.ravel(), self.other(self.deltas, row, n), dx.ravel())
            case Op.ADD:
                dx[:] = dy
            case Op.BATCH_NORMALIZATION:
                gamma, _ = self.gamma_and_beta(row, self.params)
                self.kernels.batchnorm_input_gradient(
                    self.reals[r, Scalar.EPSILON], x, *self.pair(self.values, row, n), gamma,
                    *self.pair(self.deltas, row, n), dy, dx,
                )  # fmt: skip

    def loss(self, r: int, rows: Array, labels: Array, targets: Array) -> float:
        """The batch's summed loss; leaves the mean's gradient in the deltas of X."""
        row, n = self.table[r], rows.size
        x = self.buffer(self.values, row[Column.X], row[Column.INPUTS], n, 0)
        dx = self.buffer(self.deltas, row[Column.X], row[Column.INPUTS], n, 0)
        scratch = self.buffer(self.values, row[Column.Y], 2, n, 0)
        alpha = self.real(r, Scalar.ALPHA)
        return float(
            self.kernels.loss(row[Column.KIND], alpha, x, rows, labels, targets, scratch, dx)
        )

    def metric(self, r: int, rows: Array, labels: Array, targets: Array) -> float:
        """The sum of a metric over the batch."""
        row = self.table[r]
        x = self.buffer(self.values, row[Column.X], row[Column.INPUTS], rows.size, 0)
        alpha = self.real(r, Scalar.ALPHA)
        return float(self.kernels.metric(row[Column.KIND], alpha, x, rows, labels, targets))

    def judge(self, judges: list[int], answers: tuple[Array, Array, Array], totals: Array) -> float:
        """Compute the loss, which is returned, and add the metrics to their totals.

        ``judges`` are the rows of the loss and of the metrics; ``answers`` the batch's rows, and
        the labels and targets of all samples.
        """
        for place, r in enumerate(judges[1:], len(Total)):
            is_metric = self.table[r, Column.OP] == Op.METRIC
            totals[place] += (self.metric if is_metric else self.loss)(r, *answers)
        # The loss comes last, for a metric that is a loss sets a gradient, too.
        return self.loss(judges[0], *answers)

    def penalties(self, r: int) -> Iterator[int]:
        """The PENALTY rows on the tensors of row ``r``."""
        while self.table[r + 1, Column.OP] == Op.PENALTY:
            r += 1
            yield r

    def penalty(self, r: int) -> float:
        l1, l2 = self.reals[r, Scalar.L1], self.reals[r, Scalar.L2]
        return float(self.kernels.penalty(l1, l2, self.own(self.table[r], self.params)))

    def penalty_gradients(self, r: int, step: int) -> None:
        for p in self.penalties(r):
            own = (self.own(self.table[p], vector) for vector in (self.params, self.gradient))
            l1, l2 = self.real(p, Scalar.L1), self.real(p, Scalar.L2)
            self.kernels.penalty_gradient(l1, l2, step, 0, *own)

    def penalty_updates(self, r: int, rate: float, step: int) -> None:
        real_rate = self.params.dtype.type(rate)
        for p in self.penalties(r):
            own = self.own(self.table[p], self.params)
            l1, l2 = self.real(p, Scalar.L1), self.real(p, Scalar.L2)
            self.kernels.penalty_update(l1, l2, real_rate, step, 0, own)

    def x_rows(self, row: Array, n: int) -> Array | None:
        """The input of a DENSE row as (n, inputs), transposed if need be, or None."""
        if row[Column.X_ROWS] < 0:
            return None
        rows = self.buffer(self.values, row[Column.X_ROWS], row[Column.INPUTS], n, 1)
        if not row[Column.ROWS]:
            x, _ = self.ends(self.values, row, n)
            self.kernels.transpose(x, rows)
        return rows

    def prepare_gradients(self, r: int, n: int, learns: bool) -> None:
        """Compute what several gradients of a row need; if it learns, update running statistics."""
        row = self.table[r]
        if row[Column.OP] != Op.BATCH_NORMALIZATION:
            return
        x, _ = self.ends(self.values, row, n)
        _, dy = self.ends(self.deltas, row, n)
        statistics = self.pair(self.values, row, n)
        self.kernels.batchnorm_weight_gradient(
            self.reals[r, Scalar.EPSILON], x, *statistics, dy, *self.pair(self.deltas, row, n)
        )
        if learns:
            momentum = self.reals[r, Scalar.MOMENTUM]
            for batch, running in zip(statistics, self.running_pair(row), strict=True):
                self.kernels.running_update(momentum, batch, running)

    def weight_gradient(self, r: int, n: int) -> None:
        """Compute a row's part of the flat gradient."""
        match self.table[r, Column.OP]:
            case Op.DENSE:
                self.dense_gradient(r, n)
            case Op.BATCH_NORMALIZATION:
                parts = self.gamma_and_beta(self.table[r], self.gradient)
                for part, found in zip(
                    parts, self.pair(self.deltas, self.table[r], n), strict=True
                ):
                    part[:] = found[: part.size]

    def weight_update(self, r: int, rate: float, step: int, n: int) -> None:
        """Step along a row's gradient, which need not be stored."""
        row = self.table[r]
        match row[Column.OP]:
            case Op.DENSE:
                self.dense_update(r, rate, n)
            case Op.BATCH_NORMALIZATION:
                parts, none = self.gamma_and_beta(row, self.params), self.params[:0]
                for part, found in zip(parts, self.pair(self.deltas, row, n), strict=True):
                    self.kernels.optimizer_step(
                        Rule.DESCENT, rate, step, False, 0, part, found[: part.size], none, none,
                        self.numbers,
                    )  # fmt: skip
            case Op.CUSTOM:
                start = row[Column.WEIGHTS]
                self.optimizer_step(rate, step, False, slice(start, start + row[Column.SIZE]))

    def dense_gradient(self, r: int, n: int) -> None:
        row = self.table[r]
        x, _ = self.ends(self.values, row, n)
        _, dy = self.ends(self.deltas, row, n)
        dweights, dbias = self.weights_and_bias(row, self.gradient)
        x_rows = self.x_rows(row, n)
        if x_rows is None:
            self.kernels.dense_weight_gradient(x, dy, dweights)
        else:
            scale = self.real(r, Scalar.SCALE)
            self.kernels.dense_weight_gradient_rows(x_rows, dy, scale, dweights)
        self.kernels.dense_bias_gradient(dy, dbias)

    def dense_update(self, r: int, rate: float, n: int) -> None:
        row = self.table[r]
        x, _ = self.ends(self.values, row, n)
        _, dy = self.ends(self.deltas, row, n)
        weights, bias = self.weights_and_bias(row, self.params)
        x_rows, rate = self.x_rows(row, n), self.params.dtype.type(rate)
        if x_rows is None:
            self.kernels.dense_weight_update(x, dy, -rate, weights)
        else:
            scale = self.real(r, Scalar.SCALE)
            self.kernels.dense_weight_update_rows(x_rows, dy, -rate * scale, weights)
        self.kernels.dense_bias_update(dy, -rate, bias)

    def way_back(
        self, loss_index: int, n: int, step: int, mode: Mode, fused: bool, records: Array | None
    ) -> dict[int, Array]:
        """From the loss's gradient down to the first layer's weights.

        Returns, by row, gradients with penalties of which only the data's part is left for a step
        that adds the penalties to the weights itself.
        """
        with_penalties: dict[int, Array] = {}
        for r in range(loss_index - 1, 0, -1):
            row = self.table[r]
            custom = row[Column.OP] == Op.CUSTOM  # whose `backward` computes all gradients
            observed = records is not None
            self.prepare_gradients(r, n, mode == Mode.TRAIN)
            if custom:
                self.backward(r, n)
            of_data = self.own(row, self.gradient).copy() if custom and fused and observed else None
            if self.has_weights(r) and (observed or not fused):
                self.weight_gradient(r, n)
                self.penalty_gradients(r, step)
            if records is not None:
                self.observe(r, n, records[r])
            if of_data is not None:
                with_penalties[r] = self.own(row, self.gradient).copy()
                self.own(row, self.gradient)[:] = of_data
            if row[Column.INPUT_GRADIENT] and not custom:
                self.backward(r, n)
        return with_penalties

    def take_step(self, loss_index: int, n: int, rate: float, step: int, fused: bool) -> None:
        """Step along the gradients of all rows, from the last one down.

        After the whole way back: if a layer in Python raises on it, no weight has changed yet.
        """
        if not fused:
            evenly = Op.PENALTY in self.table[:, Column.OP]
            self.optimizer_step(rate, step, evenly, slice(None))
            return
        for r in range(loss_index - 1, 0, -1):
            if self.has_weights(r):
                self.penalty_updates(r, rate, step)
                self.weight_update(r, rate, step, n)

    def optimizer_step(self, rate: float, step: int, evenly: bool, part: slice) -> None:
        """Change some parameters, and their moments, as the rule says."""
        size = self.params.size
        first, second = self.moments[:size], self.moments[size : 2 * size]
        self.kernels.optimizer_step(
            self.rule, rate, step, evenly, part.start or 0,
            self.params[part], self.gradient[part], first[part], second[part], self.numbers,
        )  # fmt: skip

    @contextmanager
    def whole_steps(self, totals: Array) -> Iterator[None]:
        """Undo a step, and what its batch added to ``totals``, if an error or Ctrl-C ends it."""
        changed = (self.params, self.moments, self.running, totals)
        before = [vector.copy() for vector in changed]
        try:
            yield
        except BaseException:
            for vector, kept in zip(changed, before, strict=True):
                vector[:] = kept
            raise

    def observe(self, r: int, n: int, record: Array) -> None:
        """Record one row's telemetry; overwrites the deltas of its X."""
        row = self.table[r]
        x, y = self.ends(self.values, row, n)
        self.kernels.record_values(y.ravel(), record)
        if row[Column.OP] == Op.ACTIVATION:
            scratch, _ = self.ends(self.deltas, row, n)
            alpha = self.real(r, Scalar.ALPHA)
            self.kernels.record_slopes(
                row[Column.KIND], alpha, x.ravel(), y.ravel(), n, row[Column.ROWS],
                scratch.ravel(), record,
            )  # fmt: skip

    def observe_step(self, loss_index: int, before: Array, records: Array) -> None:
        """Record the step that was taken, for each row with weights."""
        for r in range(1, loss_index):
            if self.has_weights(r):
                vectors = (self.own(self.table[r], v) for v in (before, self.params, self.gradient))
                self.kernels.record_step(*vectors, records[r])


def run(
    kernels: ModuleType,
    python_layers: Mapping[int, PythonLayer],
    mode: Mode,
    table: Array,
    reals: Array,
    params: Array,
    gradient: Array,
    moments: Array,
    rule: int,
    numbers: Array,
    values: Array,
    deltas: Array,
    running: Array,
    samples: Array,
    labels: Array,
    targets: Array,
    order: Array,
    batch_size: int,
    first: int,
    last: int,
    first_step: int,
    rates: Array,
    totals: Array,
    outputs: Array,
    telemetry: Array,
    telemetry_every: int,
    before: Array,
    thread: int,
    threads: int,
    barrier: Array,
) -> int:
    """Do what ``compiled.engine.run`` does, a row at a time, and on one thread."""
    if thread > 0:
        return last
    walk = Walk(
        kernels, python_layers, table, reals, params, gradient, moments, rule, numbers, values,
        deltas, running,
    )  # fmt: skip
    fused = mode == Mode.TRAIN and rule == Rule.DESCENT
    phase = Phase.LEARN if mode in (Mode.TRAIN, Mode.GRADIENT) else Phase.PREDICT
    judges = [r for r in range(len(table)) if table[r, Column.OP] >= FIRST_LOSS]
    if mode == Mode.GRADIENT:
        del judges[1:]
    loss_index = judges[0] if judges else len(table)

    for batch in range(first, last):
        rows = order[batch * batch_size : (batch + 1) * batch_size]
        n, step = rows.size, first_step + batch
        walk.gather(samples, rows)

        if mode == Mode.PREDICT:
            y = walk.buffer(values, table[0, Column.Y], table[0, Column.OUTPUTS], n, 1).T
            for r in range(1, len(table)):
                if table[r, Column.OP] < FIRST_LOSS:
                    y = walk.forward(r, n, step, phase)
            kernels.transpose(y, outputs[batch * batch_size : batch * batch_size + n])
            continue

        with walk.whole_steps(totals) if mode == Mode.TRAIN else nullcontext():
            penalties = 0.0
            # A softmax that the loss has built in may follow it, for a metric behind it.
            for r in range(1, judges[-1]):
                if table[r, Column.OP] == Op.PENALTY:
                    penalties += walk.penalty(r)
                elif table[r, Column.OP] < FIRST_LOSS:
                    walk.forward(r, n, step, phase)
            loss = walk.judge(judges, (rows, labels, targets), totals)
            totals[Total.LOSS] += loss
            totals[Total.PENALTY] += penalties * n
            totals[Total.SAMPLES] += n
            if mode == Mode.EVALUATE:
                continue
            if not math.isfinite(loss + penalties):
                return batch
            observed = telemetry_every > 0 and batch % telemetry_every == 0
            records = telemetry[batch // telemetry_every] if observed else None
            if records is not None:
                before[:] = params
            with_penalties = walk.way_back(loss_index, n, step, mode, fused, records)
            if mode == Mode.TRAIN:
                walk.take_step(loss_index, n, rates[batch - first], step, fused)
            for r, whole in with_penalties.items():
                walk.own(table[r], gradient)[:] = whole
            if records is not None:
                walk.observe_step(loss_index, before, records)
    return last
