"""What a fit leaves behind."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class DivergenceWarning(RuntimeWarning):
    """Training stopped because the loss, or a weight, was no longer a finite number."""


@dataclass(frozen=True)
class Divergence:
    """Where training came apart.

    Attributes
    ----------
    epoch, step : int
        Counted from 0, the epoch within its fit, the step within its epoch.
    loss : float
        NaN or infinite: of that batch, or of the validation data after an epoch's last step.  It
        is finite, the epoch's mean, where that step left weights that are not.
    layer : str
        The first layer, from the input on, with something that is not finite.
    message : str
        All of it in a sentence.
    """

    epoch: int
    step: int
    loss: float
    layer: str
    message: str


@dataclass
class History:
    """The course of a fit, epoch by epoch.

    Attributes
    ----------
    history : dict of lists
        ``loss``, the metrics by the names that they were asked for, such as ``accuracy``, and
        ``val_loss``, ``val_accuracy``: as in Keras, the training figures are means over the
        epoch's batches, each before its step.
        With regularizers, ``loss`` includes their penalties and ``data_loss`` does not.
        What callbacks write into their logs is here, too.  A figure that an epoch does not have,
        such as one of a validation that takes place every other epoch, is NaN there.
    epoch : list of int
        Counted from 0, in each fit anew, as in Keras; ``model.epochs_trained`` counts all.
    params : dict
        How it was called.
    divergence : Divergence or None
        Where the loss or a weight stopped being finite, in the last epoch of the history.
    """

    params: dict[str, object] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)
    epoch: list[int] = field(default_factory=list)
    divergence: Divergence | None = None

    def plot(self, metrics: Sequence[str] | None = None, axes: Any = None) -> Any:
        """Draw each figure over the epochs, with that of the validation.

        Parameters
        ----------
        metrics : sequence of str, optional
            Such as ``["loss", "accuracy"]``; by default all.
        axes : matplotlib.axes.Axes, or an array of them, optional
            Where to draw: one for each metric; by default in a new figure.

        Returns
        -------
        array of matplotlib.axes.Axes

        Raises
        ------
        ModuleNotFoundError
            Without matplotlib.
        TypeError, ValueError
            If a name is unknown, or there is no epoch.
        """
        from .runtime.curves import plot

        return plot(self, metrics, axes)

    def _repr_html_(self) -> str:
        from .runtime.notebook import page_of_history

        return page_of_history(self)

    def append(self, epoch: int, figures: dict[str, float]) -> None:
        """Add an epoch.

        A figure that an epoch does not have is NaN there.
        """
        for name, value in figures.items():
            values = self.history.setdefault(name, [])
            values += [math.nan] * (len(self.epoch) - len(values))
            values.append(value)
        self.epoch.append(epoch)  # last: what it does not count is not complete
        self.drop_incomplete()

    def amend(self, figures: dict[str, float]) -> None:
        """Change and complete the figures of the last epoch.

        A figure that an epoch does not have is NaN there.
        """
        for name, value in figures.items():
            values = self.history.setdefault(name, [])
            values += [math.nan] * (len(self.epoch) - len(values))
            values[-1] = value
        self.drop_incomplete()

    def drop_incomplete(self) -> None:
        """Give each figure one value an epoch, as Ctrl-C may have come while they were added."""
        count = len(self.epoch)
        for values in self.history.values():
            if len(values) != count:
                del values[count:]
                values += [math.nan] * (count - len(values))


class Fits(list[History]):
    """The histories of many nets, in their order; of one that failed, the epochs that it completed.

    Attributes
    ----------
    errors : dict of int to Exception
        What ended the training of nets that failed, by their places.
    interrupted : bool
        Whether Ctrl-C ended the training.
    unfinished : list of int
        The nets that it stopped, or whose turn had not come.
    seconds : list of float
        How long each net was trained.
    """

    def __init__(
        self,
        histories: Sequence[History],
        errors: dict[int, Exception],
        unfinished: list[int],
        seconds: list[float],
        interrupted: bool = False,
    ) -> None:
        super().__init__(histories)
        self.errors = errors
        self.unfinished = unfinished
        self.seconds = seconds
        self.interrupted = interrupted

    @property
    def diverged(self) -> list[int]:
        """The nets whose loss, or a weight, was no longer a finite number."""
        return [index for index, history in enumerate(self) if history.divergence is not None]

    def summary(self) -> str:
        """Return in a sentence or a few what became of the nets."""
        left_out = {*self.errors, *self.unfinished}
        parts = [f"{len(self) - len(left_out)} of {len(self)} nets are done"]
        if self.diverged:
            first = self[self.diverged[0]].divergence
            assert first is not None
            parts.append(f"diverged: {_numbers(self.diverged)} ({first.message})")
        if self.errors:
            index, error = next(iter(sorted(self.errors.items())))
            parts.append(
                f"failed: {_numbers(sorted(self.errors))} (net {index}: "
                f"{type(error).__name__}: {error})"
            )
        if self.interrupted:
            parts.append("interrupted")
        if self.unfinished:
            parts.append(f"not finished: {_numbers(self.unfinished)}")
        return "; ".join(parts)


_SHOWN = 10  # numbers of nets in a sentence


def _numbers(indices: Sequence[int]) -> str:
    more = len(indices) - _SHOWN
    listed = ", ".join(map(str, indices[:_SHOWN]))
    return f"{listed} and {more} more" if more > 0 else listed
