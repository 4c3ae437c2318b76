"""The two matrix products that training needs, all operands row-major.

``nn``  a @ b      the vectors lie along the rows of b and out
``nt``  a @ b.T    the vectors lie along the summed axis

The output is cut into tiles, each of which stays in registers while it is summed.  A step of
``nn``'s 10 rows of 2 vectors does 20 multiply-adds for 12 loads; of ``nt``'s 5 rows of 4 columns,
20 for 9.  Zen 4 does one such multiply-add a cycle, and one load, so loads are hidden, and memory
too as long as the operands lie in the second-level cache: from (10, 784, 32) to
(1024, 784, 512) both reach 95 to 99 % of that.  Blocking for the caches, which was meant to come
next, would have nothing left to gain.  A machine with half as many registers has tiles of 5 rows
and of 2 columns: 10 sums, where 20 would be stored and loaded again at every step.

Loops over scalars, 4 x 5 of them named so that LLVM keeps them in registers, reached 75 to 90 %
on the small shapes and 45 on the large: ``out`` was loaded and stored once for 4 summands.  12
rows of 2 vectors, or 6 of 4, are no faster than 10 of 2, and 10 is what small nets have.

An output is one chain of multiply-adds (``nt``: one for each lane, and then their sum in a fixed
order), in tiles of any size and in remainders.  So its bits do not depend on where in a matrix
it lies, nor on how the rows of ``out`` are shared out among threads.
"""

from .gather import CACHE_LINE, prefetch_samples
from .jit import exact, view
from .vectors import (
    REGISTERS,
    add_scaled,
    filled,
    lanes,
    load_row,
    load_rows,
    multiply_add,
    prefetch,
    scaled,
    shifted,
    spread,
    store,
    sums,
    zeros,
)
from .views import matrix

ONE, TWO, THREE, FIVE = (tuple(range(n)) for n in (1, 2, 3, 5))

# The rows of a tile of ``nn`` and the columns of a tile of ``nt``.
TALL, BROAD = (tuple(range(n)) for n in ((10, 4) if REGISTERS == 32 else (5, 2)))


@view
def finish(tile, scale, keeps, out, rows, j, count):
    if keeps:
        add_scaled(tile, scale, out, rows, j, count)
    else:
        store(scaled(tile, scale), out, rows, j, count)


@view
def tile_nn(a, b, scale, keeps, out, rows, columns, j, count):
    tile = zeros(out, rows, columns)
    for p in range(a.shape[1]):
        tile = multiply_add(spread(a, rows, p), load_row(b, p, j, columns, count), tile)
    finish(tile, scale, keeps, out, rows, j, count)


@view
def rows_nn(a, b, scale, keeps, out, rows):
    n, width = out.shape[1], lanes(out)
    j = 0
    while j + 2 * width <= n:
        tile_nn(a, b, scale, keeps, out, rows, TWO, j, None)
        j += 2 * width
    while j < n:
        tile_nn(a, b, scale, keeps, out, rows, ONE, j, min(width, n - j))
        j += width


@exact
def product_nn(a, b, scale, keeps, out):
    """Set ``out`` to ``scale * a @ b``, (m, k) @ (k, n), plus what it held if it ``keeps`` that.

    ``a`` may have any strides (its entries are only ever broadcast), so ``a.T @ b`` is
    ``product_nn(a.T, ...)``.  The rows of ``b`` and ``out`` must be contiguous.
    """
    m = out.shape[0]
    i = 0
    while i + len(TALL) <= m:
        rows_nn(a, b, scale, keeps, out, shifted(TALL, i, m - 1))
        i += len(TALL)
    while i < m:
        # Up to two rows are computed twice: cheaper than tiles of one row, which wait for each
        # sum before the next.
        rows_nn(a, b, scale, keeps, out, shifted(THREE, i, m - 1))
        i += 3


@view
def tile_nn_prefetching(a, b, scale, out, rows, j, samples, ahead, first, stop):
    tile = zeros(out, rows, TWO)
    for p in range(a.shape[1]):
        tile = multiply_add(spread(a, rows, p), load_row(b, p, j, TWO, None), tile)
        if p < ahead.size:
            for byte in range(first, stop, CACHE_LINE):
                prefetch(samples, ahead[p], byte)
    finish(tile, scale, True, out, rows, j, None)


