"""Threads that train one net after the other, and say of each what became of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from ..history import History
from .job import Job, Stop
from .run import StopError
from .stand_in import StandIns
from .team import Worker, dismiss_all

if TYPE_CHECKING:
    from ..model import Sequential

_SECONDS_PER_LOOK = 0.2  # so long Ctrl-C and the progress bar may have to wait


@dataclass(eq=False)
class Task:
    """A net that is to be trained.

    Attributes
    ----------
    model, job
    unless_it_fails : ExitStack
        What an error that comes before the first step undoes.
    """

    model: "Sequential"
    job: Job
    unless_it_fails: ExitStack


@dataclass(frozen=True)
class Outcome:
    """What became of a net.

    Attributes
    ----------
    index : int
    history : History
        The epochs that were completed.
    seconds : float
    error : Exception or None
        What ended the training before its end.
    """

    index: int
    history: History
    seconds: float
    error: Exception | None = None


_Done = SimpleQueue[Outcome | BaseException]


def train_side_by_side(
    tasks: Sequence[Task],
    threads: int,
    share: int,
    stop: Stop,
    report: Callable[[Outcome], None],
    look: Callable[[], None],
) -> None:
    """Train on so many threads, each with its share of the cores.

    When this returns or raises, no thread trains any more.  Ctrl-C stops all nets between two
    steps and raises KeyboardInterrupt, when those that were done by then have been reported.  A net
    that was stopped, or whose turn did not come, is not reported.

    Parameters
    ----------
    tasks : sequence of Task
    threads, share : int
    stop : Stop
        That of all jobs.
    report, look : callable
        Called in the calling thread: with what became of a net, and now and then meanwhile.
    """
    todo = iter(enumerate(tasks))
    done: _Done = SimpleQueue()
    workers: list[Worker] = []
    try:
        workers.extend(Worker(partial(_work, todo, share, stop, done)) for _ in range(threads))
        for worker in workers:
            worker.start()
            worker.wait_until_begun()
        for _ in tasks:
            outcome = _next(done, look)
            if isinstance(outcome, BaseException):
                raise outcome
            report(outcome)
    except KeyboardInterrupt:
        stop.is_wanted = True
        dismiss_all(workers)
        while not done.empty():
            left = done.get()
            if isinstance(left, Outcome):
                report(left)
        raise
    finally:
        stop.is_wanted = True
        dismiss_all(workers)


def _next(done: _Done, look: Callable[[], None]) -> Outcome | BaseException:
    """Return what comes next; in short waits, which Ctrl-C ends."""
    while True:
        try:
            return done.get(timeout=_SECONDS_PER_LOOK)
        except Empty:
            look()


def _work(todo: Iterator[tuple[int, Task]], share: int, stop: Stop, done: _Done) -> None:
    """Train one net after the other, as they are left by other threads that do the same."""
    stand_ins = StandIns()
    for index, task in todo:
        if stop.is_wanted:
            return
        previous, started = task.model.history, time.perf_counter()
        try:
            with task.unless_it_fails:
                history = task.model.run_job(task.job, share, stand_ins)
            done.put(Outcome(index, history, time.perf_counter() - started))
        except StopError:
            return
        except Exception as error:
            seconds, now = time.perf_counter() - started, task.model.history
            completed = History() if now is previous or now is None else now
            done.put(Outcome(index, completed, seconds, error))
        except BaseException as error:
            done.put(error)
            return
