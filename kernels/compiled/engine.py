"""The engine: walks a plan's table over the batches of an epoch, in one call.

Nothing in here allocates or touches a Python object.  There is one entry point, ``run``, for
training, gradients, evaluation and prediction alike, hence one compilation per dtype.

When several threads share a net, each runs the whole loop, on its share of every layer: of the
rows of its output, of those of dx, of those of W.  Nobody sums what another has computed, so the
bits do not depend on the number of threads.  They wait for each other after each stage; what is
not worth sharing, such as the loss, thread 0 does alone.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from ..check import checked
from ..contract import (
    FIRST_LOSS,
    RUN,
    Column,
    Factor,
    Memory,
    Mode,
    Net,
    Number,
    Op,
    Phase,
    Rule,
    Scalar,
    Tensor,
    Total,
)
from .activations import activation_backward, activation_forward
from .barrier import (
    STOP,
    all_are_here,
    first_element_of,
    first_of,
    last_element_of,
    last_of,
    wait,
)
from .dense import (
    dense_bias_gradient,
    dense_bias_update,
    dense_forward,
    dense_forward_rows,
    dense_input_gradient,
    dense_weight_gradient,
    dense_weight_gradient_rows,
    dense_weight_update,
    dense_weight_update_ahead,
    dense_weight_update_rows,
)
from .dropout import dropout_blocks
from .elementwise import add, multiply, rescale, transpose
from .gather import fetch, gather_bytes, gather_reals
from .jit import exact, for_groups, view
from .losses import loss
from .metrics import metric
from .normalization import (
    batch_statistics,
    batchnorm_forward,
    batchnorm_input_gradient,
    batchnorm_weight_gradient,
    running_update,
)
from .optimizers import (
    clip_values,
    clipping_scale,
    descent_step,
    optimizer_step,
    square_sum,
)
from .penalties import penalty, penalty_gradient, penalty_update
from .softmax import softmax_backward, softmax_forward
from .telemetry import record_slopes, record_step, record_values
from .views import matrix, part, vector


@view
def gather(row, reals, samples, rows, values, capacity, team):
    """Run the INPUT row: bring the samples ``rows`` into the first buffer.

    ``samples`` is (count, bytes per sample), the data set seen as bytes: whether it holds
    uint8 or this engine's float is told by the width, so that one compilation serves both.
    """
    features = row[Column.OUTPUTS]
    first, last = first_of(rows.size, team), last_of(rows.size, team)
    own = vector(rows, first, last - first)
    out = matrix(values, row[Column.Y] * capacity + first * features, last - first, features)
    scale = values.dtype.type(reals[Scalar.SCALE])
    offset = values.dtype.type(reals[Scalar.OFFSET])
    if samples.shape[1] == features:
        gather_bytes(samples, own, scale, offset, out)
    else:
        gather_reals(samples.view(values.dtype), own, scale, offset, out)


@view
def layer_weights(row, params, first, last):
    """The units ``first`` to ``last`` of the kernel (outputs, inputs) of a DENSE row."""
    inputs = row[Column.INPUTS]
    return part(params, row[Column.WEIGHTS] + first * inputs, last - first, inputs, inputs)


@view
def layer_bias(row, params, first, last):
    """The same units of its bias (outputs,), empty if it has none."""
    start = row[Column.BIAS]
    return vector(params, max(start, 0) + first, last - first if start >= 0 else 0)


@view
def layer_params(row, params):
    """All parameters of a row, as one flat vector."""
    return vector(params, row[Column.WEIGHTS], row[Column.SIZE])


@view
def has_weights(row):
    """Whether a row has weights."""
    return row[Column.SIZE] > 0


@view
def layer_gamma(row, params, first, last):
    """The same units of the gamma of a BATCH_NORMALIZATION row, empty if it has none."""
    beside = row[Column.OUTPUTS] if row[Column.BIAS] >= 0 else 0
    size = last - first if row[Column.SIZE] > beside else 0
    return vector(params, row[Column.WEIGHTS] + (first if size > 0 else 0), size)


@view
def normalization_pair(row, memory, capacity, first, last):
    """Two vectors behind a BATCH_NORMALIZATION row's Y: the batch's statistics, or gradients.

    Among the values they are the means and variances, among the deltas those of gamma and beta.
    """
    outputs = row[Column.OUTPUTS]
    start = (row[Column.Y] + outputs) * capacity + first
    return vector(memory, start, last - first), vector(memory, start + outputs, last - first)


@view
def running_pair(row, running, first, last):
    """The running means and variances of the same units."""
    start = row[Column.RUNNING] + first
    size = last - first
    return vector(running, start, size), vector(running, start + row[Column.OUTPUTS], size)


@view
def normalization_forward(row, reals, params, running, values, capacity, n, phase, team):
    first, last = first_of(row[Column.OUTPUTS], team), last_of(row[Column.OUTPUTS], team)
    x = matrix(values, row[Column.X] * capacity + first * n, last - first, n)
    y = matrix(values, row[Column.Y] * capacity + first * n, last - first, n)
    if phase == Phase.PREDICT:
        mean, variance = running_pair(row, running, first, last)
    else:
        mean, variance = normalization_pair(row, values, capacity, first, last)
        batch_statistics(x, mean, variance)
    gamma, beta = layer_gamma(row, params, first, last), layer_bias(row, params, first, last)
    batchnorm_forward(reals[Scalar.EPSILON], x, mean, variance, gamma, beta, y)


@view
def normalization_sums(row, reals, running, values, deltas, capacity, n, learns, team):
    """Compute the gradients of gamma and beta, which that of the input needs too.

    In training, let the running statistics follow the batch's.
    """
    first, last = first_of(row[Column.OUTPUTS], team), last_of(row[Column.OUTPUTS], team)
    x = matrix(values, row[Column.X] * capacity + first * n, last - first, n)
    dy = matrix(deltas, row[Column.Y] * capacity + first * n, last - first, n)
    mean, variance = normalization_pair(row, values, capacity, first, last)
    dgamma, dbeta = normalization_pair(row, deltas, capacity, first, last)
    batchnorm_weight_gradient(reals[Scalar.EPSILON], x, mean, variance, dy, dgamma, dbeta)
    if learns:
        running_mean, running_variance = running_pair(row, running, first, last)
        running_update(reals[Scalar.MOMENTUM], mean, running_mean)
        running_update(reals[Scalar.MOMENTUM], variance, running_variance)


@view
def normalization_backward(row, reals, params, values, deltas, capacity, n, team):
    first, last = first_of(row[Column.OUTPUTS], team), last_of(row[Column.OUTPUTS], team)
    x = matrix(values, row[Column.X] * capacity + first * n, last - first, n)
    dx = matrix(deltas, row[Column.X] * capacity + first * n, last - first, n)
    dy = matrix(deltas, row[Column.Y] * capacity + first * n, last - first, n)
    mean, variance = normalization_pair(row, values, capacity, first, last)
    dgamma, dbeta = normalization_pair(row, deltas, capacity, first, last)
    gamma = layer_gamma(row, params, first, last)
    batchnorm_input_gradient(
        reals[Scalar.EPSILON], x, mean, variance, gamma, dgamma, dbeta, dy, dx
    )  # fmt: skip


@view
def normalization_gradient(row, gradient, deltas, capacity, team):
    first, last = first_of(row[Column.OUTPUTS], team), last_of(row[Column.OUTPUTS], team)
    dgamma, dbeta = normalization_pair(row, deltas, capacity, first, last)
    gamma, beta = layer_gamma(row, gradient, first, last), layer_bias(row, gradient, first, last)
    for i in range(gamma.size):
        gamma[i] = dgamma[i]
    for i in range(beta.size):
        beta[i] = dbeta[i]


@view
def normalization_update(row, rate, params, deltas, capacity, team):
    first, last = first_of(row[Column.OUTPUTS], team), last_of(row[Column.OUTPUTS], team)
    dgamma, dbeta = normalization_pair(row, deltas, capacity, first, last)
    descent_step(np.float64(rate), layer_gamma(row, params, first, last), dgamma)
    descent_step(np.float64(rate), layer_bias(row, params, first, last), dbeta)


@view
def forward_row(row, reals, net, values, capacity, n, step, phase, team):
    """Compute a share of the output buffer of one row."""
    params = net.params
    op = row[Column.OP]
    inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
    at_x, at_y = row[Column.X] * capacity, row[Column.Y] * capacity
    first, last = first_of(outputs, team), last_of(outputs, team)
    y_matrix = matrix(values, at_y + first * n, last - first, n)
    own = first_element_of(outputs * n, team)
    size = last_element_of(outputs * n, team) - own
    x, y = vector(values, at_x + own, size), vector(values, at_y + own, size)
    real = values.dtype.type
    if op == Op.DENSE:
        weights, bias = (
            layer_weights(row, params, first, last),
            layer_bias(row, params, first, last),
        )
        if row[Column.ROWS]:
            scale = real(reals[Scalar.SCALE])
            dense_forward_rows(matrix(values, at_x, n, inputs), weights, bias, scale, y_matrix)
        else:
            dense_forward(matrix(values, at_x, inputs, n), weights, bias, y_matrix)
    elif op == Op.ACTIVATION:
        activation_forward(row[Column.KIND], real(reals[Scalar.ALPHA]), x, y)
    elif op == Op.SOFTMAX:
        if team.thread == 0:
            scratch = matrix(values, at_y + outputs * capacity, 2, n)
            all_y = matrix(values, at_y, outputs, n)
            softmax_forward(matrix(values, at_x, inputs, n), scratch, all_y)
    elif op == Op.RESCALE:
        rescale(real(reals[Scalar.SCALE]), real(reals[Scalar.OFFSET]), x, y)
    elif op == Op.TRANSPOSE:
        own_y = part(values, at_y + first * n, last - first, n, n)
        transpose(part(values, at_x + first, n, last - first, inputs), own_y)
    elif op == Op.DROPOUT:
        if phase == Phase.PREDICT:
            rescale(real(1), real(0), x, y)
        else:
            at_mask = at_y + outputs * capacity
            if phase == Phase.LEARN:
                mask = vector(values, at_mask, outputs * n)
                blocks = (mask.size + 3) // 4
                begin, end = first_of(blocks, team), last_of(blocks, team)
                dropout_blocks(row[Column.KEY], step, reals[Scalar.RATE], mask, begin, end)
                wait(team)
            multiply(x, vector(values, at_mask + own, size), y)
    elif op == Op.ADD:
        add(x, vector(values, row[Column.OTHER] * capacity + own, size), y)
    elif op == Op.BATCH_NORMALIZATION:
        normalization_forward(row, reals, params, net.running, values, capacity, n, phase, team)


@view
def backward_row(row, reals, params, values, deltas, capacity, n, team):
    """Compute a share of the gradient with respect to one row's input from that of its output."""
    op = row[Column.OP]
    inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
    at_x, at_y = row[Column.X] * capacity, row[Column.Y] * capacity
    first, last = first_of(inputs, team), last_of(inputs, team)
    own = first_element_of(inputs * n, team)
    size = last_element_of(inputs * n, team) - own
    x, y = vector(values, at_x + own, size), vector(values, at_y + own, size)
    dx, dy = vector(deltas, at_x + own, size), vector(deltas, at_y + own, size)
    all_dy = matrix(deltas, at_y, outputs, n)
    real = values.dtype.type
    if op == Op.DENSE:
        weights = part(params, row[Column.WEIGHTS] + first, outputs, last - first, inputs)
        dense_input_gradient(weights, all_dy, matrix(deltas, at_x + first * n, last - first, n))
    elif op == Op.ACTIVATION:
        activation_backward(row[Column.KIND], real(reals[Scalar.ALPHA]), x, y, dy, dx)
    elif op == Op.SOFTMAX:
        if team.thread == 0:
            scratch = matrix(deltas, at_y + outputs * capacity, 2, n)
            all_y, all_dx = matrix(values, at_y, outputs, n), matrix(deltas, at_x, inputs, n)
            softmax_backward(all_y, all_dy, scratch, all_dx)
    elif op == Op.RESCALE:
        rescale(real(reals[Scalar.SCALE]), real(0), dy, dx)
    elif op == Op.TRANSPOSE:
        own_dx = part(deltas, at_x + first, n, last - first, inputs)
        transpose(part(deltas, at_y + first * n, last - first, n, n), own_dx)
    elif op == Op.DROPOUT:
        multiply(dy, vector(values, at_y + outputs * capacity + own, size), dx)
    elif op == Op.FORK:
        add(dx, vector(deltas, row[Column.OTHER] * capacity + own, size), dx)
    elif op == Op.ADD:
        for i in range(size):
            dx[i] = dy[i]
    elif op == Op.BATCH_NORMALIZATION:
        normalization_backward(row, reals, params, values, deltas, capacity, n, team)


