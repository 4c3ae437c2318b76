"""The one-cycle policy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..runtime.arguments import positive_integer, real_number, truth
from ..runtime.lookup import by_name
from .base import Formula, check_rate

# What is left of the way from one rate to the next, when a share of its steps is done.
_STRATEGIES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "cos": lambda done: (1 + np.cos(np.pi * done)) / 2,
    "linear": lambda done: 1 - done,
}


@dataclass(frozen=True)
class OneCycle(Formula):
    """Up to a maximum and down to almost nothing, once over a training (Smith & Topin, 2018).

    The rates of torch's ``OneCycleLR`` with ``cycle_momentum=False``: from ``max / div_factor`` it
    goes up to the maximum, which step ``pct_start * total_steps - 1`` has, and then down to
    ``max / div_factor / final_div_factor``, which the last step has.  With ``three_phase`` it goes
    down the way that it came up, and from there to the end.  Steps beyond ``total_steps``, of which
    torch refuses all but one, have the rate of the last.

    Parameters
    ----------
    max_learning_rate : float, not negative
    total_steps : int, positive
        As many as the training takes: epochs times batches.
    pct_start : float in [0, 1]
        The share of the steps in which the rate goes up; with ``three_phase`` at most 0.5.
    anneal_strategy : {"cos", "linear"}
        The way from one rate to the next.
    div_factor, final_div_factor : float of at least 1
    three_phase : bool

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    max_learning_rate: float
    total_steps: int
    pct_start: float = 0.3
    anneal_strategy: Literal["cos", "linear"] = "cos"
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    three_phase: bool = False

    def __post_init__(self) -> None:
        check_rate("max_learning_rate", self.max_learning_rate)
        positive_integer("total_steps", self.total_steps)
        high = 0.5 if truth("three_phase", self.three_phase) else 1
        real_number("pct_start", self.pct_start, f"a number in [0, {high}]", low=0, high=high)
        by_name("anneal_strategy", self.anneal_strategy, _STRATEGIES)
        for argument in ("div_factor", "final_div_factor"):
            real_number(argument, getattr(self, argument), "a number of at least 1", low=1)

    def compute(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        corners, rates = self._corners()
        last = float(self.total_steps - 1)
        steps = np.minimum(steps, last)
        # A corner belongs to the phase before it, as in torch, and nothing follows the last one.
        phase = np.minimum(np.searchsorted(corners[1:], steps, side="left"), len(corners) - 2)
        begin, end = corners[phase], corners[phase + 1]
        width = np.where(end > begin, end - begin, 1)
        done = np.where(end > begin, (steps - begin) / width, 1)
        left = _STRATEGIES[self.anneal_strategy](done)
        found: NDArray[np.float64] = rates[phase + 1] + (rates[phase] - rates[phase + 1]) * left
        return found

    def _corners(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the steps where phases begin and end, and the rates there."""
        top = self.pct_start * self.total_steps - 1
        start = self.max_learning_rate / self.div_factor
        corners, rates = [0.0, top], [start, self.max_learning_rate]
        if self.three_phase:
            corners.append(2 * top)
            rates.append(start)
        corners.append(self.total_steps - 1)
        rates.append(start / self.final_div_factor)
        return np.array(corners), np.array(rates)
