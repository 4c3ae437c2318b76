"""The loop over the batches of an epoch in Python, one kernel call at a time.

It runs a plan on any set of kernels.  With ``reference`` it is the NumPy backend; with ``numba`` or
``c`` it is what trains a net that has a layer written in Python (a ``CUSTOM`` row), which the
engines cannot call; and it is the place to read, or to put a breakpoint, when one wants to know
what an epoch consists of.
"""

import math
from collections.abc import Mapping
from contextlib import nullcontext
from types import ModuleType

import numpy as np

from ..contract import (
    FIRST_LOSS,
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
from .rows import Array, PythonLayer, Walk


def judge(
    walk: Walk, judges: list[int], rows: Array, batches: Batches, totals: Array, learns: bool
) -> float:
    """Compute the loss, which is returned, and add the metrics to their totals.

    ``judges`` are the rows of the loss and of the metrics; ``rows`` are the batch's samples.
    """
    place = len(Total)
    for r in judges[1:]:
        own = totals[place : place + walk.table[r][Column.TOTALS]]
        if walk.table[r][Column.OP] == Op.METRIC:
            walk.metric_row(r, rows, batches, own)
        else:
            own += walk.loss_row(r, rows, batches, learns=False)
        place += own.size
    # The loss comes last, for a metric that is a loss sets a gradient, too.
    return walk.loss_row(judges[0], rows, batches, learns)


# The stages of a batch, as in kernels/c/epoch.c and kernels/numba/epoch.py.


def forward(walk: Walk, stop: int, mode: Mode, n: int, step: int) -> Array:
    """Run the rows before ``stop`` forward; return the output of the last, (features, n)."""
    phase = Phase.PREDICT if mode in (Mode.PREDICT, Mode.EVALUATE) else Phase.LEARN
    row = walk.table[0]
    y = walk.buffer(walk.memory.values, row[Column.Y], row[Column.OUTPUTS], n, 1).T
    for r in range(1, stop):
        # A softmax that the loss has built in may follow it, for predictions, and for metrics.
        if walk.table[r][Column.OP] < FIRST_LOSS:
            y = walk.forward_row(r, n, step, phase)
    return y


def penalty(walk: Walk) -> float:
    """The penalties' value."""
    total = 0.0
    for t, place in walk.penalized(range(len(walk.net.tensors))):
        l1, l2 = walk.net.factors[t, Factor.L1], walk.net.factors[t, Factor.L2]
        total += float(walk.kernels.penalty(l1, l2, walk.net.params[place]))
    return total


def measure_loss(
    walk: Walk, judges: list[int], batches: Batches, course: Course, rows: Array
) -> bool:
    """Add to the totals, and leave the loss's gradient; tell whether the loss is finite."""
    learns = course.mode != Mode.EVALUATE
    loss = judge(walk, judges, rows, batches, course.totals, learns)
    penalties = penalty(walk) + walk.activity(range(1, judges[0]), rows.size) / rows.size
    course.totals[Total.LOSS] += loss
    course.totals[Total.PENALTY] += penalties * rows.size
    course.totals[Total.SAMPLES] += rows.size
    weights = batches.weights
    course.totals[Total.WEIGHTS] += (
        weights[rows].sum(dtype=np.float64) if weights.size else rows.size
    )
    return math.isfinite(loss + penalties)


def backward(
    walk: Walk, loss_index: int, n: int, mode: Mode, fused: bool, records: Array | None
) -> None:
    """From the loss's gradient down to the first layer's weights.

    If ``fused``, rows take their steps later, and their gradient is only stored to be recorded;
    a layer in Python gives both gradients at once.
    """
    for r in range(loss_index - 1, 0, -1):
        row = walk.table[r]
        custom = row[Column.OP] == Op.CUSTOM
        walk.prepare_gradients(r, n, mode == Mode.TRAIN)
        if custom:
            walk.backward_row(r, n)
        if walk.learns(r) and (records is not None or not fused):
            walk.weight_gradient_row(r, n)
        if records is not None:
            walk.observe_row(r, n, records[r])
        if row[Column.INPUT_GRADIENT] and not custom:
            walk.backward_row(r, n)


def add_penalties(walk: Walk, weights: Array, step: int) -> None:
    """Add the penalties' gradients, which ``weights`` have."""
    for t, place in walk.penalized(range(len(walk.net.tensors))):
        l1, l2 = walk.real_factors(t)
        gradient = walk.net.gradient[place]
        walk.kernels.penalty_gradient(l1, l2, step, 0, weights[place], gradient)


def clip_gradient(walk: Walk) -> None:
    """Clip the gradient as the optimizer's numbers say."""
    net = walk.net
    value, norm, global_norm = net.numbers[Number.CLIPVALUE : Number.GLOBAL_CLIPNORM + 1]
    tensors = [net.gradient[walk.place(t)] for t in walk.trained]
    if value > 0:
        walk.kernels.clip_values(net.params.dtype.type(value), net.gradient)
    if norm > 0:
        for tensor in tensors:
            scale_to(walk, norm, walk.kernels.square_sum(tensor), tensor)
    if global_norm > 0:
        total = sum(walk.kernels.square_sum(tensor) for tensor in tensors)
        scale_to(walk, global_norm, total, net.gradient)


def scale_to(walk: Walk, limit: float, square_sum: float, values: Array) -> None:
    """Scale values so that their norm is at most a limit; to NaN if it is not finite."""
    real, norm = values.dtype.type, math.sqrt(square_sum)
    if not norm <= limit:
        scale = limit / norm if norm < math.inf else math.nan
        walk.kernels.rescale(real(scale), real(0), values, values)


def take_step(walk: Walk, rate: float, step: int) -> None:
    """Step along the whole gradient: once for all tensors in a row that are stepped alike."""
    factors = walk.net.factors
    evenly = any(True for _ in walk.penalized(range(len(walk.net.tensors))))
    alike: list[tuple[float, float, slice]] = []
    for t in walk.trained:
        own, decay = factors[t, Factor.RATE], factors[t, Factor.DECAY]
        place = walk.place(t)
        if alike and alike[-1][:2] == (own, decay) and alike[-1][2].stop == place.start:
            place = slice(alike.pop()[2].start, place.stop)
        alike.append((own, decay, place))
    for own, decay, place in alike:
        decay = decay * walk.net.numbers[Number.WEIGHT_DECAY]
        walk.optimizer_step(rate * own, decay, step, evenly, place)


def follow_parameters(walk: Walk, step: int) -> None:
    """Let the running mean of the parameters follow them, or take its place at times."""
    net = walk.net
    if not net.numbers[Number.USE_EMA]:
        return
    average = net.moments[net.moments.size - net.params.size :]
    walk.kernels.average_step(net.numbers[Number.EMA_MOMENTUM], net.params, average)
    every = int(net.numbers[Number.EMA_OVERWRITE_FREQUENCY])
    taken = step + 1 - int(net.numbers[Number.STEPS_BEFORE])
    if every > 0 and taken % every == 0:
        net.params[:] = average


def constrain_parameters(walk: Walk) -> None:
    """Bring each tensor to its constraint."""
    for t in walk.trained:
        tensor = walk.tensors[t]
        kind, group = tensor[Tensor.CONSTRAINT], tensor[Tensor.GROUP]
        if kind == Constraint.NONE:
            continue
        numbers = walk.net.factors[t, [Factor.LOWEST, Factor.HIGHEST, Factor.SHARE]]
        weights = walk.net.params[walk.place(t)]
        groups = weights.size // group
        walk.kernels.constrain(kind, *numbers, group, tensor[Tensor.STRIDE], 0, groups, weights)


def take_fused_steps(walk: Walk, loss_index: int, n: int, rate: float, step: int) -> None:
    """Step along the gradients of all rows, from the last one down, without storing them.

    After the whole way back: if a layer in Python raises on it, no weight has changed yet.
    """
    for r in range(loss_index - 1, 0, -1):
        if walk.learns(r):
            walk.penalty_updates(walk.table[r], walk.net.params.dtype.type(rate), step)
            walk.weight_update_row(r, rate, step, n)


class WholeSteps:
    """Undoes a step, and what its batch added to ``totals``, if an error or Ctrl-C ends it.

    A context for one step after the other: what is kept of each is in the same memory.
    """

    def __init__(self, net: Net, totals: Array) -> None:
        self._changed = (net.params, net.moments, net.running, totals)
        self._before = [np.empty_like(vector) for vector in self._changed]

    def __enter__(self) -> None:
        for vector, before in zip(self._changed, self._before, strict=True):
            before[:] = vector

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            for vector, before in zip(self._changed, self._before, strict=True):
                vector[:] = before


def observe_step(walk: Walk, loss_index: int, before: Array, records: Array) -> None:
    """Record the step that was taken, for each row with weights."""
    for r in range(1, loss_index):
        if walk.learns(r):
            row = walk.table[r]
            vectors = (walk.own(row, v) for v in (before, walk.net.params, walk.net.gradient))
            walk.kernels.record_step(*vectors, records[r])


def run(
    kernels: ModuleType,
    python_layers: Mapping[int, PythonLayer],
    net: Net,
    memory: Memory,
    batches: Batches,
    course: Course,
    team: Team,
) -> int:
    """Do what ``numba.epoch.run`` does, a row at a time, and on one thread."""
    if team.thread > 0:
        return batches.stop
    walk, mode = Walk(kernels, python_layers, net, memory), Mode(course.mode)
    fused = mode == Mode.TRAIN and net.rule == Rule.DESCENT
    judges = [r for r, row in enumerate(walk.table) if row[Column.OP] >= FIRST_LOSS]
    if mode == Mode.GRADIENT:
        del judges[1:]

    whole_steps = WholeSteps(net, course.totals) if mode == Mode.TRAIN else nullcontext()
    for batch in range(batches.first, batches.stop):
        start = batch * batches.size
        rows = batches.order[start : start + batches.size]
        n, step = rows.size, course.first_step + batch
        walk.gather(batches.samples, rows)
        if mode in (Mode.PREDICT, Mode.SAMPLE):
            y = forward(walk, len(walk.table), mode, n, step)
            kernels.transpose(y, course.outputs[start : start + n])
            continue
        with whole_steps:
            forward(walk, judges[-1], mode, n, step)
            finite = measure_loss(walk, judges, batches, course, rows)
            if mode == Mode.EVALUATE:
                continue
            if not finite:
                return batch
            every = course.telemetry_every
            observed = every > 0 and batch % every == 0
            records = course.telemetry[batch // every] if observed else None
            if records is not None:
                course.before[:] = net.params
            backward(walk, judges[0], n, mode, fused, records)
            if not fused:
                add_penalties(walk, net.params, step)
            if mode == Mode.TRAIN:
                rate = course.rates[batch - batches.first]
                if fused:
                    take_fused_steps(walk, judges[0], n, rate, step)
                else:
                    clip_gradient(walk)
                    take_step(walk, rate, step)
                follow_parameters(walk, step)
                constrain_parameters(walk)
            if records is not None:
                if fused:
                    add_penalties(walk, course.before, step)
                observe_step(walk, judges[0], course.before, records)
    return batches.stop
