"""Columns of the samples ``x`` (n, inputs) as (outputs, n): what whole numbers in them stand for.

Numbers below 0, or of no category, are none: their outputs are NaN, or all 0 as indicators.
"""

import numpy as np

from ..contract import Coding
from .jit import exact


@exact
def category_of(value, category, categories):
    """Return the category of a value among so many from ``category`` on, or -1."""
    place = np.float64(value) - np.float64(category)
    return np.int64(place) if place >= 0.0 and place < np.float64(categories) else np.int64(-1)


@exact
def embedding_forward(first, output, x, rows, y):
    """Set ``y`` to the outputs from number ``output`` on: those of one column after the other."""
    categories, width = rows.shape
    outputs, n = y.shape
    for i in range(outputs):
        column, entry = first + (output + i) // width, (output + i) % width
        for s in range(n):
            k = category_of(x[s, column], 0, categories)
            y[i, s] = rows[k, entry] if k >= 0 else np.nan


@exact
def embedding_update(first, category, scale, x, dy, rows):
    """Add to ``rows``, those from number ``category`` on, the gradient of each times ``scale``.

    For one column and sample after the other: the order, and so the bits, do not depend on which
    part of the rows it is.
    """
    categories, width = rows.shape
    outputs, n = dy.shape
    for column in range(outputs // width):
        for s in range(n):
            k = category_of(x[s, first + column], category, categories)
            if k >= 0:
                for j in range(width):
                    rows[k, j] += scale * dy[column * width + j, s]


@exact
def embedding_gradient(first, category, x, dy, drows):
    """Set ``drows``, the rows from number ``category`` on, to the sums of their gradients."""
    for k in range(drows.shape[0]):
        for j in range(drows.shape[1]):
            drows[k, j] = 0.0
    embedding_update(first, category, drows.dtype.type(1), x, dy, drows)


@exact
def columns_forward(kind, first, columns, categories, output, x, y):
    """Set ``y`` to the outputs from number ``output`` on of a row of ``COLUMNS``."""
    outputs, n = y.shape
    for i in range(outputs):
        begin, stop = first, first + columns
        if kind == Coding.PASS or kind == Coding.ONE_HOT:
            begin = first + (output + i) // categories
            stop = begin + 1
        category = (output + i) % categories
        if kind == Coding.PASS and i > 0 and category > 0:  # the same column once more
            for s in range(n):
                y[i, s] = y[i - 1, s]
            continue
        for s in range(n):
            equal = 0
            for column in range(begin, stop):
                equal += x[s, column] == category
            if kind == Coding.PASS:
                y[i, s] = x[s, begin]
            elif kind == Coding.NUMBER:
                y[i, s] = equal
            else:
                y[i, s] = equal > 0
