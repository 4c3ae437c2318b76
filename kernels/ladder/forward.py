"""The first layer's product: 32 samples of 784 numbers through 10 units, half a million FLOP.

``out += scale * a @ b.T`` for the weights ``a`` (10, 784) and the samples ``b`` (32, 784): each
of the 320 results is the dot product of two rows.
"""

import numpy as np

from .. import reference
from ..numba import matmul
from ..numba.jit import contracted, fast
from .c_backend import c_step
from .step import Ladder, Step


@contracted
def textbook(a, b, scale, out):
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            total = a.dtype.type(0)
            for p in range(a.shape[1]):
                total += a[i, p] * b[j, p]
            out[i, j] += scale * total


@contracted
def sum_outermost(a, b, scale, out):
    for p in range(a.shape[1]):
        for i in range(a.shape[0]):
            for j in range(b.shape[0]):
                out[i, j] += scale * a[i, p] * b[j, p]


@fast
def vectors(a, b, scale, out):
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            total = a.dtype.type(0)
            for p in range(a.shape[1]):
                total += a[i, p] * b[j, p]
            out[i, j] += scale * total


@fast
def block_2x2(a, b, scale, out):
    m, n = out.shape
    for i in range(0, m - 1, 2):
        for j in range(0, n - 1, 2):
            s00 = s01 = s10 = s11 = a.dtype.type(0)
            for p in range(a.shape[1]):
                a0, a1 = a[i, p], a[i + 1, p]
                b0, b1 = b[j, p], b[j + 1, p]
                s00, s01 = s00 + a0 * b0, s01 + a0 * b1
                s10, s11 = s10 + a1 * b0, s11 + a1 * b1
            add(out, i, j, scale, (s00, s01))
            add(out, i + 1, j, scale, (s10, s11))
    outside_of(m - m % 2, n - n % 2, a, b, scale, out)


@fast
def block_5x4(a, b, scale, out):
    m, n = out.shape
    for j in range(0, n - 3, 4):
        for i in range(0, m - 4, 5):
            s00 = s01 = s02 = s03 = a.dtype.type(0)
            s10 = s11 = s12 = s13 = a.dtype.type(0)
            s20 = s21 = s22 = s23 = a.dtype.type(0)
            s30 = s31 = s32 = s33 = a.dtype.type(0)
            s40 = s41 = s42 = s43 = a.dtype.type(0)
            for p in range(a.shape[1]):
                a0, a1, a2, a3, a4 = a[i, p], a[i + 1, p], a[i + 2, p], a[i + 3, p], a[i + 4, p]
                b0, b1, b2, b3 = b[j, p], b[j + 1, p], b[j + 2, p], b[j + 3, p]
                s00, s01, s02, s03 = s00 + a0 * b0, s01 + a0 * b1, s02 + a0 * b2, s03 + a0 * b3
                s10, s11, s12, s13 = s10 + a1 * b0, s11 + a1 * b1, s12 + a1 * b2, s13 + a1 * b3
                s20, s21, s22, s23 = s20 + a2 * b0, s21 + a2 * b1, s22 + a2 * b2, s23 + a2 * b3
                s30, s31, s32, s33 = s30 + a3 * b0, s31 + a3 * b1, s32 + a3 * b2, s33 + a3 * b3
                s40, s41, s42, s43 = s40 + a4 * b0, s41 + a4 * b1, s42 + a4 * b2, s43 + a4 * b3
            add(out, i, j, scale, (s00, s01, s02, s03))
            add(out, i + 1, j, scale, (s10, s11, s12, s13))
            add(out, i + 2, j, scale, (s20, s21, s22, s23))
            add(out, i + 3, j, scale, (s30, s31, s32, s33))
            add(out, i + 4, j, scale, (s40, s41, s42, s43))
    outside_of(m - m % 5, n - n % 4, a, b, scale, out)


@fast
def block_5x8(a, b, scale, out):
    m, n = out.shape
    for j in range(0, n - 7, 8):
        for i in range(0, m - 4, 5):
            s00 = s01 = s02 = s03 = s04 = s05 = s06 = s07 = a.dtype.type(0)
            s10 = s11 = s12 = s13 = s14 = s15 = s16 = s17 = a.dtype.type(0)
            s20 = s21 = s22 = s23 = s24 = s25 = s26 = s27 = a.dtype.type(0)
            s30 = s31 = s32 = s33 = s34 = s35 = s36 = s37 = a.dtype.type(0)
            s40 = s41 = s42 = s43 = s44 = s45 = s46 = s47 = a.dtype.type(0)
            for p in range(a.shape[1]):
                a0, a1, a2, a3, a4 = a[i, p], a[i + 1, p], a[i + 2, p], a[i + 3, p], a[i + 4, p]
                b0, b1, b2, b3 = b[j, p], b[j + 1, p], b[j + 2, p], b[j + 3, p]
                s00, s01, s02, s03 = s00 + a0 * b0, s01 + a0 * b1, s02 + a0 * b2, s03 + a0 * b3
                s10, s11, s12, s13 = s10 + a1 * b0, s11 + a1 * b1, s12 + a1 * b2, s13 + a1 * b3
                s20, s21, s22, s23 = s20 + a2 * b0, s21 + a2 * b1, s22 + a2 * b2, s23 + a2 * b3
                s30, s31, s32, s33 = s30 + a3 * b0, s31 + a3 * b1, s32 + a3 * b2, s33 + a3 * b3
                s40, s41, s42, s43 = s40 + a4 * b0, s41 + a4 * b1, s42 + a4 * b2, s43 + a4 * b3
                b4, b5, b6, b7 = b[j + 4, p], b[j + 5, p], b[j + 6, p], b[j + 7, p]
                s04, s05, s06, s07 = s04 + a0 * b4, s05 + a0 * b5, s06 + a0 * b6, s07 + a0 * b7
                s14, s15, s16, s17 = s14 + a1 * b4, s15 + a1 * b5, s16 + a1 * b6, s17 + a1 * b7
                s24, s25, s26, s27 = s24 + a2 * b4, s25 + a2 * b5, s26 + a2 * b6, s27 + a2 * b7
                s34, s35, s36, s37 = s34 + a3 * b4, s35 + a3 * b5, s36 + a3 * b6, s37 + a3 * b7
                s44, s45, s46, s47 = s44 + a4 * b4, s45 + a4 * b5, s46 + a4 * b6, s47 + a4 * b7
            add(out, i, j, scale, (s00, s01, s02, s03, s04, s05, s06, s07))
            add(out, i + 1, j, scale, (s10, s11, s12, s13, s14, s15, s16, s17))
            add(out, i + 2, j, scale, (s20, s21, s22, s23, s24, s25, s26, s27))
            add(out, i + 3, j, scale, (s30, s31, s32, s33, s34, s35, s36, s37))
            add(out, i + 4, j, scale, (s40, s41, s42, s43, s44, s45, s46, s47))
    outside_of(m - m % 5, n - n % 8, a, b, scale, out)


