"""Calls of an engine that is a function in Python: all that one needs, put together once."""

from collections.abc import Callable

from .contract import Batches, Course, Memory, Net, Team

Run = Callable[[Net, Memory, Batches, Course, Team], int]
Call = Callable[..., int]  # of first_step, if that is another one than when it was prepared


def prepare_with(run: Run, net: Net, memory: Memory) -> Callable[[Batches, Course, Team], Call]:
    """Return ``prepare``, whose calls run the engine on a net and its memory."""

    def prepare(batches: Batches, course: Course, team: Team) -> Call:
        def call(first_step: int | None = None) -> int:
            now = course if first_step is None else course._replace(first_step=first_step)
            return run(net, memory, batches, now, team)

        return call

    return prepare
