"""What a net's training came to, told from its epochs' course: the one place that defines it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .intervals import above_chance
from .nets import Outcome

NEVER = "never learned"
LOST = "learned and lost"
SLOW = "learning slowly"
LEARNED = "learned"
COURSES = (NEVER, LOST, SLOW, LEARNED)


@dataclass(frozen=True)
class Yardstick:
    """What accuracies are held against.

    Attributes
    ----------
    chance : float
        The share of the test set's most frequent class: what a constant guess reaches.
    threshold : float
        What guessing exceeds once in a million tests, given how many samples there are. A net
        above it knows something.
    ceiling : float
        The best test accuracy that any net of the run reached.
    """

    chance: float
    threshold: float
    ceiling: float

    @classmethod
    def of(cls, chance: float, test: int, train: int, ceiling: float) -> "Yardstick":
        """Return it for so many test and training samples, the smaller of which is noisier."""
        return cls(chance, above_chance(chance, min(test, train)), ceiling)

    def course(self, outcome: Outcome) -> str:
        """Tell the four courses apart.

        *Never learned*: no epoch's accuracy is above the threshold. *Learned and lost*: it was,
        but at the end less than half of the best lead over chance is left, and what was lost is
        more than noise. *Learned*: it ends more than halfway from chance to the ceiling.
        *Learning slowly*: the rest, which know something, but little.
        """
        known = known_accuracies(outcome)
        best, last = max(known), known[-1]
        if best <= self.threshold:
            return NEVER
        lost = last - self.chance <= (best - self.chance) / 2
        if lost and best - last > self.threshold - self.chance:
            return LOST
        return LEARNED if last - self.chance > (self.ceiling - self.chance) / 2 else SLOW

    def fell(self, outcome: Outcome) -> int:
        """Return the epoch, from 0, in which a net that lost fell: the first after its best."""
        known = known_accuracies(outcome)
        best = int(np.argmax(known))
        half = (known[best] - self.chance) / 2
        after = range(best + 1, len(known))
        return next(i for i in after if known[i] - self.chance <= half) - 1


def known_accuracies(outcome: Outcome) -> Sequence[float]:
    """Return what is known of samples not trained on: one figure more than there are epochs.

    The first is the first epoch's training accuracy: each sample is met there for the first
    time, so that it says whether the net knew anything on the way. The others are the test
    accuracies after each epoch. A net whose loss is not finite knows nothing: -1. In an epoch
    that broke off, the training accuracy is of a few samples only, and says nothing either.
    """
    after = outcome.figures["val_accuracy"]
    first = outcome.figures["accuracy"][0] if np.isfinite(after[0]) else -1.0
    values = [first, *after]
    return [value if np.isfinite(value) else -1.0 for value in values]