@view
def loss_row(row, reals, values, deltas, capacity, rows, labels, targets):
    """Return the batch's summed loss, and leave the mean's gradient in the deltas of X."""
    features = row[Column.INPUTS]
    n = rows.size
    at_x = row[Column.X] * capacity
    x, dx = matrix(values, at_x, features, n), matrix(deltas, at_x, features, n)
    scratch = matrix(values, row[Column.Y] * capacity, 2, n)
    alpha = values.dtype.type(reals[Scalar.ALPHA])
    return loss(row[Column.KIND], alpha, x, rows, labels, targets, scratch, dx)


@view
def metric_row(row, reals, values, capacity, rows, labels, targets):
    """Return the sum of a metric over the batch."""
    x = matrix(values, row[Column.X] * capacity, row[Column.INPUTS], rows.size)
    alpha = values.dtype.type(reals[Scalar.ALPHA])
    return metric(row[Column.KIND], alpha, x, rows, labels, targets)


@view
def last_to_judge(table, loss_index):
    """Return the last row that compares outputs with right answers: the loss, or a metric."""
    last = loss_index
    for r in range(loss_index + 1, table.shape[0]):
        if table[r, Column.OP] >= FIRST_LOSS:
            last = r
    return last


@view
def judge(net, memory, batches, loss_index, last_judge, capacity, rows, totals):
    """Compute the loss, which is returned, and add the metrics to their totals."""
    place, of_loss = totals.size, 0.0
    values, labels, targets = memory.values, batches.labels, batches.targets
    # The loss comes last, for a metric that is a loss sets a gradient, too.
    for r in range(last_judge, loss_index - 1, -1):
        row, reals = net.table[r], net.reals[r]
        op = row[Column.OP]
        if op == Op.METRIC:
            place -= 1
            totals[place] += metric_row(row, reals, values, capacity, rows, labels, targets)
        elif op >= FIRST_LOSS:
            of_loss = loss_row(row, reals, values, memory.deltas, capacity, rows, labels, targets)
            if op == Op.LOSS_VALUE:
                place -= 1
                totals[place] += of_loss
    return of_loss


