"""Reading the batch's samples from wherever they lie in the data set."""

from .jit import exact
from .rounding import fma
from .vectors import prefetch

CACHE_LINE = 64  # bytes


@exact
def gather_bytes(data, rows, scale, offset, out):
    """Set ``out`` (n, features) to ``data[rows] * scale + offset`` for uint8 ``data``.

    Converting on the way in reads a quarter of the memory that stored floats would take.
    """
    for i in range(rows.size):
        row = data[rows[i]]
        for p in range(row.size):
            out[i, p] = fma(out.dtype.type(row[p]), scale, offset)


@exact
def gather_reals(data, rows, scale, offset, out):
    """Set ``out`` (n, features) to ``data[rows] * scale + offset`` for ``data`` of its dtype."""
    for i in range(rows.size):
        row = data[rows[i]]
        for p in range(row.size):
            out[i, p] = fma(row[p], scale, offset)


@exact
def prefetch_samples(data, rows, start):
    """Prefetch ``data[rows, start:]``, for uint8 ``data``, and go on without waiting for it.

    The samples of a shuffled batch lie anywhere in a data set that no cache holds: waiting for them
    takes as long as a small net's arithmetic in its first layer.
    """
    for i in range(rows.size):
        for byte in range(start, data.shape[1], CACHE_LINE):
            prefetch(data, rows[i], byte)
