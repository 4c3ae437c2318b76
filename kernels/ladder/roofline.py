"""The limits of one core, measured: multiply-adds per second, and bytes per second.

No kernel computes faster than the first allows.  Nor does it compute faster than F times the
second, if it does F operations for every byte that it reads.  Drawn over F, the two limits look
like a roof.

The loops are written in LLVM's language, because a limit must not depend on what an optimizer
makes of a loop: the benchmark and the ladder measure with the same machine code, and a test counts
the independent accumulators in it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..numba.jit import made_at_run_time
from .machine import caches, vector_bytes, vector_registers
from .timing import Repeated, rate, repetitions

CACHE_LINE = 64  # bytes

# A limit is the best of several measurements, because a disturbance can only slow one down.
SAMPLES = 50
SECONDS = 0.5  # after which three samples are enough

# The loop that reads adds to 8 accumulators.  An addition of integers takes 1 or 2 cycles, and no
# core loads more than 4 vectors a cycle.
ACCUMULATORS = 8
READS = 32  # in one turn of the loop, so that counter and jump don't matter

MEMORY = 256 * 1024**2  # bytes: more than most caches hold


def fma_peak(dtype: Any = np.float32, lanes: int | None = None, chains: int | None = None) -> float:
    """Measure how many floating-point operations one core does in a second at most.

    Parameters
    ----------
    dtype, lanes, chains
        As of :func:`multiply_adds`.

    Returns
    -------
    float
        FLOP/s; a multiply-add counts as two operations.
    """
    run, flops = multiply_adds(dtype, lanes, chains)
    return flops * _fastest_rate(run)


def multiply_adds(
    dtype: Any = np.float32, lanes: int | None = None, chains: int | None = None
) -> tuple[Repeated, int]:
    """Return a loop of nothing but multiply-adds, ``s = s * x + y``, and the FLOP of one turn.

    The multiply-adds of one chain wait for one another.  To keep a core busy takes as many
    chains as it can begin multiply-adds before the first is done: 2 units times 4 cycles are 8
    on Zen 3 to Zen 5 and on Intel's cores, 4 units times 4 cycles are 16 on Arm's large ones.

    Parameters
    ----------
    dtype : float32 or float64
    lanes : int, optional
        Numbers in a vector, by default as many as the widest register holds; 1 for no vectors.
    chains : int, optional
        Independent accumulators, by default 24 where there are 32 registers, and 12 where there
        are 16: x and y need two.
    """
    dtype = np.dtype(dtype)
    lanes = lanes or vector_bytes() // dtype.itemsize
    chains = chains or vector_registers() * 3 // 4
    loop = _multiply_add_loop(lanes, chains)
    # Whatever they start from, the accumulators approach y / (1 - x) = 1: no value becomes
    # denormal or infinite, which could be slower.
    x, y = dtype.type(0.999), dtype.type(0.001)
    return (lambda times: loop(times, x, y)), 2 * lanes * chains


def bandwidth(nbytes: int) -> float:
    """Measure how many bytes of a block that it reads over and over one core gets in a second.

    The size decides where the block lies: in the first cache, in another, or in memory.
    """
    block = _block(nbytes)
    run = _read_loop(vector_bytes())
    return block.nbytes * _fastest_rate(lambda times: run(times, block))


def copy_rate(nbytes: int) -> float:
    """Measure how many bytes one core reads and writes in a second where it copies a block.

    Parameters
    ----------
    nbytes : int
        What source and target take together.
    """
    source, target = _block(nbytes // 2), _block(nbytes // 2)
    run = _copy_loop(vector_bytes())
    return 2 * source.nbytes * _fastest_rate(lambda times: run(times, source, target))


@dataclass(frozen=True)
class Place:
    """Where a block can lie: a level of the caches, or memory."""

    name: str
    nbytes: int  # of a block that lies there

    def bandwidth(self) -> float:
        """Bytes a second."""
        return bandwidth(self.nbytes)


def places(sizes: list[int] | None = None) -> list[Place]:
    """Return the caches that can be told apart, and memory.

    Parameters
    ----------
    sizes : list of int, optional
        The caches' sizes, by default this machine's.  If the machine does not tell them, its
        first cache is assumed to hold 24 kB, as that of any processor does, and is the only one.
    """
    sizes = caches() if sizes is None else sizes
    first, *further = sizes or [32 * 1024]
    found = [Place("first cache", first * 3 // 4)]
    smaller = first
    for name, size in zip(("second cache", "third cache", "fourth cache"), further, strict=False):
        # At least twice the cache before, which would keep some of a smaller block; at most half
        # of this one, which other cores and programs may share.
        nbytes = min(4 * smaller, size // 2)
        if nbytes >= 2 * smaller:
            found.append(Place(name, nbytes))
            smaller = size
    return [*found, Place("memory", max(MEMORY, 2 * max(sizes, default=0)))]


def aligned(size: int, dtype: Any) -> np.ndarray[Any, Any]:
    """Return uninitialized memory that begins with a cache line.

    NumPy's own begins 16 bytes into one: then every 64-byte load touches two lines, and takes
    twice as long.
    """
    itemsize = np.dtype(dtype).itemsize
    memory = np.empty(size + CACHE_LINE // itemsize, dtype)
    start = -memory.ctypes.data % CACHE_LINE // itemsize
    return memory[start : start + size]


def _block(nbytes: int) -> np.ndarray[Any, Any]:
    """Return about so many bytes, as integers: a whole number of turns of a reading loop."""
    turn = READS * vector_bytes()
    block = aligned(max(1, nbytes // turn) * turn // 4, np.int32)
    block[:] = 1
    return block


def _fastest_rate(run: Repeated) -> float:
    """Return how many times a second ``run`` does its work at best."""
    times = repetitions(run)
    stop = time.perf_counter() + SECONDS
    found = []
    while len(found) < SAMPLES and (len(found) < 3 or time.perf_counter() < stop):
        found.append(rate(run, times))
    return max(found)


@lru_cache
def _multiply_add_loop(lanes: int, chains: int) -> Callable[..., Any]:
    """Compile ``run(times, x, y)``, which returns the first lane of the accumulators' sum."""

    @intrinsic
    def loop(typing_context, times, x, y):
        def generate(context, builder, signature, arguments):
            times, x, y = arguments
            vector = ir.VectorType(x.type, lanes)
            # Fused where the processor can, as the kernels' products and sums are.
            name = f"llvm.fmuladd.v{lanes}{x.type.intrinsic_name}"
            multiply_add = builder.module.globals.get(name) or ir.Function(
                builder.module, ir.FunctionType(vector, [vector] * 3), name
            )
            x, y = _spread(builder, x, vector), _spread(builder, y, vector)
            starts = [vector([float(i)] * lanes) for i in range(chains)]
            first, *others = _counted_loop(
                builder,
                times,
                starts,
                lambda sums: [builder.call(multiply_add, [s, x, y]) for s in sums],
            )
            for s in others:
                first = builder.fadd(first, s)
            return builder.extract_element(first, ir.IntType(32)(0))

        return x(times, x, y), generate

    @made_at_run_time
    def run(times, x, y):
        return loop(times, x, y)

    return run