@view
def is_penalized(net, t):
    """Tell whether there is a penalty on a tensor."""
    return net.factors[t, Factor.L1] != 0 or net.factors[t, Factor.L2] != 0


@view
def tensor_of(net, t, vector_of_params):
    """Return a tensor, flat, in a vector that is as long as the parameters."""
    return vector(vector_of_params, net.tensors[t, Tensor.START], net.tensors[t, Tensor.SIZE])


@view
def penalty_updates(net, row, rate, step, team):
    """Step along a share of the gradients of the penalties on a row's tensors."""
    real = net.params.dtype.type
    waits = False
    for t in range(row[Column.FIRST_TENSOR], row[Column.STOP_TENSOR]):
        if not is_penalized(net, t):
            continue
        size = net.tensors[t, Tensor.SIZE]
        own, end = first_element_of(size, team), last_element_of(size, team)
        l1, l2 = real(net.factors[t, Factor.L1]), real(net.factors[t, Factor.L2])
        weights = vector(net.params, net.tensors[t, Tensor.START] + own, end - own)
        penalty_update(l1, l2, rate, step, own, weights)
        waits = True
    if waits:
        wait(team)


@view
def transpose_input(row, values, capacity, n, team):
    """Write a share of the input of a DENSE row, that is (inputs, n), into its (n, inputs)."""
    inputs, at_x = row[Column.INPUTS], row[Column.X] * capacity
    first, last = first_of(inputs, team), last_of(inputs, team)
    x = part(values, at_x + first * n, last - first, n, n)
    transpose(x, part(values, row[Column.X_ROWS] * capacity + first, n, last - first, inputs))


