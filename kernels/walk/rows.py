"""One row of a plan's table, forward and back: which kernel it calls, with what of the memory."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from ..contract import (
    FORMS,
    MOMENTS,
    Batches,
    Coding,
    Column,
    Factor,
    Loss,
    Memory,
    Metric,
    Net,
    Noise,
    Op,
    Phase,
    Rule,
    Scalar,
    Tensor,
)
from ..reference.losses import factor_of

Array = np.ndarray[Any, Any]
Row = list[int]

_FORMS = [FORMS[op] for op in Op]
# Rows with vectors, and without statistics of the batch.
_WITH_VECTORS = (Op.LAYER_NORMALIZATION, Op.SCALE, Op.PRELU, Op.MIXED_ACTIVATION)


class PythonLayer(Protocol):
    """What a CUSTOM row calls: arrays are (n, features), ``dparams`` is flat.

    What a loss or a metric in Python has instead is in ``fastmlp/runtime/python_rows.py``.
    """

    def forward_rows(self, x: Array, training: bool) -> Array: ...

    def backward_rows(self, dy: Array, dparams: Array) -> Array: ...


def right_answers(rows: Array, batches: Batches) -> Array:
    """The labels or targets of some samples."""
    answers: Array = batches.labels if batches.labels.size else batches.targets
    return answers[rows]


@dataclass
class Walk:
    """One net's memory and kernels, seen row by row."""

    kernels: ModuleType
    python_layers: Mapping[int, Any]  # by the LAYER of its row, what is written in Python
    net: Net
    memory: Memory
    # Rows as Python's own integers: to compare one of NumPy's with a member of an Enum takes longer
    # than many a kernel, and a KeyboardInterrupt that comes within is lost.
    table: list[Row] = field(init=False)
    tensors: list[Row] = field(init=False)

    def __post_init__(self) -> None:
        self.table, self.tensors = self.net.table.tolist(), self.net.tensors.tolist()

    def buffer(self, workspace: Array, offset: int, features: int, n: int, rows: int) -> Array:
        capacity = self.memory.values.size // self.table[0][Column.X]
        flat = workspace[offset * capacity : offset * capacity + features * n]
        return flat.reshape((n, features) if rows else (features, n))

    def ends(self, workspace: Array, row: Row, n: int) -> tuple[Array, Array]:
        """The input and the output buffer of a row, each in its layout."""
        rows = row[Column.ROWS]
        rows_after = rows and _FORMS[row[Column.OP]].keeps_layout
        place, outputs = row[Column.PLACE], row[Column.OUTPUTS]
        y = self.buffer(workspace, row[Column.Y], place + outputs, n, rows_after)
        x = self.buffer(workspace, row[Column.X], row[Column.INPUTS], n, rows)
        return x, y[place:] if place else y

    def weights_and_bias(self, row: Row, params: Array) -> tuple[Array, Array]:
        inputs, outputs, start = row[Column.INPUTS], row[Column.OUTPUTS], row[Column.WEIGHTS]
        weights = params[start : start + inputs * outputs].reshape((outputs, inputs))
        bias = row[Column.BIAS]
        return weights, params[bias : bias + outputs] if bias >= 0 else params[:0]

    def own(self, row: Row, vector: Array) -> Array:
        """A row's part of a vector that is as long as the parameters, or empty."""
        start = row[Column.WEIGHTS]
        return vector[start : start + row[Column.SIZE]] if vector.size else vector

    def has_weights(self, r: int) -> bool:
        """Whether a row has weights, trained or not."""
        row = self.table[r]
        return bool(_FORMS[row[Column.OP]].weights and row[Column.SIZE])

    def learns(self, r: int) -> bool:
        """Whether a row has weights that are trained."""
        return self.has_weights(r) and not self.table[r][Column.FROZEN]

    def real(self, r: int, scalar: Scalar) -> Any:
        return self.memory.values.dtype.type(self.net.reals[r, scalar])

    def other(self, workspace: Array, row: Row, n: int) -> Array:
        """The buffer OTHER of a row, flat."""
        return self.buffer(workspace, row[Column.OTHER], row[Column.INPUTS], n, 0).ravel()

    def mask(self, row: Row, n: int) -> Array:
        """The mask of a DROPOUT row, flat."""
        features = row[Column.OUTPUTS]
        return self.buffer(self.memory.values, row[Column.Y] + features, features, n, 0).ravel()

    def units(self, row: Row) -> int:
        """How many numbers a vector of a row has: one for each feature, of each member."""
        return int(row[Column.OUTPUTS] * row[Column.MEMBERS])

    def of_members(self, row: Row, *buffers: Array) -> list[Array]:
        """The same buffers (features, n) of a SCALE row as (units, samples of each member)."""
        return [buffer.reshape(self.units(row), -1) for buffer in buffers]

    def gamma_and_beta(self, row: Row, params: Array) -> tuple[Array, Array]:
        """Those of a row with vectors, each empty if it has none."""
        start, bias = row[Column.WEIGHTS], row[Column.BIAS]
        beta = params[bias : bias + self.units(row)] if bias >= 0 else params[:0]
        return params[start : start + row[Column.SIZE] - beta.size], beta

    def pair(self, workspace: Array, row: Row, n: int) -> tuple[Array, Array]:
        """Two vectors behind the Y of a row with vectors: in the deltas, the gradients of these.

        Among the values of a BATCH_NORMALIZATION row, the batch's means and variances.
        """
        outputs, units = row[Column.OUTPUTS], self.units(row)
        flat = self.buffer(workspace, row[Column.Y] + outputs, 2 * outputs, n, 0).ravel()
        return flat[:units], flat[units : 2 * units]

    def activation_of(self, row: Row, n: int) -> Array:
        """The values of the activation of a MIXED_ACTIVATION row."""
        outputs = row[Column.OUTPUTS]
        return self.buffer(self.memory.values, row[Column.Y] + 3 * outputs, outputs, n, 0)

    def sample_statistics(self, workspace: Array, row: Row, n: int) -> Array:
        """Each sample's mean and inverse deviation, of a LAYER_NORMALIZATION row's values."""
        return self.buffer(workspace, row[Column.Y] + 3 * row[Column.OUTPUTS], 2, n, 0)

    def running_pair(self, row: Row) -> tuple[Array, Array]:
        """The running means and variances of a BATCH_NORMALIZATION row."""
        start, outputs = row[Column.RUNNING], row[Column.OUTPUTS]
        both = self.net.running[start : start + 2 * outputs]
        return both[:outputs], both[outputs:]

    def statistics(self, row: Row, n: int) -> tuple[Array, Array]:
        """The means and variances that a BATCH_NORMALIZATION row learns with."""
        return (
            self.running_pair(row) if row[Column.FROZEN] else self.pair(self.memory.values, row, n)
        )

    def gather(self, samples: Array, rows: Array) -> None:
        row = self.table[0]
        out = self.buffer(self.memory.values, row[Column.Y], row[Column.OUTPUTS], rows.size, 1)
        scale, offset = self.real(0, Scalar.SCALE), self.real(0, Scalar.OFFSET)
        if samples.shape[1] == row[Column.OUTPUTS]:
            self.kernels.gather_bytes(samples, rows, scale, offset, out)
        else:
            self.kernels.gather_reals(samples.view(out.dtype), rows, scale, offset, out)

    def forward_row(self, r: int, n: int, step: int, phase: Phase) -> Array:
        """Run one row forward; returns its output buffer."""
        row = self.table[r]
        x, y = self.ends(self.memory.values, row, n)
        if row[Column.LEARNS] and phase == Phase.PREDICT:
            phase = Phase.LEARN
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
            case Op.LOG_SOFTMAX:
                end = row[Column.Y] + row[Column.OUTPUTS]
                scratch = self.buffer(self.memory.values, end, 2, n, 0)
                self.kernels.log_softmax_forward(x, scratch, y)
            case Op.RESCALE:
                scale, offset = self.real(r, Scalar.SCALE), self.real(r, Scalar.OFFSET)
                self.kernels.rescale(scale, offset, x.ravel(), y.ravel())
            case Op.TRANSPOSE:
                self.kernels.transpose(x, y)
            case Op.CUSTOM:
                layer = self.python_layers[int(row[Column.LAYER])]
                training = phase != Phase.PREDICT
                y[:] = layer.forward_rows(x if row[Column.ROWS] else x.T, training).T
            case Op.DROPOUT:
                self.noise_forward(r, n, step, phase)
            case Op.ADD:
                self.kernels.add(x.ravel(), self.other(self.memory.values, row, n), y.ravel())
            case Op.BATCH_NORMALIZATION:
                if phase == Phase.PREDICT:
                    statistics = self.running_pair(row)
                else:
                    statistics = self.statistics(row, n)
                    if not row[Column.FROZEN]:
                        self.kernels.batch_statistics(x, *statistics)
                gamma, beta = self.gamma_and_beta(row, self.net.params)
                epsilon = self.net.reals[r, Scalar.EPSILON]
                self.kernels.batchnorm_forward(epsilon, x, *statistics, gamma, beta, y)
            case Op.LAYER_NORMALIZATION:
                vectors = self.gamma_and_beta(row, self.net.params)
                scratch = self.sample_statistics(self.memory.values, row, n)
                epsilon = self.net.reals[r, Scalar.EPSILON]
                self.kernels.layernorm_forward(row[Column.KIND], epsilon, x, *vectors, scratch, y)
            case Op.SCALE:
                gamma, beta = self.gamma_and_beta(row, self.net.params)
                own_x, own_y = self.of_members(row, x, y)
                self.kernels.scale_forward(own_x, gamma, beta, own_y)
            case Op.PRELU:
                self.kernels.prelu_forward(x, self.own(row, self.net.params), y)
            case Op.MIXED_ACTIVATION:
                other, alpha = self.activation_of(row, n), self.real(r, Scalar.ALPHA)
                kind = row[Column.KIND]
                self.kernels.activation_forward(kind, alpha, x.ravel(), other.ravel())
                self.kernels.mix_forward(x, other, self.own(row, self.net.params), y)
            case Op.EMBEDDING:
                rows = self.embedding(row, self.net.params)
                self.kernels.embedding_forward(row[Column.FIRST], 0, x, rows, y)
            case Op.COLUMNS:
                self.columns_forward(row, x, y)
            case Op.GROUPED_DENSE:
                weights, bias = self.blocks(row, self.net.params)
                for part in self.groups(row, x, weights, bias, y):
                    self.kernels.dense_forward(*part)
        return y

    def blocks(self, row: Row, vector: Array) -> tuple[Array, Array]:
        """The weights of a GROUPED_DENSE row, (outputs, inputs of a group), and its bias."""
        own, outputs = self.own(row, vector), row[Column.OUTPUTS]
        size = outputs * (row[Column.INPUTS] // row[Column.GROUPS])
        return own[:size].reshape(outputs, -1), own[size:]

    def groups(self, row: Row, *arrays: Array) -> Iterator[list[Array]]:
        """The part of each group of arrays that have those of all, one group behind the other."""
        return map(list, zip(*(np.split(a, row[Column.GROUPS]) for a in arrays), strict=True))

    def embedding(self, row: Row, vector: Array) -> Array:
        """The weights of an EMBEDDING row, (categories, width)."""
        width = row[Column.OUTPUTS] // row[Column.COLUMNS]
        weights: Array = self.own(row, vector).reshape(-1, width)
        return weights

    def columns_forward(self, row: Row, x: Array, y: Array) -> None:
        """Take columns as they are, or as indicators."""
        kind, columns, outputs = row[Column.KIND], row[Column.COLUMNS], row[Column.OUTPUTS]
        by_column = kind in (Coding.PASS, Coding.ONE_HOT)
        categories = outputs // columns if by_column else outputs
        self.kernels.columns_forward(kind, row[Column.FIRST], columns, categories, 0, x, y)

    def noise_forward(self, r: int, n: int, step: int, phase: Phase) -> None:
        """Draw a mask in training, or use the one that is there, or none."""
        row = self.table[r]
        x, y = (end.ravel() for end in self.ends(self.memory.values, row, n))
        mask, kind, rate = self.mask(row, n), row[Column.KIND], self.net.reals[r, Scalar.RATE]
        if phase == Phase.PREDICT:
            y[:] = x
            return
        if phase == Phase.LEARN:
            if kind in (Noise.GAUSSIAN_DROPOUT, Noise.GAUSSIAN_NOISE):
                mean = float(kind == Noise.GAUSSIAN_DROPOUT)
                self.kernels.normal_mask(row[Column.KEY], step, mean, rate, mask)
            else:
                self.kernels.dropout_mask(row[Column.KEY], step, rate, mask)
        if kind == Noise.GAUSSIAN_NOISE:
            self.kernels.add(x, mask, y)
        elif kind == Noise.ALPHA_DROPOUT:
            numbers = (self.real(r, s) for s in (Scalar.SCALE, Scalar.OFFSET, Scalar.ALPHA))
            self.kernels.alpha_dropout(*numbers, x, mask, y)
        else:
            self.kernels.multiply(x, mask, y)

    def noise_backward(self, r: int, n: int) -> None:
        row = self.table[r]
        dx, dy = (end.ravel() for end in self.ends(self.memory.deltas, row, n))
        if row[Column.KIND] == Noise.GAUSSIAN_NOISE:
            dx[:] = dy
        elif row[Column.KIND] == Noise.ALPHA_DROPOUT:
            scale = self.real(r, Scalar.SCALE)
            zero = scale.dtype.type(0)
            self.kernels.alpha_dropout(scale, zero, zero, dy, self.mask(row, n), dx)
        else:
            self.kernels.multiply(dy, self.mask(row, n), dx)

    def backward_row(self, r: int, n: int) -> None:
        """From the gradient with respect to a row's output to that of its input."""
        row = self.table[r]
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
            case Op.LOG_SOFTMAX:
                end = row[Column.Y] + row[Column.OUTPUTS]
                scratch = self.buffer(self.memory.deltas, end, 2, n, 0)
                self.kernels.log_softmax_backward(y, dy, scratch, dx)
            case Op.ACTIVITY:
                l1, l2 = (self.real(r, s) / n for s in (Scalar.ALPHA, Scalar.BETA))
                self.kernels.activity_gradient(l1, l2, y.ravel(), dy.ravel())
            case Op.RESCALE:
                scale = self.real(r, Scalar.SCALE)
                self.kernels.rescale(scale, scale.dtype.type(0), dy.ravel(), dx.ravel())
            case Op.TRANSPOSE:
                self.kernels.transpose(dy, dx)
            case Op.GROUPED_DENSE:
                weights, _ = self.blocks(row, self.net.params)
                for part in self.groups(row, weights, dy, dx):
                    self.kernels.dense_input_gradient(*part)
            case Op.CUSTOM:
                layer = self.python_layers[int(row[Column.LAYER])]
                own = self.own(row, self.net.gradient)
                gradient = layer.backward_rows(dy.T, own)
                if row[Column.FROZEN]:
                    own[:] = 0
                dx[:] = gradient if row[Column.ROWS] else gradient.T
            case Op.DROPOUT:
                self.noise_backward(r, n)
            case Op.FORK:
                self.kernels.add(dx.ravel(), self.other(self.memory.deltas, row, n), dx.ravel())
            case Op.ADD:
                dx[:] = dy
            case Op.BATCH_NORMALIZATION:
                gamma, _ = self.gamma_and_beta(row, self.net.params)
                epsilon = self.net.reals[r, Scalar.EPSILON]
                self.kernels.batchnorm_input_gradient(
                    epsilon, x, *self.statistics(row, n), gamma,
                    *self.pair(self.memory.deltas, row, n), dy, dx,
                )  # fmt: skip
            case Op.LAYER_NORMALIZATION:
                gamma, _ = self.gamma_and_beta(row, self.net.params)
                statistics, scratch = (
                    self.sample_statistics(workspace, row, n)
                    for workspace in (self.memory.values, self.memory.deltas)
                )
                self.kernels.layernorm_input_gradient(
                    row[Column.KIND], x, statistics, gamma, dy, scratch, dx
                )
            case Op.SCALE:
                gamma, beta = self.gamma_and_beta(row, self.net.params)
                own_dy, own_dx = self.of_members(row, dy, dx)
                self.kernels.scale_forward(own_dy, gamma, beta[:0], own_dx)
            case Op.PRELU:
                slopes = self.own(row, self.net.params)
                self.kernels.prelu_input_gradient(x, slopes, dy, dx)
            case Op.MIXED_ACTIVATION:
                other, alpha = self.activation_of(row, n), self.real(r, Scalar.ALPHA)
                buffers = (buffer.ravel() for buffer in (x, other, dy, dx))
                self.kernels.activation_backward(row[Column.KIND], alpha, *buffers)
                self.kernels.mix_forward(dy, dx, self.own(row, self.net.params), dx)

    def loss_row(self, r: int, rows: Array, batches: Batches, learns: bool = True) -> float:
        """The batch's loss times its number of samples; leaves its gradient in the deltas of X.

        Unless nothing is to be learned from it: a loss in Python is not asked for its slopes then.
        """
        row, n = self.table[r], rows.size
        x = self.buffer(self.memory.values, row[Column.X], row[Column.INPUTS], n, 0)
        dx = self.buffer(self.memory.deltas, row[Column.X], row[Column.INPUTS], n, 0)
        scratch = self.buffer(self.memory.values, row[Column.Y], 2, n, 0)
        if row[Column.KIND] == Loss.PYTHON:
            return self.python_loss(row, x, rows, batches, dx if learns else None)
        found = self.kernels.loss(
            row[Column.KIND], row[Column.REDUCTION], x, rows, batches.labels, batches.targets,
            self.weights_for(row, batches), self.net.reals[r], scratch, dx,
        )  # fmt: skip
        return float(found)

    def metric_row(self, r: int, rows: Array, batches: Batches, totals: Array) -> None:
        """Add to the totals of a metric."""
        row = self.table[r]
        x = self.buffer(self.memory.values, row[Column.X], row[Column.INPUTS], rows.size, 0)
        weights = self.weights_for(row, batches)
        if row[Column.KIND] == Metric.PYTHON:
            metric = self.python_layers[int(row[Column.LAYER])]
            own = weights[rows] if weights.size else None
            metric.update(right_answers(rows, batches), x.T, own, totals)
            return
        start = row[Column.THRESHOLDS]
        thresholds = self.net.thresholds[start : start + row[Column.LEVELS]]
        self.kernels.metric(
            row[Column.KIND], x, rows, batches.labels, batches.targets, weights, self.net.reals[r],
            thresholds, totals,
        )  # fmt: skip

    def python_loss(
        self, row: Row, x: Array, rows: Array, batches: Batches, dx: Array | None
    ) -> float:
        """The same for a loss in Python."""
        loss, weights = self.python_layers[int(row[Column.LAYER])], self.weights_for(row, batches)
        right = right_answers(rows, batches)
        weight = weights[rows] if weights.size else np.ones(rows.size, x.dtype)
        factor = float(factor_of(row[Column.REDUCTION], weight))
        values = loss.values(right, x.T)
        if dx is not None:
            dx[:] = loss.slopes(right, x.T).T * (weight * (factor / rows.size))
        return float(np.sum(values * weight, dtype=np.float64)) * factor

    def weights_for(self, row: Row, batches: Batches) -> Array:
        """The samples' weights, as a row that compares with right answers reads them."""
        weights: Array = batches.weights
        return weights if row[Column.WEIGHTED] else weights[:0]

    def activity(self, rows: range, n: int) -> float:
        """The penalties on outputs, among some rows, summed over the batch's samples."""
        total = 0.0
        for r in rows:
            if self.table[r][Column.OP] == Op.ACTIVITY:
                _, y = self.ends(self.memory.values, self.table[r], n)
                l1, l2 = self.net.reals[r, [Scalar.ALPHA, Scalar.BETA]]
                total += float(self.kernels.penalty(l1, l2, y.ravel()))
        return total

    def penalized(self, tensors: Iterable[int]) -> Iterator[tuple[int, slice]]:
        """Those of some tensors that have a penalty, each with its place in the parameters."""
        for t in tensors:
            if self.net.factors[t, Factor.L1] or self.net.factors[t, Factor.L2]:
                yield t, self.place(t)

    def real_factors(self, t: int) -> Array:
        """L1 and L2 of a tensor, in the dtype of the net."""
        factors: Array = self.net.factors[t, [Factor.L1, Factor.L2]]
        return factors.astype(self.net.params.dtype)

    def penalty_updates(self, row: Row, rate: Any, step: int) -> None:
        """Step along the gradients of the penalties on a row's tensors."""
        own = range(row[Column.FIRST_TENSOR], row[Column.STOP_TENSOR])
        for t, place in self.penalized(own):
            l1, l2 = self.real_factors(t)
            self.kernels.penalty_update(l1, l2, rate, step, 0, self.net.params[place])

    def x_rows(self, row: Row, n: int) -> Array | None:
        """The input of a DENSE row as (n, inputs), transposed if need be, or None."""
        if row[Column.X_ROWS] < 0:
            return None
        rows = self.buffer(self.memory.values, row[Column.X_ROWS], row[Column.INPUTS], n, 1)
        if row[Column.X_ROWS] > row[Column.X]:
            x, _ = self.ends(self.memory.values, row, n)
            self.kernels.transpose(x, rows)
        return rows

    def prepare_gradients(self, r: int, n: int, learns: bool) -> None:
        """Compute what several gradients of a row need; if it learns, update running statistics."""
        row = self.table[r]
        if row[Column.OP] in _WITH_VECTORS and self.learns(r):
            self.vectors_sums(row, n)
        if row[Column.OP] != Op.BATCH_NORMALIZATION:
            return
        sums = self.pair(self.memory.deltas, row, n)
        if row[Column.FROZEN]:  # its statistics do not depend on x: as if the sums were 0
            for total in sums:
                total[:] = 0
            return
        x, _ = self.ends(self.memory.values, row, n)
        _, dy = self.ends(self.memory.deltas, row, n)
        statistics = self.pair(self.memory.values, row, n)
        epsilon = self.net.reals[r, Scalar.EPSILON]
        self.kernels.batchnorm_weight_gradient(epsilon, x, *statistics, dy, *sums)
        if learns:
            momentum = self.net.reals[r, Scalar.MOMENTUM]
            for batch, running in zip(statistics, self.running_pair(row), strict=True):
                self.kernels.running_update(momentum, batch, running)

    def vectors_sums(self, row: Row, n: int) -> None:
        """Compute the gradients of a row's vectors, if no statistics of the batch come in."""
        x, _ = self.ends(self.memory.values, row, n)
        _, dy = self.ends(self.memory.deltas, row, n)
        sums = self.pair(self.memory.deltas, row, n)
        match row[Column.OP]:
            case Op.LAYER_NORMALIZATION:
                statistics = self.sample_statistics(self.memory.values, row, n)
                self.kernels.layernorm_weight_gradient(x, statistics, dy, *sums)
            case Op.SCALE:
                self.kernels.scale_weight_gradient(*self.of_members(row, x, dy), *sums)
            case Op.PRELU:
                self.kernels.prelu_weight_gradient(x, dy, sums[0])
            case Op.MIXED_ACTIVATION:
                other = self.activation_of(row, n)
                self.kernels.mix_weight_gradient(x, other, dy, sums[0])

    def weight_gradient_row(self, r: int, n: int) -> None:
        """Compute a row's part of the flat gradient."""
        match self.table[r][Column.OP]:
            case Op.DENSE:
                self.dense_gradient(r, n)
            case Op.EMBEDDING:
                row = self.table[r]
                x, _ = self.ends(self.memory.values, row, n)
                _, dy = self.ends(self.memory.deltas, row, n)
                drows = self.embedding(row, self.net.gradient)
                self.kernels.embedding_gradient(row[Column.FIRST], 0, x, dy, drows)
            case Op.GROUPED_DENSE:
                self.groups_gradient(self.table[r], n)
            case op if op == Op.BATCH_NORMALIZATION or op in _WITH_VECTORS:
                parts = self.gamma_and_beta(self.table[r], self.net.gradient)
                for part, found in zip(
                    parts, self.pair(self.memory.deltas, self.table[r], n), strict=True
                ):
                    part[:] = found[: part.size]

    def groups_gradient(self, row: Row, n: int) -> None:
        x, _ = self.ends(self.memory.values, row, n)
        _, dy = self.ends(self.memory.deltas, row, n)
        dweights, dbias = self.blocks(row, self.net.gradient)
        for own_x, own_dy, part in self.groups(row, x, dy, dweights):
            self.kernels.dense_weight_gradient(own_x, own_dy, part)
        self.kernels.dense_bias_gradient(dy, dbias)

    def groups_update(self, row: Row, rate: float, n: int) -> None:
        x, _ = self.ends(self.memory.values, row, n)
        _, dy = self.ends(self.memory.deltas, row, n)
        weights, bias = self.blocks(row, self.net.params)
        scale = -x.dtype.type(rate)
        for own_x, own_dy, part in self.groups(row, x, dy, weights):
            self.kernels.dense_weight_update(own_x, own_dy, scale, part)
        self.kernels.dense_bias_update(dy, scale, bias)

    def weight_update_row(self, r: int, rate: float, step: int, n: int) -> None:
        """Step along a row's gradient, which need not be stored."""
        row = self.table[r]
        match row[Column.OP]:
            case Op.DENSE:
                self.dense_update(r, rate, n)
            case Op.EMBEDDING:
                x, _ = self.ends(self.memory.values, row, n)
                _, dy = self.ends(self.memory.deltas, row, n)
                scale, rows = -x.dtype.type(rate), self.embedding(row, self.net.params)
                self.kernels.embedding_update(row[Column.FIRST], 0, scale, x, dy, rows)
            case Op.GROUPED_DENSE:
                self.groups_update(row, rate, n)
            case op if op == Op.BATCH_NORMALIZATION or op in _WITH_VECTORS:
                parts, none = self.gamma_and_beta(row, self.net.params), self.net.params[:0]
                for part, found in zip(parts, self.pair(self.memory.deltas, row, n), strict=True):
                    self.kernels.optimizer_step(
                        Rule.DESCENT, rate, 0.0, step, False, 0, part, found[: part.size],
                        none, none, none, self.net.numbers,
                    )  # fmt: skip
            case Op.CUSTOM:
                start = row[Column.WEIGHTS]
                place = slice(start, start + row[Column.SIZE])
                self.optimizer_step(rate, 0.0, step, False, place)

    def dense_gradient(self, r: int, n: int) -> None:
        row = self.table[r]
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

    def dense_update(self, r: int, rate: float, n: int) -> None:
        row = self.table[r]
        x, _ = self.ends(self.memory.values, row, n)
        _, dy = self.ends(self.memory.deltas, row, n)
        weights, bias = self.weights_and_bias(row, self.net.params)
        x_rows, rate = self.x_rows(row, n), self.net.params.dtype.type(rate)
        if x_rows is None:
            self.kernels.dense_weight_update(x, dy, -rate, weights)
        else:
            scale = self.real(r, Scalar.SCALE)
            self.kernels.dense_weight_update_rows(x_rows, dy, -rate * scale, weights)
        self.kernels.dense_bias_update(dy, -rate, bias)

    @property
    def trained(self) -> list[int]:
        """The tensors that are trained."""
        return np.flatnonzero(self.net.factors[:, Factor.RATE]).tolist()

    def place(self, t: int) -> slice:
        """The place of a tensor in the parameters."""
        tensor = self.tensors[t]
        return slice(tensor[Tensor.START], tensor[Tensor.START] + tensor[Tensor.SIZE])

    def optimizer_step(
        self, rate: float, decay: float, step: int, evenly: bool, part: slice
    ) -> None:
        """Change some parameters, and their moments, as the rule says."""
        net, size = self.net, self.net.params.size
        has = MOMENTS[Rule(net.rule)]
        first, second, third = (
            net.moments[i * size : (i + 1) * size if i < has else i * size] for i in range(3)
        )
        self.kernels.optimizer_step(
            net.rule, rate, decay, step, evenly, part.start,
            net.params[part], net.gradient[part], first[part], second[part], third[part],
            net.numbers,
        )  # fmt: skip

    def observe_row(self, r: int, n: int, record: Array) -> None:
        """Record one row's telemetry; overwrites the deltas of its X."""
        row = self.table[r]
        x, y = self.ends(self.memory.values, row, n)
        self.kernels.record_values(y.ravel(), record)
        if row[Column.OP] == Op.ACTIVATION:
            scratch, _ = self.ends(self.memory.deltas, row, n)
            alpha = self.real(r, Scalar.ALPHA)
            self.kernels.record_slopes(
                row[Column.KIND], alpha, x.ravel(), y.ravel(), n, row[Column.ROWS],
                scratch.ravel(), record,
            )  # fmt: skip
