"""The threads that share a net's step: what each of them does, and how they wait for each other.

A loop that reads an array until it changes may hang once compiled (numba#1351): nothing tells LLVM
that somebody else writes to it, so it reads once.  Hence atomic operations.

A thread that has to wait spins first, since the others usually come within microseconds; then it
offers its core to others; then it sleeps until it is woken, so that it does not keep those that
work from a core.  How long it spins follows what it found before: ``kernels/c/barrier.c`` has the
reasons and the figures.

A wait can be given up: whoever finds that some thread will never come sets ``ABORT``.  That is only
done while that thread is outside of ``run``, hence only before the first of run's waits has ended:
see ``fastmlp/runtime/team.py``.  A sleep ends by itself after a millisecond, to look at ``ABORT``,
which Python sets without waking anybody.
"""

import os
import platform
import sys
import threading

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import make_array

from .jit import exact

# Places in the barrier's memory.  Those that are looked at together share a cache line.
ARRIVED, GENERATION, ABORT, SLEEPERS, HALVINGS, STOP = 0, 8, 9, 10, 11, 16

LONGEST_SPIN = 8192  # 150 to 300 microseconds
MOST_HALVINGS = 6
YIELDS = 20
LONGEST_SLEEP = 1_000_000  # nanoseconds

# Linux' system call that sleeps while a number in memory is what it was, and its operations.
_FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine(), 0) * (sys.platform == "linux")
_FUTEX_WAIT, _FUTEX_WAKE = 128, 129

# Shares of element-wise work begin at multiples of this many elements.  Then a vectorized loop has
# a remainder in the last share only, and two threads hardly ever write to one cache line.
GRAIN = 64

_atomic = threading.Lock()


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


def sleep_while(memory, i, number):
    """Sleep, for a millisecond at most, unless an element is no longer ``number``."""
    os.sched_yield()


def wake(memory, i):
    """Wake all who sleep while an element is what it was."""


@type_callable(add_atomically)
def _type_add(context):
    return lambda memory, i, amount: memory.dtype


@type_callable(read_atomically)
def _type_read(context):
    return lambda memory, i: memory.dtype


@type_callable(sleep_while)
def _type_sleep(context):
    return lambda memory, i, number: types.none


@type_callable(wake)
def _type_wake(context):
    return lambda memory, i: types.none


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


_LONG, _POINTER = ir.IntType(64), ir.IntType(8).as_pointer()


def _futex(builder, place, operation, number, limit):
    """Call it; of the number in memory, the lower half is looked at."""
    kind = ir.FunctionType(_LONG, [_LONG, _POINTER], var_arg=True)
    function = builder.module.globals.get("syscall") or ir.Function(builder.module, kind, "syscall")
    arguments = [
        _LONG(_FUTEX), builder.bitcast(place, _POINTER), _LONG(operation), number, limit,
        _LONG(0), _LONG(0),
    ]  # fmt: skip
    builder.call(function, arguments)


@lower_builtin(sleep_while, types.Array, types.Integer, types.Integer)
def _lower_sleep(context, builder, signature, arguments):
    if not _FUTEX:
        return _lower_let_others_run(context, builder, None, ())
    memory, i, number = arguments
    place = builder.gep(make_array(signature.args[0])(context, builder, memory).data, [i])
    limit = cgutils.alloca_once(builder, ir.ArrayType(_LONG, 2))  # seconds and nanoseconds
    builder.store(ir.Constant(limit.type.pointee, [0, LONGEST_SLEEP]), limit)
    number = context.cast(builder, number, signature.args[2], types.int64)
    _futex(builder, place, _FUTEX_WAIT, number, builder.bitcast(limit, _POINTER))
    return context.get_dummy_value()


@lower_builtin(wake, types.Array, types.Integer)
def _lower_wake(context, builder, signature, arguments):
    if _FUTEX:
        memory, i = arguments
        place = builder.gep(make_array(signature.args[0])(context, builder, memory).data, [i])
        _futex(builder, place, _FUTEX_WAKE, _LONG(2**31 - 1), ir.Constant(_POINTER, None))
    return context.get_dummy_value()


@exact
def meet(barrier, threads):
    """Return True when ``threads`` threads have called this, or False if that was given up."""
    generation = read_atomically(barrier, GENERATION)
    if add_atomically(barrier, ARRIVED, 1) == threads - 1:
        add_atomically(barrier, ARRIVED, -threads)
        add_atomically(barrier, GENERATION, 1)
        if read_atomically(barrier, SLEEPERS) > 0:
            wake(barrier, GENERATION)
        return True
    halvings = read_atomically(barrier, HALVINGS)
    spins, longest = 0, LONGEST_SPIN >> (halvings if generation % 16 else 0)
    while read_atomically(barrier, GENERATION) == generation:
        if read_atomically(barrier, ABORT) != 0:
            return False
        if spins >= longest + YIELDS:
            add_atomically(barrier, SLEEPERS, 1)
            sleep_while(barrier, GENERATION, generation)
            add_atomically(barrier, SLEEPERS, -1)
            continue
        if spins >= longest:
            let_others_run()
        else:
            pause()
        spins += 1
    # Threads may write one over the other: whose count it is does not matter.
    later = 0 if spins < longest else min(halvings + 1, MOST_HALVINGS)
    if later != halvings:
        barrier[HALVINGS] = later
    return True


@exact
def all_are_here(team):
    """Wait for the others; False if they will not come, which only the first wait can find."""
    return team.threads == 1 or meet(team.barrier, team.threads)


@exact
def wait(team):
    """Wait for the others, between two stages one of which reads what the other writes."""
    if team.threads > 1:
        meet(team.barrier, team.threads)


@exact
def first_of(count, team):
    """Return where this thread's share of ``count`` equal things begins."""
    return count * team.thread // team.threads


@exact
def stop_of(count, team):
    """Return where this thread's share of ``count`` equal things stops."""
    return count * (team.thread + 1) // team.threads


@exact
def first_element_of(size, team):
    """Return where this thread's share of a vector begins: at a multiple of ``GRAIN``."""
    return min(first_of((size + GRAIN - 1) // GRAIN, team) * GRAIN, size)


@exact
def stop_element_of(size, team):
    """Return where this thread's share of a vector stops."""
    return min(stop_of((size + GRAIN - 1) // GRAIN, team) * GRAIN, size)
