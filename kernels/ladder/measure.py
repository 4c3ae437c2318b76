"""A ladder's results, checked, and its rates."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numba
import numpy as np

from ..numba.jit import made_at_run_time
from .roofline import aligned, bandwidth, fma_peak, places
from .step import Array, Kernel, Ladder, Step
from .timing import Repeated, rates

ABOVE = 1.02  # more than this share of a roof is no longer noise of a percent or two
NEAR = 0.85  # from this share of a roof on, it is what limits a step


@dataclass(frozen=True)
class Limits:
    """What one core can do at best, in units (FLOP, bytes) a nanosecond."""

    peak: float
    cache: float
    home: float  # where the ladder's arrays lie together

    @classmethod
    def of(cls, ladder: Ladder) -> "Limits":
        first = places()[0]
        return cls(fma_peak() / 1e9, first.bandwidth() / 1e9, bandwidth(ladder.footprint()) / 1e9)

    def or_higher(self, other: "Limits") -> "Limits":
        """Return the higher of each two measurements: a disturbance can only slow one down."""
        return Limits(
            max(self.peak, other.peak), max(self.cache, other.cache), max(self.home, other.home)
        )

    def roofs(self, step: Step) -> dict[str, float]:
        """Return the rates, in its ladder's unit, that each limit by itself allows a step."""
        return {
            "arithmetic": self.peak / step.flops,
            "loads": self.cache / step.loads,
            "loads from beyond the first cache": self.home / step.streams,
        }

    def roof(self, step: Step) -> float:
        """Return the rate, in its ladder's unit, that a step's arithmetic and traffic allow."""
        return min(self.roofs(step).values())

    def verdict(self, step: Step, rate: float) -> str:
        """Say in a sentence what limits a step, as far as its rate and the roofs tell."""
        roofs = self.roofs(step)
        lowest = min(roofs, key=lambda name: roofs[name])
        share = rate / roofs[lowest]
        if share > ABOVE:
            return (
                f"{share:.0%} of its roof ({lowest}): no step can be faster than its roof, so "
                "the roof was measured too low, or other programs disturbed the measurement."
            )
        if share >= NEAR:
            return f"{share:.0%} of its roof: the limit is {lowest}."
        return f"{share:.0%} of its roof ({lowest}): something else is in the way."


def arguments_for(ladder: Ladder, dtype: Any, sizes: tuple[int, ...]) -> tuple[Any, ...]:
    """Make arguments that begin with a cache line, as those of the engine do."""
    made = ladder.make(np.random.default_rng(0), dtype, *sizes)
    return tuple(_aligned_copy(a) if isinstance(a, np.ndarray) else a for a in made)


def error(ladder: Ladder, step: Step, dtype: Any, sizes: tuple[int, ...]) -> float:
    """Run a step, and return how far it is off, in units of what its rounding explains.

    Raises
    ------
    ArithmeticError
        If that is more than 1.
    """
    arguments = arguments_for(ladder, dtype, sizes)
    exact = tuple(
        np.array(a, np.float64) if isinstance(a, np.ndarray) else float(a) for a in arguments
    )
    allowed = ladder.bound(*exact) * np.finfo(dtype).eps + step.error
    ladder.reference(*exact)
    step.kernel(*arguments)
    found = float(np.max(np.abs(arguments[-1] - exact[-1]) / allowed))
    if not found <= 1:
        raise ArithmeticError(f"{step.name} is off by {found:.3g} times what rounding explains")
    return found


def measure(ladder: Ladder, rounds: int) -> list[list[float]]:
    """Return each step's rates, in the ladder's unit, after checking its result."""
    runs: list[Repeated] = []
    for step in ladder.steps:
        error(ladder, step, np.float32, ladder.sizes)
        runs.append(_run(ladder, step, ladder.sizes))
    work = ladder.work(*ladder.sizes) / 1e9
    return [
        [work / (1 / rate - _call_seconds(ladder, step)) for rate in own]
        for step, own in zip(ladder.steps, rates(runs, rounds), strict=True)
    ]


def _run(ladder: Ladder, step: Step, sizes: tuple[int, ...]) -> Repeated:
    arguments = arguments_for(ladder, np.float32, sizes)
    run = repeated(step.kernel)
    return lambda times: run(times, *arguments)


def _call_seconds(ladder: Ladder, step: Step) -> float:
    """Return what a call costs by itself: nothing, unless it comes from Python."""
    if is_numba(step.kernel):
        return 0.0
    smallest = (1,) * len(ladder.sizes)
    return 1 / statistics.median(rates([_run(ladder, step, smallest)], 5)[0])


@lru_cache
def repeated(kernel: Kernel) -> Callable[..., None]:
    """Return ``run(times, *arguments)``, for a compiled kernel without a detour through Python."""

    def run(times, *arguments):
        for _ in range(times):
            kernel(*arguments)

    return made_at_run_time(run) if is_numba(kernel) else run


def is_numba(kernel: Kernel) -> bool:
    return isinstance(kernel, numba.core.dispatcher.Dispatcher)


def _aligned_copy(array: Array) -> Array:
    copy = aligned(array.size, array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
