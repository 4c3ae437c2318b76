"""The engine: walks a plan's table over the batches of an epoch, in one call.

Nothing in here allocates or touches a Python object.  There is one entry point, ``run``, for
training, gradients, evaluation and prediction alike, hence one compilation per dtype.
"""

import math

from ..table import FIRST_LOSS, Column, Hyper, Masks, Mode, Op, Scalar, Total
from .activations import activation_backward, activation_forward
from .dense import (
    dense_bias_gradient,
    dense_bias_update,
    dense_forward,
    dense_forward_rows,
    dense_input_gradient,
    dense_weight_gradient,
    dense_weight_update,
)
from .dropout import dropout_mask
from .elementwise import multiply, rescale, transpose
from .gather import gather_bytes, gather_reals
from .jit import fast, view
from .losses import (
    count_correct_labels,
    count_correct_targets,
    mean_squared_error,
    softmax_crossentropy_labels,
    softmax_crossentropy_targets,
)
from .penalties import penalty, penalty_gradient, penalty_update
from .softmax import softmax_backward, softmax_forward
from .telemetry import record_slopes, record_step, record_values
from .updates import sgd_step
from .views import matrix, vector


@view
def gather(row, reals, samples, rows, values, capacity):
    """Run the INPUT row: bring the samples ``rows`` into the first buffer.

    ``samples`` is (count, bytes per sample), the data set seen as bytes: whether it holds
    uint8 or this engine's float is told by the width, so that one compilation serves both.
    """
    features = row[Column.OUTPUTS]
    n = rows.size
    out = matrix(values, row[Column.Y] * capacity, n, features)
    scale = values.dtype.type(reals[Scalar.SCALE])
    offset = values.dtype.type(reals[Scalar.OFFSET])
    if samples.shape[1] == features:
        gather_bytes(samples, rows, scale, offset, out)
    else:
        gather_reals(samples.view(values.dtype), rows, scale, offset, out)


@view
def layer_weights(row, params):
    """The kernel (outputs, inputs) of a DENSE row."""
    return matrix(params, row[Column.WEIGHTS], row[Column.OUTPUTS], row[Column.INPUTS])


@view
def layer_bias(row, params):
    """The bias (outputs,) of a DENSE row, empty if it has none."""
    start = row[Column.BIAS]
    return vector(params, max(start, 0), row[Column.OUTPUTS] if start >= 0 else 0)


@view
def layer_params(row, params):
    """All parameters of a row, as one flat vector."""
    return vector(params, row[Column.WEIGHTS], row[Column.SIZE])


@view
def forward_row(row, reals, params, values, capacity, n, step, masks):
    """Compute the output buffer of one row; ``masks`` says what dropout does."""
    op = row[Column.OP]
    inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
    at_x, at_y = row[Column.X] * capacity, row[Column.Y] * capacity
    x, y = vector(values, at_x, inputs * n), vector(values, at_y, outputs * n)
    y_matrix = matrix(values, at_y, outputs, n)
    real = values.dtype.type
    if op == Op.DENSE:
        weights, bias = layer_weights(row, params), layer_bias(row, params)
        if row[Column.ROWS]:
            dense_forward_rows(matrix(values, at_x, n, inputs), weights, bias, y_matrix)
        else:
            dense_forward(matrix(values, at_x, inputs, n), weights, bias, y_matrix)
    elif op == Op.ACTIVATION:
        activation_forward(row[Column.KIND], real(reals[Scalar.ALPHA]), x, y)
    elif op == Op.SOFTMAX:
        scratch = matrix(values, at_y + outputs * capacity, 2, n)
        softmax_forward(matrix(values, at_x, inputs, n), scratch, y_matrix)
    elif op == Op.RESCALE:
        rescale(real(reals[Scalar.SCALE]), real(reals[Scalar.OFFSET]), x, y)
    elif op == Op.TRANSPOSE:
        transpose(matrix(values, at_x, n, inputs), y_matrix)
    elif op == Op.DROPOUT:
        if masks == Masks.OFF:
            rescale(real(1), real(0), x, y)
        else:
            mask = vector(values, at_y + outputs * capacity, outputs * n)
            if masks == Masks.DRAW:
                dropout_mask(row[Column.KEY], step, reals[Scalar.RATE], mask)
            multiply(x, mask, y)


