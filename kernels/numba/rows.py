"""One row of a plan's table, forward and back: which kernel it calls, with what of the memory.

Each function does one thread's share: see ``epoch.py``.
"""

import numpy as np

from ..contract import (
    Coding,
    Column,
    Factor,
    Noise,
    Op,
    Phase,
    Scalar,
    Tensor,
)
from .activations import activation_backward, activation_forward
from .barrier import (
    first_element_of,
    first_of,
    stop_element_of,
    stop_of,
    wait,
)
from .columns import columns_forward, embedding_forward, embedding_gradient, embedding_update
from .dense import (
    dense_bias_gradient,
    dense_bias_update,
    dense_forward,
    dense_forward_rows,
    dense_input_gradient,
    dense_weight_gradient,
    dense_weight_gradient_rows,
    dense_weight_update,
    dense_weight_update_prefetching,
    dense_weight_update_rows,
)
from .dropout import alpha_dropout, dropout_blocks, normal_blocks
from .elementwise import add, multiply, rescale, transpose
from .gather import gather_bytes, gather_reals
from .jit import exact, view
from .late import call
from .losses import loss
from .metrics import metric
from .normalization import (
    batch_statistics,
    batchnorm_forward,
    batchnorm_input_gradient,
    batchnorm_weight_gradient,
    layernorm_forward,
    layernorm_input_gradient,
    layernorm_weight_gradient,
    running_update,
)
from .optimizers import descent_step
from .penalties import activity_gradient, penalty, penalty_update
from .scaling import (
    mix_forward,
    mix_weight_gradient,
    prelu_forward,
    prelu_input_gradient,
    prelu_weight_gradient,
    scale_forward,
    scale_weight_gradient,
)
from .softmax import (
    log_softmax_backward,
    log_softmax_forward,
    softmax_backward,
    softmax_forward,
)
from .telemetry import record_flat, record_values
from .views import matrix, part, vector


@view
def gather(row, reals, samples, rows, values, capacity, team):
    """Run the INPUT row: bring the samples ``rows`` into the first buffer.

    ``samples`` is (count, bytes per sample), the data set seen as bytes: whether it holds
    uint8 or this engine's float is told by the width, so that one compilation serves both.
    """
    features = row[Column.OUTPUTS]
    first, stop = first_of(rows.size, team), stop_of(rows.size, team)
    own = vector(rows, first, stop - first)
    out = matrix(values, row[Column.Y] * capacity + first * features, stop - first, features)
    scale = values.dtype.type(reals[Scalar.SCALE])
    offset = values.dtype.type(reals[Scalar.OFFSET])
    if samples.shape[1] == features:
        gather_bytes(samples, own, scale, offset, out)
    else:
        gather_reals(samples.view(values.dtype), own, scale, offset, out)


@view
def layer_weights(row, params, first, stop):
    """The kernel of a DENSE row, (outputs, inputs): its units from ``first`` to before ``stop``."""
    inputs = row[Column.INPUTS]
    return part(params, row[Column.WEIGHTS] + first * inputs, stop - first, inputs, inputs)


@view
def layer_bias(row, params, first, stop):
    """The same units of its bias (outputs,), empty if it has none."""
    start = row[Column.BIAS]
    return vector(params, max(start, 0) + first, stop - first if start >= 0 else 0)


@view
def layer_params(row, params):
    """All parameters of a row, as one flat vector."""
    return vector(params, row[Column.WEIGHTS], row[Column.SIZE])


@exact
def is_learned(row):
    """Whether a row has weights that are trained."""
    return row[Column.SIZE] > 0 and row[Column.FROZEN] == 0


@exact
def units_of(row):
    """How many numbers a vector of a row has: one for each feature, of each member."""
    return row[Column.OUTPUTS] * row[Column.MEMBERS]


@exact
def own_n(row, n):
    """How many of a batch's samples are those of one member."""
    return n // row[Column.MEMBERS]


@view
def layer_gamma(row, params, first, stop):
    """The same units of the gamma of a row with vectors, empty if it has none."""
    beside = units_of(row) if row[Column.BIAS] >= 0 else 0
    size = stop - first if row[Column.SIZE] > beside else 0
    return vector(params, row[Column.WEIGHTS] + (first if size > 0 else 0), size)


@view
def normalization_pair(row, memory, capacity, first, stop):
    """Two vectors behind the Y of a row with vectors: in the deltas, the gradients of these.

    Among the values of a BATCH_NORMALIZATION row, the batch's means and variances.
    """
    start = (row[Column.Y] + row[Column.OUTPUTS]) * capacity + first
    behind = start + units_of(row)
    return vector(memory, start, stop - first), vector(memory, behind, stop - first)


