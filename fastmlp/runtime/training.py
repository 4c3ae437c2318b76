"""The training loop: epochs of shuffled batches, and callbacks around them."""

import math
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
from .settings import Settings
from .shown import Shown
from .shuffling import epoch_order
from .validation import Validation


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
        if run.model.optimizer is not None and run.model.optimizer.use_ema:
            run.state.become_average()  # before a callback may restore others
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
        FitProgress(job.verbose, job.epochs),
        *([*job.callbacks, Amendment(), Settings()] if job.callbacks else []),
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
    first_epoch, start = run.state.epochs, run.start
    logs: Logs = {}
    watchers = having(run.job.callbacks, TRAIN_BATCH)
    for number, epoch in enumerate(range(start.epoch, run.job.epochs)):
        run.totals = np.zeros(run.engine.plan.totals)
        if number == 0 and start.totals is not None:
            run.totals[:] = start.totals
        batch, run.first_step = (0 if number else start.batch), run.state.steps
        for callback in callbacks:
            callback.on_epoch_begin(epoch, {})
        run.model.follow_changes()
        before = run.state.steps
        try:
            if watchers:
                _train_epoch_by_batches(run, first_epoch + number, batch, parts, watchers)
            else:
                _train_epoch(run, first_epoch + number, batch, pace, parts)
        finally:
            run.state.steps = before + _steps_taken(run.totals, run.job.batch_size)
        logs = figures_of(run.engine, run.totals, run.job.metrics)
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)
        if run.is_over:
            break
    return logs


def _steps_taken(totals: NDArray[np.float64], batch_size: int) -> int:
    """Return how many steps an epoch has taken, also if an interrupt ended it between two calls.

    A batch whose loss is not finite is counted in the totals, but no step was taken along it.
    """
    batches = -(-int(totals[Total.SAMPLES]) // batch_size)
    diverged = not math.isfinite(totals[Total.LOSS] + totals[Total.PENALTY])
    return batches - int(diverged)


def _train_epoch(run: Run, epoch: int, begin: int, pace: Pace, parts: Sequence[Part]) -> None:
    """Run an epoch's batches from ``begin`` on; ``run`` says what they added up to, and the end."""
    order, first_step = _order_of(run, epoch), run.first_step
    watchers = having(run.job.callbacks, TRAIN_CALL)
    first, batches = begin, run.job.batches
    while first < batches:
        # Asked each time: a callback may change its mind.
        seconds = min((w.seconds_per_call for w in watchers), default=math.inf)
        stop = pace.stop(first, batches, seconds)
        with pace.timed(stop - first):
            _train_batches(run, order, first, stop, first_step, parts)
        if watchers:
            run.state.steps = first_step + _steps_taken(run.totals, run.job.batch_size)
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
    order, first_step = _order_of(run, epoch), run.first_step
    for batch in range(begin, run.job.batches):
        for callback in watchers:
            callback.on_train_batch_begin(batch, {})
        for part in parts:
            part.on_batches_begin()
        _train_batches(run, order, batch, batch + 1, first_step, parts)
        run.state.steps = first_step + _steps_taken(run.totals, run.job.batch_size)
        figures = figures_of(run.engine, run.totals, run.job.metrics)
        for callback in watchers:
            callback.on_train_batch_end(batch, dict(figures))
        if run.is_cut_short or run.model.stop_training:
            break


def _order_of(run: Run, epoch: int) -> NDArray[np.int64]:
    """Return the order in which an epoch visits its samples."""
    job, count = run.job, run.job.count
    order = epoch_order(job.seed, epoch, count) if job.shuffle else np.arange(count)
    return order if job.rows is None else job.rows[order]


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
