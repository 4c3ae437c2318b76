"""Threads that run a function each, and can be given up at any moment.

Ctrl-C becomes an exception between any two lines of the main thread, also between the start of a
thread and the line that would note it.  Two rules make that harmless:

- Whoever starts threads does not need to know which have started.  A :class:`Worker` enters its
  function or is dismissed, whichever comes first: after :meth:`Worker.dismiss`, it has ended, or
  never begins.
- The threads that share a step begin with a wait for each other, before they touch anything, and
  the calling thread joins that wait last, when all others have entered.  If it cannot, it sets
  ``ABORT`` in the memory of the barrier: then those that wait, and those that are late, return with
  nothing changed.  Once all have come, none of them leaves before the last stage.  So whenever the
  calling thread leaves, nobody works on the net's memory any more.

Threads are started by ``_thread``: a ``threading.Thread`` whose start was interrupted cannot be
joined, and keeps the interpreter from its end if a daemon thread trains.
"""

from _thread import allocate_lock, start_new_thread
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

# Places in the memory of a barrier: see kernels/c/barrier.c.
_ABORT = 9

_PATIENCE = 60.0  # seconds in which a thread that was started must begin


class Worker:
    """A thread that runs a function once.

    Attributes
    ----------
    error : BaseException or None
        What the function raised.
    """

    def __init__(self, function: Callable[[], object]) -> None:
        self.error: BaseException | None = None
        self._function = function
        # Who came first, to begin or to dismiss; setting it is one step that nothing divides.
        self._first: dict[str, str] = {}
        self._begun, self._ended = allocate_lock(), allocate_lock()
        self._begun.acquire()
        self._ended.acquire()

    def start(self) -> None:
        """Start the thread; RuntimeError if there can be none."""
        start_new_thread(self._run, ())

    def wait_until_begun(self) -> None:
        """Return when the thread is about to call the function; RuntimeError if it never is."""
        if not self._begun.acquire(timeout=_PATIENCE):
            raise RuntimeError(f"a thread that was started did not begin in {_PATIENCE:.0f} s")

    def dismiss(self) -> None:
        """Return when the function has ended, or will never begin; may be called repeatedly."""
        if self._first.setdefault("first", "dismissed") == "begun":
            with self._ended:
                pass

    def _run(self) -> None:
        if self._first.setdefault("first", "begun") == "dismissed":
            return
        try:
            self._begun.release()
            self._function()
        except BaseException as error:
            self.error = error
        finally:
            self._ended.release()


def dismiss_all(workers: Sequence[Worker]) -> None:
    """Dismiss them all, and then raise what was raised meanwhile, such as by Ctrl-C.

    An exception can also come between the lines that catch one.  Hence two nets, one below the
    other: to fall through both, it takes three, all within microseconds.
    """
    caught = None
    for _ in range(2):
        try:
            remaining = list(workers)
            while remaining:
                try:
                    remaining[-1].dismiss()
                    del remaining[-1]
                except BaseException as error:
                    caught = error
        except BaseException as error:
            caught = error
    if caught is not None:
        raise caught


def run_together(calls: Sequence[Callable[[], int]], barrier: NDArray[np.int64]) -> int:
    """Run the engine's calls, each on a thread, the first on this one; all return the same.

    ``barrier`` is the memory that the calls share, all 0 before.

    Raises
    ------
    RuntimeError
        If a thread cannot be started; nothing has changed then.
    """
    if len(calls) == 1:
        return calls[0]()
    helpers: list[Worker] = []
    try:
        helpers.extend(Worker(_or_abort(call, barrier)) for call in calls[1:])
        for helper in helpers:
            helper.start()
        for helper in helpers:
            helper.wait_until_begun()
        result = calls[0]()
        for helper in helpers:
            helper.dismiss()
    except BaseException:
        barrier[_ABORT] = 1
        raise
    for helper in helpers:
        if helper.error is not None:
            raise helper.error
    if result < 0:
        raise RuntimeError("the threads that share a step did not all come")
    return result


def _or_abort(call: Callable[[], int], barrier: NDArray[np.int64]) -> Callable[[], None]:
    def helped() -> None:
        try:
            call()
        except BaseException:
            barrier[_ABORT] = 1
            raise

    return helped
