"""Taking turns, and what is concluded from it.

Peers are measured A B C A B C ..., so that a machine that slows down slows all alike; a ratio
is taken within a round, and reported as the median of the rounds with the lowest and highest.
"""

import statistics
import time
from collections.abc import Callable

PAUSE = 0.1  # seconds, in which threads that spin for more work give up (OpenBLAS: after 26 ms)


def take_turns(runs: dict[str, Callable[[int], float]], rounds: int) -> dict[str, list[float]]:
    """Call each of ``runs`` with the numbers 1 to ``rounds``, in turn; return what they return."""
    values: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(1, rounds + 1):
        for name, run in runs.items():
            time.sleep(PAUSE)
            values[name].append(run(number))
    return values


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def ratio(values: list[float], base: list[float]) -> dict[str, float]:
    """The spread of the ratios within a round."""
    return spread([value / other for value, other in zip(values, base, strict=True)])
