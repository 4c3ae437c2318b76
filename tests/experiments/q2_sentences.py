"""Each kind of sentence of question 2, parsed and held against the nets' raw figures.

The checks share no code with the experiment: they start from what results.json keeps of each net.
"""

import dataclasses
import json
import math
import re

import numpy as np
import pytest
from scipy import stats

from fastmlp.experiments import q2
from fastmlp.experiments.settings import Settings
from tests.experiments.labs import lab

STRENGTH = {"L1": "l1", "L2": "l2", "dropout": "dropout"}
NUMBER = r"[-+]?\d[\d.]*(?:e[-+]?\d+)?"


def run(options, dataset):
    it = lab(q2, Settings(**options), dataset)
    sections = []
    for part in q2.PARTS:
        part.train(it)
        sections.append(part.describe(it))
    nets = [
        {**dataclasses.asdict(net), **dataclasses.asdict(outcome)}
        for net, outcome in it.outcomes.items()
    ]
    statements = [
        {"section": section.title, **dataclasses.asdict(statement)}
        for section in sections
        for statement in section.statements
    ]
    for section in sections:
        for statement in section.statements:
            assert statement.text in section.text
    findings = {part.__name__.rpartition(".")[2]: part.results(it) for part in q2.PARTS}
    text = json.dumps({"statements": statements, "nets": nets, "findings": findings})
    results = json.loads(text)
    results["text"] = "\n\n".join(section.text for section in sections)
    results["entropy"] = it.entropy
    results["settings"] = options
    return results


class Nets:
    """The raw nets of a run, by arm, strength and seed."""

    def __init__(self, results, model, *, subset):
        self.results = results
        key = STRENGTH[model]
        others = [other for other in STRENGTH.values() if other != key]
        rates = {
            "L1": 0.003, "L2": 0.0033, "dropout": 0.0033,
        }  # fmt: skip
        usual = rates[model] * (10 if results["settings"].get("quick") else 1)
        rate = results["settings"].get("learning_rate") or usual
        self.by_strength = {}
        for net in results["nets"]:
            if (
                (net["samples"] is not None) == subset
                and all(net[other] == 0 for other in others)
                and math.isclose(net["learning_rate"], rate)
            ):
                self.by_strength.setdefault(net[key], {})[net["seed"]] = net

    @staticmethod
    def test_loss(net):
        figures = net["figures"]
        loss = figures.get("val_data_loss", figures["val_loss"])[-1]
        finite = math.isfinite(loss) and math.isfinite(net["measured"]["train_loss"])
        return loss if finite and not net["divergence"] else math.nan

    def figure(self, net, name):
        loss = self.test_loss(net)
        if not math.isfinite(loss):
            return math.nan
        if name == "test_loss":
            return loss
        if name == "gap":
            return loss - net["measured"]["train_loss"]
        return net["figures"]["val_accuracy"][-1]

    def learned(self, net):
        return self.test_loss(net) < 0.99 * self.results["entropy"]

    def diverged(self, net):
        return not math.isfinite(self.test_loss(net))

    def interval(self, name, strength, other, seeds, comparisons=1):
        a, b = self.by_strength[strength], self.by_strength[other]
        d = [self.figure(a[s], name) - self.figure(b[s], name) for s in range(seeds)]
        mean = float(np.mean(d))
        if len(d) < 2:
            return mean, math.nan, math.nan
        half = stats.t.isf(0.025 / comparisons, len(d) - 1) * stats.sem(d)
        return mean, mean - half, mean + half


def statements(results, kind):
    return [s for s in results["statements"] if s["kind"] == kind]


def check_effect(results, said):
    text, q = said["text"], said["quantities"]
    nets = Nets(results, q["model"], subset=q["subset"])
    mine, plain = nets.by_strength[q["strength"]], nets.by_strength[0.0]
    seeds = range(q["seeds"])
    everything = [mine[s] for s in seeds] + [plain[s] for s in seeds]
    claims_something = re.search(r"narrows|widens|rises|falls", text)
    if q["strength"] == 0:
        assert "nothing to compare" in text
    elif any(map(nets.diverged, everything)):
        lost = [sum(nets.diverged(side[s]) for s in seeds) for side in (mine, plain)]
        assert f"{lost[0]} of {len(seeds)} nets with it and {lost[1]} of" in text
        assert not claims_something
    elif not any(map(nets.learned, everything)):
        assert "no net learned" in text
        assert not claims_something
    elif len(seeds) < 2:
        assert "one seed cannot tell" in text
        assert not claims_something
    else:
        for name, noun, down, up in (
            ("gap", "the gap", "the gap narrows", "the gap widens"),
            ("test_loss", "test loss", "test loss falls", "test loss rises"),
            ("test_accuracy", "test accuracy", "test accuracy falls", "test accuracy rises"),
        ):
            mean, low, high = nets.interval(name, q["strength"], 0.0, len(seeds))
            assert (down in text) == (high < 0)
            assert (up in text) == (low > 0)
            assert (f"whether {noun} changes is undecided" in text) == (low <= 0 <= high)
            if low > 0 or high < 0:
                word = up if low > 0 else down
                found = re.search(f"{word} by ({NUMBER}) \\(({NUMBER}) to ({NUMBER})\\)", text)
                expected = [abs(mean), *sorted((abs(low), abs(high)))]
                assert [float(v) for v in found.groups()] == pytest.approx(expected, abs=6e-5)
        lost = sum(not nets.learned(mine[s]) for s in seeds)
        assert (f"{lost} of {len(seeds)} nets with it did not learn" in text) == bool(lost)


