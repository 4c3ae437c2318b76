"""The orders in which epochs visit their samples, by NumPy."""

from typing import cast

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.random.bit_generator import ISeedSequence


class _Known(ISeedSequence):
    """A sequence whose words are known."""

    def __init__(self, words):
        self._words = words

    def generate_state(self, n_words, dtype=np.uint64):
        assert n_words == self._words.size
        return self._words


def shuffle(words, orders):
    """Make of each row of ``orders`` a permutation of 0, 1, ...: an epoch's.

    Parameters
    ----------
    words : uint64 array (epochs, 4)
        With which each epoch's generator begins.
    orders : int64 array (epochs, samples), changed
    """
    orders[:] = np.arange(orders.shape[1])
    for own, order in zip(words, orders, strict=True):
        known = cast(SeedSequence, _Known(own))  # what NumPy's types name
        Generator(PCG64(known)).shuffle(order)
