"""How a fit's history grows."""

from ..callbacks import Logs
from .arguments import is_real, shown
from .run import Part


class Recording(Part):
    """Puts down each epoch as it ends: from then on it counts as completed."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        self.run.history.append(epoch, logs)
        self.run.state.epochs += 1


class Amendment(Part):
    """Puts down what the user's callbacks wrote into the epoch's figures."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        for name, value in logs.items():
            if type(value) is float:
                continue
            if not isinstance(name, str) or not is_real(value):
                raise TypeError(
                    f"logs[{name!r}]: expected a callback to write a number, got {shown(value)}"
                )
            logs[name] = float(value)
        self.run.history.amend(logs)
