"""The FMA peak of all cores that a process may use, measured with the ladder's own loop."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bench.worker import all_cores
from fastmlp.kernels.ladder.roofline import multiply_adds
from fastmlp.kernels.ladder.timing import Repeated, repetitions

REPEATS = 5
SAMPLES = 20  # of a millisecond, in one run: starting threads takes a small part of it


class Peak:
    """The rate of multiply-adds on all cores at once, in float32 or float64."""

    name = "FMA peak"

    def __init__(self, dtype: str = "float32") -> None:
        self.run, self.flops = multiply_adds(np.dtype(dtype))
        self.times = SAMPLES * repetitions(self.run)

    def rate(self) -> float:
        """FLOP/s, the best of a few runs: what disturbs a run can only slow it down."""
        return max(self._once() for _ in range(REPEATS))

    def _once(self) -> float:
        cores = all_cores()
        together = threading.Barrier(len(cores))
        with ThreadPoolExecutor(len(cores)) as pool:
            spans = list(pool.map(lambda core: _span(core, together, self.run, self.times), cores))
        seconds = max(end for _, end in spans) - min(start for start, _ in spans)
        return self.flops * self.times * len(cores) / seconds


def _span(core: int, together: threading.Barrier, run: Repeated, times: int) -> tuple[float, float]:
    """Run on one core, from when all are ready; return the times of the start and the end."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})  # of this thread, or two may share a core for a while
    run(1)
    together.wait()
    started = time.perf_counter()
    run(times)
    return started, time.perf_counter()
