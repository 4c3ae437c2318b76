"""In which order an epoch visits its samples."""

import numpy as np
from numpy.typing import NDArray


def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the order in which an epoch visits its samples.

    A function of the net's seed and the epoch's number alone, so that a training that goes on
    later sees what an uninterrupted one would have seen.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, epoch))).permutation(
        count
    )
