"""Ending a fit that gets no better."""

import math
from typing import TYPE_CHECKING

from ..runtime.arguments import non_negative_integer, real_number, truth
from ..runtime.attributes import unknown
from .base import Callback, Logs
from .monitor import Mode, Monitor, say

if TYPE_CHECKING:
    from ..runtime.tensors import Array


class EarlyStopping(Monitor):
    """Ends a fit when a figure has stopped getting better.

    The same object may be used for one fit after the other: each begins anew.

    Parameters
    ----------
    monitor : str
        Which figure, by its name in the history.
    min_delta : float
        A change by this or less is not better.
    patience : int, not negative
        Stop after so many epochs in a row that were not better.
    verbose : {0, 1}
        1 says so when the fit was stopped, and when weights are restored.
    mode : {"auto", "min", "max"}
        Whether smaller or larger is better; "auto" knows it of losses and accuracies.
    baseline : float, optional
        Epochs that are not better than this count as not better, too.
    restore_best_weights : bool
        At the end of the fit, however it came to end unless by an error or Ctrl-C, give the net
        the weights of its best epoch.
    start_from_epoch : int, not negative
        Leave epochs before this one, counted from 0, out of account.

    Attributes
    ----------
    best : float
        The monitored figure of the best epoch; infinite before there is one.
    best_epoch, stopped_epoch : int
        Counted from 0.  ``stopped_epoch`` stays 0 if the fit ended in another way.
    best_weights : list of arrays, or None
        Those of the best epoch, if they are to be restored.
    wait : int
        How many epochs in a row were not better.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    patience: int
    baseline: float | None
    restore_best_weights: bool
    start_from_epoch: int
    best: float
    best_epoch: int
    stopped_epoch: int
    best_weights: "list[Array] | None"
    wait: int

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: Mode = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        self.monitor = monitor
        self.min_delta = min_delta
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._start_anew()

    def __setattr__(self, name: str, value: object) -> None:
        if type(self) is EarlyStopping and name not in _KNOWN:
            raise unknown(self, name, _KNOWN)
        object.__setattr__(self, name, value)

    def check(self) -> None:
        """Raise an error if a setting is not what it should be: they may be changed at any time."""
        super().check()
        self.min_delta = abs(real_number("min_delta", self.min_delta))
        self.patience = non_negative_integer("patience", self.patience)
        if self.baseline is not None:
            self.baseline = real_number("baseline", self.baseline)
        self.restore_best_weights = truth("restore_best_weights", self.restore_best_weights)
        self.start_from_epoch = non_negative_integer("start_from_epoch", self.start_from_epoch)

    def _start_anew(self) -> None:
        self.check()
        self.best, self.best_epoch = self.sign * math.inf, 0
        self.best_weights = None
        self.wait = self.stopped_epoch = 0
        self._has_warned = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the fit before."""
        self._start_anew()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best so far, and stop the fit if it is time."""
        value = self.value_in(logs or {}, "stops nothing")
        if value is None or epoch < self.start_from_epoch or self.has_diverged():
            return
        if self.restore_best_weights and self.best_weights is None:
            # Until an epoch is better than infinity, the first is the best there is.
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.is_better(value, self.best):
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            self.best, self.best_epoch = value, epoch
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights, if wanted, whatever ended the fit."""
        if self.stopped_epoch > 0 and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                best = self.best_epoch + 1
                say(f"Restoring model weights from the end of the best epoch: {best}.")
            self.model.set_weights(self.best_weights)


_KNOWN = {**EarlyStopping.__annotations__, **Monitor.__annotations__, **Callback.__annotations__}
