"""The threads that share a net's step: what each of them does, and how they wait for each other.

A loop that reads an array until it changes may hang once compiled (numba#1351): nothing tells LLVM
that somebody else writes to it, so it reads once.  Hence atomic operations.
"""

import os
import platform
import threading
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import types
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import make_array

from .jit import exact, view

# Places in the barrier's memory, a cache line apart.
ARRIVED, GENERATION, STOP = 0, 8, 16

SPINS = 2000

# Of element-wise work.  Of a b - c d, LLVM may round either product, and does not choose alike in a
# vectorized loop and in its remainder.  A multiple of any such loop's step leaves no remainders
# but the last.
GRAIN = 64

_atomic = threading.Lock()


class Team(NamedTuple):
    """A thread's number, that of all threads, and int64 (32,), 0 when they begin."""

    thread: int
    threads: int
    barrier: Any


def add_atomically(memory, i, amount):
    """Add to an element, and return what it was."""
    with _atomic:
        memory[i] += amount
        return memory[i] - amount


def read_atomically(memory, i):
    """Return an element, as it is in memory by now."""
    return memory[i]


def pause():
    """Tell the core that this is a loop that waits."""


def let_others_run():
    """Offer the core to another thread."""
    os.sched_yield()


@type_callable(add_atomically)
def _type_add(context):
    return lambda memory, i, amount: memory.dtype


@type_callable(read_atomically)
def _type_read(context):
    return lambda memory, i: memory.dtype


@type_callable(pause)
@type_callable(let_others_run)
def _type_nothing(context):
    return lambda: types.none


@lower_builtin(add_atomically, types.Array, types.Integer, types.Integer)
def _lower_add(context, builder, signature, arguments):
    memory, i, amount = arguments
    place = builder.gep(make_array(signature.args[0])(context, builder, memory).data, [i])
    amount = context.cast(builder, amount, signature.args[2], signature.return_type)
    return builder.atomic_rmw("add", place, amount, "seq_cst")


@lower_builtin(read_atomically, types.Array, types.Integer)
def _lower_read(context, builder, signature, arguments):
    memory, i = arguments
    place = builder.gep(make_array(signature.args[0])(context, builder, memory).data, [i])
    return builder.load_atomic(place, "seq_cst", signature.return_type.bitwidth // 8)


def _call(builder, result, name):
    function = builder.module.globals.get(name)
    builder.call(function or ir.Function(builder.module, ir.FunctionType(result, ()), name), ())


@lower_builtin(pause)
def _lower_pause(context, builder, signature, arguments):
    if platform.machine() in ("x86_64", "AMD64"):
        _call(builder, ir.VoidType(), "llvm.x86.sse2.pause")
    return context.get_dummy_value()


@lower_builtin(let_others_run)
def _lower_let_others_run(context, builder, signature, arguments):
    if hasattr(os, "sched_yield"):
        _call(builder, ir.IntType(32), "sched_yield")
    return context.get_dummy_value()


@exact
def meet(barrier, threads):
    """Return when ``threads`` threads have called this."""
    generation = read_atomically(barrier, GENERATION)
    if add_atomically(barrier, ARRIVED, 1) == threads - 1:
        add_atomically(barrier, ARRIVED, -threads)
        add_atomically(barrier, GENERATION, 1)
        return
    spins = 0
    while read_atomically(barrier, GENERATION) == generation:
        spins += 1
        if spins > SPINS:
            let_others_run()  # there may be fewer cores than threads
        else:
            pause()


@view
def wait(team):
    """Wait for the others, between two stages one of which reads what the other writes."""
    if team.threads > 1:
        meet(team.barrier, team.threads)


@view
def first_of(count, team):
    """Return where this thread's share of ``count`` rows begins."""
    return count * team.thread // team.threads


@view
def last_of(count, team):
    """Return where this thread's share of ``count`` rows ends."""
    return count * (team.thread + 1) // team.threads


@view
def first_element_of(size, team):
    """Return where this thread's share of a vector begins: at a multiple of ``GRAIN``."""
    return min(first_of((size + GRAIN - 1) // GRAIN, team) * GRAIN, size)


@view
def last_element_of(size, team):
    """Return where this thread's share of a vector ends."""
    return min(last_of((size + GRAIN - 1) // GRAIN, team) * GRAIN, size)
