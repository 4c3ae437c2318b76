"""The loop over the batches of an epoch, in one call, and the stages of a batch.

Nothing in here allocates or touches a Python object.  There is one entry point, ``run``, for
training, gradients, evaluation and prediction alike, hence one compilation per dtype.

When several threads share a net, each runs the whole loop, on its share of every layer: of the
rows of its output, of those of dx, of those of W.  Nobody sums what another has computed, so the
bits do not depend on the number of threads.  They wait for each other after each stage; what is
not worth sharing, such as the loss, thread 0 does alone.
"""

import math
from collections.abc import Callable

from ..check import checked
from ..contract import (
    FIRST_LOSS,
    RUN,
    Batches,
    Column,
    Constraint,
    Course,
    Factor,
    Memory,
    Mode,
    Net,
    Number,
    Op,
    Phase,
    Rule,
    Team,
    Tensor,
    Total,
)
from ..prepare import Call, prepare_with
from .barrier import (
    STOP,
    all_are_here,
    first_element_of,
    first_of,
    stop_element_of,
    stop_of,
    wait,
)
from .constraints import constrain
from .elementwise import rescale, transpose
from .gather import prefetch_samples
from .jit import exact, for_groups, view
from .late import call
from .losses import weight_sum
from .needs import Compiled, CompiledNet
from .optimizers import average_step, clip_values, clipping_scale, optimizer_step, square_sum
from .penalties import penalty, penalty_gradient
from .rows import (
    activity,
    backward_row,
    forward_row,
    gather,
    is_learned,
    is_penalized,
    layer_params,
    loss_row,
    metric_row,
    observe_row,
    penalty_updates,
    prepare_gradients,
    tensor_of,
    weight_gradient_row,
    weight_update_row,
)
from .telemetry import record_step
from .views import part, vector


@exact
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
    values = memory.values
    # The loss comes last, for a metric that is a loss sets a gradient, too.
    for r in range(last_judge, loss_index - 1, -1):
        row, reals = net.table[r], net.reals[r]
        op = row[Column.OP]
        if op == Op.METRIC:
            place -= row[Column.TOTALS]
            own = vector(totals, place, row[Column.TOTALS])
            metric_row(row, reals, net, values, capacity, rows, batches, own)
        elif op >= FIRST_LOSS:
            of_loss = loss_row(row, reals, net.code, values, memory.deltas, capacity, rows, batches)
            if op == Op.LOSS_VALUE:
                place -= 1
                totals[place] += of_loss
    return of_loss


# The stages of a batch, as in kernels/c/epoch.c and kernels/walk/epoch.py.


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
    return vector(batches.order, start + own, stop_of(count, team) - own)


@view
def forward(net, memory, mode, stop, capacity, n, step, team):
    """Run the rows before ``stop`` forward, and return the last of them."""
    phase = Phase.PREDICT if mode == Mode.PREDICT or mode == Mode.EVALUATE else Phase.LEARN
    last_row = net.table[0]
    for r in range(1, stop):
        # A softmax that the loss has built in may follow it, for predictions, and for metrics.
        if net.table[r, Column.OP] >= FIRST_LOSS:
            continue
        last_row = net.table[r]
        forward_row(last_row, net.reals[r], net, memory.values, capacity, n, step, phase, team)
        wait(team)
    return last_row


@exact
def write_outputs(row, values, outputs, capacity, n, start, team):
    """Write a share of the last row's output where predictions are wanted."""
    features = row[Column.OUTPUTS]
    own, stop = first_of(n, team), stop_of(n, team)
    y = part(values, row[Column.Y] * capacity + own, features, stop - own, n)
    transpose(y, outputs[start + own : start + stop])
    wait(team)


