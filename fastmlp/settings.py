"""Settings of the optimizer that a user's callbacks may change between epochs."""

from .callbacks import Logs
from .run import Part


class Settings(Part):
    """Has each epoch trained as the optimizer says when it begins."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.run.model._follow_optimizer(self.run.engine)
