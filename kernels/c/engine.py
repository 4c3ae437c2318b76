"""The engine in C, for plans of either dtype."""

from typing import Any

from .dispatch import Array, of_dtype


def bind(
    table: Array,
    reals: Array,
    params: Array,
    gradient: Array,
    velocity: Array,
    hyper: Array,
    values: Array,
    deltas: Array,
) -> Any:
    """Return a plan with its memory, whose method ``run`` takes the other arguments of ``run``.

    To look at an array takes longer than a small net takes to run on one sample: so what stays
    the same from call to call is looked at once.
    """
    net = of_dtype(params).Net
    return net(table, reals, params, gradient, velocity, hyper, values, deltas)


def run(
    mode: int,
    table: Array,
    reals: Array,
    params: Array,
    gradient: Array,
    velocity: Array,
    hyper: Array,
    values: Array,
    deltas: Array,
    *batches: Any,
) -> int:
    """Do what ``kernels.compiled.engine.run`` does, with the same arguments."""
    net = bind(table, reals, params, gradient, velocity, hyper, values, deltas)
    last: int = net.run(mode, *batches)
    return last
