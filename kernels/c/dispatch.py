"""Which of the functions that were built a call reaches: by instruction set, and by dtype."""

import functools
import os
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from .sources import digest, is_checkout

Array = np.ndarray[Any, Any]

f32, f64 = (import_module(f".{name}", __package__) for name in ("f32", "f64"))

if is_checkout() and {getattr(module, "SOURCES", "") for module in (f32, f64)} != {digest()}:
    raise ImportError("they were built from other sources than those in kernels/c; install again")


def _choose_instruction_set() -> str:
    """Return the best that this CPU has, or the one that ``FASTMLP_ISA`` asks for."""
    supported = f32.instruction_sets()
    wanted = os.environ.get("FASTMLP_ISA")
    if not wanted:
        return next(name for name, here in supported.items() if here)
    if wanted not in supported:
        raise ValueError(f"FASTMLP_ISA: {wanted!r} is unknown; expected one of {[*supported]}")
    if not supported[wanted]:
        raise ValueError(f"FASTMLP_ISA: this machine's processor has no {wanted}")
    return wanted


_INSTRUCTION_SET = _choose_instruction_set()
f32.use(_INSTRUCTION_SET)
f64.use(_INSTRUCTION_SET)


def instruction_set() -> str:
    """Return the name of the instruction set that the kernels in use are compiled for."""
    return _INSTRUCTION_SET


def of_dtype(array: Array) -> ModuleType:
    """Return the functions for an array's dtype."""
    return f32 if array.dtype.itemsize == 4 else f64


def by_dtype(name: str) -> Callable[..., Any]:
    """Return a kernel for arrays of either dtype: it looks at the first array of reals."""

    @functools.wraps(getattr(f32, name))
    def kernel(*arguments: Any) -> Any:
        for argument in arguments:
            if isinstance(argument, np.ndarray) and argument.dtype.kind == "f":
                return getattr(of_dtype(argument), name)(*arguments)
        raise TypeError(f"{name}: expected an array of float32 or float64")

    return kernel
