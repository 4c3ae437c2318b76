"""Schedules of tabular nets: cosines on a logarithmic clock, and one that begins halfway."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..runtime.arguments import positive_integer
from .base import Formula, check_rate, check_steps


@dataclass(frozen=True)
class CosineLog(Formula):
    """Waves of a cosine between 0 and a rate, each twice as long as the one before.

    ``learning_rate * (1 - cos(2 pi log2(1 + (2**cycles - 1) * step / decay_steps))) / 2``, and 0
    after ``decay_steps``: "coslog" of Holzmueller, Grinsztajn & Steinwart (2024), "Better by
    default", section 3.  It begins and ends at 0.

    Parameters
    ----------
    learning_rate : float, not negative
        The highest.
    decay_steps : float, positive
    cycles : int, positive

    Raises
    ------
    ValueError
        If an argument is not what it should be.
    """

    learning_rate: float
    decay_steps: float
    cycles: int = 4

    def __post_init__(self) -> None:
        check_rate("learning_rate", self.learning_rate)
        check_steps("decay_steps", self.decay_steps)
        positive_integer("cycles", self.cycles)

    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rates of steps."""
        done = np.minimum(np.maximum(steps / self.decay_steps, 0), 1)  # np.clip is slow
        waves = np.log2(1 + (2.0**self.cycles - 1) * done)
        rate: NDArray[np.float64] = self.learning_rate * (1 - np.cos(2 * np.pi * waves)) / 2
        return rate


@dataclass(frozen=True)
class FlatCosine(Formula):
    """A constant for the first half, and then half a period of a cosine down to 0.

    Of "Better by default" (2024), where dropout and the decay of weights follow it.

    Parameters
    ----------
    learning_rate : float, not negative
    decay_steps : float, positive
        The number of steps of both halves together.

    Raises
    ------
    ValueError
        If an argument is not what it should be.
    """

    learning_rate: float
    decay_steps: float

    def __post_init__(self) -> None:
        check_rate("learning_rate", self.learning_rate)
        check_steps("decay_steps", self.decay_steps)

    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rates of steps."""
        down = np.minimum(np.maximum(2 * steps / self.decay_steps - 1, 0), 1)
        rate: NDArray[np.float64] = self.learning_rate * (1 + np.cos(np.pi * down)) / 2
        return rate
