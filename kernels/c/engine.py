"""The engine in C, for plans of either dtype."""

from typing import Any

from ..check import checked
from .dispatch import Array, of_dtype


def _bind(
    table: Array,
    reals: Array,
    params: Array,
    gradient: Array,
    moments: Array,
    rule: int,
    numbers: Array,
    values: Array,
    deltas: Array,
) -> Any:
    """Return a function of the mode and the batches, which returns the call of the engine."""
    net = of_dtype(params).Net
    return net(table, reals, params, gradient, moments, rule, numbers, values, deltas).prepare


bind = checked(_bind)
