"""Each example runs, in its short form, and says what it is to show."""

import runpy
import sys
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")

FOLDER = Path(__file__).parents[2] / "examples"

# Of each script: what it prints, and the files that it leaves.
SAYS = {
    "quick_start": (["test accuracy 0.", "the first five:"], ["curves.png"]),
    "table_with_gaps": (["gaps: {", "the mean is off by", "the net is off by"], ["penguins.csv"]),
    "rare_class": (["are an 8", "plain: finds", "class_weight: finds"], []),
    "ones_own_parts": (["gradients are right: True", "epoch 6:", "the net made most of:"], []),
    "stop_and_resume": (["cut off in the third epoch", "without the break: True"], []),
    "learning_rates": (["the cycle's peak is", "one cycle: accuracy"], ["rates.png"]),
    "monte_carlo_dropout": (["the mean of 50", "five answers"], []),
    "other_libraries": (
        ["PyTorch agrees: True", "onnxruntime agrees: True", "trains on here"],
        ["net.pt", "net.onnx"],
    ),
}


def test_each_example_is_here():
    others = {"reading_near_one"}  # has tests of its own
    assert {path.stem for path in FOLDER.glob("*.py")} == {*SAYS, *others}


@pytest.mark.parametrize("name", SAYS)
def test_an_example(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, "--short"])
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    text = capsys.readouterr().out
    sentences, files = SAYS[name]
    for sentence in sentences:
        assert sentence in text
    for file in files:
        assert (tmp_path / file).stat().st_size > 100
    mpl.pyplot.close("all")