@view
def dense_update(row, reals, rate, params, values, deltas, capacity, n, samples, ahead, team):
    """Take a share of the step along one DENSE row's gradient, without storing it.

    A first layer meanwhile prefetches the samples ``ahead``.
    """
    first, last = first_of(row[Column.OUTPUTS], team), last_of(row[Column.OUTPUTS], team)
    inputs = row[Column.INPUTS]
    dy = part(deltas, row[Column.Y] * capacity + first * n, last - first, n, n)
    weights = layer_weights(row, params, first, last)
    if row[Column.X_ROWS] < 0:
        x = matrix(values, row[Column.X] * capacity, inputs, n)
        dense_weight_update(x, dy, -rate, weights)
    else:
        x = matrix(values, row[Column.X_ROWS] * capacity, n, inputs)
        scale = -rate * values.dtype.type(reals[Scalar.SCALE])
        if row[Column.ROWS]:
            dense_weight_update_ahead(x, dy, scale, weights, samples, ahead)
        else:
            dense_weight_update_rows(x, dy, scale, weights)
    dense_bias_update(dy, -rate, layer_bias(row, params, first, last))


@view
def dense_gradient(row, reals, gradient, values, deltas, capacity, n, team):
    """Compute a share of one DENSE row's part of the flat gradient."""
    first, last = first_of(row[Column.OUTPUTS], team), last_of(row[Column.OUTPUTS], team)
    inputs = row[Column.INPUTS]
    dy = part(deltas, row[Column.Y] * capacity + first * n, last - first, n, n)
    weights = layer_weights(row, gradient, first, last)
    if row[Column.X_ROWS] < 0:
        x = matrix(values, row[Column.X] * capacity, inputs, n)
        dense_weight_gradient(x, dy, weights)
    else:
        x = matrix(values, row[Column.X_ROWS] * capacity, n, inputs)
        scale = values.dtype.type(reals[Scalar.SCALE])
        dense_weight_gradient_rows(x, dy, scale, weights)
    dense_bias_gradient(dy, layer_bias(row, gradient, first, last))


