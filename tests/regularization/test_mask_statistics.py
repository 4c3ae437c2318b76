"""Masks are as random as they should be: share dropped, and independence of everything.

Each figure is a z-score under the hypothesis that every element is dropped independently with
the given probability, and fails beyond what happens once in a million tests.  Keys are fixed, so
a test that passes once passes always.
"""

import math
from statistics import NormalDist

import numpy as np
import pytest

from fastmlp.kernels import numba as compiled
from fastmlp.kernels.contract import Column
from tests.regularization.nets import dropout_net, dropout_rows

FALSE_ALARMS = 1e-6
LIMIT = NormalDist().inv_cdf(1 - FALSE_ALARMS / 2)  # 4.89 standard deviations

STEPS, SAMPLES, UNITS = 400, 32, 25


def dropped(key, steps=STEPS, rate=0.5, samples=SAMPLES, units=UNITS, first_step=0):
    """Whether each element is dropped (steps, units, samples)."""
    masks = np.empty((steps, units * samples), np.float32)
    for step, mask in enumerate(masks, first_step):
        compiled.dropout_mask(key, step, rate, mask)
    return (masks == 0).reshape(steps, units, samples)


def count_z(events, probability):
    """Of a count of independent events."""
    expected = events.size * probability
    return (events.sum() - expected) / math.sqrt(expected * (1 - probability))


def agreement_z(a, b, rate):
    """Of how often two sets of elements are dropped together."""
    return count_z(a & b, rate**2)


def chi_square_z(statistic, freedom):
    """By Wilson and Hilferty's cube root, good to two digits here."""
    share = 2 / (9 * freedom)
    return ((statistic / freedom) ** (1 / 3) - (1 - share)) / math.sqrt(share)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9, 0.99])
@pytest.mark.parametrize("key", [0, -1, 2024])
def test_share_dropped(key, rate):
    assert abs(count_z(dropped(key, rate=rate), rate)) < LIMIT


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_every_place_is_dropped_equally_often(rate):
    """A chi-square test of the counts over steps: along steps, units, samples, and all places."""
    events = dropped(31, rate=rate)
    for axes in ((0,), (0, 1), (0, 2), (1, 2)):
        counts = events.sum(axis=axes)
        trials = events.size // counts.size
        expected, variance = trials * rate, trials * rate * (1 - rate)
        statistic = ((counts - expected) ** 2).sum() / variance
        assert abs(chi_square_z(statistic, counts.size)) < LIMIT


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("lag", [1, 2, 3, 7, 32])
def test_independent_of_other_steps_units_and_samples(lag, rate):
    events = dropped(77, rate=rate, units=40, samples=40)
    for axis in range(3):
        along = np.moveaxis(events, axis, 0)
        assert abs(agreement_z(along[lag:], along[:-lag], rate)) < LIMIT


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_independent_of_the_other_words_of_a_block(rate):
    """One draw of the generator decides four elements, a quarter of the mask apart."""
    quarters = dropped(78, rate=rate).reshape(STEPS, 4, -1)
    for i in range(4):
        for j in range(i):
            assert abs(agreement_z(quarters[:, i], quarters[:, j], rate)) < LIMIT


def test_pairs_of_units_are_uncorrelated():
    """All 300 pairs at once: the sum of squared correlations is a chi-square."""
    events = dropped(79).transpose(1, 0, 2).reshape(UNITS, -1)
    signs = np.where(events, 1.0, -1.0)
    correlations = signs @ signs.T / math.sqrt(signs.shape[1])
    upper = correlations[np.triu_indices(UNITS, 1)]
    assert abs(chi_square_z((upper**2).sum(), upper.size)) < LIMIT
    assert np.abs(upper).max() < NormalDist().inv_cdf(1 - FALSE_ALARMS / 2 / upper.size)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_layers_and_nets_are_independent(rate):
    x = np.ones((1, 5))
    keys = [
        int(row[Column.KEY])
        for seed in range(3)
        for row, _ in dropout_rows(dropout_net(seed=seed), x)
    ]
    events = [dropped(key, rate=rate) for key in keys]
    for i in range(len(keys)):
        for j in range(i):
            assert abs(agreement_z(events[i], events[j], rate)) < LIMIT


@pytest.mark.parametrize("bit", [0, 1, 31, 32, 62])
def test_keys_that_differ_in_one_bit_are_independent(bit):
    assert abs(agreement_z(dropped(5), dropped(5 ^ 1 << bit), 0.5)) < LIMIT


def test_the_statistics_notice_masks_that_are_not_random():
    """Each figure, applied to masks with one fault."""
    events = dropped(1)
    rng = np.random.default_rng(0)
    too_many = events | (rng.random(events.shape) < 0.02)
    assert count_z(too_many, 0.5) > LIMIT
    repeated = np.repeat(events[::2], 2, axis=0)
    assert agreement_z(repeated[1:], repeated[:-1], 0.5) > LIMIT
    alternating = np.arange(events.size).reshape(events.shape) % 2 == 0
    counts = alternating.sum(axis=(0, 1))
    trials = alternating.size // counts.size
    statistic = ((counts - trials / 2) ** 2).sum() / (trials / 4)
    assert chi_square_z(statistic, counts.size) > LIMIT
    too_even = np.full(UNITS, trials / 2)
    assert chi_square_z(((too_even - trials / 2) ** 2).sum() / (trials / 4), UNITS) < -LIMIT
