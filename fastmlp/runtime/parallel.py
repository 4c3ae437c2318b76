"""Many nets side by side: the compiled loop releases the GIL, so threads suffice."""

import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..callbacks import Callback, check_callbacks
from ..history import DivergenceWarning, Fits, History
from ..model import Sequential
from .arguments import items
from .claims import Claim
from .data import Data
from .job import Course, Stop, checked_job
from .many import Outcome, Task, train_side_by_side
from .progress import LINES, NetsProgress, format_figures, resolve_verbose
from .run import StopError
from .threads import available_cores, get_num_threads, thread_count
from .weights import Weights

_SECONDS_PER_LOOK = 0.1


def fit_many(
    models: Sequence[Sequential],
    x: ArrayLike,
    y: ArrayLike,
    batch_size: int | Sequence[int] = 32,
    epochs: int | Sequence[int] = 1,
    verbose: str | int = "auto",
    callbacks: Sequence[Sequence[Callback] | None] | None = None,
    *,
    subsets: Sequence[ArrayLike | None] | None = None,
    sample_weight: Sequence[ArrayLike | None] | None = None,
    validation_data: tuple[ArrayLike, ...] | None = None,
    shuffle: bool = True,
    initial_epoch: int = 0,
    jobs: int | None = None,
    on_done: Callable[[int, History], None] | None = None,
) -> Fits:
    """Train several nets on the same samples, as many at once as there are cores.

    Each gets what ``model.fit`` would give it alone, bit for bit, whatever ``jobs`` is.  A net that
    diverges, or whose layer or callback raises an error, stops none of the others; at the end a
    warning names those nets.  Ctrl-C stops all nets between two steps and returns what is done:
    each net keeps its weights, and in ``model.history`` the epochs it completed.

    Parameters
    ----------
    models : sequence of Sequential
        Compiled; with layers, sizes and settings of their own.
    x, y : array
        As in :meth:`Sequential.fit`; there is one copy for all.
    batch_size, epochs : int, positive, or a sequence of one for each net
    verbose : {"auto", 0, 1, 2}
        1 shows a progress bar with the time that is left, and at the end what became of the nets;
        2 shows a line for each net.  "auto" is 1 on a terminal and in a notebook, 0 elsewhere.
    callbacks : sequence of one list of Callback for each net, optional
        They are called in the thread that trains their net; each serves one net.
    subsets : sequence of one array for each net, optional
        Which samples a net learns from: their indices, each as often as it is there, or a Boolean
        for each sample; None for all.  A net gets what ``fit(x[subset], y[subset])`` would give it,
        and nothing is copied.
    sample_weight : sequence of one array (samples,) for each net, optional
        How much each of all samples counts, where the net learns from it; None for all the same.
    validation_data, shuffle, initial_epoch
        As in :meth:`Sequential.fit`.
    jobs : int, optional
        How many train at once; by default one per available core.
    on_done : callable, optional
        Called with a net's index and history whenever one is done, and not for one that failed, in
        the calling thread.  An error from it stops all nets, and is raised.

    Returns
    -------
    Fits
        A list of each net's :class:`~fastmlp.History`, which also says what failed.

    Raises
    ------
    RuntimeError
        If another fit that is not done uses one of the nets or callbacks; nothing has changed then.
    TypeError, ValueError
        If an argument is not what it should be; nothing has changed then.
    """
    if on_done is not None and not callable(on_done):
        raise TypeError(f"on_done: expected a function, got {on_done!r}")
    shows = resolve_verbose(verbose)
    shows = 0 if shows not in (0, 1, 2) else shows  # "auto", where no bar can be
    models = checked_models(models)
    progress: list[NetsProgress] = []

    def report(outcome: Outcome) -> None:
        said = _said(outcome) if shows == LINES else ""
        progress[0].add(f"net {outcome.index}", said, _is_troubled(outcome))
        if on_done is not None and outcome.error is None:
            on_done(outcome.index, outcome.history)

    def begin(total: int) -> None:
        progress.append(NetsProgress(shows, len(models), total))

    def look(done: int) -> None:
        progress[0].advance(done)

    try:
        fits = train_many(
            models, x, y, batch_size, epochs, callbacks, subsets=subsets,
            sample_weight=sample_weight, validation_data=validation_data, shuffle=shuffle,
            initial_epoch=initial_epoch, jobs=jobs, report=report, begin=begin, look=look,
        )  # fmt: skip
    except BaseException:
        if progress:
            progress[0].clear()
        raise
    progress[0].end(fits.summary())
    _warn(fits)
    return fits


