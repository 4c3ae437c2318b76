"""A cluster of dask.distributed, be it on this machine or on many."""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

from ..threads import threads_limited
from .base import ATTEMPTS, Packet, Pool, Scheduler, Take, Work, lost

_PACKETS_AHEAD = 2  # for each thread of the cluster: it never waits for the next one
_SECONDS_PER_LETTER = 0.5
_PATIENCE = 20.0  # seconds for letters that are on their way when their packet is done


class Dask(Scheduler):
    """Trains on the workers of a cluster, a net at a time on each of their threads.

    Parameters
    ----------
    client : distributed.Client or str
        A client; or a scheduler's address, the path of its file (``.json``), or "dask" for a
        cluster on this machine.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    @contextmanager
    def open(self, work: Work) -> Iterator[Pool]:
        """Send the work, with the data in it, to every worker once."""
        client, is_own = _client_of(self.client)
        try:
            yield _Cluster(client, work)
        finally:
            if is_own:
                client.close()


def _client_of(given: Any) -> tuple[Any, bool]:
    """Return a client, and whether it is to be closed after use."""
    if not isinstance(given, str):
        return given, False
    try:
        from distributed import Client
    except ImportError as reason:
        raise ImportError(
            "scheduler: a cluster needs dask.distributed; install it, or fastmlp with the extra "
            "'cluster'"
        ) from reason
    if given == "dask":
        return Client(threads_per_worker=1, dashboard_address=None), True
    is_file = given.endswith(".json")
    return (Client(scheduler_file=given) if is_file else Client(given)), True


class _Cluster(Pool):
    def __init__(self, client: Any, work: Work) -> None:
        self._client, self._work = client, work
        self._sent: Any = None

    @property
    def width(self) -> int:
        return max(1, int(sum(self._client.nthreads().values())))

    def run(self, packets: Sequence[Packet], take: Take) -> None:
        run = _Run(self._client, self._send(), {f"{k}": p for k, p in enumerate(packets)}, take)
        try:
            self._drive(run)
        finally:
            run.close()

    def _send(self) -> Any:
        """Put the work on every worker that there is; later ones fetch it with their first task."""
        if self._sent is None or self._sent.cancelled() or self._sent.status != "finished":
            self._sent = self._client.scatter(self._work, broadcast=True, hash=False)
        return self._sent

    def _drive(self, run: "_Run") -> None:
        """Train packets until none is left; try those anew whose worker was lost."""
        attempts, before = 0, run.count
        while run.left:
            run.submit(self.width * _PACKETS_AHEAD)
            if not run.wait():
                continue
            attempts = attempts + 1 if run.count == before else 0
            before = run.count
            if attempts == ATTEMPTS:
                raise lost(len(run.left), ATTEMPTS)
            run.work = self._send()  # it may have been on the lost worker alone


class _Run:
    """Packets under way.

    Workers write letters to the scheduler, as events: what became of their nets, for whoever
    spreads the work; and which nets of a packet are done, for the next worker if they are lost.
    dask gives the packet to another worker by itself.

    Attributes
    ----------
    left : dict of str to Packet
        The packets that are not done.
    count : int
        How many nets are done.
    """

    def __init__(self, client: Any, work: Any, packets: dict[str, Packet], take: Take) -> None:
        self.work, self.left, self.count = work, packets, 0
        self._client, self._take = client, take
        self._topic = f"fastmlp-{uuid.uuid4().hex}"
        self._news: SimpleQueue[Any] = SimpleQueue()
        self._futures: dict[str, Any] = {}
        self._missing = {name: packet.missing for name, packet in packets.items()}
        self._done_at: dict[str, float] = {}
        client.subscribe_topic(self._topic, self._news.put)

    def submit(self, count: int) -> None:
        """Have up to so many packets under way."""
        for name, packet in self.left.items():
            if len(self._futures) >= count:
                break
            if name in self._futures or name in self._done_at:
                continue
            # A name of its own for each attempt: what an earlier one left is not what is meant.
            key = f"{self._topic}-{name}-{uuid.uuid4().hex[:8]}"
            future = self._client.submit(
                _train, self.work, packet, self._topic, f"{self._topic}-{name}", key=key,
                pure=False,
            )  # fmt: skip
            self._futures[name] = future
            future.add_done_callback(lambda _, name=name: self._news.put(name))

    def wait(self) -> bool:
        """Wait for news; return whether a packet must be tried anew."""
        failed = False
        try:
            news = self._news.get(timeout=0.2)
            while True:
                if isinstance(news, str):
                    failed |= self._end(news)
                else:
                    _, (name, results) = news
                    self._keep(name, results)
                news = self._news.get_nowait()
        except Empty:
            pass
        return failed | self._look_for_lost_letters()

    def close(self) -> None:
        """Leave nothing behind."""
        self._client.unsubscribe_topic(self._topic)
        for future in self._futures.values():
            future.cancel()

    def _keep(self, name: str, results: Sequence[tuple[int, bytes]]) -> None:
        for number, result in results:
            self._take(number, bytes(result))
            if name in self.left and number in self._missing[name]:
                self._missing[name].discard(number)
                self.count += 1
        if name in self._done_at and not self._missing[name]:
            self._done_at.pop(name)
            del self.left[name]

    def _end(self, name: str) -> bool:
        """Note that a task has ended; return whether its packet must be tried anew."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        future = self._futures.pop(name, None)
        if future is None:
            return False
        try:
            results = future.result()
        except (KilledWorker, FutureCancelledError):
            return True
        self._done_at[name] = time.monotonic()
        self._keep(name, results)
        return False

    def _look_for_lost_letters(self) -> bool:
        """Give up waiting for what a lost worker may have taken with it."""
        now, failed = time.monotonic(), False
        for name, at in list(self._done_at.items()):
            if now - at > _PATIENCE:
                del self._done_at[name]
                packet = self.left[name]
                missing = tuple(item for item in packet.items if item[0] in self._missing[name])
                self.left[f"{name}-again"] = Packet(missing)
                self._missing[f"{name}-again"] = {number for number, _ in missing}
                del self.left[name]
                failed = True
        return failed


def _train(work: Work, packet: Packet, topic: str, own_topic: str) -> list[tuple[int, bytes]]:
    """Train a packet in a worker; go on with what another one, which was lost, has left.

    Returns the last results, those that no letter has.
    """
    from distributed import get_client, get_worker

    worker = get_worker()
    name = own_topic.removeprefix(f"{topic}-")
    left: dict[int, bytes] = {}
    for _, notes in get_client().get_events(own_topic):
        left.update({number: bytes(note) for number, note in notes})
    letter = _Letter(worker, topic, own_topic, name)
    with threads_limited(1):
        work.train(packet.items, {**packet.done, **left}, 1, letter.add)
    return letter.results


class _Letter:
    """What has become of nets since the last letter."""

    def __init__(self, worker: Any, topic: str, own_topic: str, name: str) -> None:
        self._worker, self._topic, self._own_topic, self._name = worker, topic, own_topic, name
        self._sent_at = time.monotonic()
        self.results: list[tuple[int, bytes]] = []
        self._notes: list[tuple[int, bytes]] = []

    def add(self, number: int, result: bytes, note: bytes) -> None:
        """Write it down, and send the letter if it is time."""
        self.results.append((number, result))
        self._notes.append((number, note))
        if time.monotonic() - self._sent_at < _SECONDS_PER_LETTER:
            return
        self._worker.log_event(self._topic, (self._name, self.results))
        self._worker.log_event(self._own_topic, self._notes)
        self.results, self._notes, self._sent_at = [], [], time.monotonic()
