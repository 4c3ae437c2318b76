"""The training loop: epochs of shuffled batches, and callbacks around them."""

import math
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..callbacks import Callback, Logs, having
from ..callbacks.base import TRAIN_BATCH, TRAIN_CALL
from ..kernels.contract import Total
from .data import Data
from .divergence import Diagnosis, DivergenceReport, ValidationDiagnosis
from .engine import Engine
from .figures import figures_of
from .job import Job
from .pace import Pace
from .progress import FitProgress
from .recording import Amendment, Recording
from .run import Part, Run
from .shown import Shown
from .validation import Validation

_MOST_INDICES = 2**17  # in the orders of the epochs of one call: 1 MB


def train(run: Run) -> None:
    """Train; the history grows with each epoch.

    Random numbers follow the epoch's number over all fits of the net, which begin with
    ``state.epochs``; the history and the callbacks count from 0.

    Raises
    ------
    StopError
        If somebody wished that the fit ends.
    """
    callbacks = _callbacks_of(run.job)
    parts = [callback for callback in callbacks if isinstance(callback, Part)]
    for callback in callbacks:
        callback._join(run)
    try:
        _introduce(run)
        for callback in callbacks:
            callback.on_train_begin({})
        logs = _train_epochs(run, callbacks, parts)
        if run.history.divergence is not None or not run.job.course.goes_on:
            run.model._become_average()  # before a callback may restore others
        for callback in callbacks:
            callback.on_train_end(dict(logs))
    except BaseException:
        if run.state.is_swapped:
            run.state.swap_average()
        run.history.drop_incomplete()
        for part in parts:
            part.on_train_error()
        raise


def train_step(
    engine: Engine, data: Data, step: int, metrics: Sequence[Shown]
) -> tuple[dict[str, float], int]:
    """Take a step along the gradient of all samples, the one of that number.

    Returns the samples' figures, and how many steps were taken: none if the loss is not finite.
    """
    totals = np.zeros(engine.plan.totals)
    taken = engine.train_epoch(
        data, np.arange(data.count), data.count, 0, 1,
        first_step=step, totals=totals,
    )  # fmt: skip
    return figures_of(engine, totals, metrics), taken


def _callbacks_of(job: Job) -> list[Callback]:
    """Return all callbacks of a fit, in the order in which they are called."""
    return [
        *([job.recorder] if job.recorder is not None else []),
        Diagnosis(),
        *([Validation(), ValidationDiagnosis()] if job.validation is not None else []),
        Recording(),
        *([FitProgress(job.verbose, job.epochs)] if job.verbose else []),
        *([*job.callbacks, Amendment()] if job.callbacks else []),
        DivergenceReport(),
    ]


def _introduce(run: Run) -> None:
    """Tell the user's callbacks what they are called for."""
    for callback in run.job.callbacks:
        steps, verbose = run.job.batches, min(run.job.verbose, 2)
        callback.set_params({**run.history.params, "steps": steps, "verbose": verbose})
        callback.set_model(run.model)


def _train_epochs(run: Run, callbacks: Sequence[Callback], parts: Sequence[Part]) -> Logs:
    """Train, and return the figures of the last epoch."""
    pace = Pace(run.engine.seconds_at_most(run.job.batch_size))
    epoch, number = run.start.epoch, run.state.epochs
    logs: Logs = {}
    while epoch < run.job.epochs:
        count = _count_unwatched(run, epoch, pace)
        if count > 1:
            logs = _train_unwatched(run, callbacks, epoch, number, count, pace)
        else:
            logs = _train_watched(run, callbacks, epoch, number, pace, parts)
        if run.is_over:
            break
        epoch, number = epoch + count, number + count
    return logs


def _train_watched(
    run: Run,
    callbacks: Sequence[Callback],
    epoch: int,
    number: int,
    pace: Pace,
    parts: Sequence[Part],
) -> Logs:
    """Train for an epoch with its callbacks; ``number`` counts those of all fits."""
    is_first, start = epoch == run.start.epoch, run.start
    run.totals.fill(0)
    if is_first and start.totals is not None:
        run.totals[:] = start.totals
    batch, run.first_step = (start.batch if is_first else 0), run.state.steps
    for callback in callbacks:
        callback.on_epoch_begin(epoch, {})
    run.model.follow_changes()
    watchers = having(run.job.callbacks, TRAIN_BATCH)
    before = run.state.steps
    try:
        if watchers:
            _train_epoch_by_batches(run, number, batch, parts, watchers)
        else:
            _train_epoch(run, number, batch, pace, parts)
    finally:
        run.state.steps = before + _steps_taken(run)
    logs = figures_of(run.engine, run.totals, run.job.metrics)
    for callback in callbacks:
        callback.on_epoch_end(epoch, logs)
    return logs


