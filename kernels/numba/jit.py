"""How kernels are compiled, decided here and nowhere else."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numba
import numpy as np
from numba.core import types

from ..contract import Field, fields_of
from ..interrupts import undisturbed
from .disk_cache import keep_in_cache

# Kernels are compiled without any permission to change their arithmetic.  The same kernel exists
# in several copies of machine code: by itself, and in each caller that it is inlined into.  Which
# copy a call reaches depends on what was compiled first and what came from the cache.  Given the
# permission to fuse ``a * b - c * d`` (contract) or to reorder a sum (reassoc), the compiler
# decides anew in each copy, in a vectorized loop and in its remainder, and their last bits differ.
# So a kernel says itself what is fused (``rounding.fma``) and in which order a long sum is taken
# (``vectors``), and all its copies agree.
STRICT: frozenset[str] = frozenset()

# The ladder alone is compiled otherwise, to show what these permissions do.  The full "fast" set
# would also assume that no NaN or infinity occurs, and so delete the very checks that notice a
# diverging run (numba#2919).
CONTRACT = frozenset({"contract"})
REASSOCIATE = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})


def compiled(flags: frozenset[str], inline: str = "never") -> Callable[[Callable[..., Any]], Any]:
    """Compile a kernel at its first call, release the GIL in it, and keep the machine code."""

    def decorate(function: Callable[..., Any]) -> Any:
        # _nrt: kernels only look at arrays that somebody else keeps alive, so reference counts
        # would be dead weight.
        kernel = numba.njit(
            nogil=True, error_model="numpy", fastmath=set(flags), inline=inline,
            _nrt=False, no_cfunc_wrapper=True,
        )(function)  # fmt: skip
        if not numba.config.DISABLE_JIT:
            keep_in_cache(kernel, function)
            # What Numba calls when another kernel calls it: by itself, it would compile a copy for
            # each constant that an argument may be.
            template_for = kernel.get_call_template
            kernel.get_call_template = lambda args, kws: template_for(
                tuple(map(types.unliteral, args)), kws
            )
            # What Numba calls when Python calls a kernel with types that are new to it.
            compile_for = kernel._compile_for_args
            kernel._compile_for_args = lambda *args: undisturbed(partial(compile_for, *args))
        return kernel

    return decorate


exact = compiled(STRICT)

# Inlined where it is called.  Without reference counts only inlined code may return a view; and
# what is inlined is compiled once, not once by itself and again with each caller: the rows of the
# engine as functions of their own cost a quarter more compile time.
view = compiled(STRICT, inline="always")

# For the ladder.
contracted = compiled(CONTRACT)
fast = compiled(REASSOCIATE)

# For functions that are made while a program runs: a cache would not know them again.
made_at_run_time = numba.njit(nogil=True)


def _type_of(field: Field, real: Any) -> Any:
    """Return the type of a group's field."""
    if not field.axes:
        return types.int64
    name = field.kind.removeprefix("const ").removesuffix("_t")
    dtype = real if name == "real" else numba.from_dtype(np.dtype(name))
    return types.Array(dtype, field.axes, "C")


def for_groups(kernel: Any, groups: tuple[Any, ...], dtype: np.dtype[Any]) -> Callable[..., Any]:
    """Return a kernel that takes groups of arguments, compiled for reals of a dtype.

    Its machine code is called directly, with no look at the types: Numba's own call would take
    25 microseconds to look at the fields of five groups, which is longer than a step of a small
    net.  So all arrays must be what the contract says, and C-contiguous.
    """
    if numba.config.DISABLE_JIT:
        return kernel  # type: ignore[no-any-return]
    real = numba.from_dtype(dtype)
    signature = tuple(
        types.NamedTuple([_type_of(field, real) for field in fields_of(group)], group)
        for group in groups
    )
    ready = kernel.overloads.get(signature)
    if ready is None:
        undisturbed(partial(kernel.compile, signature))
        ready = kernel.overloads[signature]
    return ready.entry_point  # type: ignore[no-any-return]


def anew(kernel: Any) -> Any:
    """Return a kernel as it is before its first call, and without a cache."""
    options = {key: value for key, value in kernel.targetoptions.items() if key != "nopython"}
    return numba.njit(**options)(kernel.py_func)
