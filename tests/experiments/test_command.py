"""``python -m fastmlp.experiments``: what it leaves behind, and how it fails."""

import csv
import json
import re

import pytest

from fastmlp.experiments import cli, q1
from fastmlp.experiments.q1 import cells, cures, depth_map
from fastmlp.experiments.q1 import claims as q1_claims
from fastmlp.experiments.settings import Settings

from .runs import FEW, quick_run

FIGURES = {
    "q1": {
        "patients_curves",
        "patients_gradients",
        "patients_first_layer",
        "depth_map",
        "causes",
        "maps",
    },
    "q2": {"models_curves", "models_curves_subset", "sweeps", "loss_accuracy"},
}


@pytest.mark.parametrize("question", FIGURES)
def test_a_run_leaves_everything(question):
    folder, printed = quick_run(question)
    results = json.loads((folder / "results.json").read_text())
    assert results["finished"] is True
    assert results["dataset"]["name"] == "digits"
    with (folder / "epochs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(results["nets"]) > 20
    report = (folder / "report.md").read_text()
    linked = set(re.findall(r"\]\((.+?)\.png\)", report))
    assert linked == FIGURES[question]
    for name in linked:
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (folder / f"{name}.svg").read_text()
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert "The critique" in printed
    assert "report.html" in printed


def test_ctrl_c_keeps_what_is_done(tmp_path, monkeypatch, capsys):
    def interrupted(lab):
        cells.train(lab, "some", depth_map.nets(lab, "sigmoid"), (1,))
        raise KeyboardInterrupt

    monkeypatch.setattr(depth_map, "train", interrupted)
    assert cli.main(["q1", *FEW, "--out", str(tmp_path)]) == 130
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["finished"] is False
    assert {net["activation"] for net in results["nets"]} == {"sigmoid"}
    found = [row["activation"] for row in results["findings"]["depth_map"]]
    assert list(dict.fromkeys(found)) == ["sigmoid"]
    assert "interrupted" in (tmp_path / "report.md").read_text()
    assert "Interrupted" in capsys.readouterr().out


def test_ctrl_c_before_anything_is_done(tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "warm_up", interrupted)
    assert cli.main(["q1", *FEW, "--out", str(tmp_path)]) == 130
    assert json.loads((tmp_path / "results.json").read_text())["nets"] == []


def test_an_out_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["q1", *FEW, "--out", str(tmp_path / "file" / "below")])
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seeds", "0"], "positive integer"),
        (["--epochs", "-1"], "positive integer"),
        (["--epochs", "two"], "expected a positive integer, got two"),
        (["--learning-rate", "high"], "expected a positive number, got high"),
        (["--learning-rate", "nan"], "positive number"),
        (["--dataset", "mnist"], "--dataset"),
        (["--backend", "cuda"], "--backend"),
        (["--batch-size", str(2**63)], "at most 1,000,000"),
        (["--dropout", "1"], "[0, 1)"),
        (["--l2", "-1"], "not negative"),
        (["--learning-rate", "1e40"], "1e+30]"),
        (["--activations", "relu,tan"], "relu,tan"),
        (["--initializer", "xavier"], "xavier"),
    ],
)
def test_bad_options_name_themselves(options, words, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["q1", *options, "--out", str(tmp_path / "new")])
    message = capsys.readouterr().err
    assert words in message
    assert not (tmp_path / "new").exists()


def test_an_out_without_a_name_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["q1", *FEW, "--out", ""])
    assert "--out: expected a directory" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_figures_that_cannot_be_drawn_cost_no_numbers(error, tmp_path, monkeypatch):
    def fails(lab):
        raise error("no picture")

    monkeypatch.setattr(depth_map, "draw", fails)
    options = [*FEW, "--quick", "--activations", "relu", "--out", str(tmp_path)]
    assert cli.main(["q1", *options]) == (130 if error is KeyboardInterrupt else 1)
    assert json.loads((tmp_path / "results.json").read_text())["finished"] is True
    assert (tmp_path / "epochs.csv").exists()
    assert (tmp_path / "report.md").exists()
    assert not (tmp_path / "depth_map.png").exists()
    if error is ValueError:
        assert (tmp_path / "patients_curves.png").exists()
        assert "](depth_map.png)" not in (tmp_path / "report.md").read_text()


def test_words_that_fail_cost_no_numbers(tmp_path, monkeypatch):
    def fails(lab):
        raise ZeroDivisionError

    monkeypatch.setattr(depth_map, "describe", fails)
    with pytest.raises(ZeroDivisionError):
        cli.main(["q1", *FEW, "--quick", "--activations", "relu", "--out", str(tmp_path)])
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["nets"]
    assert "ZeroDivisionError" in results["error"]


def test_an_earlier_run_is_not_mixed_with_this_one(tmp_path):
    (tmp_path / "results.json").write_text('{"files": ["cures.png"]}')
    (tmp_path / "cures.png").write_text("old")
    options = [*FEW, "--quick", "--activations", "relu", "--out", str(tmp_path)]
    assert cli.main(["q1", *options]) == 0
    assert not (tmp_path / "cures.png").exists()


def test_every_cure_changes_a_net_of_some_patient():
    assert len({cure.name for cure in cures.CURES}) == len(cures.CURES)
    patients = [q1_claims.net(Settings(), name, d) for name, d in q1_claims.DEPTHS.items()]
    assert all(any(cure.changes(net) for net in patients) for cure in cures.CURES)
    assert q1.PARTS[-1].__name__.endswith("critique")