@view
def running_pair(row, running, first, stop):
    """The running means and variances of the same units."""
    start = row[Column.RUNNING] + first
    size = stop - first
    return vector(running, start, size), vector(running, start + row[Column.OUTPUTS], size)


@exact
def normalization_forward(row, reals, net, values, capacity, n, phase, team):
    first, stop = first_of(row[Column.OUTPUTS], team), stop_of(row[Column.OUTPUTS], team)
    x = matrix(values, row[Column.X] * capacity + first * n, stop - first, n)
    y = matrix(values, row[Column.Y] * capacity + first * n, stop - first, n)
    if phase == Phase.PREDICT or row[Column.FROZEN] != 0:
        mean, variance = running_pair(row, net.running, first, stop)
    else:
        mean, variance = normalization_pair(row, values, capacity, first, stop)
        call(batch_statistics, net.code, (x, mean, variance))
    gamma = layer_gamma(row, net.params, first, stop)
    beta = layer_bias(row, net.params, first, stop)
    epsilon = reals[Scalar.EPSILON]
    call(batchnorm_forward, net.code, (epsilon, x, mean, variance, gamma, beta, y))


@exact
def normalization_sums(row, reals, net, values, deltas, capacity, n, learns, team):
    """Compute the gradients of gamma and beta, which that of the input needs too.

    In training, let the running statistics follow the batch's.  If it is frozen, they do not depend
    on the input: as if those gradients were 0.
    """
    first, stop = first_of(row[Column.OUTPUTS], team), stop_of(row[Column.OUTPUTS], team)
    x = matrix(values, row[Column.X] * capacity + first * n, stop - first, n)
    dy = matrix(deltas, row[Column.Y] * capacity + first * n, stop - first, n)
    mean, variance = normalization_pair(row, values, capacity, first, stop)
    dgamma, dbeta = normalization_pair(row, deltas, capacity, first, stop)
    if row[Column.FROZEN] != 0:
        for i in range(dgamma.size):
            dgamma[i] = 0.0
            dbeta[i] = 0.0
        return
    epsilon = reals[Scalar.EPSILON]
    call(batchnorm_weight_gradient, net.code, (epsilon, x, mean, variance, dy, dgamma, dbeta))
    if learns:
        running_mean, running_variance = running_pair(row, net.running, first, stop)
        momentum = reals[Scalar.MOMENTUM]
        call(running_update, net.code, (momentum, mean, running_mean))
        call(running_update, net.code, (momentum, variance, running_variance))


@exact
def normalization_backward(row, reals, net, values, deltas, capacity, n, team):
    first, stop = first_of(row[Column.OUTPUTS], team), stop_of(row[Column.OUTPUTS], team)
    x = matrix(values, row[Column.X] * capacity + first * n, stop - first, n)
    dx = matrix(deltas, row[Column.X] * capacity + first * n, stop - first, n)
    dy = matrix(deltas, row[Column.Y] * capacity + first * n, stop - first, n)
    if row[Column.FROZEN] != 0:
        mean, variance = running_pair(row, net.running, first, stop)
    else:
        mean, variance = normalization_pair(row, values, capacity, first, stop)
    dgamma, dbeta = normalization_pair(row, deltas, capacity, first, stop)
    gamma = layer_gamma(row, net.params, first, stop)
    arguments = (reals[Scalar.EPSILON], x, mean, variance, gamma, dgamma, dbeta, dy, dx)
    call(batchnorm_input_gradient, net.code, arguments)


@exact
def normalization_gradient(row, gradient, deltas, capacity, team):
    first, stop = first_of(units_of(row), team), stop_of(units_of(row), team)
    dgamma, dbeta = normalization_pair(row, deltas, capacity, first, stop)
    gamma, beta = layer_gamma(row, gradient, first, stop), layer_bias(row, gradient, first, stop)
    for i in range(gamma.size):
        gamma[i] = dgamma[i]
    for i in range(beta.size):
        beta[i] = dbeta[i]


@exact
def normalization_update(row, rate, params, deltas, capacity, team):
    first, stop = first_of(units_of(row), team), stop_of(units_of(row), team)
    dgamma, dbeta = normalization_pair(row, deltas, capacity, first, stop)
    descent_step(np.float64(rate), layer_gamma(row, params, first, stop), dgamma)
    descent_step(np.float64(rate), layer_bias(row, params, first, stop), dbeta)


@view
def has_vectors(row):
    """Whether it is a row with vectors, and without statistics of the batch."""
    op = row[Column.OP]
    return Op.LAYER_NORMALIZATION <= op <= Op.PRELU or op == Op.MIXED_ACTIVATION


