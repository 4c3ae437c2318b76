"""Columns of the samples ``x`` (n, inputs) as (outputs, n): what whole numbers in them stand for.

Numbers below 0, or of no category, are none: their outputs are NaN, or all 0 as indicators.
"""

import numpy as np

from ..contract import Coding


def embedding_forward(first, output, x, rows, y):
    """Set ``y`` to the outputs from number ``output`` on: those of one column after the other."""
    categories, width = rows.shape
    columns, entries = np.divmod(np.arange(output, output + len(y)), width)
    numbers = x[:, first + columns].T
    known = (numbers >= 0) & (numbers < categories)
    place = np.where(known, numbers, 0).astype(np.int64)
    y[:] = np.where(known, rows[place, entries[:, None]], np.nan)


def embedding_gradient(first, category, x, dy, drows):
    """Set ``drows``, the rows from number ``category`` on, to the sums of their gradients."""
    drows[:] = 0
    embedding_update(first, category, drows.dtype.type(1), x, dy, drows)


def embedding_update(first, category, scale, x, dy, rows):
    """Add to ``rows``, those from number ``category`` on, the gradient of each times ``scale``."""
    categories, width = rows.shape
    for column, change in enumerate(dy.reshape(-1, width, len(x))):
        place = x[:, first + column].astype(np.float64) - category
        known = (place >= 0) & (place < categories)
        np.add.at(rows, place[known].astype(np.int64), scale * change.T[known])


def columns_forward(kind, first, columns, categories, output, x, y):
    """Set ``y`` to the outputs from number ``output`` on of a row of ``COLUMNS``."""
    x = x[:, first : first + columns]
    equal = x[:, :, None] == np.arange(categories)
    match kind:
        case Coding.PASS:
            everything = np.repeat(x, categories, axis=1)
        case Coding.ONE_HOT:
            everything = equal.reshape(len(x), -1)
        case Coding.MULTI_HOT:
            everything = equal.any(axis=1)
        case _:
            everything = equal.sum(axis=1)
    y[:] = everything[:, output : output + len(y)].T
