"""Schedules that go down by a power, a quotient, or in steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..runtime.arguments import items, real_number, truth
from .base import RATE, Formula, check_rate, check_steps


@dataclass(frozen=True)
class ExponentialDecay(Formula):
    """``initial * decay_rate ** (step / decay_steps)``, as in Keras.

    With ``staircase`` the exponent is rounded down: the rate stays for ``decay_steps`` steps.

    Parameters
    ----------
    initial_learning_rate : float, not negative
    decay_steps : float, positive
    decay_rate : float, not negative
    staircase : bool

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        check_rate("initial_learning_rate", self.initial_learning_rate)
        check_steps("decay_steps", self.decay_steps)
        real_number("decay_rate", self.decay_rate, RATE, low=0)
        truth("staircase", self.staircase)

    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        periods = _periods(steps, self.decay_steps, self.staircase)
        rate: NDArray[np.float64] = self.initial_learning_rate * np.power(self.decay_rate, periods)
        return rate


@dataclass(frozen=True)
class InverseTimeDecay(Formula):
    """``initial / (1 + decay_rate * step / decay_steps)``, as in Keras.

    With ``staircase``, ``step / decay_steps`` is rounded down.

    Parameters
    ----------
    initial_learning_rate : float, not negative
    decay_steps : float, positive
    decay_rate : float, not negative
    staircase : bool

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        check_rate("initial_learning_rate", self.initial_learning_rate)
        check_steps("decay_steps", self.decay_steps)
        real_number("decay_rate", self.decay_rate, RATE, low=0)
        truth("staircase", self.staircase)

    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        periods = _periods(steps, self.decay_steps, self.staircase)
        rate: NDArray[np.float64] = self.initial_learning_rate / (1 + self.decay_rate * periods)
        return rate


@dataclass(frozen=True)
class PiecewiseConstantDecay(Formula):
    """``values[0]`` up to and including step ``boundaries[0]``, then ``values[1]``, and so on.

    As in Keras, a boundary belongs to the value before it; the last value has no end.

    Parameters
    ----------
    boundaries : sequence of float
        In rising order.
    values : sequence of float, not negative
        One more than boundaries.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    boundaries: Sequence[float]
    values: Sequence[float]

    def __post_init__(self) -> None:
        # Tuples: a schedule does not change, nor does it follow a list that is changed elsewhere.
        for argument in ("boundaries", "values"):
            numbers = items(argument, "numbers", getattr(self, argument))
            object.__setattr__(self, argument, tuple(numbers))
        for i, boundary in enumerate(self.boundaries):
            real_number(f"boundaries[{i}]", boundary)
        for i, value in enumerate(self.values):
            check_rate(f"values[{i}]", value)
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"values: expected {len(self.boundaries) + 1}, one more than boundaries, "
                f"got {len(self.values)}"
            )
        if not all(a < b for a, b in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise ValueError(f"boundaries: expected a rising order, got {self.boundaries}")

    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        pieces = np.searchsorted(np.array(self.boundaries, np.float64), steps, side="left")
        return np.array(self.values, np.float64)[pieces]


@dataclass(frozen=True)
class PolynomialDecay(Formula):
    """``(initial - end) * (1 - step / decay_steps) ** power + end``, as in Keras.

    After ``decay_steps`` the rate stays at the end's; with ``cycle`` it starts again there:
    ``decay_steps`` is then multiplied by the smallest whole number that makes it no less than the
    step.

    Parameters
    ----------
    initial_learning_rate : float, not negative
    decay_steps : float, positive
    end_learning_rate : float, not negative
    power : float, not negative
        1 is a straight line.
    cycle : bool

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    initial_learning_rate: float
    decay_steps: float
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False

    def __post_init__(self) -> None:
        check_rate("initial_learning_rate", self.initial_learning_rate)
        check_steps("decay_steps", self.decay_steps)
        check_rate("end_learning_rate", self.end_learning_rate)
        real_number("power", self.power, "a finite number that is not negative", low=0)
        truth("cycle", self.cycle)

    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        periods = steps / self.decay_steps
        rounds = np.maximum(np.ceil(periods), 1) if self.cycle else 1.0
        left = 1 - np.minimum(periods / rounds, 1)
        span = self.initial_learning_rate - self.end_learning_rate
        rate: NDArray[np.float64] = span * np.power(left, self.power) + self.end_learning_rate
        return rate


@dataclass(frozen=True)
class StepDecay(Formula):
    """``initial * gamma ** (step // step_size)``: torch's StepLR, by steps instead of epochs.

    Parameters
    ----------
    initial_learning_rate : float, not negative
    step_size : float, positive
    gamma : float, not negative

    Raises
    ------
    ValueError
        If an argument is not what it should be.
    """

    initial_learning_rate: float
    step_size: float
    gamma: float = 0.1

    def __post_init__(self) -> None:
        check_rate("initial_learning_rate", self.initial_learning_rate)
        check_steps("step_size", self.step_size)
        real_number("gamma", self.gamma, RATE, low=0)

    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        periods = _periods(steps, self.step_size, True)
        rate: NDArray[np.float64] = self.initial_learning_rate * np.power(self.gamma, periods)
        return rate


def _periods(steps: NDArray[np.float64], length: float, staircase: bool) -> NDArray[np.float64]:
    """Return how many periods the steps make, or how many whole ones."""
    return np.floor(steps / length) if staircase else steps / length