@view
def activation_of(row, values, capacity, first, stop, n):
    """The values of the activation of a MIXED_ACTIVATION row, of the same units, flat."""
    start = (row[Column.Y] + 3 * row[Column.OUTPUTS]) * capacity + first * n
    return vector(values, start, (stop - first) * n)


@view
def sample_statistics(row, memory, capacity, n):
    """Each sample's mean and inverse deviation, of a LAYER_NORMALIZATION row's values."""
    return matrix(memory, (row[Column.Y] + 3 * row[Column.OUTPUTS]) * capacity, 2, n)


@exact
def vectors_forward(row, reals, net, values, capacity, n, team):
    """The way forward of a row with vectors, and without statistics of the batch."""
    op, outputs = row[Column.OP], row[Column.OUTPUTS]
    first, stop, n = first_of(units_of(row), team), stop_of(units_of(row), team), own_n(row, n)
    at_x, at_y = row[Column.X] * capacity, row[Column.Y] * capacity
    x = matrix(values, at_x + first * n, stop - first, n)
    y = matrix(values, at_y + first * n, stop - first, n)
    if op == Op.SCALE:
        gamma = layer_gamma(row, net.params, first, stop)
        call(scale_forward, net.code, (x, gamma, layer_bias(row, net.params, first, stop), y))
    elif op == Op.PRELU:
        call(prelu_forward, net.code, (x, layer_gamma(row, net.params, first, stop), y))
    elif op == Op.MIXED_ACTIVATION:
        alpha = values.dtype.type(reals[Scalar.ALPHA])
        flat = activation_of(row, values, capacity, first, stop, n)
        own_x = vector(values, at_x + first * n, flat.size)
        call(activation_forward, net.code, (row[Column.KIND], alpha, own_x, flat))
        gamma = layer_gamma(row, net.params, first, stop)
        call(mix_forward, net.code, (x, flat.reshape(x.shape), gamma, y))
    elif team.thread == 0:
        all_x, all_y = matrix(values, at_x, outputs, n), matrix(values, at_y, outputs, n)
        gamma = layer_gamma(row, net.params, 0, outputs)
        beta = layer_bias(row, net.params, 0, outputs)
        scratch = sample_statistics(row, values, capacity, n)
        how = (row[Column.KIND], reals[Scalar.EPSILON])
        call(layernorm_forward, net.code, (*how, all_x, gamma, beta, scratch, all_y))


@exact
def vectors_sums(row, net, values, deltas, capacity, n, team):
    """Compute a share of the gradients of its vectors."""
    op = row[Column.OP]
    first, stop, n = first_of(units_of(row), team), stop_of(units_of(row), team), own_n(row, n)
    x = matrix(values, row[Column.X] * capacity + first * n, stop - first, n)
    dy = matrix(deltas, row[Column.Y] * capacity + first * n, stop - first, n)
    dgamma, dbeta = normalization_pair(row, deltas, capacity, first, stop)
    if op == Op.SCALE:
        call(scale_weight_gradient, net.code, (x, dy, dgamma, dbeta))
    elif op == Op.PRELU:
        call(prelu_weight_gradient, net.code, (x, dy, dgamma))
    elif op == Op.MIXED_ACTIVATION:
        other = activation_of(row, values, capacity, first, stop, n).reshape(x.shape)
        call(mix_weight_gradient, net.code, (x, other, dy, dgamma))
    else:
        statistics = sample_statistics(row, values, capacity, n)
        call(layernorm_weight_gradient, net.code, (x, statistics, dy, dgamma, dbeta))


@exact
def vectors_backward(row, reals, net, values, deltas, capacity, n, team):
    """Compute a share of the gradient of its input."""
    op, outputs = row[Column.OP], row[Column.OUTPUTS]
    first, stop, n = first_of(units_of(row), team), stop_of(units_of(row), team), own_n(row, n)
    at_x, at_y = row[Column.X] * capacity, row[Column.Y] * capacity
    x = matrix(values, at_x + first * n, stop - first, n)
    dx = matrix(deltas, at_x + first * n, stop - first, n)
    dy = matrix(deltas, at_y + first * n, stop - first, n)
    gamma = layer_gamma(row, net.params, first, stop)
    if op == Op.SCALE:
        call(scale_forward, net.code, (dy, gamma, vector(net.params, 0, 0), dx))
    elif op == Op.PRELU:
        call(prelu_input_gradient, net.code, (x, gamma, dy, dx))
    elif op == Op.MIXED_ACTIVATION:  # dx is mixed as y is, of dy and of dy times the slope
        alpha = values.dtype.type(reals[Scalar.ALPHA])
        flat = activation_of(row, values, capacity, first, stop, n)
        own_x = vector(values, at_x + first * n, flat.size)
        own_dx = vector(deltas, at_x + first * n, flat.size)
        own_dy = vector(deltas, at_y + first * n, flat.size)
        arguments = (row[Column.KIND], alpha, own_x, flat, own_dy, own_dx)
        call(activation_backward, net.code, arguments)
        call(mix_forward, net.code, (dy, dx, gamma, dx))
    elif team.thread == 0:
        all_x, all_dx = matrix(values, at_x, outputs, n), matrix(deltas, at_x, outputs, n)
        all_dy, all_gamma = (
            matrix(deltas, at_y, outputs, n),
            layer_gamma(row, net.params, 0, outputs),
        )
        statistics = sample_statistics(row, values, capacity, n)
        scratch = sample_statistics(row, deltas, capacity, n)
        arguments = (row[Column.KIND], all_x, statistics, all_gamma, all_dy, scratch, all_dx)
        call(layernorm_input_gradient, net.code, arguments)


