"""Figures for TensorBoard."""

import os
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..runtime.arguments import non_negative_integer, positive_integer, shown, truth
from .base import Callback, Logs


class TensorBoard(Callback):
    """Writes figures, and distributions of weights if wanted, for TensorBoard to draw.

    The files are those of Keras' callback: ``train/`` and ``validation/`` in the folder, with
    ``epoch_loss`` and the like, and the learning rate.  It needs the package tensorboardX:
    ``pip install 'fastmlp[tensorboard]'``.

    Parameters
    ----------
    log_dir : str or path
    histogram_freq : int, not negative
        After every so many epochs, the distribution of each weight is written; 0 is never.
    write_steps_per_second : bool
        Whether to write how many steps a second an epoch has taken.
    update_freq : "epoch", "batch" or int, positive
        "batch" is 1: after every so many batches, ``batch_loss`` and the like are written, the
        figures of the epoch so far.

    Raises
    ------
    ModuleNotFoundError
        Without tensorboardX.
    TypeError, ValueError
        If an argument is not what it should be.
    """

    _fixed = ("update_freq",)

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        *,
        write_steps_per_second: bool = False,
        update_freq: int | Literal["epoch", "batch"] = "epoch",
    ) -> None:
        if not isinstance(log_dir, (str, os.PathLike)) or not str(log_dir):
            raise TypeError(f"log_dir: expected a path, got {shown(log_dir)}")
        try:
            from tensorboardX import SummaryWriter
        except ModuleNotFoundError as reason:
            raise ModuleNotFoundError(
                "TensorBoard: tensorboardX is not installed: pip install 'fastmlp[tensorboard]' "
                "gets it", name="tensorboardX",
            ) from reason  # fmt: skip
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = non_negative_integer("histogram_freq", histogram_freq)
        self.write_steps_per_second = truth("write_steps_per_second", write_steps_per_second)
        if update_freq not in ("epoch", "batch"):
            update_freq = positive_integer("update_freq", update_freq)
        self.update_freq = update_freq
        self._writer_class = SummaryWriter
        self._writers: dict[str, Any] = {}
        self._began, self._steps = 0.0, 0
        if update_freq != "epoch":
            # On the object, and not in the class: a hook that is not there costs nothing.
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the clock."""
        self._began, self._steps = time.perf_counter(), self.model.steps_trained

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's figures."""
        for name, value in (logs or {}).items():
            part, _, own = name.rpartition("val_")
            folder = "validation" if name.startswith("val_") and not part else "train"
            self._write(folder, f"epoch_{own if folder == 'validation' else name}", value, epoch)
        optimizer = self.model.optimizer
        assert optimizer is not None
        rate = float(optimizer.rates(self.model.steps_trained, 1)[0])
        self._write("train", "epoch_learning_rate", rate, epoch)
        if self.write_steps_per_second:
            steps, seconds = self.model.steps_trained - self._steps, self._seconds()
            self._write("train", "epoch_steps_per_second", steps / seconds, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for slot in self.model._slots:
                self._writer("train").add_histogram(f"{slot.name}/histogram", slot.seen, epoch)
        self._flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs: no open files."""
        return vars(self) | {"_writers": {}}

    def _after_batch(self, batch: int, logs: Logs | None = None) -> None:
        every = 1 if self.update_freq == "batch" else int(self.update_freq)
        step = self.model.steps_trained
        if step % every == 0:
            for name, value in (logs or {}).items():
                self._write("train", f"batch_{name}", value, step)

    def _write(self, folder: str, tag: str, value: float, step: int) -> None:
        if np.isfinite(value):
            self._writer(folder).add_scalar(tag, value, step)

    def _writer(self, folder: str) -> Any:
        if folder not in self._writers:
            self._writers[folder] = self._writer_class(str(Path(self.log_dir) / folder))
        return self._writers[folder]

    def _flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()

    def _seconds(self) -> float:
        return max(time.perf_counter() - self._began, 1e-9)
