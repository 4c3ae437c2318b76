"""Training that comes apart: where the first number is that is not finite, and the warning."""

import math
import warnings

import numpy as np

from ..callbacks import Logs
from ..history import Divergence, DivergenceWarning
from ..kernels.contract import Total
from .engine import Engine
from .run import Part, Run
from .tensors import Array

_FEW = 4096  # numbers that are looked at one by one sooner than NumPy is told not to warn


class Diagnosis(Part):
    """Looks after each epoch whether its loss, and the weights it left, are finite.

    It comes before the validation, which uses the memory that still holds the batch's values.
    """

    looks_into_memory = True

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        run = self.run
        if run.is_cut_short:
            run.history.divergence = _of_batch(run, epoch)
        elif not (_all_finite(run.engine.params) and _all_finite(run.engine.running)):
            assert logs is not None
            run.history.divergence = _of_weights(run, epoch, logs["loss"])


class ValidationDiagnosis(Part):
    """Looks whether the validation's loss is finite, where weights and training's loss are."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        run, loss = self.run, logs.get("val_loss", 0.0)
        if run.history.divergence is None and not math.isfinite(loss):
            event = f"after the epoch the loss of the validation data is {loss}"
            run.history.divergence = _divergence(
                run.engine, epoch, run.reached - 1, loss, run.engine.plan.last_label, event,
                "their outputs",
            )  # fmt: skip


class DivergenceReport(Part):
    """Warns at the end of a fit that has diverged, when all else is done."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        divergence = self.run.history.divergence
        if divergence is not None and self.run.job.warns:
            # From here up to whoever called fit: train, run_job, fit.
            warnings.warn(divergence.message, DivergenceWarning, stacklevel=5)


def _all_finite(values: Array) -> bool:
    if values.size < _FEW:
        return bool(np.isfinite(values).all())
    with np.errstate(over="ignore", invalid="ignore"):
        # A sum is finite only if every term is, and sooner done than a look at each.
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())


def _of_batch(run: Run, epoch: int) -> Divergence:
    """Say where the loss stopped being finite: the workspace still holds that batch's values."""
    engine, job, step = run.engine, run.job, run.reached
    n = min(job.batch_size, job.count)
    values = engine.values_of_last_step(n)
    n = min(n, job.count - step * job.batch_size) * engine.plan.members
    layer, what = engine.plan.first_not_finite(engine.params, values, n)
    loss = float(run.totals[Total.LOSS])
    return _divergence(engine, epoch, step, loss, layer, f"the loss became {loss}", what)


def _of_weights(run: Run, epoch: int, loss: float) -> Divergence:
    """Name the weights that an epoch's last step, which no loss follows, left not finite."""
    engine = run.engine
    for slot in engine.plan.all_slots:
        if not np.isfinite(slot.of(engine)).all():
            break
    name = slot.layer.name
    event = "the weights are no longer finite"
    step = run.reached - 1
    return _divergence(engine, epoch, step, loss, name, event, f"the weights of {name!r}")


def _divergence(
    engine: Engine, epoch: int, step: int, loss: float, layer: str, event: str, what: str
) -> Divergence:
    message = (
        f"training diverged: {event} at epoch {epoch + 1}, step {step + 1}, "
        f"first in {what}, with learning rate {engine.rate:g}; "
        "a smaller one, or inputs of smaller scale, may help"
    )
    return Divergence(epoch, step, loss, layer, message)
