"""Labs for tests: a small data set, and outcomes that nobody trained."""

import numpy as np
from rich.console import Console

from fastmlp.datasets import Dataset
from fastmlp.experiments.lab import Lab
from fastmlp.experiments.nets import Outcome
from fastmlp.experiments.settings import Settings


def small_dataset(classes: int = 4) -> Dataset:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(classes, dtype=np.uint8), 12)
    x = rng.integers(0, 60, (y.size, 3, 3), np.uint8)
    x[np.arange(y.size), y % 3, y // 3] += 190
    names = tuple(f"class {number}" for number in range(classes))
    return Dataset("small", (x, y), (x, y), names, 1 / 255)


def lab(question, settings=None, dataset=None) -> Lab:
    return Lab(
        dataset or small_dataset(),
        settings or Settings(epochs=1, seeds=2),
        Console(quiet=True),
        question.measure,
    )


def outcome(lab: Lab, *, stuck: bool, accuracy: float, epochs: int = 1) -> Outcome:
    """Return the outcome of a net that is stuck, or not, as if it had been trained."""
    loss = lab.entropy if stuck else lab.entropy / 4
    figures = {
        "loss": [loss] * epochs,
        "accuracy": [accuracy] * epochs,
        "val_loss": [loss] * epochs,
        "val_accuracy": [accuracy] * epochs,
    }
    measured = {
        "train_loss": loss, "train_accuracy": accuracy, "weight_norm": 1.0, "small_weights": 0.0,
    }  # fmt: skip
    return Outcome(figures, "", measured)