@view
def backward_row(row, reals, params, values, deltas, capacity, n):
    """Compute the gradient with respect to one row's input from that of its output."""
    op = row[Column.OP]
    inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
    at_x, at_y = row[Column.X] * capacity, row[Column.Y] * capacity
    x, y = vector(values, at_x, inputs * n), vector(values, at_y, outputs * n)
    dx, dy = vector(deltas, at_x, inputs * n), vector(deltas, at_y, outputs * n)
    dx_matrix, dy_matrix = matrix(deltas, at_x, inputs, n), matrix(deltas, at_y, outputs, n)
    real = values.dtype.type
    if op == Op.DENSE:
        dense_input_gradient(layer_weights(row, params), dy_matrix, dx_matrix)
    elif op == Op.ACTIVATION:
        activation_backward(row[Column.KIND], real(reals[Scalar.ALPHA]), x, y, dy, dx)
    elif op == Op.SOFTMAX:
        scratch = matrix(deltas, at_y + outputs * capacity, 2, n)
        softmax_backward(matrix(values, at_y, outputs, n), dy_matrix, scratch, dx_matrix)
    elif op == Op.RESCALE:
        rescale(real(reals[Scalar.SCALE]), real(0), dy, dx)
    elif op == Op.TRANSPOSE:
        transpose(dy_matrix, matrix(deltas, at_x, n, inputs))
    elif op == Op.DROPOUT:
        multiply(dy, vector(values, at_y + outputs * capacity, outputs * n), dx)


@view
def loss_row(row, values, deltas, capacity, rows, labels, targets):
    """Return the batch's summed loss, and leave the mean's gradient in the deltas of X.

    A data set has either integer ``labels`` (count,), or ``targets`` (count, outputs).
    """
    features = row[Column.INPUTS]
    n = rows.size
    at_x = row[Column.X] * capacity
    x, dx = matrix(values, at_x, features, n), matrix(deltas, at_x, features, n)
    scratch = matrix(values, row[Column.Y] * capacity, 2, n)
    if row[Column.OP] == Op.MEAN_SQUARED_ERROR:
        return mean_squared_error(x, rows, targets, dx)
    if labels.size:
        return softmax_crossentropy_labels(x, rows, labels, scratch, dx)
    return softmax_crossentropy_targets(x, rows, targets, scratch, dx)


@view
def count_correct(row, values, capacity, rows, labels, targets):
    """Count the batch's samples whose largest output is the right one."""
    features = row[Column.INPUTS]
    n = rows.size
    x = matrix(values, row[Column.X] * capacity, features, n)
    if labels.size:
        return count_correct_labels(x, rows, labels)
    return count_correct_targets(x, rows, targets)


@view
def penalty_value(row, reals, params):
    """Return the value of one PENALTY row."""
    return penalty(reals[Scalar.L1], reals[Scalar.L2], layer_params(row, params))


@view
def penalty_gradients(table, reals, r, params, gradient):
    """Add the gradients of the PENALTY rows that follow row ``r``."""
    real = params.dtype.type
    while table[r + 1, Column.OP] == Op.PENALTY:
        r += 1
        penalty_gradient(
            real(reals[r, Scalar.L1]),
            real(reals[r, Scalar.L2]),
            layer_params(table[r], params),
            layer_params(table[r], gradient),
        )


@view
def penalty_updates(table, reals, r, rate, params):
    """Step along the gradients of the PENALTY rows that follow row ``r``."""
    real = params.dtype.type
    while table[r + 1, Column.OP] == Op.PENALTY:
        r += 1
        penalty_update(
            real(reals[r, Scalar.L1]),
            real(reals[r, Scalar.L2]),
            rate,
            layer_params(table[r], params),
        )


@view
def input_rows(row, values, capacity, n):
    """Return the input of a DENSE row as (n, inputs), transposed if need be."""
    inputs, at_x = row[Column.INPUTS], row[Column.X] * capacity
    at_rows = at_x
    if not row[Column.ROWS]:
        at_rows = row[Column.X_ROWS] * capacity
        transpose(matrix(values, at_x, inputs, n), matrix(values, at_rows, n, inputs))
    return matrix(values, at_rows, n, inputs)


@view
def weight_update_row(row, rate, params, values, deltas, capacity, n):
    """Step along one DENSE row's gradient, without storing it."""
    dy = matrix(deltas, row[Column.Y] * capacity, row[Column.OUTPUTS], n)
    x = input_rows(row, values, capacity, n)
    dense_weight_update(x, dy, -rate, layer_weights(row, params))
    dense_bias_update(dy, -rate, layer_bias(row, params))


@view
def weight_gradient_row(row, gradient, values, deltas, capacity, n):
    """Compute one DENSE row's part of the flat gradient."""
    dy = matrix(deltas, row[Column.Y] * capacity, row[Column.OUTPUTS], n)
    x = input_rows(row, values, capacity, n)
    dense_weight_gradient(x, dy, layer_weights(row, gradient))
    dense_bias_gradient(dy, layer_bias(row, gradient))


