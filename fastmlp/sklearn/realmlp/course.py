"""What happens around the epochs of a member's fit: dropout and decay, and its best epoch."""

import math
from collections.abc import Callable

import numpy as np

from ...callbacks import Callback, Logs
from ...callbacks.monitor import say
from ...runtime.tensors import Array
from ...schedules import FlatCosine
from .nets import dropouts
from .settings import Settings


class Course(Callback):
    """Lets dropout and the decay of weights end, and keeps the weights of the best epoch.

    Parameters
    ----------
    settings : Settings
    error : callable
        Returns the error on the validation data of the net's outputs.
    x_val : array (n, inputs)
    index : int
        Which member it is, for messages.

    Attributes
    ----------
    errors : list of float
        By epoch.
    best_epoch : int
        Counted from 1: the last one of those with the smallest error.
    """

    def __init__(
        self, settings: Settings, error: Callable[[Array], float], x_val: Array, index: int
    ) -> None:
        self.settings, self.error, self.x_val, self.index = settings, error, x_val, index
        self.errors: list[float] = []
        self.best_epoch = 0
        self.best_weights: list[Array] | None = None
        self._shares = FlatCosine(1.0, settings.max_iter)(np.arange(settings.max_iter))

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set what is left of dropout and decay."""
        share = float(self._shares[epoch])
        if self.settings.weight_decay:
            assert self.model.optimizer is not None
            self.model.optimizer.weight_decay = share * self.settings.weight_decay
        for layer in dropouts(self.model):
            layer.rate = share * self.settings.dropout

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look how large the error is, and keep the weights if it is none the worse."""
        history = self.model.history
        assert history is not None
        diverged = history.divergence is not None
        error = math.nan if diverged else self.error(self.model.predict(self.x_val, verbose=0))
        if error <= min(self.errors, default=math.inf):
            self.best_epoch, self.best_weights = epoch + 1, self.model.get_weights()
        self.errors.append(error)
        if self.settings.verbose:
            say(f"Member {self.index + 1}, epoch {epoch + 1}: validation error {error:.6f}")

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Give the net the weights of its best epoch."""
        if self.best_weights is None:
            raise ValueError(
                "Solver produced non-finite parameter weights in the first epoch; a smaller "
                "learning_rate_init may help"
            )
        self.model.set_weights(self.best_weights)