@fast
def add(out, i, j, scale, sums):
    for q in range(len(sums)):
        out[i, j + q] += scale * sums[q]


@fast
def outside_of(rows, columns, a, b, scale, out):
    """What blocks leave over: all of ``out`` but its first ``rows`` and ``columns``."""
    for i in range(out.shape[0]):
        for j in range(columns if i < rows else 0, out.shape[1]):
            total = a.dtype.type(0)
            for p in range(a.shape[1]):
                total += a[i, p] * b[j, p]
            out[i, j] += scale * total


def make(rng, dtype, m, k, n):
    a = rng.standard_normal((m, k)).astype(dtype)
    b = rng.standard_normal((n, k)).astype(dtype)
    return a, b, dtype(0.5), rng.standard_normal((m, n)).astype(dtype)


def bound(a, b, scale, out):
    """One rounding for each product of a sum, and three for the rest."""
    return np.abs(out) + (a.shape[1] + 3) * abs(scale) * (np.abs(a) @ np.abs(b).T)


# Bytes are counted by hand, for one pass of the innermost loop: it loads `a` and `b`, 4 bytes
# each, and makes 2 FLOP of every pair.  The samples, 100 kB, do not fit the first cache, where a
# row or four of them stay while they are in use.
FORWARD = Ladder(
    title="A layer's product, (10, 784) x (784, 32)",
    question="Why is a matrix product that is written as in the textbook sixty times too slow?",
    steps=(
        Step(
            "textbook",
            textbook,
            "Three loops, the sum innermost: every addition waits for the one before it, 4 cycles "
            "long, and the compiler may not change their order, for that would round differently.",
            loads=8 / 2,
            streams=4 / 2,
        ),
        Step(
            "sum_outermost",
            sum_outermost,
            "The same loops with the sum outermost: no addition waits for another, but each walks "
            "down a column of b, and one number lies 3 kB from the next.",
            loads=8 / 2,
            streams=4 / 32,
            rejected="A vector is loaded from neighbours in memory, and there are none this way; "
            "every sum also goes to memory and back at each step.",
        ),
        Step(
            "vectors",
            vectors,
            "The textbook's lines with permission to reorder sums (reassoc): the compiler keeps "
            "16 partial sums in a register, four such registers, and adds them up at the end.",
            loads=8 / 2,
            streams=4 / 2,
        ),
        Step(
            "block_2x2",
            block_2x2,
            "Two rows against two: four multiply-adds for four loads instead of one for two: "
            "there are half as many loads for the same arithmetic.",
            loads=16 / 8,
            streams=8 / 8,
            parts=(add, outside_of),
        ),
        Step(
            "block_5x4",
            block_5x4,
            "Five rows against four: 20 multiply-adds for 9 loads; 20 sums, 4 rows of b and one "
            "of a are 25 of the 32 vector registers.",
            loads=36 / 40,
            streams=28 / 40,
            parts=(add, outside_of),
        ),
        Step(
            "block_5x8",
            block_5x8,
            "Five rows against eight: fewer loads still, 13 for 40 multiply-adds.",
            loads=52 / 80,
            streams=36 / 80,
            parts=(add, outside_of),
            rejected="40 sums do not fit 32 registers: the rest is spilled, written to the stack "
            "and read back at every step, which costs more than the loads that are saved.",
        ),
        Step(
            "shipped",
            matmul.matmul_nt,
            "What fastmlp runs: its file says why in this form.",
            loads=36 / 40,
            streams=16 / 40,
            parts=(matmul,),
        ),
        *c_step(
            lambda kernels, *arguments: kernels.matmul_nt(*arguments),
            "matmul.c",
            ("nt_tile",),
            loads=36 / 40,
            streams=16 / 40,
        ),
    ),
    reference=reference.matmul_nt,
    make=make,
    sizes=(10, 784, 32),
    bound=bound,
    work=lambda m, k, n: 2 * m * k * n,
    unit="GFLOP/s",
)
