"""The first layer's weight update: 32 corrections, added to 7,840 weights.

``out += scale * a @ b`` for the deltas ``a`` (10, 32), the samples ``b`` (32, 784) and the weights
``out`` (10, 784), with a negative ``scale``: the whole step of gradient descent, in which no
gradient is ever stored.
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
        for j in range(b.shape[1]):
            total = a.dtype.type(0)
            for p in range(a.shape[1]):
                total += a[i, p] * b[p, j]
            out[i, j] += scale * total


@contracted
def rows(a, b, scale, out):
    for i in range(a.shape[0]):
        for p in range(a.shape[1]):
            factor = scale * a[i, p]
            for j in range(b.shape[1]):
                out[i, j] += factor * b[p, j]


@fast
def four_samples(a, b, scale, out):
    m, k = a.shape
    for i in range(m):
        for p in range(0, k - 3, 4):
            a0, a1, a2, a3 = four(a, i, p, scale)
            for j in range(b.shape[1]):
                out[i, j] += a0 * b[p, j] + a1 * b[p + 1, j] + a2 * b[p + 2, j] + a3 * b[p + 3, j]
    outside_of(m, k - k % 4, a, b, scale, out)


@fast
def block_5x4(a, b, scale, out):
    m, k = a.shape
    for i in range(0, m - 4, 5):
        for p in range(0, k - 3, 4):
            a00, a01, a02, a03 = four(a, i, p, scale)
            a10, a11, a12, a13 = four(a, i + 1, p, scale)
            a20, a21, a22, a23 = four(a, i + 2, p, scale)
            a30, a31, a32, a33 = four(a, i + 3, p, scale)
            a40, a41, a42, a43 = four(a, i + 4, p, scale)
            for j in range(b.shape[1]):
                b0, b1, b2, b3 = b[p, j], b[p + 1, j], b[p + 2, j], b[p + 3, j]
                out[i, j] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
                out[i + 1, j] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
                out[i + 2, j] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
                out[i + 3, j] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3
                out[i + 4, j] += a40 * b0 + a41 * b1 + a42 * b2 + a43 * b3
    outside_of(m - m % 5, k - k % 4, a, b, scale, out)


@fast
def four(a, i, p, scale):
    return scale * a[i, p], scale * a[i, p + 1], scale * a[i, p + 2], scale * a[i, p + 3]


@fast
def outside_of(units, samples, a, b, scale, out):
    """What blocks leave over: all pairs but those of the first ``units`` and ``samples``."""
    for i in range(a.shape[0]):
        for p in range(samples if i < units else 0, a.shape[1]):
            factor = scale * a[i, p]
            for j in range(b.shape[1]):
                out[i, j] += factor * b[p, j]


def make(rng, dtype, m, k, n):
    a = rng.standard_normal((m, k)).astype(dtype)
    b = rng.standard_normal((k, n)).astype(dtype)
    return a, b, dtype(-0.002), rng.standard_normal((m, n)).astype(dtype)


def bound(a, b, scale, out):
    """Each product may be added to the weight by itself, and rounds it."""
    return (a.shape[1] + 3) * (np.abs(out) + abs(scale) * (np.abs(a) @ np.abs(b)))


# Bytes are counted as in the first ladder; a store costs no load, and is left out.
UPDATE = Ladder(
    title="The weights' update, (10, 784) += (10, 32) x (32, 784)",
    question="Why is the same arithmetic, in the backward pass, another kernel?",
    steps=(
        Step(
            "textbook",
            textbook,
            "A dot product for each weight: along a column of b, in steps of 3 kB, so neither "
            "vectors nor (without reordering) more than one addition at a time.",
            loads=8 / 2,
            streams=4 / 2,
        ),
        Step(
            "rows",
            rows,
            "The loops in another order: a multiple of one row is added to another, neighbours to "
            "neighbours, and 16 sums fill a vector with no permission to reorder any.",
            loads=8 / 2,
            streams=4 / 2,
        ),
        Step(
            "four_samples",
            four_samples,
            "Four samples at once: each weight is loaded and stored once for four corrections; "
            "but the samples still come ten times from the second cache, once for each unit.",
            loads=20 / 8,
            streams=16 / 8,
            parts=(four, outside_of),
        ),
        Step(
            "block_5x4",
            block_5x4,
            "Four samples, five units: what is loaded of a sample is used five times; the "
            "20 factors and what the sums need are too much for 32 registers, though, and some "
            "factors are read again from the stack.",
            loads=36 / 40,
            streams=16 / 40,
            parts=(four, outside_of),
        ),
        Step(
            "shipped",
            matmul.matmul_nn,
            "What fastmlp runs: its file says why in this form.",
            loads=168 / 640,  # 2 vectors, and 10 single numbers that are spread over one
            streams=128 / 640,
            parts=(matmul,),
        ),
        *c_step(
            lambda kernels, *arguments: kernels.matmul_nn(*arguments),
            "matmul.c",
            ("nn_tile",),
            loads=168 / 640,
            streams=128 / 640,
        ),
    ),
    reference=reference.matmul_nn,
    make=make,
    sizes=(10, 32, 784),
    bound=bound,
    work=lambda m, k, n: 2 * m * k * n,
    unit="GFLOP/s",
)
