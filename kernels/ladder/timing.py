"""How rates are measured: by calls that repeat their work until the clock is fine enough."""

import time
from collections.abc import Callable
from typing import Any

SAMPLE = 1e-3  # seconds that one timed call takes at least

Repeated = Callable[[int], Any]  # does its work as many times as it is told


def repetitions(run: Repeated) -> int:
    """Return how many times ``run`` must do its work in one timed call."""
    run(1)  # compiles
    times = 1
    while seconds(run, times) < SAMPLE:
        times *= 2
    return times


def rate(run: Repeated, times: int) -> float:
    """Return how many times a second ``run`` does its work."""
    return times / seconds(run, times)


def seconds(run: Repeated, times: int) -> float:
    started = time.perf_counter()
    run(times)
    return time.perf_counter() - started


def rates(runs: list[Repeated], rounds: int) -> list[list[float]]:
    """Return ``rounds`` rates of each: by turns, so that a machine that slows down slows all."""
    times = [repetitions(run) for run in runs]
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, repeated, own in zip(runs, times, found, strict=True):
            own.append(rate(run, repeated))
    return found
