"""In which order an epoch visits its samples.

That is a function of the net's seed and the epoch's number alone, so that a training that goes on
later sees what an uninterrupted one would have seen: NumPy's permutation, by the generator that
``SeedSequence(seed, spawn_key=(1, epoch))`` makes.  To make a sequence takes longer than to shuffle
a thousand samples, and those of all epochs have their beginning in common.  So NumPy mixes that
once, and what the epoch's number adds to it is mixed here.
"""

from typing import cast

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

# The algorithm of SeedSequence, which NumPy promises to keep, is the one of Melissa O'Neill's
# randutils: with numbers of 32 bits, each word is hashed by factors that differ from use to use,
# and mixed into a pool of four, from which the words that are wanted are hashed likewise.
_POOL = 4
_MASK = 2**32 - 1
_LEFT, _RIGHT = 0xCA01F9DD, 0x4973F715


def _factors(first: int, ratio: int, count: int) -> list[tuple[int, int]]:
    """Return the pairs of factors for so many hashes."""
    found = [first * pow(ratio, k, 2**32) & _MASK for k in range(count + 1)]
    return list(zip(found, found[1:], strict=False))


_WORDS = 8  # of 32 bits, with which a PCG64 begins
_OUT = _factors(0x8B51F9DD, 0x58F38DED, _WORDS)
_HASH, _HASH_RATIO = 0x43B0D7E5, 0x931E8875


class _Known(ISeedSequence):
    """A sequence whose words are known."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: object = np.uint64) -> NDArray[np.uint64]:
        assert n_words == self._words.size
        return self._words


class EpochOrders:
    """The orders in which the epochs of a net visit so many samples.

    Parameters
    ----------
    seed, count : int
    """

    def __init__(self, seed: int, count: int) -> None:
        self._count = count
        self._beginning = SeedSequence(seed, spawn_key=(1,)).pool.tolist()
        # Hashes so far: of the first words, then of the pool among itself, then of the others.  The
        # seed has as many words as the pool, or more; the 1 is another.
        words = max(_POOL, -(-seed.bit_length() // 32)) + 1
        self._hashes = _POOL * _POOL + _POOL * (words - _POOL)
        self._first = self._factors_of(0)

    def of(self, first: int, epochs: int = 1) -> NDArray[np.int64]:
        """Return the orders (epochs, count) of so many epochs, from the number ``first`` on."""
        orders = np.empty((epochs, self._count), np.int64)
        orders[:] = np.arange(self._count)
        for epoch, order in enumerate(orders, first):
            known = cast(SeedSequence, _Known(self._words_of(epoch)))  # what NumPy's types name
            Generator(PCG64(known)).shuffle(order)
        return orders

    def _words_of(self, epoch: int) -> NDArray[np.uint64]:
        """Return the words with which an epoch's generator begins."""
        pool = _mixed(self._beginning, epoch & _MASK, self._first)
        for place in range(1, -(-epoch.bit_length() // 32)):
            pool = _mixed(pool, epoch >> 32 * place & _MASK, self._factors_of(place))
        words = [(word ^ a) * b & _MASK for word, (a, b) in zip(pool + pool, _OUT, strict=True)]
        return np.array([word ^ word >> 16 for word in words], np.uint32).view(np.uint64)

    def _factors_of(self, place: int) -> list[tuple[int, int]]:
        """Return the factors that hash an epoch's word of 32 bits at a place."""
        first = _HASH * pow(_HASH_RATIO, self._hashes + _POOL * place, 2**32)
        return _factors(first, _HASH_RATIO, _POOL)


def _mixed(pool: list[int], word: int, factors: list[tuple[int, int]]) -> list[int]:
    """Return the pool with one more word in it."""
    hashed = [(word ^ a) * b & _MASK for a, b in factors]
    mixed = [
        _LEFT * own - _RIGHT * (new ^ new >> 16) & _MASK
        for own, new in zip(pool, hashed, strict=True)
    ]
    return [own ^ own >> 16 for own in mixed]


def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the order in which one epoch visits its samples."""
    order: NDArray[np.int64] = EpochOrders(seed, count).of(epoch)[0]
    return order
