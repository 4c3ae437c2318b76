"""Run both questions over a grid of settings on small data, and check every sentence.

``python -m tests.experiments.grid [runs] [seed]`` takes some seconds a run, and prints how many
sentences it checked; the tests have a few of the same settings.
"""

import json
import random
import sys
import traceback
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from unittest import mock

import numpy as np
from rich.console import Console

from fastmlp.datasets import Dataset
from fastmlp.experiments import cli, q1
from fastmlp.experiments.lab import Lab
from fastmlp.experiments.q1 import claims
from fastmlp.experiments.settings import Settings
from tests.experiments import q2_sentences
from tests.experiments.q1_sentences import Checker

KINDS = {"easy": (4, True), "noise": (4, False), "unequal": (3, True)}
RATES = (None, 1e-6, 1e-3, 0.05, 0.5, 2.0, 5.0, 50.0, 1e6, 1e30)
EPOCHS = (1, 2, 3, 5, 10, 20)
SEEDS = (None, 1, 2, 3, 4, 6, 8, 20)
KNOBS = {
    "depth": (1, 2, 3, 6, 12, 20), "width": (1, 3, 40), "momentum": (0.5, 0.9),
    "initializer": ("he_normal", "glorot_uniform", "lecun_normal"), "l1": (1e-4, 1e-2),
    "l2": (1e-3, 0.3), "dropout": (0.1, 0.6), "batch_size": (1, 7, 64, 1000),
}  # fmt: skip
ACTIVATIONS = ("sigmoid", "tanh", "relu", "elu", "selu", "gelu", "leaky_relu")


def dataset(kind: str) -> Dataset:
    """Return small data: easy, pure noise, or of three classes of unequal size."""
    classes, informative = KINDS[kind]
    shares = [0.6, 0.25, 0.15] if kind == "unequal" else [1 / classes] * classes
    rng = np.random.default_rng(1)

    def draw(count):
        y = np.repeat(np.arange(classes, dtype=np.uint8), [round(s * count) for s in shares])
        y = rng.permutation(y)
        x = rng.integers(0, 60, (y.size, 4, 4), np.uint8)
        if informative:
            x[np.arange(y.size), y, y] += 190
        return x, y

    names = tuple(f"class {number}" for number in range(classes))
    return Dataset(kind, draw(400), draw(200), names, 1 / 255)


def first_question(kind: str, settings: Settings, *, as_reported: bool = False) -> Checker:
    """Run question 1; ``as_reported`` takes these data for the report's."""
    data = dataset(kind)
    own = {"DATASET": kind, "TRAIN": len(data.train[1])} if as_reported else {}
    with mock.patch.multiple(claims, **own) if own else nullcontext():
        lab = Lab(data, settings, Console(quiet=True), q1.measure)
        run = cli.Run(q1, "q1", lab, "a test")
        run.train()
        results = json.loads(json.dumps(run.results()))
    arrays = q1.arrays(lab).get(*q1.ARRAYS, {})
    return Checker(results, data, arrays, tuple(own.values()) or ("fashion-mnist", 60_000))


def second_question(kind: str, options: dict) -> int:
    """Run question 2 and check its sentences; returns how many."""
    return q2_sentences.check_all(q2_sentences.run(options, dataset(kind)))


def some_settings(rng: random.Random) -> Settings:
    """Draw settings: each knob is turned now and then."""
    asked = {name: rng.choice(values) for name, values in KNOBS.items() if rng.random() < 0.15}
    found = Settings(
        quick=rng.random() < 0.8, learning_rate=rng.choice(RATES), epochs=rng.choice(EPOCHS),
        seeds=rng.choice(SEEDS), activations=tuple(rng.sample(ACTIVATIONS, 1)), **asked,
    )  # fmt: skip
    return found if found.quick else replace(found, epochs=min(found.epochs, 3))


def main(runs: int, seed: int) -> int:
    rng = random.Random(seed)
    checked: Counter[str] = Counter()
    failed = 0
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for number in range(runs):
        kind, settings = rng.choice(list(KINDS)), some_settings(rng)
        as_reported = rng.random() < 0.5
        question = "q2" if number % 4 == 3 else "q1"
        try:
            if question == "q1":
                checker = first_question(kind, settings, as_reported=as_reported)
                checker.check_all()
                checked[question] += checker.checked
            else:
                checked[question] += second_question(kind, vars(settings))
        except Exception:
            failed += 1
            console.print(question, kind, settings, f"{as_reported=}")
            console.print(traceback.format_exc())
        if number % 10 == 9:
            console.print(
                f"{number + 1} runs, sentences checked: {dict(checked)}, failed: {failed}"
            )
    console.print(f"{runs} runs, sentences checked: {dict(checked)}, runs that failed: {failed}")
    return int(failed > 0)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*given, *(100, 0)[len(given) :]))
