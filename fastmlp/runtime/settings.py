"""Settings of the optimizer that a user's callbacks may change between epochs or batches."""

import operator

from ..callbacks import Logs
from .run import Part


class Settings(Part):
    """Has each epoch, or each batch, trained as the optimizer says when it begins."""

    def __init__(self) -> None:
        self._seen: list[object] = []

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.on_batches_begin()

    def on_batches_begin(self) -> None:
        optimizer = self.run.model.optimizer
        # The same objects, not equal ones: that is quick, and no value can be an obstacle to it.
        now = list(vars(optimizer).values())
        if len(now) != len(self._seen) or any(map(operator.is_not, now, self._seen)):
            self.run.model._follow_optimizer(self.run.engine)
            self._seen = list(vars(optimizer).values())
