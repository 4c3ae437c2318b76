"""Going on with a fit that was cut off."""

import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..runtime.arguments import positive_integer, shown, truth
from .base import Callback, Logs

if TYPE_CHECKING:
    from ..runtime.run import Run
    from ..runtime.tensors import Array

_MOMENTS, _TOTALS = "moments", "totals"  # weights have a slash in their names


class BackupAndRestore(Callback):
    """Backs up a fit as it runs, so that the same call goes on with it, should it be cut off.

    The fit that goes on, in another process or here, ends with the bits that it would have had
    without the interruption, in the middle of an epoch, too: weights, the optimizer's moments and
    learning rate, dropout, the order of samples, and the history, in which the epochs before are.
    What other callbacks remember, such as how long one has been waiting, starts anew.

    Parameters
    ----------
    backup_dir : str or path
        A folder for the file ``training.safetensors``, of this fit alone; it is made if need be.
    save_freq : "epoch" or int, positive
        After each epoch, or after so many batches, counted over all epochs.
    delete_checkpoint : bool
        Whether the file goes when the fit is done.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be; at the fit, if the file is damaged, or is that of
        another net or of a fit with other arguments.

    Examples
    --------
    >>> from fastmlp.callbacks import BackupAndRestore
    >>> backup = BackupAndRestore("backup", save_freq=1000)
    """

    _fixed = ("save_freq",)

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: int | Literal["epoch"] = "epoch",
        *,
        delete_checkpoint: bool = True,
    ) -> None:
        if not isinstance(backup_dir, (str, os.PathLike)) or not str(backup_dir):
            raise TypeError(f"backup_dir: expected a path, got {shown(backup_dir)}")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = (
            save_freq if save_freq == "epoch" else positive_integer("save_freq", save_freq)
        )
        self.delete_checkpoint = truth("delete_checkpoint", delete_checkpoint)
        self._epoch = self._unsaved_batches = 0
        if save_freq != "epoch":
            # On the object, and not in the class: a hook that is not there costs nothing.
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    @property
    def _path(self) -> Path:
        return Path(self.backup_dir) / "training.safetensors"

    def _join(self, run: "Run") -> None:
        self._run = run

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Go on where the file says, if there is one."""
        self._unsaved_batches = 0
        if self._path.exists():
            self._restore()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the epoch's number."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Back up, if it is time after each epoch."""
        if self.save_freq == "epoch" and not self._run.is_cut_short:
            self._save(epoch + 1, 0, None)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Delete the file, if wanted."""
        if self.delete_checkpoint:
            with suppress(FileNotFoundError):
                self._path.unlink()

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs, which is in no fit."""
        return {name: value for name, value in vars(self).items() if name != "_run"}

    def _after_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._unsaved_batches += 1
        run = self._run
        if self._unsaved_batches >= int(self.save_freq) and not run.is_cut_short:
            self._unsaved_batches = 0
            # The last batch's epoch is not complete before its validation.
            self._save(self._epoch, batch + 1, run.totals)

    def _fit(self) -> dict[str, Any]:
        """Return what must be the same in the fit that goes on."""
        job = self._run.job
        return {
            "batch_size": job.batch_size, "batches": job.batches, "samples": job.data.count,
            "shuffle": job.shuffle, "seed": job.seed, "initial_epoch": job.course.initial_epoch,
            "weights": [[slot.name, list(slot.weight.shape)] for slot in self.model._slots],
            "optimizer": type(self.model.optimizer).__name__,
        }  # fmt: skip

    def _save(self, epoch: int, batch: int, totals: Any) -> None:
        from ..runtime import checkpoint

        run, state = self._run, self._run.state
        rate = getattr(self.model.optimizer, "learning_rate", None)
        content = {
            "kind": "backup",
            "fit": self._fit(),
            "epoch": epoch,
            "batch": batch,
            "steps": run.first_step if batch else state.steps,
            "epochs_before": run.epochs_before,
            "steps_before": state.steps_before,
            "draws": int(state.draws[0]),
            "learning_rate": rate if isinstance(rate, float) else None,
            "history": asdict(run.history),
        }
        tensors = self._weights_and_moments()
        tensors[_TOTALS] = np.zeros(0) if totals is None else totals
        self._path.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write(self._path, content, tensors)

    def _weights_and_moments(self) -> "dict[str, Array]":
        state = self._run.state
        is_swapped = state.is_swapped
        if is_swapped:  # for the callbacks behind SwapEMAWeights, and not for the next epoch
            state.swap_average()
        try:
            tensors = {slot.name: np.array(slot.of(state), order="C") for slot in self.model._slots}
            return tensors | {_MOMENTS: state.moments.copy()}
        finally:
            if is_swapped:
                state.swap_average()

    def _restore(self) -> None:
        from ..runtime import checkpoint
        from ..runtime.run import Start

        content, tensors = checkpoint.read(self._path)
        fit = json.loads(json.dumps(self._fit()))
        if content.get("kind") != "backup" or content["fit"] != fit:
            raise ValueError(
                f"backup_dir: {str(self._path)!r} is not of this fit: another net, other data or "
                "other arguments; delete it to begin anew"
            )
        run, state, optimizer = self._run, self._run.state, self.model.optimizer
        assert optimizer is not None
        moments = tensors[_MOMENTS]
        if state.moments.shape != moments.shape:
            raise ValueError(f"backup_dir: {optimizer!r} has other moments than those saved")
        if content["learning_rate"] is not None:
            optimizer.learning_rate = content["learning_rate"]
        for slot in self.model._slots:
            slot.of(state)[...] = tensors[slot.name]
        state.moments[:] = moments
        state.steps_before = content.get("steps_before", 0)
        run.engine.use_optimizer(optimizer, state)
        state.draws[0] = content["draws"]
        history = content["history"]
        run.history.history, run.history.epoch = history["history"], history["epoch"]
        run.epochs_before = content["epochs_before"]
        state.steps = content["steps"]
        state.epochs = run.epochs_before + len(run.history.epoch)
        totals = tensors[_TOTALS] if content["batch"] else None
        run.start = Start(content["epoch"], content["batch"], totals)
