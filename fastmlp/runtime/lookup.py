"""Finding what a user named, or saying clearly what there is instead."""

from collections.abc import Mapping
from typing import TypeVar

from .arguments import shown

T = TypeVar("T")


def by_name(argument: str, name: object, known: Mapping[str, T]) -> T:
    """Return ``known[name]``.

    Raises
    ------
    TypeError
        If ``name`` is not a string.
    ValueError
        If it is unknown; the message names the argument and what is known.
    """
    if isinstance(name, str) and name in known:
        return known[name]
    names = ", ".join(repr(key) for key in known)
    if not isinstance(name, str):
        raise TypeError(f"{argument}: expected one of {names}; got {shown(name)}")
    import difflib  # here, as it is seldom needed

    # Near enough for a slip of the fingers; other names that exist elsewhere are no slips.
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"{argument}: {shown(name)} is unknown; expected one of {names}.{hint}")
