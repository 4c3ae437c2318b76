"""Many nets side by side: the compiled loop releases the GIL, so threads suffice."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack

from numpy.typing import ArrayLike

from .arguments import items, positive_integer
from .data import Data
from .history import History
from .model import Sequential
from .threads import available_cores, get_num_threads


def fit_many(
    models: Sequence[Sequential],
    x: ArrayLike,
    y: ArrayLike,
    batch_size: int = 32,
    epochs: int = 1,
    *,
    validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    shuffle: bool = True,
    jobs: int | None = None,
    on_done: Callable[[int, History], None] | None = None,
) -> list[History]:
    """Train several nets on the same samples, as many at once as there are cores.

    Each gets what ``model.fit`` would give it alone, bit for bit, whatever ``jobs`` is.
    Ctrl-C stops all of them between two steps and raises KeyboardInterrupt; each net keeps
    its weights, and in ``model.history`` the epochs it completed.

    Parameters
    ----------
    models : sequence of Sequential
        Compiled; with layers, sizes and settings of their own.
    x, y, batch_size, epochs, validation_data, shuffle
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
    TypeError, ValueError
        If an argument is not what it should be; nothing has changed then.
    """
    jobs = available_cores() if jobs is None else positive_integer("jobs", jobs)
    if on_done is not None and not callable(on_done):
        raise TypeError(f"on_done: expected a function, got {on_done!r}")
    models = items("models", "nets", models)
    for index, model in enumerate(models):
        if not isinstance(model, Sequential):
            raise TypeError(f"models[{index}]: expected a Sequential, got {model!r}")
    if len({id(model) for model in models}) < len(models):
        raise ValueError("models: the same net is in the list more than once")
    share = max(1, get_num_threads() // max(1, min(jobs, len(models))))
    stop = threading.Event()
    checked: dict[object, Data] = {}
    with ExitStack() as unless_refused:
        for model in models:
            unless_refused.enter_context(model._built_for(x))
        prepared = [
            model._job(
                x, y, batch_size, epochs, 0, 0.0, validation_data, shuffle, None, stop, checked
            )
            for model in models
        ]
    with ThreadPoolExecutor(jobs) as pool:
        try:
            futures = {
                pool.submit(model.run_job, job, share): index
                for index, (model, job) in enumerate(zip(models, prepared, strict=True))
            }
            for future in as_completed(futures):
                history = future.result()
                if on_done is not None:
                    on_done(futures[future], history)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]
