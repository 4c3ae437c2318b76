"""Every sentence of question 1 follows from the nets' figures: see ``q1_sentences``.

Small data, but all settings that have led to wrong sentences: learning rates from 1e-6 to 1e30,
one epoch and twenty, one seed and several, classes of unequal size, noise, easy data.
"""

import functools
from dataclasses import replace

import pytest

from fastmlp.experiments.settings import Settings
from tests.experiments.grid import KINDS, first_question

QUICK = Settings(quick=True, activations=("relu",))
SETTINGS = {
    "quick": QUICK,
    "1e-6": replace(QUICK, learning_rate=1e-6),
    "rate 5": replace(QUICK, learning_rate=5.0),
    "1e30": replace(QUICK, learning_rate=1e30),
    "one epoch": replace(QUICK, epochs=1, activations=("tanh",)),
    "one seed": replace(QUICK, seeds=1),
    "20 epochs, rate 2": replace(QUICK, epochs=20, activations=("tanh",), learning_rate=2.0),
    "20 seeds": replace(QUICK, seeds=20, epochs=2, activations=("sigmoid",)),
    "knobs": replace(
        QUICK, depth=2, width=3, initializer="he_normal", momentum=0.5, l2=1e-3, dropout=0.1,
        batch_size=7, activations=("elu",), epochs=2,
    ),
}  # fmt: skip
OFTEN = ("quick", "1e30", "knobs")  # with all kinds of data; the others with one each, in turn
CASES = [
    (kind, name)
    for place, name in enumerate(SETTINGS)
    for turn, kind in enumerate(KINDS)
    if name in OFTEN or place % len(KINDS) == turn
]


run = functools.cache(first_question)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_every_sentence_follows_from_the_figures(kind, name):
    checker = run(kind, SETTINGS[name])
    checker.check_all()
    assert checker.checked >= 5


def test_sentences_about_the_report_follow_too():
    checker = run("easy", replace(QUICK, activations=("tanh",)), as_reported=True)
    checker.check_all()
    said = [s["text"] for s in checker.results["statements"] if s["kind"].startswith("report's")]
    assert not any("not comparable" in text for text in said)


@pytest.mark.parametrize("name", ["quick", "1e30"])
def test_noise_is_not_learned_by_any_net_of_the_map(name):
    results = run("noise", SETTINGS[name]).results
    assert "nothing learned" in {s["kind"] for s in results["statements"]}


def test_easy_data_are_learned():
    results = run("easy", QUICK).results
    assert results["findings"]["depth_map"][0]["courses"]["learned"] >= 3
