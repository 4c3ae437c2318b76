"""What a ladder is made of."""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Kernel = Callable[..., None]


@dataclass(frozen=True)
class Step:
    """One form of a kernel.

    Parameters
    ----------
    name : str
    kernel : function
        Takes what the ladder's ``reference`` takes, and does the same.
    idea : str
        In one sentence.
    loads : float
        Bytes that come into registers for each unit of work, of float32.
    streams : float
        Those of them that do not come from the first cache.
    flops : float, optional
        Floating-point operations in a unit of work.
    parts : functions or modules, optional
        What the kernel calls, and is shown with it.
    rejected : str, optional
        Why no later step builds on this one.
    c_source : str, optional
        What to show of a kernel that is not written in Python.
    error : float, optional
        How far off the result may be beyond rounding.
    """

    name: str
    kernel: Kernel
    idea: str
    loads: float
    streams: float
    flops: float = 1.0
    parts: tuple[Any, ...] = ()
    rejected: str = ""
    c_source: str = ""
    error: float = 0.0

    @property
    def source(self) -> str:
        if self.c_source:
            return self.c_source
        functions = (getattr(f, "py_func", f) for f in (self.kernel, *self.parts))
        return "\n\n".join(textwrap.dedent(inspect.getsource(f)).rstrip() for f in functions)


@dataclass(frozen=True)
class Ladder:
    """The forms of one operation, from the naive one to the one that ships.

    Parameters
    ----------
    title, question : str
    steps : tuple of Step
    reference : function
        The same in NumPy; changes its last argument.
    make : function
        ``make(rng, dtype, *sizes)`` returns arguments for the kernels.
    sizes : tuple of int
        Those that are measured.
    bound : function
        ``bound(*arguments)``, for arguments in float64, returns how far off rounding may take
        each entry of the result, in units of the dtype's epsilon.
    work : function
        ``work(*sizes)`` returns the units of work in one call.
    unit : str
        Of work per nanosecond.
    """

    title: str
    question: str
    steps: tuple[Step, ...]
    reference: Kernel
    make: Callable[..., tuple[Any, ...]]
    sizes: tuple[int, ...]
    bound: Callable[..., Array]
    work: Callable[..., int]
    unit: str

    def footprint(self) -> int:
        """Return the bytes that a measured call touches, in float32."""
        arguments = self.make(np.random.default_rng(0), np.float32, *self.sizes)
        return sum(a.nbytes for a in arguments if isinstance(a, np.ndarray))
