"""The two limits of one core, measured: multiply-adds per second, and bytes per second.

No kernel computes faster than the first allows, nor, when it does F operations for every byte
that it reads, faster than F times the second: over F, the two draw a roof.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba.extending import intrinsic

from ..compiled.jit import fast, made_at_run_time
from .timing import Repeated, rate, repetitions

CACHE_LINE = 64  # bytes

SAMPLES = 50


def fma_peak(dtype: Any = np.float32, lanes: int | None = None, chains: int = 12) -> float:
    """Measure how many floating-point operations one core does in a second at most.

    A loop of nothing but fused multiply-adds, ``s = s * x + y``, each counted as two.  Those of
    one chain wait for one another; to keep the core busy takes as many chains as it can have
    begun before the first is done.

    Parameters
    ----------
    dtype : float32 or float64
    lanes : int, optional
        Numbers in a vector, by default as many as the widest register holds; 1 for no vectors.
    chains : int
        Independent accumulators; 12 suffice, and leave room in 16 registers.
    """
    dtype = np.dtype(dtype)
    lanes = lanes or vector_bytes() // dtype.itemsize
    run = _multiply_add_loop(lanes, chains)
    x, y = dtype.type(0.999), dtype.type(0.001)
    return 2 * lanes * chains * _fastest_rate(lambda times: run(times, x, y))


def bandwidth(nbytes: int, dtype: Any = np.float32) -> float:
    """Measure how many bytes of a block that it reads over and over one core gets in a second.

    The size decides where the block lies: in the first cache, the second, or in memory.
    """
    block = aligned(nbytes // np.dtype(dtype).itemsize, dtype)
    block[:] = 1
    return block.nbytes * _fastest_rate(lambda times: _read(block, times))


def aligned(size: int, dtype: Any) -> np.ndarray[Any, Any]:
    """Return uninitialized memory that begins with a cache line.

    NumPy's own begins 16 bytes into one: then every 64-byte load touches two lines, and takes
    twice as long.
    """
    itemsize = np.dtype(dtype).itemsize
    memory = np.empty(size + CACHE_LINE // itemsize, dtype)
    start = -memory.ctypes.data % CACHE_LINE // itemsize
    return memory[start : start + size]


@lru_cache
def vector_bytes() -> int:
    """Return the size of this machine's widest vector register."""
    features = binding.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


def _fastest_rate(run: Repeated) -> float:
    """Return how many times a second ``run`` does its work at best: these are limits."""
    times = repetitions(run)
    return max(rate(run, times) for _ in range(SAMPLES))


@fast
def _read(block, times):
    total = block.dtype.type(0)
    for repetition in range(times):
        # Each time by another factor, or the compiler would read the block only once.
        factor = block.dtype.type(repetition)
        for i in range(block.size):
            total += factor * block[i]
    return total


@lru_cache
def _multiply_add_loop(lanes: int, chains: int) -> Callable[..., Any]:
    """Return ``run(times, x, y)``, written in LLVM's language so that nothing is optimized away."""

    @intrinsic
    def loop(typing_context, times, x, y):
        def generate(context, builder, signature, arguments):
            times, x, y = arguments
            vector = ir.VectorType(x.type, lanes)
            name = f"llvm.fma.v{lanes}{x.type.intrinsic_name}"
            multiply_add = builder.module.globals.get(name) or ir.Function(
                builder.module, ir.FunctionType(vector, [vector] * 3), name
            )
            x, y = _spread(builder, x, vector), _spread(builder, y, vector)
            before, body = builder.block, builder.append_basic_block("multiply_adds")
            after = builder.append_basic_block("done")
            builder.branch(body)

            builder.position_at_end(body)
            left = builder.phi(times.type)
            sums = [builder.phi(vector) for _ in range(chains)]
            new_sums = [builder.call(multiply_add, [s, x, y]) for s in sums]
            new_left = builder.sub(left, times.type(1))
            builder.cbranch(builder.icmp_signed(">", new_left, times.type(0)), body, after)
            left.add_incoming(times, before)
            left.add_incoming(new_left, body)
            for i, (s, new) in enumerate(zip(sums, new_sums, strict=True)):
                s.add_incoming(vector([float(i)] * lanes), before)
                s.add_incoming(new, body)

            builder.position_at_end(after)
            total = new_sums[0]
            for s in new_sums[1:]:
                total = builder.fadd(total, s)
            return builder.extract_element(total, ir.IntType(32)(0))

        return x(times, x, y), generate

    @made_at_run_time
    def run(times, x, y):
        return loop(times, x, y)

    return run


def _spread(builder: Any, number: Any, vector: Any) -> Any:
    """Fill a vector with one number."""
    first = builder.insert_element(vector(ir.Undefined), number, ir.IntType(32)(0))
    zeros = ir.VectorType(ir.IntType(32), vector.count)(None)
    return builder.shuffle_vector(first, vector(ir.Undefined), zeros)
