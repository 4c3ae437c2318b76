"""joblib's backends: processes of this machine, and whatever else has registered with it."""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from ..threads import available_cores, threads_limited
from . import spool
from .base import ATTEMPTS, Packet, Pool, Scheduler, Take, Work, lost


class Joblib(Scheduler):
    """Trains on the workers of one of joblib's backends, a net at a time on each.

    "loky" keeps arrays of more than a megabyte in files that all its processes map: the data exist
    once.  A worker that is killed costs the nets that it had not finished.

    Parameters
    ----------
    backend : str
        Its name.
    jobs : int, optional
        How many workers; by default one per available core.
    folder : Path, optional
        Where workers leave what they have done; by default a temporary folder.
    """

    def __init__(self, backend: str, jobs: int | None = None, folder: Path | None = None) -> None:
        self.backend, self.jobs, self.folder = backend, jobs, folder

    @contextmanager
    def open(self, work: Work) -> Iterator[Pool]:
        """Start nothing yet: joblib starts its workers with the first packets."""
        if self.folder is not None:
            yield _Workers(self, work, self.folder)
            return
        with tempfile.TemporaryDirectory(prefix="fastmlp-") as folder:
            yield _Workers(self, work, Path(folder))


class _Workers(Pool):
    def __init__(self, scheduler: Joblib, work: Work, folder: Path) -> None:
        self._scheduler, self._work, self._folder = scheduler, work, folder
        self._count = 0

    @property
    def width(self) -> int:
        return self._scheduler.jobs or available_cores()

    def run(self, packets: Sequence[Packet], take: Take) -> None:
        paths = {}
        for packet in packets:
            self._count += 1
            paths[self._folder / f"{self._count}.jsonl"] = packet
        attempts = 0
        while paths:
            before = {path: len(spool.read(path)) for path in paths}
            try:
                self._run_once(paths, take)
            except BrokenProcessPool:
                grown = any(len(spool.read(path)) > count for path, count in before.items())
                attempts = 0 if grown or len(before) > len(paths) else attempts + 1
                if attempts == ATTEMPTS:
                    raise lost(len(paths), ATTEMPTS) from None
            except BaseException:
                for path in paths:
                    for number, (result, _) in spool.read(path).items():
                        take(number, result)
                raise

    def _run_once(self, paths: dict[Path, Packet], take: Take) -> None:
        """Train what is left; a packet that is done is left out of ``paths``."""
        from joblib import Parallel, delayed, parallel_config

        with parallel_config(self._scheduler.backend, n_jobs=self.width):
            tasks = (delayed(_train)(self._work, packet, path) for path, packet in paths.items())
            for path in Parallel(return_as="generator_unordered", pre_dispatch="2*n_jobs")(
                list(tasks)
            ):
                for number, (result, _) in spool.read(path).items():
                    take(number, result)
                del paths[path]
                path.unlink(missing_ok=True)


def _train(work: Work, packet: Packet, path: Path) -> Path:
    """Train a packet in a worker; go on with what another one, which was lost, has left."""
    left = {number: note for number, (_, note) in spool.read(path).items()}
    with spool.Spool(path) as file, threads_limited(1):
        work.train(packet.items, {**packet.done, **left}, 1, file.add)
    return path
