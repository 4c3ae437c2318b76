"""Successive halving: poor nets stop early."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..runtime.arguments import integer, positive_integer, shown


@dataclass(frozen=True)
class Halving:
    """Lets the best share of a packet's nets go on at each rung, and stops the others.

    ASHA's rungs (Li et al., "A System for Massively Parallel Hyperparameter Tuning", 2020): after
    ``min_epochs``, ``min_epochs * factor``, ``min_epochs * factor**2``, ... epochs, one in
    ``factor`` nets goes on.  The nets of a packet are trained side by side on one machine, so they
    wait for each other at a rung: who goes on does not depend on which was faster, and a sweep
    that was killed decides as it would have.

    Parameters
    ----------
    monitor : str
        The figure by which nets are compared; of equal ones, the earlier net goes on.
    min_epochs : int, positive
        The first rung.
    factor : int, at least 2
    mode : {"min", "max"}
        Whether a smaller or a larger figure is better.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    monitor: str = "val_loss"
    min_epochs: int = 1
    factor: int = 3
    mode: str = "min"

    def __post_init__(self) -> None:
        positive_integer("min_epochs", self.min_epochs)
        integer("factor", self.factor, "an integer of at least 2", 2)
        if self.mode not in ("min", "max"):
            raise ValueError(f"mode: expected 'min' or 'max', got {shown(self.mode)}")
        if not isinstance(self.monitor, str):
            raise TypeError(f"monitor: expected a figure's name, got {shown(self.monitor)}")

    def rungs(self, epochs: int) -> list[int]:
        """Return after how many epochs nets are compared; the last is the end of the training."""
        found = []
        reached = self.min_epochs
        while reached < epochs:
            found.append(reached)
            reached *= self.factor
        return [*found, epochs]

    def value(self, figures: Mapping[str, float]) -> float:
        """Return by what a net is compared: the smaller, the better."""
        value = figures[self.monitor] if self.mode == "min" else -figures[self.monitor]
        return value if not math.isnan(value) else math.inf

    def best(self, values: Mapping[int, float]) -> set[int]:
        """Return which nets go on, of those with these values."""
        order: Sequence[int] = sorted(values, key=lambda number: (values[number], number))
        return set(order[: max(1, len(order) // self.factor)])
