"""The roofs: what this machine does in a second when it does nothing else.

Arithmetic: a loop of dependent multiply-adds on values that stay in registers, ``STEPS`` of them
between a load and a store, so that memory does not count, and many values side by side, so that
latency does not either.  A multiply-add counts 2.  On a Zen 4 core this reaches what C with
AVX-512 intrinsics does, 117 GFLOP/s.  Memory: a copy of as many bytes as are in question.
"""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from bench.worker import all_cores

STEPS = 16
VALUES = 256
PASSES = 60_000
REPEATS = 5


@numba.njit(fastmath={"contract"}, nogil=True)
def multiply_add(values, factor, term, passes):
    for _ in range(passes):
        for i in range(values.size):
            v = values[i]
            for _ in range(STEPS):
                v = v * factor + term
            values[i] = v


@numba.njit(nogil=True)
def copy(source, target, passes):
    for _ in range(passes):
        for i in range(source.size):
            target[i] = source[i]


def copy_rate(size: int) -> float:
    """Bytes read and written per second, where ``size`` of them are, on one core."""
    source = np.ones(max(1, size // 8), np.float32)
    target = np.empty_like(source)
    passes = max(1, 20_000_000 // size)
    copy(source, target, passes)
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        copy(source, target, passes)
        seconds.append(time.perf_counter() - started)
    return passes * 2 * source.nbytes / min(seconds)


class Peak:
    """The rate of all cores that this process may use."""

    name = "FMA peak"

    def __init__(self) -> None:
        self.rate()

    def rate(self) -> float:
        """FLOP/s, the best of a few runs: what disturbs a run can only slow it down."""
        return max(self._once() for _ in range(REPEATS))

    def _once(self) -> float:
        cores = all_cores()
        together = threading.Barrier(len(cores))
        with ThreadPoolExecutor(len(cores)) as pool:
            spans = list(pool.map(_run, cores, [together] * len(cores)))
        seconds = max(end for _, end in spans) - min(start for start, _ in spans)
        return 2.0 * STEPS * VALUES * PASSES * len(cores) / seconds


def _run(core: int, together: threading.Barrier) -> tuple[float, float]:
    """Run on one core, from when all are ready; return the times of the start and the end."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})  # of this thread, or two may share a core for a while
    # The values stay at term / (1 - factor) = 1: neither denormal nor infinite.
    values, half = np.ones(VALUES, np.float32), np.float32(0.5)
    multiply_add(values, half, half, 1)
    together.wait()
    started = time.perf_counter()
    multiply_add(values, half, half, PASSES)
    return started, time.perf_counter()