@view
def embedding_rows(row, vector_of_params, first, stop):
    """The weights of an EMBEDDING row, (categories, width): a part of the categories."""
    width = row[Column.OUTPUTS] // row[Column.COLUMNS]
    return matrix(vector_of_params, row[Column.WEIGHTS] + first * width, stop - first, width)


@exact
def categories_of(row):
    """Return how many numbers each column of a row may hold, or all of them together."""
    if row[Column.OP] == Op.EMBEDDING:
        return row[Column.SIZE] // (row[Column.OUTPUTS] // row[Column.COLUMNS])
    by_column = row[Column.KIND] == Coding.PASS or row[Column.KIND] == Coding.ONE_HOT
    return row[Column.OUTPUTS] // row[Column.COLUMNS] if by_column else row[Column.OUTPUTS]


@exact
def columns_of_samples(row, net, values, capacity, n, team):
    """Compute a share of the outputs of a row that reads columns of the samples."""
    first, stop = first_of(row[Column.OUTPUTS], team), stop_of(row[Column.OUTPUTS], team)
    x = matrix(values, row[Column.X] * capacity, n, row[Column.INPUTS])
    at_y = row[Column.Y] * capacity + row[Column.PLACE] * n
    y = matrix(values, at_y + first * n, stop - first, n)
    categories = categories_of(row)
    if row[Column.OP] == Op.EMBEDDING:
        rows = embedding_rows(row, net.params, 0, categories)
        call(embedding_forward, net.code, (row[Column.FIRST], first, x, rows, y))
    else:
        what = (row[Column.KIND], row[Column.FIRST], row[Column.COLUMNS], categories)
        call(columns_forward, net.code, (*what, first, x, y))


@exact
def embedding_weights(row, rate, stores, net, values, deltas, capacity, n, team):
    """Compute a share of the gradient of an EMBEDDING row, or take that of a step along it."""
    categories = categories_of(row)
    first, stop = first_of(categories, team), stop_of(categories, team)
    x = matrix(values, row[Column.X] * capacity, n, row[Column.INPUTS])
    at_y = row[Column.Y] * capacity + row[Column.PLACE] * n
    dy = matrix(deltas, at_y, row[Column.OUTPUTS], n)
    if stores:
        drows = embedding_rows(row, net.gradient, first, stop)
        call(embedding_gradient, net.code, (row[Column.FIRST], first, x, dy, drows))
    else:
        rows = embedding_rows(row, net.params, first, stop)
        call(embedding_update, net.code, (row[Column.FIRST], first, -rate, x, dy, rows))


@view
def group_of(row, g, values, params, capacity, n):
    """One group of a GROUPED_DENSE row: its inputs, its weights, its bias and its outputs.

    With the deltas and the gradient in place of values and parameters, these of them.
    """
    inputs = row[Column.INPUTS] // row[Column.GROUPS]
    outputs = row[Column.OUTPUTS] // row[Column.GROUPS]
    x = matrix(values, row[Column.X] * capacity + g * inputs * n, inputs, n)
    at_y = row[Column.Y] * capacity + (row[Column.PLACE] + g * outputs) * n
    weights = matrix(params, row[Column.WEIGHTS] + g * inputs * outputs, outputs, inputs)
    bias = layer_bias(row, params, g * outputs, (g + 1) * outputs)
    return x, weights, bias, matrix(values, at_y, outputs, n)


@exact
def groups_forward(row, net, values, capacity, n, team):
    """Compute the outputs of a share of the groups."""
    for g in range(first_of(row[Column.GROUPS], team), stop_of(row[Column.GROUPS], team)):
        x, weights, bias, y = group_of(row, g, values, net.params, capacity, n)
        call(dense_forward, net.code, (x, weights, bias, y))


