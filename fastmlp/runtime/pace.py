"""How many batches go into one call of the engine."""

import time
from collections.abc import Iterator

# How long a call of the engine may keep Python waiting: for Ctrl-C, for the progress bar.
SECONDS_PER_CALL = 0.2


class Pace:
    """Makes calls that take about ``SECONDS_PER_CALL`` each, from how long those before took.

    Parameters
    ----------
    seconds_per_batch : float
        For the first call: more than a batch is expected to take.
    """

    def __init__(self, seconds_per_batch: float = SECONDS_PER_CALL) -> None:
        self._learn(1, seconds_per_batch)

    def calls(self, batches: int, first: int = 0) -> Iterator[tuple[int, int]]:
        """Yield the first batch and the end of each call; what is done with them is timed."""
        while first < batches:
            stop = min(batches, first + self._batches)
            started = time.perf_counter()
            yield first, stop
            self._learn(stop - first, time.perf_counter() - started)
            first = stop

    def _learn(self, batches: int, seconds: float) -> None:
        self._batches = max(1, int(batches / max(seconds, 1e-6) * SECONDS_PER_CALL))
