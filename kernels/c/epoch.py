"""The engine in C, for plans of either dtype."""

from collections.abc import Callable
from typing import Any

from ..check import checked
from ..contract import Memory, Net
from .dispatch import of_dtype


def _bind(net: Net, memory: Memory) -> Callable[..., Any]:
    """Return a function of batches, course and team, which returns the call of the engine."""
    prepare: Callable[..., Any] = of_dtype(net.params).Bound(net, memory).prepare
    return prepare


bind = checked(_bind)