@exact
def groups_backward(row, net, deltas, capacity, n, team):
    """Compute the gradients of the inputs of a share of the groups."""
    for g in range(first_of(row[Column.GROUPS], team), stop_of(row[Column.GROUPS], team)):
        dx, weights, _, dy = group_of(row, g, deltas, net.params, capacity, n)
        call(dense_input_gradient, net.code, (weights, dy, dx))


@exact
def groups_weights(row, rate, stores, net, values, deltas, capacity, n, team):
    """Compute the gradients of the weights of a share of the groups, or take a step along them."""
    for g in range(first_of(row[Column.GROUPS], team), stop_of(row[Column.GROUPS], team)):
        x, weights, bias, _ = group_of(row, g, values, net.params, capacity, n)
        if stores:
            _, dweights, dbias, dy = group_of(row, g, deltas, net.gradient, capacity, n)
            call(dense_weight_gradient, net.code, (x, dy, dweights))
            call(dense_bias_gradient, net.code, (dy, dbias))
        else:
            _, _, _, dy = group_of(row, g, deltas, net.params, capacity, n)
            call(dense_weight_update, net.code, (x, dy, -rate, weights))
            call(dense_bias_update, net.code, (dy, -rate, bias))


@exact
def activity(net, values, loss_index, capacity, n):
    """Return the penalties on outputs, summed over the batch's samples."""
    total = 0.0
    for r in range(1, loss_index):
        row, reals = net.table[r], net.reals[r]
        if row[Column.OP] == Op.ACTIVITY:
            at_y = row[Column.Y] * capacity + row[Column.PLACE] * n
            y = vector(values, at_y, row[Column.OUTPUTS] * n)
            total += call(penalty, net.code, (reals[Scalar.ALPHA], reals[Scalar.BETA], y))
    return total


@exact
def noise_forward(row, reals, code, values, capacity, n, step, phase, team):
    """Draw a mask in training, or use the one that is there, or none."""
    outputs, kind, key = row[Column.OUTPUTS], row[Column.KIND], row[Column.KEY]
    real = values.dtype.type
    own = first_element_of(outputs * n, team)
    size = stop_element_of(outputs * n, team) - own
    at_mask = (row[Column.Y] + outputs) * capacity
    x = vector(values, row[Column.X] * capacity + own, size)
    y = vector(values, row[Column.Y] * capacity + own, size)
    if phase == Phase.PREDICT:
        rescale(real(1), real(0), x, y)
    else:
        if phase == Phase.LEARN:
            mask = vector(values, at_mask, outputs * n)
            blocks = (mask.size + 3) // 4
            first, stop, rate = first_of(blocks, team), stop_of(blocks, team), reals[Scalar.RATE]
            if kind == Noise.GAUSSIAN_DROPOUT or kind == Noise.GAUSSIAN_NOISE:
                mean = 1.0 if kind == Noise.GAUSSIAN_DROPOUT else 0.0
                call(normal_blocks, code, (key, step, mean, rate, mask, first, stop))
            else:
                call(dropout_blocks, code, (key, step, rate, mask, first, stop))
            wait(team)
        own_mask = vector(values, at_mask + own, size)
        if kind == Noise.GAUSSIAN_NOISE:
            add(x, own_mask, y)
        elif kind == Noise.ALPHA_DROPOUT:
            scale, offset = real(reals[Scalar.SCALE]), real(reals[Scalar.OFFSET])
            dropped = real(reals[Scalar.ALPHA])
            call(alpha_dropout, code, (scale, offset, dropped, x, own_mask, y))
        else:
            multiply(x, own_mask, y)