@exact
def product_nn_prefetching(a, b, scale, out, samples, ahead):
    """Add ``scale * a @ b`` to ``out``, and meanwhile prefetch ``samples[ahead]``.

    ``b`` (k, n) is a batch of such samples.  While the first tiles of ``out`` are computed, its
    columns and the bytes of the samples to come are walked through side by side, with one cache
    line at each step of a tile: only some two dozen requests can be under way, and asking for all
    at once makes the product wait.
    """
    m, n, width = out.shape[0], out.shape[1], 2 * lanes(out)
    size = samples.shape[1] // n
    j = 0
    if m >= len(TALL):
        rows = shifted(TALL, 0, m - 1)
        while j + width <= n:
            first = (j * size + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE
            stop = (j + width) * size
            if first < stop:
                tile_nn_prefetching(a, b, scale, out, rows, j, samples, ahead, first, stop)
            else:
                tile_nn(a, b, scale, True, out, rows, TWO, j, None)
            j += width
        product_nn(a[len(TALL) :], b, scale, True, out[len(TALL) :])
    prefetch_samples(samples, ahead, (j * size + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE)
    product_nn(a[: len(TALL)], b[:, j:], scale, True, out[: len(TALL), j:])


@view
def tile_nt(a, b, scale, keeps, out, rows, columns, j):
    k, width = a.shape[1], lanes(out)
    tile = zeros(out, rows, columns)
    rest = k % width
    for p in range(0, k - rest, width):
        tile = multiply_add(load_rows(a, rows, p, None), load_rows(b, columns, p, None), tile)
    if rest:
        p = k - rest
        tile = multiply_add(load_rows(a, rows, p, rest), load_rows(b, columns, p, rest), tile)
    finish(sums(tile), scale, keeps, out, rows, j, None)


@view
def rows_nt(a, b, scale, keeps, out, rows):
    n = out.shape[1]
    j = 0
    while j + len(BROAD) <= n:
        tile_nt(a, b, scale, keeps, out, rows, shifted(BROAD, j, n - 1), j)
        j += len(BROAD)
    while j + 2 <= n:
        tile_nt(a, b, scale, keeps, out, rows, shifted(TWO, j, n - 1), j)
        j += 2
    if j < n:
        tile_nt(a, b, scale, keeps, out, rows, shifted(ONE, j, n - 1), j)


@exact
def product_nt(a, b, scale, keeps, out):
    """Set ``out`` to ``scale * a @ b.T``, (m, k) @ (n, k).T, plus what it held if it ``keeps``."""
    m = out.shape[0]
    i = 0
    while i + 5 <= m:
        rows_nt(a, b, scale, keeps, out, shifted(FIVE, i, m - 1))
        i += 5
    while i < m:
        rows_nt(a, b, scale, keeps, out, shifted(ONE, i, m - 1))
        i += 1


@view
def tile_of_sums(a, scale, out, rows):
    k, width = a.shape[1], lanes(a)
    tile = zeros(a, rows, ONE)
    ones = filled(a, 1)
    rest = k % width
    for p in range(0, k - rest, width):
        tile = multiply_add(load_rows(a, rows, p, None), ones, tile)
    if rest:
        tile = multiply_add(load_rows(a, rows, k - rest, rest), ones, tile)
    finish(sums(tile), scale, True, matrix(out, 0, out.size, 1), rows, 0, None)


@exact
def row_sums(a, scale, out):
    """Add ``scale`` times the sum of each row of ``a`` (m, k) to flat ``out``, if it is not empty.

    As in ``nt``, a row's sum is one chain for each lane, with however many rows beside it.
    """
    m = out.size
    i = 0
    while i + 5 <= m:
        tile_of_sums(a, scale, out, shifted(FIVE, i, m - 1))
        i += 5
    while i < m:
        tile_of_sums(a, scale, out, shifted(ONE, i, m - 1))
        i += 1


@exact
def matmul_nn(a, b, scale, out):
    """Add ``scale * a @ b`` to ``out``: (m, k), (k, n) -> (m, n)."""
    product_nn(a, b, scale, True, out)


@exact
def matmul_nt(a, b, scale, out):
    """Add ``scale * a @ b.T`` to ``out``: (m, k), (n, k) -> (m, n)."""
    product_nt(a, b, scale, True, out)
