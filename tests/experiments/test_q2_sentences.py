"""Every sentence of the second question, over a grid of settings: see ``q2_sentences``."""

import math
import re

import numpy as np
import pytest

from fastmlp.datasets import Dataset
from tests.experiments.labs import small_dataset
from tests.experiments.q2_sentences import Nets, check_all, run


def unequal() -> Dataset:
    """Three classes of 40, 12 and 4 samples."""
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(3, dtype=np.uint8), (40, 12, 4))
    x = rng.integers(0, 256, (y.size, 3, 3), np.uint8)
    x[:, 0, 0] = 80 * y
    return Dataset("unequal", (x, y), (x[::2], y[::2]), ("a", "b", "c"), 1 / 255)


def noise() -> Dataset:
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 256, (60, 3, 3), np.uint8), rng.integers(0, 4, 60).astype(np.uint8)
    return Dataset("noise", (x[:40], y[:40]), (x[40:], y[40:]), tuple("abcd"), 1 / 255)


def easy() -> Dataset:
    y = np.tile(np.arange(2, dtype=np.uint8), 30)
    x = np.repeat(255 * y, 9).reshape(-1, 3, 3).astype(np.uint8)
    return Dataset("easy", (x, y), (x, y), ("dark", "bright"), 1 / 255)


GRID = {
    "rate 1e-6": ({"learning_rate": 1e-6, "epochs": 2, "seeds": 2}, small_dataset),
    "rate 0.3": ({"learning_rate": 0.3, "epochs": 20, "seeds": 5}, small_dataset),
    "rate 3": ({"learning_rate": 3.0, "epochs": 10, "seeds": 3}, small_dataset),
    "rate 20": ({"learning_rate": 20.0, "epochs": 5, "seeds": 3}, small_dataset),
    "rate 1e6": ({"learning_rate": 1e6, "epochs": 3, "seeds": 2}, small_dataset),
    "rate 1e30": ({"learning_rate": 1e30, "epochs": 2, "seeds": 2}, small_dataset),
    "one seed": ({"learning_rate": 0.3, "epochs": 20, "seeds": 1}, small_dataset),
    "one epoch": ({"epochs": 1, "seeds": 2}, small_dataset),
    "twenty seeds": ({"learning_rate": 0.2, "epochs": 8, "seeds": 20}, small_dataset),
    "unequal classes": ({"learning_rate": 0.3, "epochs": 20, "seeds": 4}, unequal),
    "pure noise": ({"learning_rate": 0.3, "epochs": 20, "seeds": 4}, noise),
    "trivially easy": ({"learning_rate": 0.3, "epochs": 20, "seeds": 4}, easy),
    "one seed diverges": ({"learning_rate": 1e30, "epochs": 1, "seeds": 1}, noise),
    "no strengths": (
        {"learning_rate": 0.3, "epochs": 8, "seeds": 3, "l1": 0.0, "l2": 0.0, "dropout": 0.0},
        small_dataset,
    ),
    "other strengths": (
        {"learning_rate": 0.3, "epochs": 8, "seeds": 3, "l1": 2.0, "l2": 0.5, "dropout": 0.9},
        small_dataset,
    ),
    "other nets": (
        {"learning_rate": 0.1, "epochs": 8, "seeds": 3, "activations": ("tanh",), "depth": 1,
         "width": 4, "momentum": 0.9, "initializer": "he_normal", "batch_size": 7},
        unequal,
    ),
    "deep": ({"epochs": 3, "seeds": 2, "activations": ("sigmoid",), "depth": 6}, small_dataset),
    "quick": ({"quick": True, "epochs": 3}, small_dataset),
}  # fmt: skip


@pytest.fixture(scope="module", params=GRID)
def results(request):
    options, dataset = GRID[request.param]
    return run(options, dataset())


def test_every_sentence_follows_from_the_nets(results):
    said = results["statements"]
    check_all(results)
    # Two arms of three effects and three sweeps; the gradient's, and the critique's.
    kinds = [statement["kind"] for statement in said]
    assert kinds.count("effect") == kinds.count("sweep") == 6
    assert len(said) >= 18


def test_figures_of_the_models_are_those_of_the_nets(results):
    """The gap, and losses with and without the penalty, in the table's means."""
    for name, subset in (("full", False), ("subset", True)):
        for row in results["findings"]["models"][name]:
            if row["model"] == "unregularized":
                continue
            nets = Nets(results, row["model"], subset=subset)
            mine = [nets.by_strength[row["strength"]][s] for s in range(row["seeds"])]
            assert row["diverged"] == sum(map(nets.diverged, mine))
            assert row["learned"] == sum(map(nets.learned, mine))
            if row["diverged"]:
                assert math.isnan(row["gap"]["mean"])
                continue
            gaps = [nets.figure(net, "gap") for net in mine]
            assert row["gap"]["mean"] == pytest.approx(np.mean(gaps))
            penalized = [net["figures"]["val_loss"][-1] for net in mine]
            assert row["test_penalized"]["mean"] == pytest.approx(np.mean(penalized))


def test_only_the_data_differ_with_few_samples(results):
    full = [n for n in results["nets"] if n["samples"] is None]
    few = [n for n in results["nets"] if n["samples"] is not None]
    config = [
        {k: v for k, v in n.items() if k not in ("samples", "figures", "divergence", "measured")}
        for n in (*full, *few)
    ]
    assert config[: len(full)] == config[len(full) :] or sorted(
        map(repr, config[: len(full)])
    ) == sorted(map(repr, config[len(full) :]))


def test_no_sentence_names_samples_that_are_not_there(results):
    used = {net["samples"] for net in results["nets"]} - {None}
    assert len(used) == 1
    assert f"first {used.pop():,} training samples only" in results["text"]


def test_nothing_is_said_of_a_model_called_none(results):
    assert not re.search(r"\bof none\b|\bwith none\b|\bthan none\b", results["text"])
