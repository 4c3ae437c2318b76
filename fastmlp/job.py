"""What a fit is to do."""

from dataclasses import dataclass, field

from .callbacks import Callback
from .data import Data
from .telemetry import Recorder


@dataclass
class Stop:
    """A wish that fits end after the call of the engine that they are in.

    Not a threading.Event: that takes several lines to set, between which Ctrl-C may come.
    """

    is_wanted: bool = False


@dataclass(frozen=True)
class Job:
    """What a fit is to do, all checked."""

    data: Data
    validation: Data | None
    batch_size: int
    epochs: int
    shuffle: bool
    seed: int
    metrics: tuple[str, ...]
    verbose: int
    callbacks: tuple[Callback, ...] = ()
    recorder: Recorder | None = None
    stop: Stop = field(default_factory=Stop)

    @property
    def batches(self) -> int:
        """How many an epoch has."""
        return -(-self.data.count // self.batch_size)

    @property
    def wants_accuracy(self) -> bool:
        """Whether right answers are counted."""
        return bool(self.metrics)
