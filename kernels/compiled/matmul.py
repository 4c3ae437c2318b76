"""The two matrix products that training needs, both ``out += scale * ...``, all row-major.

``matmul_nn``  out += scale * a @ b      the vector runs along the rows of b and out
``matmul_nt``  out += scale * a @ b.T    the vector runs along the summed axis

Each loads a block of rows once and uses every value several times: a 4 x 5 block does 20
multiply-adds for 9 loads, where the plain triple loop does one for two, and waits for memory.
The named scalars are what makes the compiler keep the block in registers; a small array in
their place is spilled to the stack.
"""

from .jit import fast


@fast
def matmul_nn(a, b, scale, out):
    """Add ``scale * a @ b`` to ``out``: (m, k), (k, n) -> (m, n).

    ``a`` may have any strides (its entries are only ever broadcast), so ``a.T @ b`` is
    ``matmul_nn(a.T, ...)``.  The rows of ``b`` and ``out`` must be contiguous.
    """
    m, k = a.shape
    n = b.shape[1]
    for i in range(0, m - 4, 5):
        for p in range(0, k - 3, 4):
            a00, a01 = scale * a[i, p], scale * a[i, p + 1]
            a02, a03 = scale * a[i, p + 2], scale * a[i, p + 3]
            a10, a11 = scale * a[i + 1, p], scale * a[i + 1, p + 1]
            a12, a13 = scale * a[i + 1, p + 2], scale * a[i + 1, p + 3]
            a20, a21 = scale * a[i + 2, p], scale * a[i + 2, p + 1]
            a22, a23 = scale * a[i + 2, p + 2], scale * a[i + 2, p + 3]
            a30, a31 = scale * a[i + 3, p], scale * a[i + 3, p + 1]
            a32, a33 = scale * a[i + 3, p + 2], scale * a[i + 3, p + 3]
            a40, a41 = scale * a[i + 4, p], scale * a[i + 4, p + 1]
            a42, a43 = scale * a[i + 4, p + 2], scale * a[i + 4, p + 3]
            for j in range(n):
                b0, b1, b2, b3 = b[p, j], b[p + 1, j], b[p + 2, j], b[p + 3, j]
                out[i, j] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
                out[i + 1, j] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
                out[i + 2, j] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
                out[i + 3, j] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3
                out[i + 4, j] += a40 * b0 + a41 * b1 + a42 * b2 + a43 * b3
        for p in range(k - k % 4, k):
            a00, a10, a20 = scale * a[i, p], scale * a[i + 1, p], scale * a[i + 2, p]
            a30, a40 = scale * a[i + 3, p], scale * a[i + 4, p]
            for j in range(n):
                b0 = b[p, j]
                out[i, j] += a00 * b0
                out[i + 1, j] += a10 * b0
                out[i + 2, j] += a20 * b0
                out[i + 3, j] += a30 * b0
                out[i + 4, j] += a40 * b0
    for i in range(m - m % 5, m):
        for p in range(0, k - 3, 4):
            a00, a01 = scale * a[i, p], scale * a[i, p + 1]
            a02, a03 = scale * a[i, p + 2], scale * a[i, p + 3]
            for j in range(n):
                out[i, j] += (
                    a00 * b[p, j] + a01 * b[p + 1, j] + a02 * b[p + 2, j] + a03 * b[p + 3, j]
                )
        for p in range(k - k % 4, k):
            a00 = scale * a[i, p]
            for j in range(n):
                out[i, j] += a00 * b[p, j]


@fast
def matmul_nt(a, b, scale, out):
    """Add ``scale * a @ b.T`` to ``out``: (m, k), (n, k) -> (m, n)."""
    m, k = a.shape
    n = b.shape[0]
    zero = a.dtype.type(0)
    for j in range(0, n - 3, 4):
        for i in range(0, m - 4, 5):
            s00 = s01 = s02 = s03 = zero
            s10 = s11 = s12 = s13 = zero
            s20 = s21 = s22 = s23 = zero
            s30 = s31 = s32 = s33 = zero
            s40 = s41 = s42 = s43 = zero
            for p in range(k):
                b0, b1, b2, b3 = b[j, p], b[j + 1, p], b[j + 2, p], b[j + 3, p]
                ap = a[i, p]
                s00 += ap * b0
                s01 += ap * b1
                s02 += ap * b2
                s03 += ap * b3
                ap = a[i + 1, p]
                s10 += ap * b0
                s11 += ap * b1
                s12 += ap * b2
                s13 += ap * b3
                ap = a[i + 2, p]
                s20 += ap * b0
                s21 += ap * b1
                s22 += ap * b2
                s23 += ap * b3
                ap = a[i + 3, p]
                s30 += ap * b0
                s31 += ap * b1
                s32 += ap * b2
                s33 += ap * b3
                ap = a[i + 4, p]
                s40 += ap * b0
                s41 += ap * b1
                s42 += ap * b2
                s43 += ap * b3
            add_four(out, i, j, scale, s00, s01, s02, s03)
            add_four(out, i + 1, j, scale, s10, s11, s12, s13)
            add_four(out, i + 2, j, scale, s20, s21, s22, s23)
            add_four(out, i + 3, j, scale, s30, s31, s32, s33)
            add_four(out, i + 4, j, scale, s40, s41, s42, s43)
        for i in range(m - m % 5, m):
            s00 = s01 = s02 = s03 = zero
            for p in range(k):
                ap = a[i, p]
                s00 += ap * b[j, p]
                s01 += ap * b[j + 1, p]
                s02 += ap * b[j + 2, p]
                s03 += ap * b[j + 3, p]
            add_four(out, i, j, scale, s00, s01, s02, s03)
    for j in range(n - n % 4, n):
        for i in range(m):
            s00 = zero
            for p in range(k):
                s00 += a[i, p] * b[j, p]
            out[i, j] += scale * s00


@fast
def add_four(out, i, j, scale, s0, s1, s2, s3):
    out[i, j] += scale * s0
    out[i, j + 1] += scale * s1
    out[i, j + 2] += scale * s2
    out[i, j + 3] += scale * s3