def check_sweep(results, said):
    text, q = said["text"], said["quantities"]
    model = next(name for name, kind in STRENGTH.items() if kind == q["kind"])
    nets = Nets(results, model, subset=q["subset"])
    seeds, own = q["seeds"], q["own"]
    swept = [
        row["strength"]
        for row in results["findings"]["sweeps"]
        if (row["kind"], row["subset"]) == (q["kind"], q["subset"])
    ]
    assert own in swept
    ends = {s: [nets.by_strength[s][seed] for seed in range(seeds)] for s in swept}
    everything = [net for these in ends.values() for net in these]
    judged = re.search(r"regularized:|well chosen|lower than|higher than", text)
    if not any(map(nets.learned, everything)):
        assert "no net of this sweep learned" in text
        assert not judged
        return
    if seeds < 2:
        assert "one seed cannot tell" in text
        assert not judged
        return
    comparisons = len(swept) - 1
    apart = {s: nets.interval("test_loss", s, 0.0, seeds, comparisons) for s in swept if s}
    for word, chosen in (
        ("lower", [s for s, (_, _, high) in apart.items() if high < 0]),
        ("higher", [s for s, (_, low, _) in apart.items() if low > 0]),
    ):
        found = re.search(f"{word} than without it at (.+?)\\.(?: |$)", text)
        listed = [float(v) for v in re.findall(NUMBER, found[1])] if found else []
        assert listed == pytest.approx(sorted(chosen))
    if own and ("well chosen" in text or "-regularized:" in text):
        assert not any(map(nets.diverged, ends[own]))
        finite = [s for s in swept if not any(map(nets.diverged, ends[s]))]
        best = min(np.mean([nets.test_loss(net) for net in ends[s]]) for s in finite)
        excess = {
            s: nets.interval("test_loss", own, s, seeds, comparisons) for s in finite if s != own
        }
        worse_than = {s: low for s, (_, low, _) in excess.items() if low > 0.01 * best}
        if "well chosen" in text:
            assert all(map(nets.learned, ends[own]))
            assert excess
            assert all(high <= 0.01 * best for _, _, high in excess.values())
        elif "under-regularized:" in text:
            assert max(worse_than, key=worse_than.get) > own
        else:
            assert max(worse_than, key=worse_than.get) < own


def check_overfits(results, said):
    for subset, where in ((False, "all"), (True, "few")):
        answer = re.search(f"with {where} samples, (.*?)(?:\\(95 %|\\.)", said["text"])[1]
        rows = {}
        for net in results["nets"]:
            if (net["samples"] is not None) == subset:
                rows.setdefault((net["l1"], net["l2"], net["dropout"], net["learning_rate"]), {})[
                    net["seed"]
                ] = net
        models = {row["model"]: row for row in results["findings"]["models"]
                  ["subset" if subset else "full"]}  # fmt: skip
        any_diverged = any(row["diverged"] for row in models.values())
        if any_diverged or not all(row["learned"] for row in models.values()):
            assert "it does" not in answer
        if results["settings"].get("seeds") == 1:
            assert "it does" not in answer
        if answer.startswith("it does not"):
            means = {name: row["gap"]["mean"] for name, row in models.items()}
            assert max(means, key=means.get) != "L2"


def check_gradients(results, said):
    rows = results["findings"]["gradients"]["models"]
    for name, row in ((r["model"], r) for r in rows):
        spoken = "the unregularized net" if name == "unregularized" else name
        assert spoken in said["quantities"][row["verdict"]]
        assert (row["verdict"] == "passed") == row["passed"]
    wrong = any(row["verdict"] == "failed" for row in rows)
    assert ("gradient is wrong" in said["text"]) == wrong
    assert not wrong  # the kernels are right: whatever the settings are, none may be accused


def check_readings(results, said):
    reported = 1 - results["findings"]["gradients"]["reported"]
    for reading in results["findings"]["gradients"]["readings"]:
        near = reported / 10 <= reading["below_one"] <= reported * 10
        assert (reading["name"] in said["quantities"].get("alike", [])) == near
        assert (f"{reading['name']} (" in said["text"]) == near


def check_tolerance(results, said):
    assert "1.22 times" in said["text"]
    assert pytest.approx(1.22, abs=0.005) == (1 + 0.1) / (1 - 0.1)


def check_unrelated(results, said):
    assert 0.5 < said["quantities"]["reading"] < 0.9
    assert f"read {said['quantities']['reading']:.2f} here" in said["text"]


def check_suspect(results, said):
    models = results["findings"]["models"]["full"]
    learned = sum(row["learned"] for row in models)
    nets = sum(row["seeds"] for row in models)
    assert (f"{learned} of {nets} nets" in said["text"]) == bool(learned)


def check_assumptions(results, said):
    assert "not comparable" in said["text"]  # no data set of the grid is the report's
    assert said["quantities"]["departures"]


def check_two_changes(results, said):
    assert said["quantities"]["models"] == ["L2", "dropout"]


CHECKS = {
    "effect": check_effect, "sweep": check_sweep, "overfits": check_overfits,
    "gradients": check_gradients, "readings": check_readings, "tolerance": check_tolerance,
    "unrelated": check_unrelated, "suspect": check_suspect, "assumptions": check_assumptions,
    "two changes": check_two_changes,
}  # fmt: skip


def check_all(results):
    """Check every sentence of a run; returns how many there are."""
    for statement in results["statements"]:
        CHECKS[statement["kind"]](results, statement)
    return len(results["statements"])
