"""How many batches go into one call of the engine."""

import math
import time
from collections.abc import Iterator

# How long a call of the engine may keep Python waiting: for Ctrl-C, for the progress bar.
SECONDS_PER_CALL = 0.2


class Pace:
    """Makes calls that take about so many seconds each, from how long those before took.

    Parameters
    ----------
    seconds_per_batch : float
        For the first call: more than a batch is expected to take.
    """

    def __init__(self, seconds_per_batch: float = SECONDS_PER_CALL) -> None:
        self._seconds_per_batch = max(seconds_per_batch, 1e-6)

    def calls(self, batches: int, first: int = 0) -> Iterator[tuple[int, int]]:
        """Yield the first batch and the end of each call; what is done with them is timed."""
        while first < batches:
            stop = self.stop(first, batches)
            started = time.perf_counter()
            yield first, stop
            self.learn(stop - first, time.perf_counter() - started)
            first = stop

    def stop(self, first: int, batches: int, seconds: float = math.inf) -> int:
        """Return the end of a call that begins at a batch, and is to take no longer than that."""
        seconds = min(seconds, SECONDS_PER_CALL)
        return min(batches, first + max(1, int(seconds / self._seconds_per_batch)))

    def learn(self, batches: int, seconds: float) -> None:
        """Learn how long so many batches took."""
        self._seconds_per_batch = max(seconds / batches, 1e-9)
