"""A run's files: whole or not at all, and never of two runs."""

import json
import os

import pytest

from fastmlp.experiments import folder
from fastmlp.experiments.folder import EPOCHS, REPORT, RESULTS, RunFolder, as_json, text


def files(run, **more):
    listed = [RESULTS, EPOCHS, REPORT, *more]
    return {
        RESULTS: as_json({"run": run, "files": listed}),
        EPOCHS: text(run),
        REPORT: text(f"{run} ![a](map.png)"),
        **{name.replace("_", "."): text(run) for name in more},
    }


def contents(path):
    return {p.name: p.read_text() for p in path.iterdir()}


def test_a_rerun_leaves_nothing_of_the_run_before(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    first = RunFolder(tmp_path)
    first.publish({**files("one"), "arrays.npz": text("one")})
    first.add({"map.png": text("one"), "map.svg": text("one")})
    RunFolder(tmp_path).publish(files("two"))
    found = contents(tmp_path)
    assert set(found) == {"mine.txt", RESULTS, EPOCHS, REPORT, "arrays.npz"}
    assert found[EPOCHS] == "two"
    assert json.loads(found[RESULTS])["run"] == "two"
    RunFolder(tmp_path).publish(files("three"))
    assert found["mine.txt"] == "mine"


def test_what_a_run_lists_goes_with_it(tmp_path):
    it = {**files("one"), RESULTS: as_json({"files": ["old.npz", "../outside", 3]})}
    RunFolder(tmp_path).publish({**it, "old.npz": text("one")})
    RunFolder(tmp_path).publish(files("two"))
    assert set(contents(tmp_path)) == {RESULTS, EPOCHS, REPORT}


def test_until_a_run_is_published_the_earlier_one_stays(tmp_path):
    RunFolder(tmp_path).publish(files("one"))
    before = contents(tmp_path)
    RunFolder(tmp_path)
    assert contents(tmp_path) == before


def broken(path):
    path.write_text("half")
    raise OSError("no space")


@pytest.mark.parametrize("name", [EPOCHS, REPORT])
def test_one_failed_write_costs_nothing_else(name, tmp_path):
    RunFolder(tmp_path).publish(files("one"))
    failed = RunFolder(tmp_path).publish({**files("two"), name: broken})
    assert set(failed) == {name}
    found = contents(tmp_path)
    assert name not in found
    assert all("two" in content for content in found.values())
    assert len(found) == 2


def test_without_new_numbers_the_old_run_stays_and_the_rest_is_kept(tmp_path):
    RunFolder(tmp_path).publish(files("one"))
    failed = RunFolder(tmp_path).publish({**files("two"), RESULTS: broken})
    assert set(failed) == {RESULTS}
    kept = {p.name: p.read_text() for p in tmp_path.iterdir() if p.is_file()}
    assert all("one" in content for content in kept.values())
    (beside,) = [p for p in tmp_path.iterdir() if p.is_dir()]
    assert {p.name for p in beside.iterdir()} == {EPOCHS, REPORT}


@pytest.mark.parametrize("at", range(1, 7))
def test_an_interruption_of_the_exchange_changes_nothing(at, tmp_path, monkeypatch):
    RunFolder(tmp_path).publish(files("one"))
    before = contents(tmp_path)
    replace, calls = os.replace, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == at:
            raise KeyboardInterrupt
        return replace(*args)

    monkeypatch.setattr(folder.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        RunFolder(tmp_path).publish(files("two"))
    monkeypatch.undo()
    assert {p.name: p.read_text() for p in tmp_path.iterdir() if p.is_file()} == before


def test_a_directory_in_the_place_of_results_is_found_at_once(tmp_path):
    (tmp_path / RESULTS).mkdir()
    with pytest.raises(OSError, match=RESULTS):
        RunFolder(tmp_path)
