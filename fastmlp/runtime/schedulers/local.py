"""Threads of this process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .base import MOST_NETS, Packet, Pool, Scheduler, Take, Work


class Local(Scheduler):
    """Trains here, so many nets at once; by default one per available core."""

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = jobs

    @contextmanager
    def open(self, work: Work) -> Iterator[Pool]:
        """Nothing is to be sent."""
        yield _Here(work, self.jobs)


class _Here(Pool):
    def __init__(self, work: Work, jobs: int | None) -> None:
        self._work, self._jobs = work, jobs

    @property
    def width(self) -> int:
        return 1

    def packet_size(self, nets: int) -> int:
        return MOST_NETS  # it has all threads

    def run(self, packets: Sequence[Packet], take: Take) -> None:
        for packet in packets:
            self._work.train(
                packet.items,
                packet.done,
                self._jobs,
                lambda number, result, _: take(number, result),
            )
