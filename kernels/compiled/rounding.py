"""How results are rounded, where that is not left to one operation after another.

``fma`` multiplies and adds with one rounding, in any copy of a kernel (``jit`` says why that
must be spelled out).  ``add_evenly`` adds numbers that are too small to count in one addition.
"""

import math

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import lower_builtin, type_callable

from ..contract import ELEMENT_STRIDE, STEP_STRIDE
from .jit import exact

LOW_31_BITS = 0x7FFFFFFF


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
def threshold(like, step, i):
    """Return where, between 0 and 1, element ``i`` rounds up at a step, in the dtype of ``like``.

    Over the steps, and over the elements at one step, these numbers are spread evenly.
    """
    # Cut to 32 bits before the product, or it would take 64 and the loop twice as long.
    start = np.int64(np.int32((step * STEP_STRIDE) & LOW_31_BITS))
    fraction = np.int32((start + np.int64(np.int32(i)) * ELEMENT_STRIDE) & LOW_31_BITS)
    real = type(like)
    return (real(fraction) + real(0.5)) * real(2.0**-31)


@exact
def unit_32(x):
    exponent = np.int32(np.float32(x).view(np.int32) & np.int32(0x7F800000))
    return exponent.view(np.float32) * np.float32(2.0**-23)


@exact
def unit_64(x):
    exponent = np.int64(np.float64(x).view(np.int64) & np.int64(0x7FF0000000000000))
    return exponent.view(np.float64) * np.float64(2.0**-52)


@exact
def unit(x):
    """Return the distance from ``x`` to the next number away from 0."""
    if isinstance(x, np.float32):
        return unit_32(x)
    return unit_64(x)


@exact
def add_evenly(a, b, limit):
    """Return ``a + b``, rounded up or down in such a way that in many sums no part of b is lost.

    To the nearest number, ``a + b`` is ``a`` for any b below half the distance to the next one:
    a penalty's step of 1e-9 of a weight would never move it, however often it is taken.  Here
    the part that the sum lost is compared with the distance times a ``limit`` between 0 and 1, a
    ``threshold``.  If the limits of many sums are spread evenly, then the share of those that are rounded up
    is just what was lost: of steps of 0.01 distances, every hundredth moves the weight by one.
    """
    total = a + b
    lost = b - (total - a)  # exact for |b| <= |a| (Dekker, 1971); a larger b is not lost
    distance = unit(total)
    if abs(lost) > limit * distance:
        return total + math.copysign(distance, lost)
    return total
