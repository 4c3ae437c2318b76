"""The training loop: epochs of shuffled batches, and callbacks around them."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .callbacks import Callback, Logs
from .divergence import Diagnosis, DivergenceReport, ValidationDiagnosis
from .figures import figures_of
from .job import Job
from .kernels.contract import Total
from .pace import Pace
from .progress import FitProgress
from .recording import Amendment, Recording
from .run import Part, Run, StopError
from .settings import Settings
from .validation import Validation


def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the order in which an epoch visits its samples.

    A function of the net's seed and the epoch's number alone, so that a training that goes on
    later sees what an uninterrupted one would have seen.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, epoch))).permutation(
        count
    )


def train(run: Run) -> None:
    """Train; the history grows with each epoch.

    Random numbers follow the epoch's number over all fits of the net, which begin with
    ``state.epochs``; the history and the callbacks count from 0.
    """
    callbacks = _callbacks_of(run.job)
    parts = [callback for callback in callbacks if isinstance(callback, Part)]
    for part in parts:
        part.run = run
    try:
        _introduce(run)
        for callback in callbacks:
            callback.on_train_begin({})
        logs = _train_epochs(run, callbacks, parts)
        for callback in callbacks:
            callback.on_train_end(dict(logs))
    except StopError:
        pass
    except BaseException:
        run.history.drop_incomplete()
        for part in parts:
            part.on_train_error()
        raise


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
    first_epoch = run.state.epochs
    logs: Logs = {}
    for epoch in range(run.job.epochs):
        run.totals = np.zeros(run.engine.plan.totals)
        for callback in callbacks:
            callback.on_epoch_begin(epoch, {})
        try:
            _train_epoch(run, first_epoch + epoch, pace, parts)
        finally:
            run.state.steps += _steps_taken(run.totals, run.job.batch_size)
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


def _train_epoch(run: Run, epoch: int, pace: Pace, parts: Sequence[Part]) -> None:
    """Run an epoch's batches; ``run`` says what they added up to, and where they ended."""
    job, count = run.job, run.job.data.count
    order = epoch_order(job.seed, epoch, count) if job.shuffle else np.arange(count)
    for first, stop in pace.calls(job.batches):
        run.check_stop()
        run.reached = run.engine.train_epoch(
            job.data, order, job.batch_size, first, stop,
            first_step=run.state.steps, totals=run.totals,
            telemetry=run.records,
            telemetry_every=0 if job.recorder is None else job.recorder.every,
        )  # fmt: skip
        for part in parts:
            part.on_call_end()
        if run.reached < stop:
            break
