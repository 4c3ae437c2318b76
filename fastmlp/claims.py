"""What a fit uses alone: its nets and its Telemetry.

Meanwhile another fit is refused, and so is what would give the net other layers or another loss.
"""

import os
import threading
from collections.abc import Iterable
from weakref import WeakKeyDictionary

_claims: WeakKeyDictionary[object, "Claim"] = WeakKeyDictionary()
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
            for thing in things:
                other = _claims.get(thing)
                if other is not None and other is not self and other.active:
                    raise RuntimeError(
                        f"{thing!r} is in use by a fit that is not done: wait for it before the "
                        "next fit, add() or compile()"
                    )
            for thing in things:
                _claims[thing] = self


def _forget_all() -> None:
    """Start anew in the child of a fork: the threads whose fits these were do not exist there."""
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()
    _claims.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
