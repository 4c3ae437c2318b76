"""``python -m fastmlp.experiments``: what it leaves behind, and how it fails."""

import csv
import json
import re

import pytest

from fastmlp.experiments import cli, q1
from fastmlp.experiments.q1 import cures, depth_map

FEW = ["--dataset", "digits", "--epochs", "1", "--seeds", "1"]
FIGURES = {
    "q1": {"patients_curves", "patients_gradients", "patients_first_layer", "depth_map", "cures"},
    "q2": {"models_curves", "models_curves_subset", "sweeps", "loss_accuracy"},
}


@pytest.mark.parametrize("question", FIGURES)
def test_a_run_leaves_everything(question, tmp_path, capsys):
    assert cli.main([question, *FEW, "--quick", "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["finished"] is True
    assert results["dataset"]["name"] == "digits"
    with (tmp_path / "epochs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(results["nets"]) > 20
    report = (tmp_path / "report.md").read_text()
    linked = set(re.findall(r"\]\((.+?)\.png\)", report))
    assert linked == FIGURES[question]
    for name in linked:
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (tmp_path / f"{name}.svg").read_text()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    printed = capsys.readouterr().out
    assert "The critique" in printed
    assert "report.md" in printed


def test_ctrl_c_keeps_what_is_done(tmp_path, monkeypatch, capsys):
    def interrupted(lab):
        lab.train("some", depth_map.nets(lab, "sigmoid"))
        raise KeyboardInterrupt

    monkeypatch.setattr(depth_map, "train", interrupted)
    assert cli.main(["q1", *FEW, "--out", str(tmp_path)]) == 130
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["finished"] is False
    assert {net["activation"] for net in results["nets"]} == {"sigmoid", "tanh", "relu"}
    assert [row["activation"] for row in results["findings"]["depth_map"]] == [
        "sigmoid", "tanh", "relu",
    ]  # fmt: skip
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
    ],
)
def test_bad_options_name_themselves(options, words, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["q1", *options, "--out", str(tmp_path / "new")])
    message = capsys.readouterr().err
    assert words in message
    assert not (tmp_path / "new").exists()


def test_every_cure_changes_a_net_of_some_patient():
    assert len({cure.name for cure in cures.CURES}) == len(cures.CURES)
    assert set(cures.MATCHED.values()) <= set(cures.INITIALIZATIONS)
    assert q1.PARTS[-1].__name__.endswith("critique")