@view
def measure_loss(net, memory, batches, course, loss_index, last_judge, capacity, rows, team):
    """Add to the totals, and leave the loss's gradient; tell whether to learn from the batch."""
    if team.thread == 0:
        totals = course.totals
        of_loss = judge(net, memory, batches, loss_index, last_judge, capacity, rows, totals)
        penalties = 0.0
        for t in range(net.tensors.shape[0] if net.penalized else 0):
            if is_penalized(net, t):
                l1, l2 = net.factors[t, Factor.L1], net.factors[t, Factor.L2]
                penalties += call(penalty, net.code, (l1, l2, tensor_of(net, t, net.params)))
        penalties += activity(net, memory.values, loss_index, capacity, rows.size) / rows.size
        totals[Total.LOSS] += of_loss
        totals[Total.PENALTY] += penalties * rows.size
        totals[Total.SAMPLES] += rows.size
        totals[Total.WEIGHTS] += weight_sum(batches.weights, rows)
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
    learns = course.mode == Mode.TRAIN
    for r in range(loss_index - 1, 0, -1):
        row, reals = net.table[r], net.reals[r]
        prepare_gradients(row, reals, net, values, deltas, capacity, n, learns, team)
        if is_learned(row) and (observed or not fused):
            weight_gradient_row(row, reals, net, values, deltas, capacity, n, team)
        if observed:
            wait(team)
            if team.thread == 0:
                record = course.telemetry[batch // course.telemetry_every, r]
                observe_row(row, reals, net.code, values, deltas, capacity, n, record)
            wait(team)
        if row[Column.INPUT_GRADIENT]:
            backward_row(row, reals, net, values, deltas, capacity, n, team)
            wait(team)
        if is_learned(row) and fused:
            if net.penalized:
                penalty_updates(net, row, rate, course.first_step + batch, team)
            weight_update_row(
                row, reals, rate, net, values, deltas, capacity, n, batches.samples, ahead,
                team,
            )  # fmt: skip
    wait(team)


@exact
def add_penalties(net, weights, step, team):
    """Add a share of the penalties' gradients, which ``weights`` have."""
    real = net.params.dtype.type
    waits = False
    for t in range(net.tensors.shape[0]):
        if not is_penalized(net, t):
            continue
        size = net.tensors[t, Tensor.SIZE]
        own, stop = first_element_of(size, team), stop_element_of(size, team)
        start = net.tensors[t, Tensor.START] + own
        own_weights = vector(weights, start, stop - own)
        own_gradient = vector(net.gradient, start, stop - own)
        l1, l2 = real(net.factors[t, Factor.L1]), real(net.factors[t, Factor.L2])
        call(penalty_gradient, net.code, (l1, l2, step, own, own_weights, own_gradient))
        waits = True
    if waits:
        wait(team)


@view
def clips(numbers):
    """Whether an optimizer clips gradients."""
    return (
        numbers[Number.CLIPVALUE] > 0.0
        or numbers[Number.CLIPNORM] > 0.0
        or numbers[Number.GLOBAL_CLIPNORM] > 0.0
    )


@exact
def clip_gradient(net, team):
    """Clip the gradient as the optimizer's numbers say.

    Each tensor's squares are added by one thread, or by every thread, in one order: so the bits do
    not depend on how many there are.
    """
    real, numbers, size = net.params.dtype.type, net.numbers, net.params.size
    start = first_element_of(size, team)  # take_step's share, too: it need not wait for this
    own = vector(net.gradient, start, stop_element_of(size, team) - start)
    if numbers[Number.CLIPVALUE] > 0.0:
        call(clip_values, net.code, (real(numbers[Number.CLIPVALUE]), own))
    if numbers[Number.CLIPNORM] > 0.0:
        for t in range(team.thread, net.tensors.shape[0], team.threads):
            if net.factors[t, Factor.RATE] == 0.0:
                continue
            tensor = tensor_of(net, t, net.gradient)
            squares = call(square_sum, net.code, (tensor,))
            scale = clipping_scale(squares, numbers[Number.CLIPNORM])
            rescale(real(scale), real(0), tensor, tensor)
        wait(team)
    if numbers[Number.GLOBAL_CLIPNORM] > 0.0:
        total = 0.0
        for t in range(net.tensors.shape[0]):
            if net.factors[t, Factor.RATE] != 0.0:
                total += call(square_sum, net.code, (tensor_of(net, t, net.gradient),))
        wait(team)
        scale = clipping_scale(total, numbers[Number.GLOBAL_CLIPNORM])
        rescale(real(scale), real(0), own, own)


@exact
def next_unlike(net, t):
    """Return the first tensor after ``t`` whose step has other factors, or how many there are."""
    after = t + 1
    while (
        after < net.tensors.shape[0]
        and net.factors[after, Factor.RATE] == net.factors[t, Factor.RATE]
        and net.factors[after, Factor.DECAY] == net.factors[t, Factor.DECAY]
    ):
        after += 1
    return after


@exact
def take_step(net, rate, step, team):
    """Take a share of a step along the whole gradient.

    It is a share of all parameters, whether tensors that are stepped alike, for which there is one
    call of the kernel, begin or end in it.
    """
    size, weight_decay = net.params.size, net.numbers[Number.WEIGHT_DECAY]
    has = net.moments.size // max(size, 1)
    t = 0
    while t < net.tensors.shape[0]:
        after = next_unlike(net, t)
        own = max(first_element_of(size, team), net.tensors[t, Tensor.START])
        stop = net.tensors[after - 1, Tensor.START] + net.tensors[after - 1, Tensor.SIZE]
        stop = min(stop_element_of(size, team), stop)
        if net.factors[t, Factor.RATE] != 0.0 and own < stop:
            rates = (
                rate * net.factors[t, Factor.RATE],
                weight_decay * net.factors[t, Factor.DECAY],
            )
            params = vector(net.params, own, stop - own)
            gradient = vector(net.gradient, own, stop - own)
            first = vector(net.moments, own, stop - own if has > 0 else 0)
            second = vector(net.moments, size + own, stop - own if has > 1 else 0)
            third = vector(net.moments, 2 * size + own, stop - own if has > 2 else 0)
            moved = (params, gradient, first, second, third)
            arguments = (net.rule, *rates, step, net.penalized, own, *moved, net.numbers)
            call(optimizer_step, net.code, arguments)
        t = after
    wait(team)


@exact
def follow_parameters(net, step, team):
    """Let the running mean of the parameters follow them, or take its place in some steps."""
    size = net.params.size
    own, stop = first_element_of(size, team), stop_element_of(size, team)
    params = vector(net.params, own, stop - own)
    average = vector(net.moments, net.moments.size - size + own, stop - own)
    call(average_step, net.code, (net.numbers[Number.EMA_MOMENTUM], params, average))
    every = int(net.numbers[Number.EMA_OVERWRITE_FREQUENCY])
    taken = step + 1 - int(net.numbers[Number.STEPS_BEFORE])
    if every > 0 and taken % every == 0:
        for i in range(params.size):
            params[i] = average[i]
    wait(team)


@exact
def constrain_parameters(net, team):
    """Bring a share of each tensor to its constraint."""
    waits = False
    for t in range(net.tensors.shape[0]):
        kind, factors = net.tensors[t, Tensor.CONSTRAINT], net.factors[t]
        if kind == Constraint.NONE or factors[Factor.RATE] == 0.0:
            continue
        weights, group = tensor_of(net, t, net.params), net.tensors[t, Tensor.GROUP]
        groups = weights.size // group
        bounds = (factors[Factor.LOWEST], factors[Factor.HIGHEST], factors[Factor.SHARE])
        first, stop = first_of(groups, team), stop_of(groups, team)
        stride = net.tensors[t, Tensor.STRIDE]
        arguments = (kind, *bounds, group, stride, first, stop, weights)
        call(constrain, net.code, arguments)
        waits = True
    if waits:
        wait(team)


@exact
def keep_params(net, before, team):
    """Keep a share of the parameters as they are before a step that is recorded."""
    size = net.params.size
    for i in range(first_element_of(size, team), stop_element_of(size, team)):
        before[i] = net.params[i]
    wait(team)


@exact
def observe_step(net, loss_index, before, records, team):
    """Record the step that was taken, for each row with weights."""
    for r in range(1, loss_index if team.thread == 0 else 0):
        row = net.table[r]
        if is_learned(row):
            was, now = layer_params(row, before), layer_params(row, net.params)
            gradient = layer_params(row, net.gradient)
            call(record_step, net.code, (was, now, gradient, records[r]))
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
    predicts = mode == Mode.PREDICT or mode == Mode.SAMPLE
    stop = net.table.shape[0] if predicts else last_judge
    if not all_are_here(team):
        return -1

    for batch in range(batches.first, batches.stop):
        rows, step = batch_of(batches, batch), course.first_step + batch
        n = rows.size
        gather(net.table[0], net.reals[0], batches.samples, rows, memory.values, capacity, team)
        ahead = share_ahead(batches, batch, team)
        if not fused:
            prefetch_samples(batches.samples, ahead, 0)
        wait(team)
        last_row = forward(net, memory, mode, stop, capacity, n, step, team)
        if predicts:
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
        if net.penalized and not fused:
            add_penalties(net, net.params, step, team)
        if mode == Mode.TRAIN and not fused:
            if clips(net.numbers):
                clip_gradient(net, team)
            take_step(net, course.rates[batch - batches.first], step, team)
        if mode == Mode.TRAIN and net.numbers[Number.USE_EMA] != 0.0:
            follow_parameters(net, step, team)
        if mode == Mode.TRAIN and net.constrained:
            constrain_parameters(net, team)
        if recorded:
            if net.penalized and fused:
                add_penalties(net, course.before, step, team)
            observe_step(net, loss_index, course.before, course.telemetry[batch // every], team)
    return batches.stop


def _bind(net: Net, memory: Memory) -> Callable[..., Call]:
    """Return a function of batches, course and team, which returns the call of the engine."""
    ready = for_groups(run, (CompiledNet, *RUN[1:]), net.params.dtype)
    compiled = Compiled(net)

    def prepare(batches: Batches, course: Course, team: Team) -> Call:
        compiled.compile_for(course)
        return prepare_with(ready, compiled.net, memory)(batches, course, team)

    return prepare


bind = checked(_bind)
