"""Schedules that follow a cosine."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..runtime.arguments import real_number
from .base import Formula, check_rate, check_steps


@dataclass(frozen=True)
class CosineDecay(Formula):
    """Half a period of a cosine, from the initial rate down to a share of it.

    As in Keras: ``initial * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)``, and
    ``initial * alpha`` after ``decay_steps`` (Loshchilov & Hutter, 2017, without restarts).  With a
    ``warmup_target`` the rate first goes in a straight line from the initial one to the target, in
    ``warmup_steps``, and the cosine then begins there.

    Parameters
    ----------
    initial_learning_rate : float, not negative
    decay_steps : float, positive
    alpha : float in [0, 1]
    warmup_target : float, not negative, optional
    warmup_steps : float, positive with a ``warmup_target``, else 0

    Raises
    ------
    ValueError
        If an argument is not what it should be.
    """

    initial_learning_rate: float
    decay_steps: float
    alpha: float = 0.0
    warmup_target: float | None = field(default=None, kw_only=True)
    warmup_steps: float = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        check_rate("initial_learning_rate", self.initial_learning_rate)
        check_steps("decay_steps", self.decay_steps)
        real_number("alpha", self.alpha, "a number in [0, 1]", low=0, high=1)
        if self.warmup_target is None:
            if self.warmup_steps:
                raise ValueError("warmup_steps: needs a warmup_target, got None")
        else:
            check_rate("warmup_target", self.warmup_target)
            check_steps("warmup_steps", self.warmup_steps)

    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        warmed_up = steps - self.warmup_steps
        top = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        done = np.minimum(np.maximum(warmed_up, 0), self.decay_steps) / self.decay_steps
        rate: NDArray[np.float64] = top * (
            (1 - self.alpha) * (1 + np.cos(np.pi * done)) / 2 + self.alpha
        )
        if self.warmup_target is not None:
            share = 1 + warmed_up / self.warmup_steps
            slope = self.warmup_target - self.initial_learning_rate
            rate = np.where(warmed_up < 0, self.initial_learning_rate + slope * share, rate)
        return rate


@dataclass(frozen=True)
class CosineDecayRestarts(Formula):
    """Cosines one after the other, each from a top down to a share of the initial rate.

    As in Keras, and SGDR (Loshchilov & Hutter, 2017): cosine ``i``, counted from 0, takes
    ``first_decay_steps * t_mul**i`` steps, and at the share ``p`` of these the rate is
    ``initial * ((1 - alpha) * m_mul**i * (1 + cos(pi * p)) / 2 + alpha)``.

    Parameters
    ----------
    initial_learning_rate : float, not negative
    first_decay_steps : float, positive
    t_mul : float of at least 1
        How many times longer each cosine is than the one before.
    m_mul : float, not negative
        How many times higher it begins.
    alpha : float in [0, 1]

    Raises
    ------
    ValueError
        If an argument is not what it should be.
    """

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0

    def __post_init__(self) -> None:
        check_rate("initial_learning_rate", self.initial_learning_rate)
        check_steps("first_decay_steps", self.first_decay_steps)
        real_number("t_mul", self.t_mul, "a number of at least 1", low=1)
        real_number("m_mul", self.m_mul, "a finite number that is not negative", low=0)
        real_number("alpha", self.alpha, "a number in [0, 1]", low=0, high=1)

    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        periods = steps / self.first_decay_steps
        restarts = np.floor(self._restarts_about(periods))
        # The logarithm is rounded, which next to a restart may be one too many or too few.
        restarts = np.where(periods < self._begin_of(restarts), restarts - 1, restarts)
        restarts = np.where(periods >= self._begin_of(restarts + 1), restarts + 1, restarts)
        done = (periods - self._begin_of(restarts)) / self.t_mul**restarts
        cosine = self.m_mul**restarts * (1 + np.cos(np.pi * done)) / 2
        rate: NDArray[np.float64] = self.initial_learning_rate * (
            (1 - self.alpha) * cosine + self.alpha
        )
        return rate

    def _restarts_about(self, periods: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how many cosines are over after so many times ``first_decay_steps``."""
        if self.t_mul == 1:
            return periods
        found: NDArray[np.float64] = np.log1p(periods * (self.t_mul - 1)) / math.log(self.t_mul)
        return found

    def _begin_of(self, cosine: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return after how many times ``first_decay_steps`` a cosine begins."""
        if self.t_mul == 1:
            return cosine
        begin: NDArray[np.float64] = (self.t_mul**cosine - 1) / (self.t_mul - 1)
        return begin
