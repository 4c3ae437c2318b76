"""Nets that are trained one after the other, in the memory of one that stands in for them.

To give a small net memory of its own, to look at all that a call of the engine takes, and to put
the call together, takes as long as to train the net for several epochs.  Nets of the same kind
differ only in what training changes: that is copied to a stand-in and back, whose memory the caches
know by then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .engine import Engine

_KEPT = 4  # kinds


class StandIns:
    """What a thread keeps from net to net: a stand-in for each of the last few kinds."""

    def __init__(self) -> None:
        self._known: dict[object, Engine] = {}

    def of(self, engine: "Engine") -> "Engine":
        """Return the stand-in for an engine: one with equal tables and numbers."""
        kind = engine.kind
        found = self._known.pop(kind, None)
        if found is None:
            found = engine.twin()
            if len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
        self._known[kind] = found  # now the last one used
        return found


@contextmanager
def standing_in(twin: "Engine", engine: "Engine") -> Iterator[None]:
    """Let an engine's stand-in begin where it is, and take over what that has learned."""
    pairs = [
        (twin.params, engine.params), (twin.moments, engine.moments), (twin.running, engine.running)
    ]  # fmt: skip
    for own, other in pairs:
        own[:] = other
    try:
        yield
    finally:
        for own, other in pairs:
            other[:] = own