def train_many(
    models: Sequence[Sequential],
    x: ArrayLike,
    y: ArrayLike,
    batch_size: int | Sequence[int],
    epochs: int | Sequence[int],
    callbacks: Sequence[Sequence[Callback] | None] | None = None,
    *,
    subsets: Sequence[ArrayLike | None] | None = None,
    sample_weight: Sequence[ArrayLike | None] | None = None,
    validation_data: tuple[ArrayLike, ...] | None = None,
    shuffle: bool = True,
    initial_epoch: int = 0,
    goes_on: bool = False,
    jobs: int | None = None,
    checked: dict[object, Data] | None = None,
    report: Callable[[Outcome], None],
    begin: Callable[[int], None] = lambda total: None,
    look: Callable[[int], None] = lambda done: None,
) -> Fits:
    """Train as :func:`fit_many`, without a word.

    Parameters
    ----------
    models, x, y, batch_size, epochs, callbacks, subsets, sample_weight, validation_data, shuffle,
    initial_epoch, jobs
        As there; the models have been checked.
    goes_on : bool
        Whether the nets' training goes on in another call.
    checked : dict, optional
        Data that calls with the same ``x`` and ``y`` share, and check and convert once.
    report : callable
        Called with what became of each net that is done or has failed, in the calling thread.
    begin, look : callable
        Called with how many epochs there are for all nets together, before the first; and now and
        then with how many are done.
    """
    jobs = available_cores() if jobs is None else thread_count("jobs", jobs)
    count = len(models)
    sizes, lengths = _each("batch_size", batch_size, count), _each("epochs", epochs, count)
    called = _checked_callbacks(callbacks, count)
    parts = _or_none("subsets", subsets, count)
    weights = _or_none("sample_weight", sample_weight, count)
    stop, claim, course = Stop(), Claim(), Course(initial_epoch, goes_on=goes_on)
    checked = {} if checked is None else checked
    tasks: list[Task] = []
    try:
        own = [thing for model in models for thing in model._claimed]
        if len({id(thing) for thing in own}) < len(own):
            raise ValueError("models: nets that share layers can't be trained side by side")
        claim.take([*own, *(callback for those in called for callback in those)])
        with ExitStack() as unless_refused:
            for index, model in enumerate(models):
                unless_it_fails = unless_refused.enter_context(ExitStack())
                unless_it_fails.enter_context(model._built_for(x))
                job = checked_job(
                    model, x, y, sizes[index], lengths[index], callbacks=called[index],
                    validation_data=validation_data, shuffle=shuffle, stop=stop, checked=checked,
                    weights=Weights(weights[index]), course=course, warns=False,
                    subset=(f"subsets[{index}]", parts[index]),
                )  # fmt: skip
                tasks.append(Task(model, job, unless_it_fails))
            unless_refused.pop_all()
        _compile(models)
        threads = min(jobs, len(tasks))
        return _train(tasks, threads, stop, report, _Watch(tasks, threads, begin, look))
    finally:
        claim.active = False


class _Watch:
    """Counts the epochs that many nets have done."""

    def __init__(
        self,
        tasks: Sequence[Task],
        threads: int,
        begin: Callable[[int], None],
        look: Callable[[int], None],
    ) -> None:
        self._tasks, self._look = tasks, look
        self._before = [task.model.epochs_trained for task in tasks]
        self._wanted = [max(0, t.job.epochs - t.job.course.initial_epoch) for t in tasks]
        # Threads take the nets in their order, so the first of those left are the ones running.
        self._left, self._threads = dict.fromkeys(range(len(tasks))), threads
        self._epochs_over = 0
        self._looked_at = time.monotonic()
        begin(sum(self._wanted))

    def is_over(self, index: int) -> None:
        """Count all epochs of a net that is done, whether there were so many or not."""
        del self._left[index]
        self._epochs_over += self._wanted[index]
        if time.monotonic() - self._looked_at > _SECONDS_PER_LOOK:  # there may be many nets
            self.look()

    def look(self) -> None:
        """Tell how many are done."""
        self._looked_at = time.monotonic()
        tasks, before = self._tasks, self._before
        first = islice(self._left, self._threads)
        running = sum(tasks[k].model.epochs_trained - before[k] for k in first)
        self._look(self._epochs_over + running)


