"""Callbacks: what happens around the epochs of a fit.

An epoch runs in compiled code, so there are hooks before and after each epoch and each fit, and
none for single batches.
"""

import math
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from .arguments import (
    is_integer,
    items,
    non_negative_integer,
    real_number,
    shown,
    truth,
)
from .attributes import unknown
from .metrics import DIRECTIONS

if TYPE_CHECKING:
    from .model import Sequential
    from .tensors import Array

Logs = dict[str, float]

# Keras calls these, and a fit here does not.
_NEVER_CALLED = [
    *(f"on_{kind}batch_{end}" for kind in ("", "train_", "test_", "predict_")
      for end in ("begin", "end")),
    *(f"on_{kind}_{end}" for kind in ("test", "predict") for end in ("begin", "end")),
]  # fmt: skip
_MODES = ("auto", "min", "max")


class Callback:
    """What a fit calls before and after its epochs; subclass it to write your own.

    Pass callbacks to ``fit``: they are called in the order of the list.  One that sets
    ``self.model.stop_training = True`` has the fit end after the epoch that is running.  What one
    writes into the ``logs`` of :meth:`on_epoch_end` is seen by those behind it, and is kept in the
    history.  A change of ``self.model.optimizer.learning_rate`` counts from the next epoch on.

    After an error or Ctrl-C, also in a callback, no other hook is called.

    Attributes
    ----------
    model : Sequential
        The net that is trained; known from just before :meth:`on_train_begin` on.
    params : dict
        ``epochs``, ``steps`` (of an epoch), ``batch_size``, ``samples`` and ``verbose``.
    """

    model: "Sequential"
    params: dict[str, Any]

    def set_model(self, model: "Sequential") -> None:
        """Tell which net is trained."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell how ``fit`` was called."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch; ``logs`` is empty."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch, also if it was the last because something ended the fit early.

        ``logs`` has the figures of that epoch.
        """

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch, counted from 0 within the fit; ``logs`` is empty."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation; ``logs`` has the figures by name."""


class LambdaCallback(Callback):
    """A callback made of functions.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable (epoch, logs), optional
    on_train_begin, on_train_end : callable (logs), optional

    Raises
    ------
    TypeError
        If one is no function, or for a hook that is never called.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[[int, Logs], object] | None = None,
        on_epoch_end: Callable[[int, Logs], object] | None = None,
        on_train_begin: Callable[[Logs], object] | None = None,
        on_train_end: Callable[[Logs], object] | None = None,
        **others: object,
    ) -> None:
        for name in others:
            raise TypeError(f"{name}: {_never(name)}")
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
        }
        for name, function in hooks.items():
            if function is not None and not callable(function):
                raise TypeError(f"{name}: expected a function, got {shown(function)}")
            if function is not None:
                setattr(self, name, function)


class EarlyStopping(Callback):
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
        Whether smaller or larger is better; "auto" knows it of the loss, and of
        metrics by their usual names.
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

    monitor: str
    min_delta: float
    patience: int
    verbose: int
    mode: str
    baseline: float | None
    restore_best_weights: bool
    start_from_epoch: int
    best: float
    best_epoch: int
    stopped_epoch: int
    best_weights: "list[Array] | None"
    wait: int
    _sign: float
    _has_warned: bool

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: Literal["auto", "min", "max"] = "auto",
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
        if not isinstance(self.monitor, str):
            raise TypeError(f"monitor: expected a figure's name, got {shown(self.monitor)}")
        self.min_delta = abs(real_number("min_delta", self.min_delta))
        self.patience = non_negative_integer("patience", self.patience)
        is_flag = isinstance(self.verbose, bool) or is_integer(self.verbose)
        if not is_flag or self.verbose not in (0, 1):
            raise ValueError(f"verbose: expected 0 or 1, got {shown(self.verbose)}")
        if not isinstance(self.mode, str) or self.mode not in _MODES:
            raise ValueError(f"mode: expected 'auto', 'min' or 'max', got {shown(self.mode)}")
        if self.mode == "auto" and self.monitor.removeprefix("val_") not in DIRECTIONS:
            raise ValueError(
                "mode: expected 'min' or 'max' to say whether smaller or larger is better of "
                f"{shown(self.monitor)}, got 'auto'"
            )
        if self.baseline is not None:
            self.baseline = real_number("baseline", self.baseline)
        self.restore_best_weights = truth("restore_best_weights", self.restore_best_weights)
        self.start_from_epoch = non_negative_integer("start_from_epoch", self.start_from_epoch)

    def _start_anew(self) -> None:
        self.check()
        mode = self.mode
        if mode == "auto":
            mode = DIRECTIONS[self.monitor.removeprefix("val_")]
        self._sign = 1.0 if mode == "min" else -1.0
        self.best, self.best_epoch = self._sign * math.inf, 0
        self.best_weights = None
        self.wait = self.stopped_epoch = 0
        self._has_warned = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the fit before."""
        self._start_anew()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best so far, and stop the fit if it is time."""
        value = self._value_in(logs or {})
        if value is None or epoch < self.start_from_epoch or self._has_diverged():
            return
        if self.restore_best_weights and self.best_weights is None:
            # Until an epoch is better than infinity, the first is the best there is.
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self._is_better(value, self.best):
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            self.best, self.best_epoch = value, epoch
            if self.baseline is None or self._is_better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights, if wanted, whatever ended the fit."""
        if self.stopped_epoch > 0 and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping", flush=True)  # noqa: T201
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(  # noqa: T201
                    "Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}.",
                    flush=True,
                )
            self.model.set_weights(self.best_weights)

    def _value_in(self, logs: Logs) -> float | None:
        """Return the monitored figure; without it, warn once in a fit."""
        value = logs.get(self.monitor)
        if value is None and not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"monitor: EarlyStopping finds no {self.monitor!r} to go by and stops nothing; "
                f"there are {', '.join(map(repr, logs))}",
                # From here up to whoever called fit: on_epoch_end, two of training, run_job, fit.
                stacklevel=7,
            )
        return value

    def _has_diverged(self) -> bool:
        """Whether this epoch ended the fit, with weights that may not be finite."""
        history = self.model.history
        return history is not None and history.divergence is not None

    def _is_better(self, value: float, reference: float) -> bool:
        return self._sign * value + self.min_delta < self._sign * reference


_KNOWN = {**EarlyStopping.__annotations__, **Callback.__annotations__}


def check_callbacks(callbacks: object) -> tuple[Callback, ...]:
    """Return the callbacks of a list, or none for None.

    Raises
    ------
    TypeError
        If one is no Callback, or has a hook that would never be called.
    ValueError
        If one is in the list twice.
    """
    if callbacks is None:
        return ()
    checked: list[Callback] = []
    for index, callback in enumerate(items("callbacks", "Callback objects", callbacks)):
        argument = f"callbacks[{index}]"
        if not isinstance(callback, Callback):
            raise TypeError(
                f"{argument}: expected a fastmlp.callbacks.Callback, got {shown(callback)}"
            )
        for name in _NEVER_CALLED:
            if hasattr(callback, name):
                raise TypeError(f"{argument}: {type(callback).__name__}.{name} {_never(name)}")
        if any(callback is other for other in checked):
            raise ValueError(f"{argument}: {shown(callback)} is in the list already")
        checked.append(callback)
    return tuple(checked)


def _never(name: str) -> str:
    """Return why a hook is refused."""
    hooks = "on_epoch_begin, on_epoch_end, on_train_begin or on_train_end"
    if name in _NEVER_CALLED:
        return f"would never be called, as an epoch runs in compiled code: expected {hooks}"
    return f"expected {hooks}, got another name"
