"""In which order an epoch visits its samples.

That is a function of the net's seed and the epoch's number alone, so that a training that goes on
later sees what an uninterrupted one would have seen: NumPy's permutation, by the generator that
``SeedSequence(seed, spawn_key=(1, epoch))`` makes.  To make a sequence takes longer than to shuffle
a thousand samples, and those of all epochs have their beginning in common.  So NumPy mixes that
once, and what the epoch's number adds to it is mixed here.
"""

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from .. import backends

_BLOCK = 64  # epochs for which generators are prepared together

# The algorithm of SeedSequence, which NumPy promises to keep, is the one of Melissa O'Neill's
# randutils: with numbers of 32 bits, each word is hashed by factors that differ from use to use,
# and mixed into a pool of four, from which the words that are wanted are hashed likewise.
_POOL = 4
_LIMIT = 2**32
_LEFT, _RIGHT, _HALF = np.uint32(0xCA01F9DD), np.uint32(0x4973F715), np.uint32(16)


def _factors(first: int, ratio: int, count: int) -> NDArray[np.uint32]:
    """Return the factors for so many hashes: each takes one, and the next one."""
    return np.array([first * pow(ratio, k, _LIMIT) % _LIMIT for k in range(count + 1)], np.uint32)


_WORDS = 8  # of 32 bits, with which a PCG64 begins
_OUT = _factors(0x8B51F9DD, 0x58F38DED, _WORDS)
_HASH, _HASH_RATIO = 0x43B0D7E5, 0x931E8875


class EpochOrders:
    """The orders in which the epochs of a net visit so many samples.

    Parameters
    ----------
    seed, count : int
    backend : str
        Of the net; the orders are the same with each.
    """

    def __init__(self, seed: int, count: int, backend: str = "numpy") -> None:
        self._count, self._shuffle = count, backends.shuffle_of(backend)
        self._beginning = SeedSequence(seed, spawn_key=(1,)).pool
        # Hashes so far: of the first words, then of the pool among itself, then of the others.  The
        # seed has as many words as the pool, or more; the 1 is another.
        words = max(_POOL, -(-seed.bit_length() // 32)) + 1
        self._hashes = _POOL * _POOL + _POOL * (words - _POOL)
        self._block, self._words = -1, np.empty((0, 0), np.uint64)

    def of(self, first: int, epochs: int = 1) -> NDArray[np.int64]:
        """Return the orders (epochs, count) of so many epochs, from the number ``first`` on."""
        orders = np.empty((epochs, self._count), np.int64)
        self._shuffle(self._words_of(first, epochs), orders)
        return orders

    def _words_of(self, first: int, epochs: int) -> NDArray[np.uint64]:
        """Return the words (epochs, 4) with which the generators of epochs begin."""
        blocks = range(first // _BLOCK, (first + epochs - 1) // _BLOCK + 1)
        words = np.concatenate([self._block_of(block) for block in blocks])
        return words[first - blocks.start * _BLOCK :][:epochs]

    def _block_of(self, block: int) -> NDArray[np.uint64]:
        """Return the words of a block of epochs, and keep them for the next ones."""
        if block != self._block:
            self._block, self._words = block, self._words_from(block * _BLOCK)
        return self._words

    def _words_from(self, first: int) -> NDArray[np.uint64]:
        """Return the words for a block of epochs, which differ in the last bits alone."""
        numbers = np.arange(first % _LIMIT, first % _LIMIT + _BLOCK, dtype=np.uint32)[:, None]
        pool = self._mixed(self._beginning, numbers, 0)
        for place in range(1, -(-first.bit_length() // 32)):
            pool = self._mixed(pool, np.uint32(first >> 32 * place & _LIMIT - 1), place)
        return _hashed(np.concatenate((pool, pool), axis=1), _OUT).view(np.uint64)

    def _mixed(
        self, pool: NDArray[np.uint32], numbers: NDArray[np.uint32] | np.uint32, place: int
    ) -> NDArray[np.uint32]:
        """Return the pool with the epochs' word of 32 bits at a place in it."""
        first = _HASH * pow(_HASH_RATIO, self._hashes + _POOL * place, _LIMIT)
        mixed = _LEFT * pool - _RIGHT * _hashed(numbers, _factors(first, _HASH_RATIO, _POOL))
        folded: NDArray[np.uint32] = mixed ^ mixed >> _HALF
        return folded


def _hashed(
    words: NDArray[np.uint32] | np.uint32, factors: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    words = (words ^ factors[:-1]) * factors[1:]
    return words ^ words >> _HALF


def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the order in which one epoch visits its samples."""
    order: NDArray[np.int64] = EpochOrders(seed, count).of(epoch)[0]
    return order
