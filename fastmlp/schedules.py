"""Learning rates that follow the number of the step, which counts from 0 over all fits of a net.

A schedule is any function of the step's number.  Those here compute the rates of many steps at
once, so that a step costs no call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import is_real, positive_integer, real_number, shown

RATE = "a finite number that is not negative"


class LearningRateSchedule:
    """What schedules share: subclass it, or give an optimizer any function of the step's number."""

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step."""
        raise NotImplementedError

    def rates(self, steps: range) -> Sequence[Any] | NDArray[Any]:
        """Return the learning rates of several steps; a subclass may have a faster way."""
        return [self(step) for step in steps]


@dataclass(frozen=True)
class CosineDecay(LearningRateSchedule):
    """Half a period of a cosine, from the initial rate down to a share of it.

    As in Keras: ``initial * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)``, and
    ``initial * alpha`` after ``decay_steps`` (Loshchilov & Hutter, 2017, without restarts).  With a
    ``warmup_target`` the rate first goes in a straight line from the initial one to the target, in
    ``warmup_steps``, and the cosine then begins there.

    Parameters
    ----------
    initial_learning_rate : float, not negative
    decay_steps : int, positive
    alpha : float in [0, 1]
    warmup_target : float, not negative, optional
    warmup_steps : int, not negative

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        real_number("initial_learning_rate", self.initial_learning_rate, RATE, low=0)
        positive_integer("decay_steps", self.decay_steps)
        real_number("alpha", self.alpha, "a number in [0, 1]", low=0, high=1)
        if self.warmup_target is None:
            if self.warmup_steps:
                raise ValueError("warmup_steps: needs a warmup_target, got None")
        else:
            real_number("warmup_target", self.warmup_target, RATE, low=0)
            positive_integer("warmup_steps", self.warmup_steps)

    def __call__(self, step: ArrayLike) -> Any:
        """Return the learning rate of a step, or of an array of steps."""
        warmed_up = np.asarray(step, np.float64) - self.warmup_steps
        top = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        done = np.minimum(np.maximum(warmed_up, 0), self.decay_steps) / self.decay_steps
        rate = top * ((1 - self.alpha) * (1 + np.cos(np.pi * done)) / 2 + self.alpha)
        if self.warmup_target is not None:
            share = 1 + warmed_up / self.warmup_steps
            slope = self.warmup_target - self.initial_learning_rate
            rate = np.where(warmed_up < 0, self.initial_learning_rate + slope * share, rate)
        return float(rate) if np.ndim(step) == 0 else rate

    def rates(self, steps: range) -> NDArray[Any]:
        """Return the learning rates of several steps."""
        found: NDArray[Any] = self(np.arange(steps.start, steps.stop))
        return found


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
