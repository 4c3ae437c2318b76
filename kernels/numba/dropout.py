"""Dropout masks from a counter: a function of key, step and element, and of nothing else.

So every backend draws the same mask bit for bit, in any order, and a mask can be drawn again.
The generator is Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
2011): ten rounds of multiplication and exclusive or turn a counter of 128 bits and a key of 64
into four random words of 32 bits.
"""

import math

import numpy as np

from .jit import exact
from .rounding import fma

LOW_32 = np.uint64(0xFFFFFFFF)
SHIFT_32 = np.uint64(32)
MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)  # the golden ratio's fraction
WEYL_1 = np.uint64(0xBB67AE85)  # that of the square root of 3
ROUNDS = 10


@exact
def philox(block, step, key):
    """Four random words, each below 2^32, for the counter (block, step); all are uint64."""
    c0, c1 = block & LOW_32, block >> SHIFT_32
    c2, c3 = step & LOW_32, step >> SHIFT_32
    k0, k1 = key & LOW_32, key >> SHIFT_32
    for _ in range(ROUNDS):
        product_0 = MULTIPLIER_0 * c0
        product_1 = MULTIPLIER_1 * c2
        c0 = (product_1 >> SHIFT_32) ^ c1 ^ k0
        c1 = product_1 & LOW_32
        c2 = (product_0 >> SHIFT_32) ^ c3 ^ k1
        c3 = product_0 & LOW_32
        k0 = (k0 + WEYL_0) & LOW_32
        k1 = (k1 + WEYL_1) & LOW_32
    return c0, c1, c2, c3


@exact
def dropout_blocks(key, step, rate, mask, first, stop):
    """Fill what the blocks from ``first`` to before ``stop`` decide; see ``dropout_mask``."""
    size = mask.size
    blocks = (size + 3) // 4
    key, step = np.uint64(key), np.uint64(step)
    threshold = np.uint64(rate * 4294967296.0)
    kept = mask.dtype.type(1.0 / (1.0 - rate))
    dropped = mask.dtype.type(0)
    full = min(max(size - 3 * blocks, first), stop)  # before it, all four words are needed
    for block in range(first, full):
        word_0, word_1, word_2, word_3 = philox(np.uint64(block), step, key)
        mask[block] = kept if word_0 >= threshold else dropped
        mask[blocks + block] = kept if word_1 >= threshold else dropped
        mask[2 * blocks + block] = kept if word_2 >= threshold else dropped
        mask[3 * blocks + block] = kept if word_3 >= threshold else dropped
    for block in range(full, stop):
        word_0, word_1, word_2, _ = philox(np.uint64(block), step, key)
        mask[block] = kept if word_0 >= threshold else dropped
        if blocks + block < size:
            mask[blocks + block] = kept if word_1 >= threshold else dropped
        if 2 * blocks + block < size:
            mask[2 * blocks + block] = kept if word_2 >= threshold else dropped


@exact
def dropout_mask(key, step, rate, mask):
    """Fill flat ``mask`` with 0, with probability ``rate``, and else with 1 / (1 - rate).

    Element ``word * blocks + block`` is decided by that word of that block: so four runs of
    elements are written side by side, each in order, which a vector unit can do.
    """
    dropout_blocks(key, step, rate, mask, 0, (mask.size + 3) // 4)


@exact
def normal_pair(word, other, mean, deviation):
    """Two normal numbers of two random words, by the transform of Box & Muller (1958)."""
    radius = deviation * math.sqrt(-2.0 * math.log((float(word) + 0.5) * 2.0**-32))
    angle = 6.283185307179586 * (float(other) * 2.0**-32)
    return mean + radius * math.cos(angle), mean + radius * math.sin(angle)


@exact
def normal_blocks(key, step, mean, deviation, mask, first, stop):
    """Fill what the blocks from ``first`` to before ``stop`` decide; see ``normal_mask``."""
    size = mask.size
    blocks = (size + 3) // 4
    key, step = np.uint64(key), np.uint64(step)
    for block in range(first, stop):
        word_0, word_1, word_2, word_3 = philox(np.uint64(block), step, key)
        value_0, value_1 = normal_pair(word_0, word_1, mean, deviation)
        value_2, value_3 = normal_pair(word_2, word_3, mean, deviation)
        mask[block] = value_0
        if blocks + block < size:
            mask[blocks + block] = value_1
        if 2 * blocks + block < size:
            mask[2 * blocks + block] = value_2
        if 3 * blocks + block < size:
            mask[3 * blocks + block] = value_3


@exact
def normal_mask(key, step, mean, deviation, mask):
    """Fill flat ``mask`` with normal numbers: words 0 and 1 of a block give two, 2 and 3 two."""
    normal_blocks(key, step, mean, deviation, mask, 0, (mask.size + 3) // 4)


@exact
def alpha_dropout(scale, offset, dropped, x, mask, y):
    """Set flat ``y`` to ``x * scale + offset``, or to ``dropped`` where the mask is 0."""
    for i in range(x.size):
        kept = fma(x[i], scale, offset)
        y[i] = kept if mask[i] > x.dtype.type(0) else dropped
