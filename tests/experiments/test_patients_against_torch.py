"""The three patients, held against torch from the same weights and in the same order."""

from dataclasses import replace

import pytest

from bench.patients import by_fastmlp, by_torch, differences
from fastmlp import datasets
from fastmlp.experiments.q1 import claims
from fastmlp.experiments.settings import Settings

TOLERANCE = 1e-9  # relative: 500 steps in float64; ``python -m bench.patients`` takes them all

# Of the training samples, and epochs: many of them once, and some of them as often as q1 does.
RUNS = {"16,000 samples, one epoch": (16_000, 1), "3,200 samples, five epochs": (3_200, 5)}


@pytest.mark.parametrize("activation", claims.DEPTHS)
@pytest.mark.parametrize("run", RUNS)
def test_figures_agree(run, activation):
    samples, epochs = RUNS[run]
    dataset = datasets.load()
    dataset = replace(dataset, train=tuple(array[:samples] for array in dataset.train))
    net = replace(claims.net(Settings(), activation, claims.DEPTHS[activation]), epochs=epochs)
    courses = [train(net, dataset, "float64") for train in (by_fastmlp, by_torch)]
    assert courses[0].figures.shape == (epochs, 4)
    for figure, difference in differences(*courses).items():
        assert difference <= TOLERANCE, figure
