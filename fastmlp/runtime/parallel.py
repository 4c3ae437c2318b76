"""Many nets side by side: the compiled loop releases the GIL, so threads suffice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from queue import SimpleQueue

from numpy.typing import ArrayLike

from ..history import History
from ..kernels.interrupts import next_of
from ..model import Sequential
from .arguments import items
from .claims import Claim
from .data import Data
from .job import Job, Stop, checked_job
from .team import Worker, dismiss_all
from .threads import available_cores, get_num_threads, thread_count
from .weights import Weights


def fit_many(
    models: Sequence[Sequential],
    x: ArrayLike,
    y: ArrayLike,
    batch_size: int = 32,
    epochs: int = 1,
    *,
    validation_data: tuple[ArrayLike, ...] | None = None,
    shuffle: bool = True,
    class_weight: Mapping[int, float] | None = None,
    sample_weight: ArrayLike | None = None,
    jobs: int | None = None,
    on_done: Callable[[int, History], None] | None = None,
) -> list[History]:
    """Train several nets on the same samples, as many at once as there are cores.

    Each gets what ``model.fit`` would give it alone, bit for bit, whatever ``jobs`` is.
    Ctrl-C stops all of them between two steps and raises KeyboardInterrupt when the last has
    stopped; each net keeps its weights, and in ``model.history`` the epochs it completed.

    Parameters
    ----------
    models : sequence of Sequential
        Compiled; with layers, sizes and settings of their own.
    x, y, batch_size, epochs, validation_data, shuffle, class_weight, sample_weight
        As in :meth:`Sequential.fit`.
    jobs : int, optional
        How many train at once; by default one per available core.
    on_done : callable, optional
        Called with a net's index and history whenever one is done, in the calling thread.

    Returns
    -------
    list of History

    Raises
    ------
    RuntimeError
        If another fit that is not done uses one of the nets; nothing has changed then.
    TypeError, ValueError
        If an argument is not what it should be; nothing has changed then.
    """
    jobs = available_cores() if jobs is None else thread_count("jobs", jobs)
    if on_done is not None and not callable(on_done):
        raise TypeError(f"on_done: expected a function, got {on_done!r}")
    models = items("models", "nets", models)
    for index, model in enumerate(models):
        if not isinstance(model, Sequential):
            raise TypeError(f"models[{index}]: expected a Sequential, got {model!r}")
    if len({id(model) for model in models}) < len(models):
        raise ValueError("models: the same net is in the list more than once")
    workers_wanted = min(jobs, len(models))
    stop, claim = Stop(), Claim()
    checked: dict[object, Data] = {}
    try:
        claim.take(models)
        with ExitStack() as unless_refused:
            for model in models:
                unless_refused.enter_context(model._built_for(x))
            prepared = [
                checked_job(
                    model,
                    x,
                    y,
                    batch_size,
                    epochs,
                    validation_data=validation_data,
                    shuffle=shuffle,
                    weights=Weights(sample_weight, class_weight),
                    stop=stop,
                    checked=checked,
                )
                for model in models
            ]
        _compile(models)
        share = max(1, get_num_threads() // max(1, workers_wanted))
        return _run_all(
            list(zip(models, prepared, strict=True)), workers_wanted, share, stop, on_done
        )
    finally:
        claim.active = False


def _compile(models: Sequence[Sequential]) -> None:
    """Have the engine compiled from this thread: Ctrl-C would not end the wait of another.

    A net that is walked in Python needs no engine; each of its kernels is compiled when it comes
    to that.
    """
    engines = {
        (model.backend, model.dtype): engine
        for model in models
        if not (engine := model._ready_engine()).runs_python
    }
    for engine in engines.values():
        engine.workspace(1)


def _run_all(
    tasks: Sequence[tuple[Sequential, Job]],
    threads: int,
    share: int,
    stop: Stop,
    on_done: Callable[[int, History], None] | None,
) -> list[History]:
    """Run the jobs on so many threads, each with its share of the cores."""
    todo = iter(enumerate(tasks))
    done: SimpleQueue[tuple[int, History | BaseException]] = SimpleQueue()
    workers: list[Worker] = []
    histories: dict[int, History] = {}
    try:
        workers.extend(Worker(partial(_work, todo, share, stop, done)) for _ in range(threads))
        for worker in workers:
            worker.start()
            worker.wait_until_begun()
        while len(histories) < len(tasks):
            index, outcome = next_of(done)
            if isinstance(outcome, BaseException):
                raise outcome
            histories[index] = outcome
            if on_done is not None:
                on_done(index, outcome)
    finally:
        stop.is_wanted = True
        dismiss_all(workers)
    return [histories[index] for index in range(len(tasks))]


def _work(
    todo: Iterator[tuple[int, tuple[Sequential, Job]]],
    share: int,
    stop: Stop,
    done: "SimpleQueue[tuple[int, History | BaseException]]",
) -> None:
    """Run one job after the other, as they are left by other threads that do the same."""
    for index, (model, job) in todo:
        if stop.is_wanted:
            return
        try:
            done.put((index, model.run_job(job, share)))
        except BaseException as error:
            done.put((index, error))
            return