def _count_unwatched(run: Run, epoch: int, pace: Pace) -> int:
    """Return how many epochs from this one on can go into one call of the engine."""
    job, start = run.job, run.start
    is_watched = job.recorder is not None or job.validation is not None
    is_part = job.course.steps_per_epoch is not None or (epoch == start.epoch and start.batch)
    if is_watched or is_part or job.verbose:
        return 1
    if not run.engine.takes_whole_epochs(job.batch_size, job.batches):
        return 1
    most = min(job.epochs - epoch, max(1, _MOST_INDICES // job.count))
    for callback in job.callbacks:
        most = int(min(most, callback._epochs_at_once()))
    return max(1, pace.stop(0, job.batches * most) // job.batches)


def _train_unwatched(
    run: Run, callbacks: Sequence[Callback], epoch: int, number: int, count: int, pace: Pace
) -> Logs:
    """Train for several epochs in one call, when nobody needs to know what is between them.

    They are put down whatever happens: Ctrl-C comes when the call has ended.
    """
    job, steps = run.job, run.state.steps
    told = [c for c in callbacks if not (isinstance(c, Part) and c.looks_into_memory)]
    for callback in job.callbacks:
        callback.on_epoch_begin(epoch, {})
    if job.callbacks:
        run.model.follow_changes()
    run.check_stop()
    orders = run.orders_of(number, count)
    totals, logs = np.zeros((count, run.totals.size)), Logs()
    started = time.perf_counter()
    try:
        run.reached = run.engine.train_epochs(
            job.data, orders, job.batch_size, first_step=steps, totals=totals
        )
    finally:
        begun = int(np.count_nonzero(totals[:, Total.SAMPLES]))
        for k in range(begun):
            run.totals[:] = totals[k]
            run.state.steps += _steps_taken(run)
            logs = figures_of(run.engine, run.totals, job.metrics)
            for callback in told if k < begun - 1 else ():
                callback.on_epoch_end(epoch + k, logs)
        if begun:
            run.reached = run.state.steps - steps - (begun - 1) * job.batches
            run.is_cut_short = run.reached < job.batches
            run.first_step = run.state.steps - run.reached
            for callback in callbacks:
                callback.on_epoch_end(epoch + begun - 1, logs)
    pace.learn(begun * job.batches, time.perf_counter() - started)
    return logs


def _steps_taken(run: Run) -> int:
    """Return how many steps an epoch has taken, also if an interrupt ended it between two calls.

    A batch whose loss is not finite is counted in the totals, but no step was taken along it.
    """
    totals, members = run.totals, run.engine.plan.members
    batches = -(-int(totals[Total.SAMPLES]) // (run.job.batch_size * members))
    diverged = not math.isfinite(totals[Total.LOSS] + totals[Total.PENALTY])
    return batches - int(diverged)


def _train_epoch(run: Run, epoch: int, begin: int, pace: Pace, parts: Sequence[Part]) -> None:
    """Run an epoch's batches from ``begin`` on; ``run`` says what they added up to, and the end."""
    order, first_step = run.orders_of(epoch)[0], run.first_step
    watchers = having(run.job.callbacks, TRAIN_CALL)
    first, batches = begin, run.job.batches
    while first < batches:
        # Asked each time: a callback may change its mind.
        seconds = min((w.seconds_per_call for w in watchers), default=math.inf)
        stop = pace.stop(first, batches, seconds)
        started = time.perf_counter()
        _train_batches(run, order, first, stop, first_step, parts)
        pace.learn(stop - first, time.perf_counter() - started)
        if watchers:
            run.state.steps = first_step + _steps_taken(run)
            figures = figures_of(run.engine, run.totals, run.job.metrics)
            for watcher in watchers:
                watcher.on_train_batches_end(run.reached - 1, dict(figures))
        if run.is_cut_short or (watchers and run.model.stop_training):
            break
        first = stop


def _train_epoch_by_batches(
    run: Run, epoch: int, begin: int, parts: Sequence[Part], watchers: Sequence[Callback]
) -> None:
    """Run an epoch's batches one by one, with callbacks around each."""
    order, first_step = run.orders_of(epoch)[0], run.first_step
    for batch in range(begin, run.job.batches):
        for callback in watchers:
            callback.on_train_batch_begin(batch, {})
        run.model.follow_changes()
        _train_batches(run, order, batch, batch + 1, first_step, parts)
        run.state.steps = first_step + _steps_taken(run)
        figures = figures_of(run.engine, run.totals, run.job.metrics)
        for callback in watchers:
            callback.on_train_batch_end(batch, dict(figures))
        if run.is_cut_short or run.model.stop_training:
            break


def _train_batches(
    run: Run,
    order: NDArray[np.int64],
    first: int,
    stop: int,
    first_step: int,
    parts: Sequence[Part],
) -> None:
    """Run some batches of an epoch in one call; ``first_step`` is the number of its first step."""
    job = run.job
    run.check_stop()
    run.reached = run.engine.train_epoch(
        job.data, order, job.batch_size, first, stop,
        first_step=first_step, totals=run.totals,
        telemetry=run.records,
        telemetry_every=0 if job.recorder is None else job.recorder.every,
    )  # fmt: skip
    run.is_cut_short = run.reached < stop
    for part in parts:
        part.on_call_end()
