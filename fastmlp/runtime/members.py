"""Nets that are ensembles: their members share weights, and have scales of their own.

The samples of a batch come once for each member, a member after the other: as further columns of
what kernels see as one batch.  So a member costs what as many samples would, and kernels know of
members only where numbers are theirs alone.  Engines are given orders of samples and sizes of
batches, and make columns of them here.
"""

import numpy as np
from numpy.typing import NDArray

from .tensors import Array


def columns_of(order: NDArray[np.int64], batch_size: int, members: int) -> NDArray[np.int64]:
    """Return an order (samples,) as (samples * members,), for batches so many times as large."""
    if members == 1:
        return order
    whole = order.size // batch_size * batch_size
    batches = np.repeat(order[:whole].reshape(-1, 1, batch_size), members, axis=1)
    return np.concatenate([batches.ravel(), np.tile(order[whole:], members)])


def mean_of_members(outputs: Array, batch_size: int, members: int) -> Array:
    """Return the mean output (samples, features), of those (samples * members, features)."""
    if members == 1:
        return outputs
    count, features = len(outputs) // members, outputs.shape[1]
    whole = count // batch_size * batch_size
    means = np.empty((count, features), outputs.dtype)
    batches = outputs[: whole * members].reshape(-1, members, batch_size, features)
    means[:whole] = batches.mean(axis=1).reshape(whole, features)
    rest = outputs[whole * members :].reshape(members, count - whole, features)
    means[whole:] = rest.mean(axis=0)
    return means
