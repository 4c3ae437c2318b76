"""Dropout masks from a counter, by Philox4x32-10 (Salmon et al., 2011)."""

import numpy as np

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10
LOW_32 = np.uint64(0xFFFFFFFF)


def philox(blocks, step, key):
    """Random words (4, len(blocks)), each below 2^32, for the counters (block, step)."""
    c0, c1 = blocks & LOW_32, blocks >> np.uint64(32)
    c2 = np.full_like(blocks, step & 0xFFFFFFFF)
    c3 = np.full_like(blocks, step >> 32)
    keys = key & 0xFFFFFFFF, key >> 32
    for number in range(ROUNDS):
        k0, k1 = (np.uint64((k + number * w) & 0xFFFFFFFF) for k, w in zip(keys, WEYL, strict=True))
        product_0, product_1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1 = (product_1 >> np.uint64(32)) ^ c1 ^ k0, product_1 & LOW_32
        c2, c3 = (product_0 >> np.uint64(32)) ^ c3 ^ k1, product_0 & LOW_32
    return np.stack([c0, c1, c2, c3])


def dropout_mask(key, step, rate, mask):
    blocks = np.arange((mask.size + 3) // 4, dtype=np.uint64)
    words = philox(blocks, int(step), int(key) % 2**64).ravel()[: mask.size]
    mask[:] = np.where(words >= np.uint64(rate * 2.0**32), 1.0 / (1.0 - rate), 0.0)


def normal_mask(key, step, mean, deviation, mask):
    """Normal numbers, by the transform of Box & Muller (1958)."""
    blocks = np.arange((mask.size + 3) // 4, dtype=np.uint64)
    words = philox(blocks, int(step), int(key) % 2**64).astype(np.float64)
    radius = deviation * np.sqrt(-2 * np.log((words[0::2] + 0.5) * 2.0**-32))
    angle = 2 * np.pi * (words[1::2] * 2.0**-32)
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    mask[:] = mean + pairs.ravel()[: mask.size]


def alpha_dropout(scale, offset, dropped, x, mask, y):
    y[:] = np.where(mask > 0, x * scale + offset, dropped)