@view
def forward_row(row, reals, net, values, capacity, n, step, phase, team):
    """Compute a share of the output buffer of one row."""
    op = row[Column.OP]
    inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
    at_x, at_y = row[Column.X] * capacity, row[Column.Y] * capacity
    first, stop = first_of(outputs, team), stop_of(outputs, team)
    y_matrix = matrix(values, at_y + first * n, stop - first, n)
    own = first_element_of(outputs * n, team)
    size = stop_element_of(outputs * n, team) - own
    x, y = vector(values, at_x + own, size), vector(values, at_y + own, size)
    real = values.dtype.type
    if row[Column.LEARNS] != 0 and phase == Phase.PREDICT:
        phase = Phase.LEARN
    if op == Op.DENSE:
        weights, bias = (
            layer_weights(row, net.params, first, stop),
            layer_bias(row, net.params, first, stop),
        )
        if row[Column.ROWS]:
            scale = real(reals[Scalar.SCALE])
            x_matrix = matrix(values, at_x, n, inputs)
            call(dense_forward_rows, net.code, (x_matrix, weights, bias, scale, y_matrix))
        else:
            x_matrix = matrix(values, at_x, inputs, n)
            call(dense_forward, net.code, (x_matrix, weights, bias, y_matrix))
    elif op == Op.ACTIVATION:
        alpha = real(reals[Scalar.ALPHA])
        call(activation_forward, net.code, (row[Column.KIND], alpha, x, y))
    elif op == Op.SOFTMAX:
        if team.thread == 0:
            scratch = matrix(values, at_y + outputs * capacity, 2, n)
            all_y = matrix(values, at_y, outputs, n)
            call(softmax_forward, net.code, (matrix(values, at_x, inputs, n), scratch, all_y))
    elif op == Op.LOG_SOFTMAX:
        if team.thread == 0:
            scratch = matrix(values, at_y + outputs * capacity, 2, n)
            all_y = matrix(values, at_y, outputs, n)
            call(log_softmax_forward, net.code, (matrix(values, at_x, inputs, n), scratch, all_y))
    elif op == Op.EMBEDDING or op == Op.COLUMNS:
        columns_of_samples(row, net, values, capacity, n, team)
    elif op == Op.GROUPED_DENSE:
        groups_forward(row, net, values, capacity, n, team)
    elif op == Op.RESCALE:
        rescale(real(reals[Scalar.SCALE]), real(reals[Scalar.OFFSET]), x, y)
    elif op == Op.TRANSPOSE:
        own_y = part(values, at_y + first * n, stop - first, n, n)
        transpose(part(values, at_x + first, n, stop - first, inputs), own_y)
    elif op == Op.DROPOUT:
        noise_forward(row, reals, net.code, values, capacity, n, step, phase, team)
    elif op == Op.ADD:
        add(x, vector(values, row[Column.OTHER] * capacity + own, size), y)
    elif op == Op.BATCH_NORMALIZATION:
        normalization_forward(row, reals, net, values, capacity, n, phase, team)
    elif has_vectors(row):
        vectors_forward(row, reals, net, values, capacity, n, team)


@view
def backward_row(row, reals, net, values, deltas, capacity, n, team):
    """Compute a share of the gradient with respect to one row's input from that of its output."""
    op = row[Column.OP]
    inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
    at_x, at_y = row[Column.X] * capacity, row[Column.Y] * capacity
    first, stop = first_of(inputs, team), stop_of(inputs, team)
    own = first_element_of(inputs * n, team)
    size = stop_element_of(inputs * n, team) - own
    x, y = vector(values, at_x + own, size), vector(values, at_y + own, size)
    dx, dy = vector(deltas, at_x + own, size), vector(deltas, at_y + own, size)
    all_dy = matrix(deltas, at_y, outputs, n)
    real = values.dtype.type
    if op == Op.DENSE:
        weights = part(net.params, row[Column.WEIGHTS] + first, outputs, stop - first, inputs)
        dx_matrix = matrix(deltas, at_x + first * n, stop - first, n)
        call(dense_input_gradient, net.code, (weights, all_dy, dx_matrix))
    elif op == Op.ACTIVATION:
        alpha = real(reals[Scalar.ALPHA])
        call(activation_backward, net.code, (row[Column.KIND], alpha, x, y, dy, dx))
    elif op == Op.SOFTMAX:
        if team.thread == 0:
            scratch = matrix(deltas, at_y + outputs * capacity, 2, n)
            all_y, all_dx = matrix(values, at_y, outputs, n), matrix(deltas, at_x, inputs, n)
            call(softmax_backward, net.code, (all_y, all_dy, scratch, all_dx))
    elif op == Op.LOG_SOFTMAX:
        if team.thread == 0:
            scratch = matrix(deltas, at_y + outputs * capacity, 2, n)
            all_y, all_dx = matrix(values, at_y, outputs, n), matrix(deltas, at_x, inputs, n)
            call(log_softmax_backward, net.code, (all_y, all_dy, scratch, all_dx))
    elif op == Op.ACTIVITY:
        l1, l2 = real(reals[Scalar.ALPHA]) / real(n), real(reals[Scalar.BETA]) / real(n)
        own_y = at_y + row[Column.PLACE] * n + own
        arguments = (l1, l2, vector(values, own_y, size), vector(deltas, own_y, size))
        call(activity_gradient, net.code, arguments)
    elif op == Op.GROUPED_DENSE:
        groups_backward(row, net, deltas, capacity, n, team)
    elif op == Op.RESCALE:
        rescale(real(reals[Scalar.SCALE]), real(0), dy, dx)
    elif op == Op.TRANSPOSE:
        own_dx = part(deltas, at_x + first, n, stop - first, inputs)
        transpose(part(deltas, at_y + first * n, stop - first, n, n), own_dx)
    elif op == Op.DROPOUT:
        mask = vector(values, at_y + outputs * capacity + own, size)
        if row[Column.KIND] == Noise.GAUSSIAN_NOISE:
            rescale(real(1), real(0), dy, dx)
        elif row[Column.KIND] == Noise.ALPHA_DROPOUT:
            scale = real(reals[Scalar.SCALE])
            call(alpha_dropout, net.code, (scale, real(0), real(0), dy, mask, dx))
        else:
            multiply(dy, mask, dx)
    elif op == Op.FORK:
        add(dx, vector(deltas, row[Column.OTHER] * capacity + own, size), dx)
    elif op == Op.ADD:
        for i in range(size):
            dx[i] = dy[i]
    elif op == Op.BATCH_NORMALIZATION:
        normalization_backward(row, reals, net, values, deltas, capacity, n, team)
    elif has_vectors(row):
        vectors_backward(row, reals, net, values, deltas, capacity, n, team)


