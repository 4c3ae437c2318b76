"""How results are rounded, where that is not left to one operation after another.

``fma`` multiplies and adds with one rounding, in any copy of a kernel (``jit`` says why that
must be spelled out).  ``add_evenly`` adds numbers that are too small to count in one addition.
"""

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import lower_builtin, type_callable

from ..contract import ELEMENT_STRIDE, STEP_STRIDE
from .jit import exact


def fma(a, b, c):
    """Return ``a * b + c``, of one rounding where the machine can; all are of one dtype."""
    return a * b + c


@type_callable(fma)
def _type_fma(context):
    return lambda a, b, c: a if a == b == c else None


def fused(builder, a, b, c):
    """Build a fused multiply-add of scalars or vectors."""
    # Not llvm.fma, which would be a call into libm on a machine that cannot fuse: there this is
    # a product and a sum, and as nothing else may fuse them, in every copy of a kernel.
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(a.type, [a.type] * 3), f"llvm.fmuladd.{_suffix(a.type)}"
    )
    return builder.call(function, [a, b, c])


def _suffix(kind):
    if isinstance(kind, ir.VectorType):
        return f"v{kind.count}{_suffix(kind.element)}"
    return "f32" if isinstance(kind, ir.FloatType) else "f64"


@lower_builtin(fma, types.Float, types.Float, types.Float)
def _lower_fma(context, builder, signature, arguments):
    return fused(builder, *arguments)


@exact
def turn(step, i):
    """Return whose turn it is to be rounded up, at a step: for ``add_evenly`` to element ``i``.

    Over the steps, and over the elements at one step, these numbers are spread evenly over those
    that fit an int32.
    """
    return low_32_bits(int(step) * STEP_STRIDE + int(i) * ELEMENT_STRIDE)


@exact
def next_turn(now):
    """Return that of the next element."""
    return low_32_bits(int(now) + ELEMENT_STRIDE)


@exact
def low_32_bits(number):
    """Return the int32 that is equal to a number modulo 2^32."""
    return np.int32(((number + 2**31) & 0xFFFFFFFF) - 2**31)


@exact
def power_32(x, y):
    bits = np.float32(x).view(np.int32) & 0x7F800000 | np.float32(y).view(np.int32) & -(2**31)
    return np.int32(bits).view(np.float32)


@exact
def power_64(x, y):
    mask = np.int64(0x7FF0000000000000)
    bits = np.float64(x).view(np.int64) & mask | np.float64(y).view(np.int64) & ~0x7FFFFFFFFFFFFFFF
    return np.int64(bits).view(np.float64)


@exact
def power(x, y):
    """Return the power of 2 that is next to ``x``, towards 0, with the sign of ``y``."""
    return power_32(x, y) if isinstance(x, np.float32) else power_64(x, y)


@exact
def add_evenly(a, b, now):
    """Return ``a + b``, rounded up or down in such a way that in many sums no part of b is lost.

    To the nearest number, ``a + b`` is ``a`` for any b below half the distance to the next one:
    a penalty's step of 1e-9 of a weight would never move it, however often it is taken.  Here
    the part that the sum lost is compared with the distance times a number between 0 and 1, which
    is given by the turn ``now``.  If the turns of many sums are spread evenly, then the share of
    those that are rounded up is just what was lost: of steps of 0.01 distances, every hundredth
    moves the weight by one.
    """
    real = type(a)
    epsilon = real(2.0**-23 if isinstance(a, np.float32) else 2.0**-52)
    total = a + b
    lost = b - (total - a)  # exact for |b| <= |a| (Dekker, 1971); a larger b is not lost
    limit = fma(epsilon * real(2.0**-32), real(now), epsilon * real(0.5)) * power(total, real(0))
    return total + (epsilon * power(total, lost) if abs(lost) > limit else real(0))
