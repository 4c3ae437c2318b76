"""The generator behind dropout: Philox4x32-10."""

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.numba import dropout as compiled

ALL_ONES = 2**64 - 1

# The known answers that Random123 (Salmon et al., 2011) is distributed with:
# counter words 0 to 3, key words 0 and 1, output words 0 to 3.
KNOWN_ANSWERS = {
    "zeros": (
        (0x00000000, 0x00000000, 0x00000000, 0x00000000),
        (0x00000000, 0x00000000),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    "ones": (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    "digits of pi": (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
}


def join(low, high):
    return low | high << 32


def reference_words(block, step, key):
    words = reference.dropout.philox(np.array([block], np.uint64), step, key)
    return tuple(int(word) for word in words[:, 0])


def compiled_words(block, step, key):
    words = compiled.philox(np.uint64(block), np.uint64(step), np.uint64(key))
    return tuple(int(word) for word in words)


@pytest.mark.parametrize("words", [reference_words, compiled_words])
@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answers(name, words):
    counter, key, expected = KNOWN_ANSWERS[name]
    assert words(join(*counter[:2]), join(*counter[2:]), join(*key)) == expected


def textbook_philox(counter, key):
    """Salmon et al.'s definition in Python's own integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        product_0, product_1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [
            (product_1 >> 32) ^ c[1] ^ k[0],
            product_1 % 2**32,
            (product_0 >> 32) ^ c[3] ^ k[1],
            product_0 % 2**32,
        ]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return tuple(c)


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_textbook_form_gives_the_known_answers(name):
    counter, key, expected = KNOWN_ANSWERS[name]
    assert textbook_philox(counter, key) == expected


def test_random_counters_and_keys_give_the_textbooks_words():
    rng = np.random.default_rng(0)
    for _ in range(200):
        block, step, key = (int(v) for v in rng.integers(0, ALL_ONES, 3, np.uint64, True))
        halves = [(v % 2**32, v >> 32) for v in (block, step, key)]
        expected = textbook_philox(halves[0] + halves[1], halves[2])
        assert reference_words(block, step, key) == expected
        assert compiled_words(block, step, key) == expected
