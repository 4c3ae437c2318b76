"""What is known of a net of a sweep when it is done."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from .spaces import Config

DONE, DIVERGED, HALVED, FAILED = "done", "diverged", "halved", "failed"
TROUBLED = (DIVERGED, FAILED)


@dataclass
class Row:
    """A net of a sweep.

    Attributes
    ----------
    net : int
        Its number: nets are counted configuration by configuration, and within one by seeds.
    config : dict
    seed : int
    status : {"done", "diverged", "halved", "failed"}
    epochs : int
        How many it completed.
    figures : dict of str to float
        Those of its last epoch, and what ``measure`` found.
    message : str
        Where it diverged, or why it failed.
    weights : str
        The file with its weights, in the sweep's folder.
    seconds : float
        How long it was trained.
    rungs : list of float
        By what it was compared at each rung of a halving.
    """

    net: int
    config: Config
    seed: int
    status: str = DONE
    epochs: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    message: str = ""
    weights: str = ""
    seconds: float = 0.0
    rungs: list[float] = field(default_factory=list)

    def to_line(self) -> bytes:
        """Return the row as a line of JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_line(cls, line: bytes) -> "Row":
        """Return the row of a line."""
        return cls(**json.loads(line))

    def flat(self) -> dict[str, Any]:
        """Return the row as a table has it; the seconds, which no two runs share, come last."""
        config = {
            name: json.dumps(value) if isinstance(value, list | tuple) else value
            for name, value in self.config.items()
        }
        return {
            "net": self.net, **config, "seed": self.seed, "status": self.status,
            "epochs": self.epochs, **self.figures, "message": self.message,
            "weights": self.weights, "seconds": self.seconds,
        }  # fmt: skip


def pack(row: Row, weights: bytes = b"") -> bytes:
    """Return a row, with a file of weights if there is one, as bytes to be sent."""
    return row.to_line() + b"\n" + weights


def unpack(result: bytes) -> tuple[Row, bytes]:
    """Return the row and the file of weights that :func:`pack` was given."""
    line, _, weights = result.partition(b"\n")
    return Row.from_line(line), weights
