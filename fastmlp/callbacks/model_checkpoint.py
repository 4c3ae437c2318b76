"""Saving a net while it trains."""

import math
import os
from typing import Literal

from ..runtime.arguments import positive_integer, real_number, shown, truth
from .base import Logs
from .monitor import Mode, Monitor, say


class ModelCheckpoint(Monitor):
    """Saves the net after each epoch, or after every so many batches.

    The same object may be used for one fit after the other: it goes on counting, and keeps to the
    best figure that it has seen, as in Keras.

    Parameters
    ----------
    filepath : str or path
        May hold ``{epoch}``, counted from 1, and the figures, in Python's format:
        ``"{epoch:02d}-{val_loss:.2f}.safetensors"``; with ``save_freq`` a number also ``{batch}``.
        Folders are made where there are none.
    monitor : str
        Which figure says what is best, by its name in the history.
    verbose : {0, 1}
        1 says what is done.
    save_best_only : bool
        Save only where the figure is better than all before.
    save_weights_only : bool
        Save by :meth:`Sequential.save_weights`, not by :meth:`Sequential.save`.
    mode : {"auto", "min", "max"}
        Whether smaller or larger is better; "auto" knows it of losses and accuracies.
    save_freq : "epoch" or int, positive
        After so many batches, counted over all epochs; the figures are then those of the epoch so
        far.
    initial_value_threshold : float, optional
        The figure must be better than this to be saved by ``save_best_only``.

    Attributes
    ----------
    best : float
        The best figure so far.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    filepath: str
    save_best_only: bool
    save_weights_only: bool
    save_freq: int | str
    best: float

    _fixed = ("save_best_only", "save_freq")

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: Mode = "auto",
        save_freq: int | Literal["epoch"] = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        if not isinstance(filepath, (str, os.PathLike)) or not str(filepath):
            raise TypeError(f"filepath: expected a path, got {shown(filepath)}")
        self.filepath = os.fspath(filepath)
        self.monitor, self.verbose, self.mode = monitor, verbose, mode
        self.save_best_only = truth("save_best_only", save_best_only)
        self.save_weights_only = truth("save_weights_only", save_weights_only)
        if self.save_best_only:
            self.check()
            self.best = self.sign * math.inf
        self.check_verbose()
        if save_freq != "epoch":
            save_freq = positive_integer("save_freq", save_freq)
        self.save_freq = save_freq
        if initial_value_threshold is not None:
            if not self.save_best_only:
                raise ValueError("initial_value_threshold: needs save_best_only=True")
            self.best = real_number("initial_value_threshold", initial_value_threshold)
        self._epoch = self._unsaved_batches = 0
        self._has_warned = False
        if save_freq != "epoch":
            # On the object, and not in the class: a hook that is not there costs nothing.
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Warn anew, should the figure not be there."""
        self._has_warned = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Remember the epoch's number."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save the net, if it is time after an epoch and good enough."""
        if self.save_freq != "epoch":
            return
        logs = logs or {}
        value = self.value_in(logs, "saves nothing") if self.save_best_only else None
        self._save(epoch, None, logs, value)

    def _after_batch(self, batch: int, logs: Logs | None = None) -> None:
        self._unsaved_batches += 1
        if self._unsaved_batches >= int(self.save_freq):
            self._unsaved_batches = 0
            logs = logs or {}
            self._save(self._epoch, batch, logs, logs.get(self.monitor))

    def _save(self, epoch: int, batch: int | None, logs: Logs, value: float | None) -> None:
        path = self._path(epoch, batch, logs)
        if self.save_best_only:
            if value is None:
                return
            if not self.is_better(value, self.best):
                if self.verbose:
                    say(f"Epoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
                return
            if self.verbose:
                say(
                    f"Epoch {epoch + 1}: {self.monitor} improved from {self.best:.5f} to "
                    f"{value:.5f}, saving model to {path}"
                )
            self.best = value
        elif self.verbose:
            say(f"Epoch {epoch + 1}: saving model to {path}")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        """Return the file's name, with the numbers in it."""
        known = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**known)
        except (KeyError, IndexError) as missing:
            names = ", ".join(map(repr, known))
            raise ValueError(
                f"filepath: {self.filepath!r} wants {missing}; there are {names}"
            ) from None
