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
    assert "|n| is 5.82" in text
    assert "2.9e-07 squared" in text


# the reading of each case, as (lowest, highest)
BOUNDS = {
    "All is well": (0, 1e-8),
    "The analytic gradient was never filled in": (1, 1),
    "Never filled in, and 1e-12 added to the denominator": (
        1 - 1.72e-13, 1 - 1.71e-13,
    ),
    "Operator precedence: (J+ - J-) / 2 * eps, float64, eps = 3e-7": (1 - 1.9e-13, 1 - 1.7e-13),
    "Operator precedence, float32, eps = 1e-7": (1 - 7e-14, 1 - 1e-14),
    "The analytic gradient is 1e-13 times what it should be": (1 - 3e-13, 1 - 1e-13),
    "Other weights' gradient, of about the same size": (0.5, 0.9),
    "The gradient of an earlier batch": (0.1, 0.9),
    "The sum over the batch in place of the mean": (31 / 33 - 1e-8, 31 / 33 + 1e-8),
    "The sign is wrong": (1 - 1e-15, 1),
    "The sign is wrong, and the differences are one-sided": (1 - 1e-11, 1 - 1e-14),
    "float32, with a step of 1e-12": (1, 1),
    "float32, with a step of 1e-7": (0.1, 0.9),
    "float64, with a step of 1e-15": (0.1, 0.9),
    "A step of 0.03": (1e-7, 1e-2),
    "float32, with a step of 1e-3": (1e-7, 1e-2),
    "A kink inside the step": (1e-7, 1e-2),
    "A small term is missing: an L2 penalty of 1e-3": (1e-7, 1e-2),
    "A gradient that vanished, beside that of other weights": (1 - 1e-11, 1 - 1e-14),
    "A gradient that vanished, beside its own differences": (0.5, 1),
}  # fmt: skip


def test_rounding_noise_over_any_step_is_not_the_reading(example):
    readings = [r for _, *both in example["noise_by_step"]() for r in both]
    assert len(readings) == 48
    assert max(r for r in readings if r < 1) < 0.9


def test_explanations_are_those_that_the_cases_reproduce(example, readings):
    explain = example["explain_reading"]
    text = explain(example["READING"])
    assert "eps = 2.9e-07" in text
    assert "norm of 5.8" in text
    assert "about 0.71" in text
    assert "noise" not in text
    for name, words in {
        "Operator precedence, float32, eps = 1e-7": "operator precedence",
        "Never filled in, and 1e-12 added to the denominator": "guard",
        "The sign is wrong, and the differences are one-sided": "wrong sign",
        "The analytic gradient was never filled in": "never filled in",
        "The sign is wrong": "opposite signs",
        "float32, with a step of 1e-12": "so small that the loss does not change",
        "The sum over the batch in place of the mean": "sum over the batch",
        "Other weights' gradient, of about the same size": "unrelated",
        "float32, with a step of 1e-7": "float32",
        "A step of 0.03": "too large",
        "float32, with a step of 1e-3": "float32",
        "A kink inside the step": "kink",
        "A small term is missing: an L2 penalty of 1e-3": "small term is missing",
    }.items():
        assert words in explain(readings[name]), name


def test_every_case_reads_as_its_lesson_says(readings):
    assert readings.keys() == BOUNDS.keys()
    for name, (low, high) in BOUNDS.items():
        assert low <= readings[name] <= high, name
