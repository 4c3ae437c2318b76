"""Intervals against formulas and published values."""

import math

import numpy as np
import pytest

from fastmlp.experiments.intervals import Auc, Share, above_chance, difference


@pytest.mark.parametrize(("count", "total"), [(0, 1), (1, 1), (0, 6), (3, 6), (20, 20), (7, 30)])
def test_wilson(count, total):
    z, p = 1.959963984540054, count / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(p * (1 - p) / total + z * z / (4 * total**2))
    assert Share(count, total).interval == pytest.approx((middle - half, middle + half), abs=1e-9)


@pytest.mark.parametrize(("share", "side"), [((0, 3), 0), ((4, 4), 1), ((0, 4), -1), ((1, 1), 0)])
def test_only_an_interval_on_one_side_decides(share, side):
    assert Share(*share).side == side


def test_difference_of_newcombe():
    # Newcombe (1998), table II, method 10: 56/70 - 48/80.
    assert difference(Share(56, 70), Share(48, 80)) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_auc_counts_pairs():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 30), rng.integers(0, 7, 20)
    pairs = [(x > y) + 0.5 * (x == y) for x in a for y in b]
    auc = Auc.of(a, b)
    assert auc.value == pytest.approx(np.mean(pairs), abs=1e-12)
    low, high = auc.interval
    assert low < auc.value < high


def test_a_perfect_auc_of_few_pairs_is_not_certain():
    low, high = Auc.of([2, 3, 4], [0, 1]).interval
    assert low < 0.6
    assert high == 1
    assert Auc.of([], [1]) is None


@pytest.mark.parametrize(("chance", "samples"), [(0.1, 10_000), (0.6, 90), (0.25, 48)])
def test_guessing_exceeds_the_threshold_once_in_a_million(chance, samples):
    limit = round(above_chance(chance, samples) * samples)
    terms = [
        math.comb(samples, k) * chance**k * (1 - chance) ** (samples - k)
        for k in range(limit, samples + 1)
        if k < 1000 and samples < 1000
    ]
    if samples < 1000:
        assert sum(terms[1:]) <= 1e-6 < sum(terms)
    else:
        assert 0.112 < limit / samples < 0.117
