"""What schedules have in common, and what is asked of them."""

import abc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..runtime.arguments import is_real, real_number, shown
from ..runtime.configuration import Configurable

RATE = "a finite number that is not negative"


class LearningRateSchedule(Configurable):
    """What schedules share: subclass it, or give an optimizer any function of the step's number."""

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step."""
        raise NotImplementedError

    def rates(self, steps: range) -> Sequence[Any] | NDArray[Any]:
        """Return the learning rates of several steps; a subclass may have a faster way."""
        return [self(step) for step in steps]


class Formula(LearningRateSchedule, abc.ABC):
    """A schedule that computes the rates of an array of steps at once."""

    @abc.abstractmethod
    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the learning rates of steps, of any shape."""

    def __call__(self, step: ArrayLike) -> Any:
        """Return the learning rate of a step, or of an array of steps."""
        # A rate beyond the range of float64 is infinite here, and refused when it is to be used.
        with np.errstate(over="ignore"):
            rate = self.compute(np.asarray(step, np.float64))
        return float(rate) if np.ndim(step) == 0 else rate

    def rates(self, steps: range) -> NDArray[Any]:
        """Return the learning rates of several steps."""
        found: NDArray[Any] = self(np.arange(steps.start, steps.stop))
        return found


def check_rate(argument: str, value: object) -> None:
    """Raise ValueError unless the value is a learning rate: a finite number of at least 0."""
    real_number(argument, value, RATE, low=0)


def check_steps(argument: str, value: Any) -> None:
    """Raise ValueError unless the value is a positive number of steps, not necessarily whole."""
    kind = "a positive number of steps"
    if real_number(argument, value, kind) <= 0:
        raise ValueError(f"{argument}: expected {kind}, got {shown(value)}")


def rates_of(schedule: Callable[[Any], Any], first: int, count: int) -> NDArray[np.float64]:
    """Return the learning rates of ``count`` steps, from the number ``first`` on.

    Raises
    ------
    TypeError, ValueError
        If a rate is no finite number of at least 0.
    """
    steps = range(first, first + count)
    if isinstance(schedule, LearningRateSchedule):
        rates = schedule.rates(steps)
    else:
        rates = [schedule(step) for step in steps]
    if (
        isinstance(rates, np.ndarray)
        and rates.dtype == np.float64
        and rates.shape == (count,)
        and ((rates >= 0) & np.isfinite(rates)).all()
    ):
        return rates
    return np.array([_checked(*pair) for pair in zip(steps, rates, strict=True)], np.float64)


def _checked(step: int, rate: Any) -> float:
    """Return a rate that a schedule gave as a float."""
    number = rate.item() if isinstance(rate, np.ndarray) and rate.ndim == 0 else rate
    if not is_real(number):
        raise TypeError(
            f"learning_rate: expected a number from the schedule, got {shown(rate)} for step {step}"
        )
    value = float(number)
    if not 0 <= value < np.inf:
        raise ValueError(
            f"learning_rate: expected {RATE} from the schedule, got {value} for step {step}"
        )
    return value
