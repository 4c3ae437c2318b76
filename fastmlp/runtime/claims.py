"""What a fit uses alone: its nets, its Telemetry and its callbacks.

Meanwhile another fit is refused, and so is what would give the net other layers or another loss.
"""

import os
import threading
from collections.abc import Iterable

# By the identity of things, as equal ones may be different, and some cannot be hashed.  Whoever
# has an active claim also has the things, so their numbers belong to nothing else.
_claims: dict[int, "Claim"] = {}
_lock = threading.RLock()


class Claim:
    """One fit's right to use some things alone.

    Attributes
    ----------
    active : bool
        Set it to False to give everything back.  That is one assignment, which no Ctrl-C divides,
        so a claim ends even if the fit is interrupted while it ends::

            claim = Claim()
            try:
                claim.take([model, telemetry])
                ...
            finally:
                claim.active = False
    """

    def __init__(self) -> None:
        self.active = True

    def take(self, things: Iterable[object]) -> None:
        """Claim all of the things, or none.

        Raises
        ------
        RuntimeError
            If somebody else has a claim on one of them now.
        """
        things = list(things)
        with _lock:
            for number in [number for number, claim in _claims.items() if not claim.active]:
                del _claims[number]
            for thing in things:
                other = _claims.get(id(thing))
                if other is not None and other is not self and other.active:
                    raise RuntimeError(
                        f"{thing!r} is in use by a fit that is not done: wait for it before the "
                        "next fit, add() or compile()"
                    )
            for thing in things:
                _claims[id(thing)] = self


def _forget_all() -> None:
    """Start anew in the child of a fork: the threads whose fits these were do not exist there."""
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()
    _claims.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
