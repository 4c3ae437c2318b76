"""A figure that a callback goes by: which one, and what is better of it."""

import warnings
from typing import Any, Literal

from ..metrics import DIRECTIONS
from ..runtime.arguments import is_integer, shown
from .base import Callback, Logs

_MODES = ("auto", "min", "max")

Mode = Literal["auto", "min", "max"]


class Monitor(Callback):
    """A callback that goes by a figure.

    Attributes
    ----------
    monitor : str
        Which figure, by its name in the history.
    mode : {"auto", "min", "max"}
        Whether smaller or larger is better; "auto" knows it of the loss, and of
        metrics by their usual names.
    min_delta : float
        A change by this or less is not better.
    verbose : {0, 1}
    """

    monitor: str
    mode: Mode
    min_delta: float = 0.0
    verbose: int
    _has_warned: bool

    def check(self) -> None:
        """Raise an error if a setting is not what it should be: they may be changed at any time."""
        if not isinstance(self.monitor, str):
            raise TypeError(f"monitor: expected a figure's name, got {shown(self.monitor)}")
        self.check_verbose()
        if not isinstance(self.mode, str) or self.mode not in _MODES:
            raise ValueError(f"mode: expected 'auto', 'min' or 'max', got {shown(self.mode)}")
        if self.mode == "auto" and self.monitor.removeprefix("val_") not in DIRECTIONS:
            raise ValueError(
                "mode: expected 'min' or 'max' to say whether smaller or larger is better of "
                f"{shown(self.monitor)}, got 'auto'"
            )

    def check_verbose(self) -> None:
        """Raise ValueError if ``verbose`` is neither 0 nor 1."""
        is_flag = isinstance(self.verbose, bool) or is_integer(self.verbose)
        if not is_flag or self.verbose not in (0, 1):
            raise ValueError(f"verbose: expected 0 or 1, got {shown(self.verbose)}")

    @property
    def sign(self) -> float:
        """1 where a smaller figure is better, else -1."""
        mode: Any = self.mode
        if mode == "auto":
            mode = DIRECTIONS[self.monitor.removeprefix("val_")]
        return 1.0 if mode == "min" else -1.0

    def is_better(self, value: float, reference: float) -> bool:
        """Whether a figure is better than another one, by more than ``min_delta``."""
        return self.sign * value + self.min_delta < self.sign * reference

    def value_in(self, logs: Logs, consequence: str) -> float | None:
        """Return the monitored figure; without it, warn once in a fit."""
        value = logs.get(self.monitor)
        if value is None and not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"monitor: {type(self).__name__} finds no {self.monitor!r} to go by and "
                f"{consequence}; there are {', '.join(map(repr, logs))}",
                # From here up to whoever called fit: on_epoch_end, three of training, run_job, fit.
                stacklevel=8,
            )
        return value

    def has_diverged(self) -> bool:
        """Whether this epoch ended the fit, with weights that may not be finite."""
        history = self.model.history
        return history is not None and history.divergence is not None


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201