@view
def weights_for(row, batches):
    """The samples' weights, as a row that compares outputs with right answers reads them."""
    return vector(batches.weights, 0, batches.weights.size if row[Column.WEIGHTED] else 0)


@view
def loss_row(row, reals, code, values, deltas, capacity, rows, batches):
    """Return the batch's loss times its number of samples; its gradient is in the deltas of X."""
    features = row[Column.INPUTS]
    n = rows.size
    at_x = row[Column.X] * capacity
    x, dx = matrix(values, at_x, features, n), matrix(deltas, at_x, features, n)
    scratch = matrix(values, row[Column.Y] * capacity, 2, n)
    labels, targets, weights = batches.labels, batches.targets, weights_for(row, batches)
    answers = (row[Column.REDUCTION], x, rows, labels, targets, weights)
    return call(loss, code, (row[Column.KIND], *answers, reals, scratch, dx))


@view
def metric_row(row, reals, net, values, capacity, rows, batches, totals):
    """Add to the totals of a metric."""
    x = matrix(values, row[Column.X] * capacity, row[Column.INPUTS], rows.size)
    answers = (x, rows, batches.labels, batches.targets, weights_for(row, batches))
    thresholds = vector(net.thresholds, row[Column.THRESHOLDS], row[Column.LEVELS])
    call(metric, net.code, (row[Column.KIND], *answers, reals, thresholds, totals))


@exact
def is_penalized(net, t):
    """Tell whether there is a penalty on a tensor."""
    return net.factors[t, Factor.L1] != 0 or net.factors[t, Factor.L2] != 0


@view
def tensor_of(net, t, vector_of_params):
    """Return a tensor, flat, in a vector that is as long as the parameters."""
    return vector(vector_of_params, net.tensors[t, Tensor.START], net.tensors[t, Tensor.SIZE])


@exact
def penalty_updates(net, row, rate, step, team):
    """Step along a share of the gradients of the penalties on a row's tensors."""
    real = net.params.dtype.type
    waits = False
    for t in range(row[Column.FIRST_TENSOR], row[Column.STOP_TENSOR]):
        if not is_penalized(net, t):
            continue
        size = net.tensors[t, Tensor.SIZE]
        own, stop = first_element_of(size, team), stop_element_of(size, team)
        l1, l2 = real(net.factors[t, Factor.L1]), real(net.factors[t, Factor.L2])
        weights = vector(net.params, net.tensors[t, Tensor.START] + own, stop - own)
        call(penalty_update, net.code, (l1, l2, rate, step, own, weights))
        waits = True
    if waits:
        wait(team)


@exact
def transpose_input(row, values, capacity, n, team):
    """Write a share of the input of a DENSE row, that is (inputs, n), into its (n, inputs)."""
    inputs, at_x = row[Column.INPUTS], row[Column.X] * capacity
    first, stop = first_of(inputs, team), stop_of(inputs, team)
    x = part(values, at_x + first * n, stop - first, n, n)
    transpose(x, part(values, row[Column.X_ROWS] * capacity + first, n, stop - first, inputs))


@view
def prepare_gradients(row, reals, net, values, deltas, capacity, n, learns, team):
    """Compute a share of what several gradients of one row need."""
    if row[Column.OP] == Op.DENSE:
        if is_learned(row) and row[Column.X_ROWS] > row[Column.X]:
            transpose_input(row, values, capacity, n, team)
            wait(team)
    elif row[Column.OP] == Op.BATCH_NORMALIZATION:
        normalization_sums(row, reals, net, values, deltas, capacity, n, learns, team)
    elif has_vectors(row) and is_learned(row):
        vectors_sums(row, net, values, deltas, capacity, n, team)


