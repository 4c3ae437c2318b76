"""Learning rates that follow the epoch, or the course of a figure."""

import inspect
import math
from collections.abc import Callable
from typing import Any

from ..runtime.arguments import is_integer, is_real, non_negative_integer, real_number, shown
from .base import Callback, Logs
from .monitor import Mode, Monitor, say


def _rate_of(callback: Callback) -> float:
    """Return the learning rate of the net's optimizer.

    Raises
    ------
    TypeError
        If the optimizer has a schedule instead.
    """
    optimizer = callback.model.optimizer
    assert optimizer is not None
    if callable(optimizer.learning_rate):
        raise TypeError(
            f"learning_rate: {type(callback).__name__} needs an optimizer whose learning rate is a "
            f"number, got {shown(optimizer.learning_rate)}"
        )
    return float(optimizer.learning_rate)


def _set_rate(callback: Callback, rate: float) -> None:
    optimizer = callback.model.optimizer
    assert optimizer is not None
    optimizer.learning_rate = rate


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch; the history gets it as ``learning_rate``.

    Parameters
    ----------
    schedule : callable (epoch) or (epoch, learning_rate)
        Given the epoch, counted from 0, and if it takes that the learning rate so far, returns the
        epoch's.
    verbose : {0, 1}
        1 says what it is.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be; in a fit, if the schedule returns no number.
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        if not callable(schedule):
            raise TypeError(f"schedule: expected a function, got {shown(schedule)}")
        if not is_integer(verbose) or verbose not in (0, 1):
            raise ValueError(f"verbose: expected 0 or 1, got {shown(verbose)}")
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the epoch's learning rate."""
        before = _rate_of(self)
        rate = self.schedule(epoch, before) if self._takes_rate else self.schedule(epoch)
        if not is_real(rate):
            raise TypeError(f"schedule: expected it to return a number, got {shown(rate)}")
        kind = "it to return a finite number that is not negative"
        _set_rate(self, real_number("schedule", rate, kind, low=0))
        if self.verbose:
            say(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {float(rate)}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Put the learning rate among the epoch's figures."""
        if logs is not None:
            logs["learning_rate"] = _rate_of(self)


def _takes_two(schedule: Callable[..., Any]) -> bool:
    """Whether a function can be called with an epoch and a learning rate."""
    try:
        inspect.signature(schedule).bind(0, 0.1)
    except TypeError:
        return False
    except ValueError:  # a function of C that does not tell
        return False
    return True


class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a figure has stopped getting better.

    The history gets the rate of each epoch as ``learning_rate``.  The same object may be used for
    one fit after the other: each begins anew.

    Parameters
    ----------
    monitor : str
        Which figure, by its name in the history.
    factor : float in (0, 1)
        What the learning rate is multiplied with.
    patience : int, not negative
        After so many epochs in a row that were not better.
    verbose : {0, 1}
        1 says when it is done.
    mode : {"auto", "min", "max"}
        Whether smaller or larger is better; "auto" knows it of losses and accuracies.
    min_delta : float
        A change by this or less is not better.
    cooldown : int, not negative
        So many epochs after a change count as neither.
    min_lr : float, not negative
        The rate is never made smaller than this.

    Attributes
    ----------
    best : float
        The best figure so far.
    wait, cooldown_counter : int

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be; in a fit, if the learning rate is a schedule.
    """

    factor: float
    patience: int
    cooldown: int
    min_lr: float
    best: float
    wait: int
    cooldown_counter: int

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: Mode = "auto",
        min_delta: float = 0.0001,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        self.monitor, self.verbose, self.mode = monitor, verbose, mode
        self.check()
        self.factor = real_number("factor", factor, "a number in (0, 1)", low=5e-324, below=1)
        self.patience = non_negative_integer("patience", patience)
        self.min_delta = abs(real_number("min_delta", min_delta))
        self.cooldown = non_negative_integer("cooldown", cooldown)
        self.min_lr = real_number("min_lr", min_lr, "a finite number that is not negative", low=0)
        self._start_anew()

    def _start_anew(self) -> None:
        self.best = self.sign * math.inf
        self.wait = self.cooldown_counter = 0
        self._has_warned = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the fit before."""
        self._start_anew()
        _rate_of(self)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best so far, and lower the rate if it is time."""
        logs = {} if logs is None else logs
        value = self.value_in(logs, "changes nothing")
        logs["learning_rate"] = _rate_of(self)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        before = _rate_of(self)
        if before > self.min_lr:
            rate = max(before * self.factor, self.min_lr)
            _set_rate(self, rate)
            if self.verbose:
                say(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
            self.cooldown_counter, self.wait = self.cooldown, 0
