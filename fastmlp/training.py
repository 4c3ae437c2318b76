"""The training loop: epochs of shuffled batches, each in one call of the engine."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .data import Data
from .engine import Engine
from .history import Divergence, DivergenceWarning, History
from .kernels.contract import Total
from .pace import Pace
from .progress import FitProgress
from .state import State
from .telemetry import Recorder


@dataclass
class Stop:
    """A wish that fits end after the call of the engine that they are in.

    Not a threading.Event: that takes several lines to set, between which Ctrl-C may come.
    """

    is_wanted: bool = False


class _StoppedError(Exception):
    """A wish to stop was found, and ends what is being done."""


@dataclass(frozen=True)
class Job:
    """What a fit is to do, all checked."""

    data: Data
    validation: Data | None
    batch_size: int
    epochs: int
    shuffle: bool
    seed: int
    metrics: tuple[str, ...]
    verbose: int
    recorder: Recorder | None = None
    stop: Stop = field(default_factory=Stop)

    @property
    def wants_accuracy(self) -> bool:
        """Whether right answers are counted."""
        return bool(self.metrics)


def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the order in which an epoch visits its samples.

    A function of the net's seed and the epoch's number alone, so that a training that goes on
    later sees what an uninterrupted one would have seen.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, epoch))).permutation(
        count
    )


def figures_of(
    engine: Engine, totals: NDArray[np.float64], metrics: Sequence[str]
) -> dict[str, float]:
    """Return the means that totals stand for; ``data_loss`` only where it is not ``loss``.

    The accuracy goes by the names in ``metrics``.
    """
    samples = max(totals[Total.SAMPLES], 1.0)
    figures = {"loss": float((totals[Total.LOSS] + totals[Total.PENALTY]) / samples)}
    for name in metrics:
        figures[name] = float(totals[Total.CORRECT] / samples)
    if engine.plan.is_penalized:
        figures["data_loss"] = float(totals[Total.LOSS] / samples)
    return figures


def train(engine: Engine, job: Job, history: History, state: State) -> int:
    """Train; ``history`` grows with each epoch. Returns the number of epochs completed.

    Random numbers follow the epoch's number over all fits of the net, which begin with
    ``state.epochs``; the history counts from 0.
    """
    try:
        with FitProgress(job.verbose, job.epochs) as progress:
            return _train(engine, job, history, state, progress)
    except BaseException:
        history.drop_incomplete()
        raise


def _train(
    engine: Engine,
    job: Job,
    history: History,
    state: State,
    progress: FitProgress,
) -> int:
    pace = Pace(engine.seconds_at_most(job.batch_size))
    batches = -(-job.data.count // job.batch_size)
    first_epoch = state.epochs
    for i in range(job.epochs):
        progress.begin_epoch(i, batches)
        totals = np.zeros(len(Total))
        try:
            stopped_at = _train_epoch(engine, job, state, first_epoch + i, totals, pace, progress)
        finally:
            state.steps += _steps_taken(totals, job.batch_size)
        if stopped_at is None:
            return i
        figures = figures_of(engine, totals, job.metrics)
        if stopped_at < batches:
            # Before validation, which uses the memory that still holds the batch's values.
            history.divergence = _explain(engine, job, i, stopped_at, totals)
        else:
            history.divergence = _find_ruined_weights(engine, i, batches - 1, figures["loss"])
        if job.validation is not None:
            try:
                val_figures = _validate(engine, job, stopped_at < batches)
            except _StoppedError:
                return i
            figures |= val_figures
            if history.divergence is None and not math.isfinite(val_figures["val_loss"]):
                history.divergence = _explain_validation(
                    engine, i, batches - 1, val_figures["val_loss"]
                )
        history.append(i, figures)
        progress.end_epoch(figures)
        if history.divergence is not None:
            warnings.warn(history.divergence.message, DivergenceWarning, stacklevel=5)
            return i
    return job.epochs


def _steps_taken(totals: NDArray[np.float64], batch_size: int) -> int:
    """Return how many steps an epoch has taken, also if an interrupt ended it between two calls.

    A batch whose loss is not finite is counted in the totals, but no step was taken along it.
    """
    batches = -(-int(totals[Total.SAMPLES]) // batch_size)
    diverged = not math.isfinite(totals[Total.LOSS] + totals[Total.PENALTY])
    return batches - int(diverged)


def _train_epoch(
    engine: Engine,
    job: Job,
    state: State,
    epoch: int,
    totals: NDArray[np.float64],
    pace: Pace,
    progress: FitProgress,
) -> int | None:
    """Fill the epoch's totals, and return the batch at which it ended; None if told to stop."""
    count = job.data.count
    order = epoch_order(job.seed, epoch, count) if job.shuffle else np.arange(count)
    batches = -(-count // job.batch_size)
    recorder = job.recorder
    records = None if recorder is None else recorder.begin_epoch(batches)
    reached = 0
    for first, stop in pace.calls(batches):
        if job.stop.is_wanted:
            return None
        reached = engine.train_epoch(
            job.data, order, job.batch_size, first, stop,
            first_step=state.steps, wants_accuracy=job.wants_accuracy, totals=totals,
            telemetry=records,
            telemetry_every=0 if recorder is None else recorder.every,
        )  # fmt: skip
        progress.advance(reached, figures_of(engine, totals, job.metrics))
        if reached < stop:
            break
    if recorder is not None and records is not None:
        recorder.end_epoch(records, state.steps, reached)
    return reached


def _validate(engine: Engine, job: Job, diverged: bool) -> dict[str, float]:
    assert job.validation is not None

    def advance(done: int, totals: NDArray[np.float64]) -> None:
        if job.stop.is_wanted:
            raise _StoppedError

    totals = engine.evaluate(job.validation, job.wants_accuracy, advance=advance)
    figures = figures_of(engine, totals, job.metrics)
    return {f"val_{name}": np.nan if diverged else value for name, value in figures.items()}


def _explain(
    engine: Engine, job: Job, epoch: int, step: int, totals: NDArray[np.float64]
) -> Divergence:
    """Say where the loss stopped being finite: the workspace still holds that batch's values."""
    n = min(job.batch_size, job.data.count)
    values = engine.workspace(n).values
    n = min(n, job.data.count - step * job.batch_size)
    layer, what = engine.plan.first_not_finite(engine.params, values, n)
    loss = float(totals[Total.LOSS])
    return _divergence(engine, epoch, step, loss, layer, f"the loss became {loss}", what)


def _find_ruined_weights(engine: Engine, epoch: int, step: int, loss: float) -> Divergence | None:
    """Say whether an epoch's last step, which no loss follows, left weights that are not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        # A sum is finite only if every term is, and sooner done than a look at each.
        vectors = (engine.params, engine.running)
        if all(np.isfinite(v.sum()) or np.isfinite(v).all() for v in vectors):
            return None
    for slot in engine.plan.all_slots:
        if not np.isfinite(slot.of(engine)).all():
            break
    name = slot.layer.name
    event = "the weights are no longer finite"
    return _divergence(engine, epoch, step, loss, name, event, f"the weights of {name!r}")


def _explain_validation(engine: Engine, epoch: int, step: int, loss: float) -> Divergence:
    """Say that the validation's loss is not finite, where weights and training's loss were."""
    event = f"after the epoch the loss of the validation data is {loss}"
    return _divergence(engine, epoch, step, loss, engine.plan.labels[-1], event, "their outputs")


def _divergence(
    engine: Engine, epoch: int, step: int, loss: float, layer: str, event: str, what: str
) -> Divergence:
    message = (
        f"training diverged: {event} at epoch {epoch + 1}, step {step + 1}, "
        f"first in {what}, with learning rate {engine.rate:g}; "
        "a smaller one, or inputs of smaller scale, may help"
    )
    return Divergence(epoch, step, loss, layer, message)