@view
def dense_update(row, reals, rate, net, values, deltas, capacity, n, samples, ahead, team):
    """Take a share of the step along one DENSE row's gradient, without storing it.

    A first layer meanwhile prefetches the samples ``ahead``.
    """
    first, stop = first_of(row[Column.OUTPUTS], team), stop_of(row[Column.OUTPUTS], team)
    inputs = row[Column.INPUTS]
    dy = part(deltas, row[Column.Y] * capacity + first * n, stop - first, n, n)
    weights = layer_weights(row, net.params, first, stop)
    if row[Column.X_ROWS] < 0:
        x = matrix(values, row[Column.X] * capacity, inputs, n)
        call(dense_weight_update, net.code, (x, dy, -rate, weights))
    else:
        x = matrix(values, row[Column.X_ROWS] * capacity, n, inputs)
        scale = -rate * values.dtype.type(reals[Scalar.SCALE])
        if row[Column.X_ROWS] <= row[Column.X]:
            arguments = (x, dy, scale, weights, samples, ahead)
            call(dense_weight_update_prefetching, net.code, arguments)
        else:
            call(dense_weight_update_rows, net.code, (x, dy, scale, weights))
    bias = layer_bias(row, net.params, first, stop)
    call(dense_bias_update, net.code, (dy, -rate, bias))


@view
def dense_gradient(row, reals, net, values, deltas, capacity, n, team):
    """Compute a share of one DENSE row's part of the flat gradient."""
    first, stop = first_of(row[Column.OUTPUTS], team), stop_of(row[Column.OUTPUTS], team)
    inputs = row[Column.INPUTS]
    dy = part(deltas, row[Column.Y] * capacity + first * n, stop - first, n, n)
    weights = layer_weights(row, net.gradient, first, stop)
    if row[Column.X_ROWS] < 0:
        x = matrix(values, row[Column.X] * capacity, inputs, n)
        call(dense_weight_gradient, net.code, (x, dy, weights))
    else:
        x = matrix(values, row[Column.X_ROWS] * capacity, n, inputs)
        scale = values.dtype.type(reals[Scalar.SCALE])
        call(dense_weight_gradient_rows, net.code, (x, dy, scale, weights))
    bias = layer_bias(row, net.gradient, first, stop)
    call(dense_bias_gradient, net.code, (dy, bias))


@view
def weight_update_row(row, reals, rate, net, values, deltas, capacity, n, samples, ahead, team):
    """Take a share of the step along one row's gradient, which need not be stored."""
    if row[Column.OP] == Op.DENSE:
        dense_update(row, reals, rate, net, values, deltas, capacity, n, samples, ahead, team)
    elif row[Column.OP] == Op.EMBEDDING:
        embedding_weights(row, rate, False, net, values, deltas, capacity, n, team)
    elif row[Column.OP] == Op.GROUPED_DENSE:
        groups_weights(row, rate, False, net, values, deltas, capacity, n, team)
    elif row[Column.OP] == Op.BATCH_NORMALIZATION or has_vectors(row):
        normalization_update(row, rate, net.params, deltas, capacity, team)


@view
def weight_gradient_row(row, reals, net, values, deltas, capacity, n, team):
    """Compute a share of one row's part of the flat gradient."""
    if row[Column.OP] == Op.DENSE:
        dense_gradient(row, reals, net, values, deltas, capacity, n, team)
    elif row[Column.OP] == Op.EMBEDDING:
        rate = values.dtype.type(0)
        embedding_weights(row, rate, True, net, values, deltas, capacity, n, team)
    elif row[Column.OP] == Op.GROUPED_DENSE:
        rate = values.dtype.type(0)
        groups_weights(row, rate, True, net, values, deltas, capacity, n, team)
    elif row[Column.OP] == Op.BATCH_NORMALIZATION or has_vectors(row):
        normalization_gradient(row, net.gradient, deltas, capacity, team)


@exact
def observe_row(row, reals, code, values, deltas, capacity, n, out):
    """Record one row's values, just before its backward step; overwrites the deltas of X."""
    inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
    y = vector(values, row[Column.Y] * capacity + row[Column.PLACE] * n, outputs * n)
    call(record_values, code, (y, out))
    if row[Column.OP] == Op.ACTIVATION:
        x = vector(values, row[Column.X] * capacity, inputs * n)
        scratch = vector(deltas, row[Column.X] * capacity, inputs * n)
        alpha = values.dtype.type(reals[Scalar.ALPHA])
        for i in range(scratch.size):
            scratch[i] = 1
        call(activation_backward, code, (row[Column.KIND], alpha, x, y, scratch, scratch))
        call(record_flat, code, (scratch, n, row[Column.ROWS], out))
