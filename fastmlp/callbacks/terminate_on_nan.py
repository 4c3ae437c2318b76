"""What to do when a loss is no longer finite."""

from ..runtime.arguments import truth
from .base import Callback, Logs
from .monitor import say


class TerminateOnNaN(Callback):
    """Says at which batch the loss was no longer finite, or raises an error.

    A fit ends at that batch by itself, with a :class:`~fastmlp.DivergenceWarning`; so there is
    nothing else left to do.

    Parameters
    ----------
    raise_error : bool
        Raise a RuntimeError.

    Raises
    ------
    TypeError
        If ``raise_error`` is neither True nor False.
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = truth("raise_error", raise_error)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look whether this was the epoch."""
        history = self.model.history
        divergence = None if history is None else history.divergence
        if divergence is None:
            return
        if self.raise_error:
            raise RuntimeError(divergence.message)
        say(f"Batch {divergence.step}: Invalid loss, terminating training")
