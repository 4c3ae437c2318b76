"""The second question's words about the report follow the numbers, and only where they may."""

import dataclasses

import numpy as np
import pytest

from fastmlp.experiments import q2
from fastmlp.experiments.q2 import claims, critique, intervals, models, readings, sweeps
from fastmlp.experiments.settings import Settings
from tests.experiments.labs import lab, outcome


def with_figures(it, net, *, train_loss, test_loss, accuracy, penalty=0.0):
    base = outcome(it, stuck=False, accuracy=accuracy)
    epochs = net.epochs
    figures = {
        "loss": [train_loss + penalty] * epochs,
        "data_loss": [train_loss] * epochs,
        "accuracy": [accuracy] * epochs,
        "val_loss": [test_loss + penalty] * epochs,
        "val_data_loss": [test_loss] * epochs,
        "val_accuracy": [accuracy] * epochs,
    }
    measured = {
        **base.measured, "train_loss": train_loss, "train_penalized": train_loss + penalty,
    }  # fmt: skip
    it.outcomes[net] = dataclasses.replace(base, figures=figures, measured=measured)


def lab_with_models(accuracy_of, loss=1.1, penalty_of=lambda claim: 0.0, settings=None):
    it = lab(q2, settings or Settings())
    for subset in (False, True):
        for claim in claims.MODELS:
            for which in (models.nets, models.controls):
                for net in which(it, claim, subset=subset):
                    with_figures(
                        it, net, train_loss=loss, test_loss=loss, accuracy=accuracy_of(claim),
                        penalty=penalty_of(claim) if which is models.nets else 0.0,
                    )  # fmt: skip
    return it


@pytest.fixture
def comparable(monkeypatch):
    """Take the small data for the report's."""
    monkeypatch.setattr(claims, "departures", lambda lab: [])


def answers(it):
    return {held.name.partition(":")[0]: held.answer for held in critique.held(it)}


@pytest.mark.usefixtures("comparable")
def test_a_pair_of_loss_and_accuracy_that_never_occurs_is_refuted():
    it = lab_with_models(lambda claim: 0.6)
    assert answers(it)["unregularized, test"] == "refuted"
    text = critique.describe(it).text
    assert "pairs of loss and accuracy are refuted" in text
    assert "unregularized, test: 1.1277 with 0.1837" in text.split("Refuted:")[1]


@pytest.mark.usefixtures("comparable")
def test_a_pair_that_occurs_is_not_refuted():
    text = critique.describe(lab_with_models(lambda claim: 0.1837, loss=1.13)).text
    assert "unregularized, test: 1.1277 with 0.1837" in text.split("Seen:")[1]


@pytest.mark.usefixtures("comparable")
def test_a_loss_that_never_occurs_refutes_nothing():
    it = lab_with_models(lambda claim: 0.9, loss=9.0)
    assert set(answers(it).values()) == {"unknown"}
    assert "no pair of loss and accuracy is refuted" in critique.describe(it).text


@pytest.mark.usefixtures("comparable")
def test_one_or_two_epochs_refute_nothing():
    it = lab_with_models(lambda claim: 0.6, settings=Settings(epochs=1, seeds=1))
    assert "refuted" not in answers(it).values()


@pytest.mark.usefixtures("comparable")
def test_a_pair_that_fits_with_the_penalty_is_not_refuted():
    """Without it no loss near 1.4341 goes with 0.63; with it, L1's does."""
    it = lab_with_models(lambda c: 0.63 if c.kind == "l1" else 0.45, loss=1.40,
                         penalty_of=lambda c: 0.0)  # fmt: skip
    for claim in claims.MODELS:
        for net in models.nets(it, claim, subset=False):
            if claim.kind == "l1":
                with_figures(it, net, train_loss=1.0, test_loss=1.0, accuracy=0.6, penalty=0.44)
            else:
                with_figures(it, net, train_loss=1.43, test_loss=1.43, accuracy=0.3)
        for net in models.controls(it, claim, subset=False):
            with_figures(it, net, train_loss=1.43, test_loss=1.43, accuracy=0.3)
    for net in list(it.outcomes):
        if net.samples is not None:
            del it.outcomes[net]
    held = next(h for h in critique.held(it) if h.claim.kind == "l1" and not h.test)
    assert held.plain == "refuted"
    assert held.penalized != "refuted"
    assert held.answer != "refuted"


@pytest.mark.parametrize(
    "options",
    [{"epochs": 2}, {"learning_rate": 0.1}, {"quick": True}, {"depth": 2}, {"l1": 0.1},
     {"momentum": 0.9}, {"batch_size": 8}, {"width": 5}],
)  # fmt: skip
def test_no_pair_is_judged_by_a_run_that_is_not_the_reports(options):
    it = lab_with_models(lambda claim: 0.6, settings=Settings(**options))
    assert not critique.table_of_pairs(it)
    assert "not comparable with the report's" in critique.describe(it).text


def test_the_reports_own_losses_say_that_the_plain_net_overfits_most():
    said = critique.overfits_most(lab_with_models(lambda claim: 0.6))[0]
    gaps = said.quantities["report_gaps"]
    assert max(gaps, key=gaps.get) == "unregularized"
    assert gaps["L2"] == pytest.approx(1.0029 - 1.0614)
    assert "largest for the unregularized net" in said.text


@pytest.mark.parametrize("best", [0.0, 0.005, 0.1])
def test_strengths_are_judged_by_differences_between_seeds(best):
    it = lab(q2, Settings(seeds=4))
    for strength in sweeps.strengths(it, "l2"):
        for net in sweeps.nets(it, "l2", strength, subset=False):
            # Seeds differ by far more than strengths, but alike at all of them.
            loss = (1 + abs(strength - best)) * 0.5 + 0.1 * net.seed
            with_figures(it, net, train_loss=0.4, test_loss=loss, accuracy=0.5)
    for point in sweeps.points(it, "l2", subset=False):
        excess, mean = 0.5 * abs(point.strength - best), 0.65
        expected = "well" if excess <= 0.01 * mean else "under" if point.strength < best else "over"
        assert point.verdict == expected


def test_intervals():
    interval = intervals.Interval.of([1.0, 2.0, 4.0])
    # t(0.975, 2) = 4.3027; the standard error is sqrt(7/3)/sqrt(3).
    assert interval.high - interval.mean == pytest.approx(4.3026527 * np.sqrt(7) / 3)
    assert intervals.Interval.of([1.0]).sign == 0
    assert np.isnan(intervals.Interval.of([1.0, np.nan]).mean)
    wider = intervals.Interval.of([1.0, 2.0, 4.0], comparisons=5)
    assert wider.reach > interval.reach


def test_readings_of_the_small_net_are_what_they_must_be():
    found = {r.name: r for r in readings.measure(lab(q2))}

    def read(start):
        return next(r for name, r in found.items() if name.startswith(start))

    assert 1 - read("(J+ - J-) / (2 eps), eps = 1e-07, float64").below_one < 1e-5
    precedence = read("(J+ - J-) / 2 * eps, eps = 1e-07, float64")
    assert precedence.below_one == pytest.approx(2e-14, rel=0.05)
    guarded = read("a = 0, 1e-12 added")
    assert guarded.below_one == pytest.approx(1e-12 / guarded.numeric_norm, rel=1e-3)
    assert read("a = 0, nothing added").below_one == 0
    assert read("a with the wrong sign").below_one < 1e-9
    assert 0.2 < read("the entries of a in random order").below_one < 0.4
    assert read("a = sum over the batch").below_one == pytest.approx(2 / 33, rel=1e-4)
