"""The loop over the batches of an epoch in Python, one kernel call at a time.

It runs a plan on any set of kernels.  With ``reference`` it is the NumPy backend; with ``numba`` or
``c`` it is what trains a net that has a layer written in Python (a ``CUSTOM`` row), which the
engines cannot call; and it is the place to read, or to put a breakpoint, when one wants to know
what an epoch consists of.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from types import ModuleType

import numpy as np

from ..contract import (
    FIRST_LOSS,
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
    Team,
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
        own = totals[place : place + walk.net.table[r, Column.TOTALS]]
        if walk.net.table[r, Column.OP] == Op.METRIC:
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
    row = walk.net.table[0]
    y = walk.buffer(walk.memory.values, row[Column.Y], row[Column.OUTPUTS], n, 1).T
    for r in range(1, stop):
        # A softmax that the loss has built in may follow it, for predictions, and for metrics.
        if walk.net.table[r, Column.OP] < FIRST_LOSS:
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
        row = walk.net.table[r]
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


def take_step(walk: Walk, loss_index: int, n: int, rate: float, step: int, fused: bool) -> None:
    """Step along the gradients of all rows, from the last one down.

    After the whole way back: if a layer in Python raises on it, no weight has changed yet.
    """
    if not fused:
        walk.clip_gradient()
        evenly = any(True for _ in walk.penalized(range(len(walk.net.tensors))))
        walk.take_step(rate, step, evenly)
    for r in range(loss_index - 1, 0, -1):
        if fused and walk.learns(r):
            walk.penalty_updates(walk.net.table[r], walk.net.params.dtype.type(rate), step)
            walk.weight_update_row(r, rate, step, n)
    walk.follow_parameters(step)
    walk.constrain_parameters()


@contextmanager
def whole_steps(walk: Walk, totals: Array) -> Iterator[None]:
    """Undo a step, and what its batch added to ``totals``, if an error or Ctrl-C ends it."""
    changed = (walk.net.params, walk.net.moments, walk.net.running, totals)
    before = [vector.copy() for vector in changed]
    try:
        yield
    except BaseException:
        for vector, kept in zip(changed, before, strict=True):
            vector[:] = kept
        raise


def observe_step(walk: Walk, loss_index: int, before: Array, records: Array) -> None:
    """Record the step that was taken, for each row with weights."""
    for r in range(1, loss_index):
        if walk.learns(r):
            row = walk.net.table[r]
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
    judges = [r for r in range(len(net.table)) if net.table[r, Column.OP] >= FIRST_LOSS]
    if mode == Mode.GRADIENT:
        del judges[1:]

    for batch in range(batches.first, batches.stop):
        start = batch * batches.size
        rows = batches.order[start : start + batches.size]
        n, step = rows.size, course.first_step + batch
        walk.gather(batches.samples, rows)
        if mode in (Mode.PREDICT, Mode.SAMPLE):
            y = forward(walk, len(net.table), mode, n, step)
            kernels.transpose(y, course.outputs[start : start + n])
            continue
        with whole_steps(walk, course.totals) if mode == Mode.TRAIN else nullcontext():
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
                take_step(walk, judges[0], n, course.rates[batch - batches.first], step, fused)
            if records is not None:
                if fused:
                    add_penalties(walk, course.before, step)
                observe_step(walk, judges[0], course.before, records)
    return batches.stop
