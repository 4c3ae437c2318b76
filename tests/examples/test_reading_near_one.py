"""The example runs, and its lessons are true."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "reading_near_one.py"


@pytest.fixture(scope="module")
def example():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def readings(example):
    return {case.name: case.reading for case in example["cases"]()}


def test_it_runs_as_a_script(capsys):
    runpy.run_path(str(SCRIPT), run_name="__main__")
    text = capsys.readouterr().out
    assert text.startswith("The reading: 0.9999999999998282\n")
    for sentence in (
        "check_gradients: zero: the analytic gradient is 0",
        "check_gradients: scale: 1e-13 times",
        "check_gradients: sign: the analytic gradient is the negative",
        "check_gradients: scale: 32 times",
        "check_gradients: nothing is wrong with the analytic gradient",
    ):
        assert sentence in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_number_means_a_factor_or_an_angle(example):
    text = example["explain_the_number"](example["READING"])
    # (1 + r) / (1 - r), and the square root of 8 (1 - r).
    assert "1.16e+13 times" in text
    assert "pi less 1.2e-06" in text


# the reading of each case, as (lowest, highest)
BOUNDS = {
    "All is well": (0, 1e-8),
    "The analytic gradient was never filled in": (1, 1),
    "The analytic gradient is 1e-13 times what it should be": (1 - 3e-13, 1 - 1e-13),
    "The difference is divided by another step than the one taken": (1 - 3e-13, 1 - 1e-13),
    "Other weights' gradient, of about the same size": (0.5, 0.9),
    "The gradient of an earlier batch": (0.1, 0.9),
    "The sum over the batch in place of the mean": (31 / 33 - 1e-8, 31 / 33 + 1e-8),
    "The sign is wrong": (1 - 1e-15, 1),
    "The sign is wrong, and the differences are one-sided": (1 - 1e-11, 1 - 1e-14),
    "float32, with a step of 1e-12": (1, 1),
    "float32, with a step of 1e-7": (0.1, 0.9999),
    "A gradient that vanished, beside that of other weights": (1 - 1e-11, 1 - 1e-14),
    "A gradient that vanished, beside its own differences": (0.5, 1),
}


def test_every_case_reads_as_its_lesson_says(readings):
    assert readings.keys() == BOUNDS.keys()
    for name, (low, high) in BOUNDS.items():
        assert low <= readings[name] <= high, name