def _train(
    tasks: Sequence[Task],
    threads: int,
    stop: Stop,
    report: Callable[[Outcome], None],
    watch: _Watch,
) -> Fits:
    """Train, and return what became of the nets, also after Ctrl-C."""
    outcomes: dict[int, Outcome] = {}

    def keep(outcome: Outcome) -> None:
        outcomes[outcome.index] = outcome
        watch.is_over(outcome.index)
        report(outcome)

    share = max(1, get_num_threads() // max(1, threads))
    previous = [task.model.history for task in tasks]
    interrupted = False
    try:
        train_side_by_side(tasks, threads, share, stop, keep, watch.look)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        # A net whose turn did not come is as it was.
        for index, task in enumerate(tasks):
            if index not in outcomes:
                task.unless_it_fails.__exit__(StopError, StopError(), None)
    found: list[Outcome] = []
    for index, task in enumerate(tasks):
        now = task.model.history
        stopped = History() if now is previous[index] or now is None else now
        found.append(outcomes.get(index, Outcome(index, stopped, 0.0)))
    return Fits(
        [outcome.history for outcome in found],
        {outcome.index: outcome.error for outcome in found if outcome.error is not None},
        [index for index in range(len(tasks)) if index not in outcomes],
        [outcome.seconds for outcome in found],
        interrupted,
    )


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


def checked_models(models: object) -> list[Sequential]:
    """Return the nets of a list.

    Raises
    ------
    TypeError, ValueError
        If one is no net, or in the list twice.
    """
    found = items("models", "nets", models)
    for index, model in enumerate(found):
        if not isinstance(model, Sequential):
            raise TypeError(f"models[{index}]: expected a Sequential, got {model!r}")
    if len({id(model) for model in found}) < len(found):
        raise ValueError("models: the same net is in the list more than once")
    return found


def _one_each(argument: str, given: object, count: int) -> list[Any]:
    """Return a list that has one thing for each net."""
    found = items(argument, "one for each net", given)
    if len(found) != count:
        raise ValueError(f"{argument}: expected one for each of {count} nets, got {len(found)}")
    return found


def _or_none(argument: str, given: object, count: int) -> list[Any]:
    """Return a list that has one thing for each net, or None for each."""
    return [None] * count if given is None else _one_each(argument, given, count)


def _each(argument: str, given: Any, count: int) -> list[Any]:
    """Return a number for each net, where there may be one for all."""
    if isinstance(given, (list, tuple, np.ndarray)):
        return _one_each(argument, given, count)
    return [given] * count


def _checked_callbacks(given: object, count: int) -> list[tuple[Callback, ...]]:
    """Return the callbacks of each net."""
    if given is None:
        return [()] * count
    called = [
        check_callbacks(those, f"callbacks[{index}]")
        for index, those in enumerate(_one_each("callbacks", given, count))
    ]
    everything = [callback for those in called for callback in those]
    if len({id(callback) for callback in everything}) < len(everything):
        raise ValueError("callbacks: expected objects of its own for each net, as they keep state")
    return called


def _said(outcome: Outcome) -> str:
    """Return what became of a net, for a line."""
    if outcome.error is not None:
        return f"{type(outcome.error).__name__}: {outcome.error}"
    if outcome.history.divergence is not None:
        return outcome.history.divergence.message
    figures = {name: values[-1] for name, values in outcome.history.history.items()}
    return f"{outcome.seconds:.2f} s - {format_figures(figures)}"


def _is_troubled(outcome: Outcome) -> bool:
    return outcome.error is not None or outcome.history.divergence is not None


def _warn(fits: Fits) -> None:
    """Warn of nets that failed or diverged, and of an interruption, at the call of fit_many."""
    if fits.errors or fits.interrupted:
        warnings.warn(f"fit_many: {fits.summary()}", RuntimeWarning, stacklevel=3)
    elif fits.diverged:
        warnings.warn(f"fit_many: {fits.summary()}", DivergenceWarning, stacklevel=3)
