"""The random numbers behind dropout: the published ones, and as random as they should be."""

import numpy as np
import pytest

from fastmlp.kernels import numba as compiled
from fastmlp.kernels.numba import dropout as compiled_dropout
from fastmlp.kernels.reference import dropout as reference_dropout

from .op_table import JIT

# Counter, key and result from Random123's file of known answers (kat_vectors, philox4x32 10).
KNOWN = [
    (
        (0, 0, 0, 0),
        (0, 0),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
SIZE = 40_000 if JIT else 400


def wide(low, high):
    return np.uint64(low | high << 32)


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers(counter, key, words):
    block, step, own_key = wide(*counter[:2]), wide(*counter[2:]), wide(*key)
    assert tuple(map(int, compiled_dropout.philox(block, step, own_key))) == words
    columns = reference_dropout.philox(np.array([block]), int(step), int(own_key))
    assert tuple(map(int, columns[:, 0])) == words


def dropped(key, step, rate):
    mask = np.empty(SIZE, np.float32)
    compiled.dropout_mask(np.int64(key), step, rate, mask)
    return mask == 0


@pytest.mark.parametrize("rate", [0.01, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("step", [0, 1, 12345])
def test_the_share_that_is_dropped(rate, step):
    # Within five standard deviations of a binomial count.
    allowed = 5 * np.sqrt(rate * (1 - rate) / SIZE)
    assert abs(dropped(7, step, rate).mean() - rate) <= allowed


@pytest.mark.parametrize(
    ("first", "second", "shift"),
    [((7, 0), (7, 1), 0), ((7, 0), (8, 0), 0), ((7, 0), (7, 0), 1), ((7, 3), (7, 3), SIZE // 4)],
    ids=["steps", "keys", "neighbours", "words"],
)
def test_masks_are_independent(first, second, shift):
    a, b = dropped(*first, 0.5), dropped(*second, 0.5)
    together = np.roll(a, shift) & b
    assert abs(together.mean() - 0.25) <= 5 * np.sqrt(0.25 * 0.75 / SIZE)