@view
def weight_update_row(row, reals, rate, params, values, deltas, capacity, n, samples, ahead, team):
    """Take a share of the step along one row's gradient, which need not be stored."""
    if row[Column.OP] == Op.DENSE:
        dense_update(row, reals, rate, params, values, deltas, capacity, n, samples, ahead, team)
    elif row[Column.OP] == Op.BATCH_NORMALIZATION:
        normalization_update(row, rate, params, deltas, capacity, team)


@view
def weight_gradient_row(row, reals, gradient, values, deltas, capacity, n, team):
    """Compute a share of one row's part of the flat gradient."""
    if row[Column.OP] == Op.DENSE:
        dense_gradient(row, reals, gradient, values, deltas, capacity, n, team)
    elif row[Column.OP] == Op.BATCH_NORMALIZATION:
        normalization_gradient(row, gradient, deltas, capacity, team)


@view
def observe_row(row, reals, values, deltas, capacity, n, out):
    """Record one row's values, just before its backward step; overwrites the deltas of X."""
    inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
    y = vector(values, row[Column.Y] * capacity, outputs * n)
    record_values(y, out)
    if row[Column.OP] == Op.ACTIVATION:
        x = vector(values, row[Column.X] * capacity, inputs * n)
        scratch = vector(deltas, row[Column.X] * capacity, inputs * n)
        alpha = values.dtype.type(reals[Scalar.ALPHA])
        record_slopes(row[Column.KIND], alpha, x, y, n, row[Column.ROWS], scratch, out)


# The stages of a batch, as in kernels/c/engine.c and kernels/walk.py.


@view
def batch_of(batches, batch):
    """Return which samples are in a batch."""
    start = batch * batches.size
    return vector(batches.order, start, min(batches.size, batches.order.size - start))


@view
def share_ahead(batches, batch, team):
    """Return a share of the samples of the batch after this one."""
    start = min((batch + 1) * batches.size, batches.order.size)
    count = min(batches.size, batches.order.size - start)
    own = first_of(count, team)
    return vector(batches.order, start + own, last_of(count, team) - own)


@view
def forward(net, memory, mode, stop, capacity, n, step, team):
    """Run the rows before ``stop`` forward, and return the last of them."""
    phase = Phase.LEARN if mode == Mode.TRAIN or mode == Mode.GRADIENT else Phase.PREDICT
    last_row = net.table[0]
    for r in range(1, stop):
        # A softmax that the loss has built in may follow it, for predictions, and for metrics.
        if net.table[r, Column.OP] >= FIRST_LOSS:
            continue
        last_row = net.table[r]
        forward_row(last_row, net.reals[r], net, memory.values, capacity, n, step, phase, team)
        wait(team)
    return last_row


@view
def write_outputs(row, values, outputs, capacity, n, start, team):
    """Write a share of the last row's output where predictions are wanted."""
    features = row[Column.OUTPUTS]
    own, end = first_of(n, team), last_of(n, team)
    y = part(values, row[Column.Y] * capacity + own, features, end - own, n)
    transpose(y, outputs[start + own : start + end])
    wait(team)


