"""Work that Ctrl-C must not end half-way, such as compiling, while its caller can be ended."""

import threading
from _thread import start_new_thread
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")

_LONGEST_WAIT = 0.2  # seconds


def next_of(queue: SimpleQueue[Result]) -> Result:
    """Return what comes next in a queue; Ctrl-C ends the wait.

    In short waits: a signal that comes after Python has looked for one, and before it sleeps, would
    not end a long one.
    """
    while True:
        try:
            return queue.get(timeout=_LONGEST_WAIT)
        except Empty:
            pass


def undisturbed(function: Callable[[], Result]) -> Result:
    """Call a function where Ctrl-C does not reach it, and return or raise what it does.

    Python raises KeyboardInterrupt in the main thread alone, between any two lines.  Within Numba
    that can be where a callback from LLVM swallows it, or where a kernel is left half compiled: the
    next call then fails with an error such as "no compiled object yet".  So the main thread lets
    another one do the work and waits for it.  Ctrl-C ends the wait, not the work: that goes on, and
    whoever needs the same again waits for Numba's lock until it is done.
    """
    if threading.current_thread() is not threading.main_thread():
        return function()
    outcomes: SimpleQueue[tuple[list[Result], BaseException | None]] = SimpleQueue()

    def work() -> None:
        try:
            outcome: tuple[list[Result], BaseException | None] = ([function()], None)
        except BaseException as error:
            outcome = ([], error)
        outcomes.put(outcome)

    start_new_thread(work, ())
    results, error = next_of(outcomes)
    if error is not None:
        raise error
    return results[0]
