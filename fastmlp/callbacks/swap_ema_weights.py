"""The running mean of the weights, in their place for a while."""

from ..runtime.arguments import truth
from .base import Callback, Logs


class SwapEMAWeights(Callback):
    """Has the net validated, and saved by callbacks behind it, with its running mean of weights.

    For an optimizer with ``use_ema``: without this callback, the mean takes the weights' place at
    the end of a fit only.

    Parameters
    ----------
    swap_on_epoch : bool
        Whether the weights are exchanged also at the end of each epoch, from then until the next
        epoch begins, so that callbacks behind this one save the mean.

    Raises
    ------
    ValueError
        At the fit, if the optimizer keeps no running mean.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = truth("swap_on_epoch", swap_on_epoch)
        self._ends_swap = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Look whether there is a running mean."""
        if not getattr(self.model.optimizer, "use_ema", False):
            raise ValueError("SwapEMAWeights: the optimizer keeps no running mean; use_ema=True")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Give the weights back."""
        if self.model._state.is_swapped:
            self.model._state.swap_average()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Exchange the weights for those behind."""
        if self.swap_on_epoch:
            self.model._state.swap_average()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Exchange the weights before they are evaluated, in a fit."""
        state = self.model._state
        self._ends_swap = not state.is_swapped and self.model._is_training
        if self._ends_swap:
            state.swap_average()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Give the weights back."""
        if self._ends_swap:
            self.model._state.swap_average()
        self._ends_swap = False
