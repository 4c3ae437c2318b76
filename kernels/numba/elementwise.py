"""The small change: rescaling, masking and layout."""

from .jit import exact, view
from .rounding import fma
from .vectors import lane_indices, lanes, load_rows, shifted, store, transposed


@exact
def rescale(scale, offset, x, y):
    """Set flat ``y`` to ``x * scale + offset``."""
    for i in range(x.size):
        y[i] = fma(x[i], scale, offset)


@exact
def multiply(x, mask, y):
    """Set flat ``y`` to ``x * mask``."""
    for i in range(x.size):
        y[i] = x[i] * mask[i]


@exact
def add(x, other, y):
    """Set flat ``y`` to ``x + other``; it may be one of them."""
    for i in range(x.size):
        y[i] = x[i] + other[i]


@view
def transpose_block(x, y, i, j, i_count, j_count):
    block = lane_indices(x)
    rows = load_rows(x, shifted(block, j, x.shape[0] - 1), i, i_count)
    store(transposed(rows), y, shifted(block, i, y.shape[0] - 1), j, j_count)


@exact
def transpose(x, y):
    """Set ``y`` (features, n) to ``x.T`` for ``x`` (n, features).

    In blocks that fit the registers: one number at a time, each of a column's numbers would be on
    another cache line, and be four times as slow.
    """
    features, n = y.shape
    width = lanes(x)
    for i in range(0, features, width):
        for j in range(0, n, width):
            if i + width <= features and j + width <= n:
                transpose_block(x, y, i, j, None, None)
            else:
                transpose_block(x, y, i, j, min(width, features - i), min(width, n - j))