@lru_cache
def _read_loop(width: int) -> Callable[..., Any]:
    """Compile ``run(times, block)``, which returns ``times`` the sum of a block of int32.

    Integers, because additions of floats could be slower than loads from the first cache.
    """
    vector = ir.VectorType(ir.IntType(32), width // 4)

    @intrinsic
    def loop(typing_context, turns, address, nbytes):
        def generate(context, builder, signature, arguments):
            turns, address, nbytes = arguments

            def turn(state):
                offset, *sums = state
                for i in range(READS):
                    pointer = _pointer(builder, vector, address, offset, i * width)
                    loaded = builder.load(pointer, align=width)
                    sums[i % ACCUMULATORS] = builder.add(sums[i % ACCUMULATORS], loaded)
                return [_next_offset(builder, offset, READS * width, nbytes), *sums]

            starts = [nbytes.type(0), *[vector(None)] * ACCUMULATORS]
            _, total, *others = _counted_loop(builder, turns, starts, turn)
            for s in others:
                total = builder.add(total, s)
            lanes = [builder.extract_element(total, ir.IntType(32)(i)) for i in range(width // 4)]
            total = lanes[0]
            for lane in lanes[1:]:
                total = builder.add(total, lane)
            return total

        return types.int32(turns, address, nbytes), generate

    @made_at_run_time
    def run(times, block):
        return loop(times * (block.nbytes // (READS * width)), block.ctypes.data, block.nbytes)

    return run


@lru_cache
def _copy_loop(width: int) -> Callable[..., Any]:
    """Compile ``run(times, source, target)``, which copies a block as often as it is told."""
    vector = ir.VectorType(ir.IntType(32), width // 4)

    @intrinsic
    def loop(typing_context, turns, source, target, nbytes):
        def generate(context, builder, signature, arguments):
            turns, source, target, nbytes = arguments

            def turn(state):
                (offset,) = state
                for i in range(READS):
                    pointer = _pointer(builder, vector, source, offset, i * width)
                    loaded = builder.load(pointer, align=width)
                    pointer = _pointer(builder, vector, target, offset, i * width)
                    builder.store(loaded, pointer, align=width)
                return [_next_offset(builder, offset, READS * width, nbytes)]

            _counted_loop(builder, turns, [nbytes.type(0)], turn)
            return turns

        return turns(turns, source, target, nbytes), generate

    @made_at_run_time
    def run(times, source, target):
        turns = times * (source.nbytes // (READS * width))
        loop(turns, source.ctypes.data, target.ctypes.data, source.nbytes)

    return run


def _counted_loop(
    builder: Any,
    times: Any,
    starts: list[Any],
    turn: Callable[[list[Any]], list[Any]],
) -> list[Any]:
    """Write a loop, at least one turn long, whose every turn makes new values of the last ones."""
    before, body = builder.block, builder.append_basic_block("turn")
    after = builder.append_basic_block("done")
    builder.branch(body)

    builder.position_at_end(body)
    left = builder.phi(times.type)
    values = [builder.phi(start.type) for start in starts]
    new_values = turn(list(values))
    new_left = builder.sub(left, times.type(1))
    builder.cbranch(builder.icmp_signed(">", new_left, times.type(0)), body, after)
    left.add_incoming(times, before)
    left.add_incoming(new_left, body)
    for value, start, new in zip(values, starts, new_values, strict=True):
        value.add_incoming(start, before)
        value.add_incoming(new, body)

    builder.position_at_end(after)
    return new_values


def _pointer(builder: Any, vector: Any, address: Any, offset: Any, constant: int) -> Any:
    """Point at the vector that many bytes behind an address."""
    place = builder.add(builder.add(address, offset), address.type(constant))
    return builder.inttoptr(place, vector.as_pointer())


def _next_offset(builder: Any, offset: Any, step: int, nbytes: Any) -> Any:
    """Go on by a step, and from a block's end to its beginning.

    Without a jump: the processor would guess wrong at the end of each pass over a small block.
    """
    further = builder.add(offset, offset.type(step))
    return builder.select(builder.icmp_unsigned("<", further, nbytes), further, offset.type(0))


def _spread(builder: Any, number: Any, vector: Any) -> Any:
    """Fill a vector with one number."""
    first = builder.insert_element(vector(ir.Undefined), number, ir.IntType(32)(0))
    zeros = ir.VectorType(ir.IntType(32), vector.count)(None)
    return builder.shuffle_vector(first, vector(ir.Undefined), zeros)