@view
def measure_loss(net, memory, batches, course, loss_index, last_judge, capacity, rows, team):
    """Add to the totals, and leave the loss's gradient; tell whether to learn from the batch."""
    if team.thread == 0:
        totals = course.totals
        of_loss = judge(net, memory, batches, loss_index, last_judge, capacity, rows, totals)
        penalties = 0.0
        for t in range(net.tensors.shape[0]):
            if is_penalized(net, t):
                l1, l2 = net.factors[t, Factor.L1], net.factors[t, Factor.L2]
                penalties += penalty(l1, l2, tensor_of(net, t, net.params))
        totals[Total.LOSS] += of_loss
        totals[Total.PENALTY] += penalties * rows.size
        totals[Total.SAMPLES] += rows.size
        # Not math.isfinite: Numba makes it x - x, which LLVM may reassociate, and folds to 0.
        finite = abs(of_loss + penalties) < math.inf
        team.barrier[STOP] = course.mode != Mode.EVALUATE and not finite
    wait(team)
    return team.barrier[STOP] == 0


@view
def backward(net, memory, batches, course, loss_index, batch, capacity, n, fused, ahead, team):
    """From the loss's gradient down to the first layer's weights.

    If ``fused``, each row takes its step as soon as its part of the gradient is known, and stores
    that only to be recorded.
    """
    values, deltas = memory.values, memory.deltas
    observed = course.telemetry_every > 0 and batch % course.telemetry_every == 0
    rate = values.dtype.type(course.rates[batch - batches.first] if fused else 0.0)
    for r in range(loss_index - 1, 0, -1):
        row, reals = net.table[r], net.reals[r]
        if row[Column.OP] == Op.DENSE and not row[Column.ROWS] and row[Column.X_ROWS] >= 0:
            transpose_input(row, values, capacity, n, team)
            wait(team)
        elif row[Column.OP] == Op.BATCH_NORMALIZATION:
            learns = course.mode == Mode.TRAIN
            normalization_sums(row, reals, net.running, values, deltas, capacity, n, learns, team)
        if has_weights(row) and (observed or not fused):
            weight_gradient_row(row, reals, net.gradient, values, deltas, capacity, n, team)
        if observed:
            wait(team)
            if team.thread == 0:
                record = course.telemetry[batch // course.telemetry_every, r]
                observe_row(row, reals, values, deltas, capacity, n, record)
            wait(team)
        if row[Column.INPUT_GRADIENT]:
            backward_row(row, reals, net.params, values, deltas, capacity, n, team)
            wait(team)
        if has_weights(row) and fused:
            penalty_updates(net, row, rate, course.first_step + batch, team)
            weight_update_row(
                row, reals, rate, net.params, values, deltas, capacity, n, batches.samples, ahead,
                team,
            )  # fmt: skip
    wait(team)


@view
def add_penalties(net, weights, step, team):
    """Add a share of the penalties' gradients, which ``weights`` have."""
    real = net.params.dtype.type
    waits = False
    for t in range(net.tensors.shape[0]):
        if not is_penalized(net, t):
            continue
        size = net.tensors[t, Tensor.SIZE]
        own, end = first_element_of(size, team), last_element_of(size, team)
        start = net.tensors[t, Tensor.START] + own
        penalty_gradient(
            real(net.factors[t, Factor.L1]),
            real(net.factors[t, Factor.L2]),
            step,
            own,
            vector(weights, start, end - own),
            vector(net.gradient, start, end - own),
        )
        waits = True
    if waits:
        wait(team)


@view
def clip_gradient(net, team):
    """Clip the gradient as the optimizer's numbers say.

    Each tensor's squares are added by one thread, or by every thread, in one order: so the bits do
    not depend on how many there are.
    """
    real, numbers, size = net.params.dtype.type, net.numbers, net.params.size
    start = first_element_of(size, team)  # take_step's share, too: it need not wait for this
    own = vector(net.gradient, start, last_element_of(size, team) - start)
    if numbers[Number.CLIPVALUE] > 0.0:
        clip_values(real(numbers[Number.CLIPVALUE]), own)
    if numbers[Number.CLIPNORM] > 0.0:
        for t in range(team.thread, net.tensors.shape[0], team.threads):
            tensor = tensor_of(net, t, net.gradient)
            scale = clipping_scale(square_sum(tensor), numbers[Number.CLIPNORM])
            rescale(real(scale), real(0), tensor, tensor)
        wait(team)
    if numbers[Number.GLOBAL_CLIPNORM] > 0.0:
        total = 0.0
        for t in range(net.tensors.shape[0]):
            total += square_sum(tensor_of(net, t, net.gradient))
        wait(team)
        scale = clipping_scale(total, numbers[Number.GLOBAL_CLIPNORM])
        rescale(real(scale), real(0), own, own)


@view
def take_step(net, rate, step, team):
    """Take a share of a step along the whole gradient."""
    size = net.params.size
    own, end = first_element_of(size, team), last_element_of(size, team)
    has = net.moments.size // max(size, 1)
    evenly = False
    for t in range(net.tensors.shape[0]):
        evenly |= is_penalized(net, t)
    optimizer_step(
        net.rule,
        rate,
        step,
        evenly,
        own,
        vector(net.params, own, end - own),
        vector(net.gradient, own, end - own),
        vector(net.moments, own, end - own if has > 0 else 0),
        vector(net.moments, size + own, end - own if has > 1 else 0),
        vector(net.moments, 2 * size + own, end - own if has > 2 else 0),
        net.numbers,
    )
    wait(team)


@view
def keep_params(net, before, team):
    """Keep a share of the parameters as they are before a step that is recorded."""
    size = net.params.size
    for i in range(first_element_of(size, team), last_element_of(size, team)):
        before[i] = net.params[i]
    wait(team)


@view
def observe_step(net, loss_index, before, records, team):
    """Record the step that was taken, for each row with weights."""
    for r in range(1, loss_index if team.thread == 0 else 0):
        row = net.table[r]
        if has_weights(row):
            record_step(
                layer_params(row, before),
                layer_params(row, net.params),
                layer_params(row, net.gradient),
                records[r],
            )
    wait(team)


@exact
def run(net, memory, batches, course, team):
    """Run the batches ``first`` to ``stop`` of an epoch; ``kernels.contract`` has the arguments.

    Returns ``stop``, or the index of the first batch whose loss is not finite; that batch
    is not learned from.  Several threads get the same arguments, but for ``team.thread``; if not
    all of them come, the others return -1, with nothing changed.
    """
    mode = course.mode
    capacity = memory.values.size // net.table[0, Column.X]
    fused = mode == Mode.TRAIN and net.rule == Rule.DESCENT
    loss_index = 0
    while net.table[loss_index, Column.OP] < FIRST_LOSS and loss_index < net.table.shape[0] - 1:
        loss_index += 1
    last_judge = loss_index if mode == Mode.GRADIENT else last_to_judge(net.table, loss_index)
    stop = net.table.shape[0] if mode == Mode.PREDICT else last_judge
    if not all_are_here(team):
        return -1

    for batch in range(batches.first, batches.stop):
        rows, step = batch_of(batches, batch), course.first_step + batch
        n = rows.size
        gather(net.table[0], net.reals[0], batches.samples, rows, memory.values, capacity, team)
        ahead = share_ahead(batches, batch, team)
        if not fused:
            fetch(batches.samples, ahead, 0)
        wait(team)
        last_row = forward(net, memory, mode, stop, capacity, n, step, team)
        if mode == Mode.PREDICT:
            start = batch * batches.size
            write_outputs(last_row, memory.values, course.outputs, capacity, n, start, team)
            continue
        if not measure_loss(
            net, memory, batches, course, loss_index, last_judge, capacity, rows, team
        ):
            return batch
        if mode == Mode.EVALUATE:
            continue
        every = course.telemetry_every
        recorded = mode == Mode.TRAIN and every > 0 and batch % every == 0
        if recorded:
            keep_params(net, course.before, team)
        backward(net, memory, batches, course, loss_index, batch, capacity, n, fused, ahead, team)
        if not fused:
            add_penalties(net, net.params, step, team)
        if mode == Mode.TRAIN and not fused:
            clip_gradient(net, team)
            take_step(net, course.rates[batch - batches.first], step, team)
        if recorded:
            if fused:
                add_penalties(net, course.before, step, team)
            observe_step(net, loss_index, course.before, course.telemetry[batch // every], team)
    return batches.stop


def _bind(net: Net, memory: Memory) -> Callable[..., Callable[[], int]]:
    """Return a function of batches, course and team, which returns the call of the engine."""
    ready = for_groups(run, RUN, net.params.dtype)
    return lambda *groups: partial(ready, net, memory, *groups)


bind = checked(_bind)
