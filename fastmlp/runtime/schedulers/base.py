"""What every way of spreading work has in common: packets of nets, and results as they finish."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

# Called with a net's number, what became of it, and what its packet must know of it when it is
# trained on elsewhere.
Post = Callable[[int, bytes, bytes], None]
# Called with a net's number and what became of it, in the process that spreads the work.
Take = Callable[[int, bytes], None]

MOST_NETS = 256  # in a packet: enough that what a task costs does not matter
ATTEMPTS = 4  # at a packet, of which each but the first brought no new net


class Work(ABC):
    """What is done with each net, and the data; sent once to each worker."""

    @abstractmethod
    def train(
        self, items: Sequence[tuple[int, Any]], done: Mapping[int, bytes], jobs: int | None,
        post: Post,
    ) -> None:  # fmt: skip
        """Train a packet's nets, and post what becomes of each as it finishes.

        Parameters
        ----------
        items : sequence of (number, description)
            All nets of the packet.
        done : dict of int to bytes
            Those that were posted before a packet was interrupted, with what it must know of them:
            they are not trained again.
        jobs : int, optional
            How many train at once.
        post : callable
        """


@dataclass(frozen=True)
class Packet:
    """Nets that one task trains."""

    items: tuple[tuple[int, Any], ...]
    done: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def missing(self) -> set[int]:
        """The numbers of the nets that are not done."""
        return {number for number, _ in self.items} - self.done.keys()


class Pool(ABC):
    """Workers that have the work."""

    @property
    @abstractmethod
    def width(self) -> int:
        """How many packets can be trained at once."""

    def packet_size(self, nets: int) -> int:
        """Return how many of so many nets a packet has, so that no worker waits for long."""
        return max(1, min(MOST_NETS, -(-nets // (4 * self.width))))

    @abstractmethod
    def run(self, packets: Sequence[Packet], take: Take) -> None:
        """Train all packets, and take what becomes of each net as it finishes.

        A net's result may be taken more than once: if its worker was lost when it was done.
        """


class Scheduler(ABC):
    """A way of spreading work."""

    @abstractmethod
    @contextmanager
    def open(self, work: Work) -> Iterator[Pool]:
        """Give the work to the workers."""


class LostWorkersError(RuntimeError):
    """Workers were lost again and again, without a net that was done in between."""


def lost(packets: int, attempts: int) -> LostWorkersError:
    """Return the error after so many attempts."""
    return LostWorkersError(
        f"workers were lost {attempts} times in a row without a net that was done in between; "
        f"{packets} packets are left. Is there enough memory for the data on each worker?"
    )