@view
def observe_row(row, reals, params, gradient, velocity, hyper, values, deltas, capacity, n, out):
    """Record one row's telemetry, just before its backward step; overwrites the deltas of X."""
    inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
    y = vector(values, row[Column.Y] * capacity, outputs * n)
    record_values(y, out)
    if row[Column.OP] == Op.DENSE:
        record_step(
            layer_params(row, params),
            layer_params(row, gradient),
            layer_params(row, velocity) if velocity.size else velocity,
            hyper,
            out,
        )
    elif row[Column.OP] == Op.ACTIVATION:
        x = vector(values, row[Column.X] * capacity, inputs * n)
        scratch = vector(deltas, row[Column.X] * capacity, inputs * n)
        alpha = values.dtype.type(reals[Scalar.ALPHA])
        record_slopes(row[Column.KIND], alpha, x, y, n, row[Column.ROWS], scratch, out)


@fast
def run(
    mode,
    table,
    reals,
    params,
    gradient,
    velocity,
    hyper,
    values,
    deltas,
    samples,
    labels,
    targets,
    order,
    batch_size,
    first,
    last,
    first_step,
    wants_accuracy,
    totals,
    outputs,
    telemetry,
    telemetry_every,
    thread,
    threads,
    barrier,
):
    """Run the batches ``first`` to ``last`` of an epoch; ``fastmlp.engine`` explains all of this.

    Returns ``last``, or the index of the first batch whose loss is not finite; that batch
    is not learned from.
    """
    if thread > 0:
        return last
    capacity = values.size // table[0, Column.X]
    rate = values.dtype.type(hyper[Hyper.LEARNING_RATE])
    fused = mode == Mode.TRAIN and velocity.size == 0
    masks = Masks.DRAW if mode == Mode.TRAIN or mode == Mode.GRADIENT else Masks.OFF
    loss_index = 0
    while table[loss_index, Column.OP] < FIRST_LOSS and loss_index < table.shape[0] - 1:
        loss_index += 1

    for batch in range(first, last):
        n = min(batch_size, order.size - batch * batch_size)
        rows = vector(order, batch * batch_size, n)
        gather(table[0], reals[0], samples, rows, values, capacity)

        penalties = 0.0
        last_row = table[0]
        for r in range(1, table.shape[0]):
            if table[r, Column.OP] >= FIRST_LOSS:
                if mode == Mode.PREDICT:
                    continue
                break
            last_row = table[r]
            if last_row[Column.OP] == Op.PENALTY:
                if mode != Mode.PREDICT:
                    penalties += penalty_value(last_row, reals[r], params)
                continue
            forward_row(last_row, reals[r], params, values, capacity, n, first_step + batch, masks)
        if mode == Mode.PREDICT:
            features = last_row[Column.OUTPUTS]
            y = matrix(values, last_row[Column.Y] * capacity, features, n)
            transpose(y, outputs[batch * batch_size : batch * batch_size + n])
            continue

        loss = loss_row(table[loss_index], values, deltas, capacity, rows, labels, targets)
        totals[Total.LOSS] += loss
        totals[Total.PENALTY] += penalties * n
        totals[Total.SAMPLES] += n
        if wants_accuracy:
            totals[Total.CORRECT] += count_correct(
                table[loss_index], values, capacity, rows, labels, targets
            )
        # Not math.isfinite: Numba makes it x - x, which LLVM may reassociate, and folds to 0.
        if not abs(loss + penalties) < math.inf:
            return batch
        if mode == Mode.EVALUATE:
            continue

        observed = telemetry_every > 0 and batch % telemetry_every == 0
        for r in range(loss_index - 1, 0, -1):
            row = table[r]
            has_weights = row[Column.OP] == Op.DENSE
            if has_weights and (observed or not fused):
                weight_gradient_row(row, gradient, values, deltas, capacity, n)
                penalty_gradients(table, reals, r, params, gradient)
            if observed:
                record = telemetry[batch // telemetry_every, r]
                observe_row(
                    row, reals[r], params, gradient, velocity, hyper,
                    values, deltas, capacity, n, record,
                )  # fmt: skip
            if row[Column.INPUT_GRADIENT]:
                backward_row(row, reals[r], params, values, deltas, capacity, n)
            if has_weights and fused:
                penalty_updates(table, reals, r, rate, params)
                weight_update_row(row, rate, params, values, deltas, capacity, n)
        if mode == Mode.TRAIN and not fused:
            sgd_step(params, gradient, velocity, hyper)
    return last
