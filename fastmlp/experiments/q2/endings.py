"""How a net ended: its losses with and without penalties, its gap, and whether it learned."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..lab import Lab
from ..nets import LEARNED_SHARE, Net
from .intervals import Interval


@dataclass(frozen=True)
class Ending:
    """The last epoch's figures of a net that predicts, dropout off; NaN if it diverged.

    Losses are without penalties unless they are called penalized. The gap is test loss minus
    train loss, the accuracy gap train accuracy minus test accuracy.
    """

    train_loss: float
    test_loss: float
    train_penalized: float
    test_penalized: float
    train_accuracy: float
    test_accuracy: float
    weight_norm: float
    small_weights: float
    diverged: bool
    learned: bool

    @property
    def gap(self) -> float:
        return self.test_loss - self.train_loss

    @property
    def accuracy_gap(self) -> float:
        return self.train_accuracy - self.test_accuracy


def ending(lab: Lab, net: Net) -> Ending:
    outcome = lab.outcomes[net]

    def last(*names: str) -> float:
        for name in names:
            if outcome.figures.get(name):
                return outcome.figures[name][-1]
        return math.nan

    test_loss = last("val_data_loss", "val_loss")
    measured = outcome.measured
    train_loss = measured["train_loss"]
    diverged = bool(outcome.divergence) or not math.isfinite(test_loss + train_loss)
    nan = math.nan
    return Ending(
        nan if diverged else train_loss,
        nan if diverged else test_loss,
        nan if diverged else measured["train_penalized"],
        nan if diverged else last("val_loss"),
        nan if diverged else measured["train_accuracy"],
        nan if diverged else last("val_accuracy"),
        nan if diverged else measured["weight_norm"],
        nan if diverged else measured["small_weights"],
        diverged,
        not diverged and test_loss < (1 - LEARNED_SHARE) * lab.entropy,
    )


def endings(lab: Lab, nets: Sequence[Net]) -> list[Ending]:
    """Return the endings of those of the nets that have been trained."""
    return [ending(lab, net) for net in lab.done(nets)]


def difference(
    lab: Lab,
    nets: Sequence[Net],
    others: Sequence[Net],
    figure: Callable[[Ending], float],
    comparisons: int = 1,
) -> Interval:
    """Return how much larger a figure is for ``nets``, seed by seed; both are in seeds' order."""
    pairs = [
        (ending(lab, a), ending(lab, b))
        for a, b in zip(nets, others, strict=True)
        if a in lab.outcomes and b in lab.outcomes
    ]
    return Interval.of([figure(a) - figure(b) for a, b in pairs], comparisons)
