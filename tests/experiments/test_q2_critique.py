"""The second question's words follow the numbers."""

import dataclasses

import pytest

from fastmlp.experiments import q2
from fastmlp.experiments.q2 import claims, critique, models, sweeps
from tests.experiments.labs import lab, outcome


def with_figures(it, net, *, train_loss, test_loss, accuracy):
    base = outcome(it, stuck=False, accuracy=accuracy)
    figures = {**base.figures, "loss": [train_loss], "val_loss": [test_loss]}
    measured = {**base.measured, "train_loss": train_loss}
    it.outcomes[net] = dataclasses.replace(base, figures=figures, measured=measured)


def lab_with_models(accuracy_of, test_loss=1.1):
    it = lab(q2)
    for subset in (False, True):
        for claim in claims.MODELS:
            for net in models.nets(it, claim, subset=subset):
                with_figures(
                    it, net, train_loss=0.5, test_loss=test_loss, accuracy=accuracy_of(claim)
                )
    return it


def test_a_pair_of_loss_and_accuracy_that_never_occurs_is_refuted():
    text = critique.describe(lab_with_models(lambda claim: 0.6)).text
    assert "cannot be right" in text
    assert "none, test: 1.1277 with 0.1837" in text.split("Far outside")[1]


def test_a_pair_that_occurs_is_not_refuted():
    text = critique.describe(lab_with_models(lambda claim: 0.2)).text
    assert "no pair of loss and accuracy in the report is refuted" in text


def test_a_loss_that_never_occurs_refutes_nothing():
    text = critique.describe(lab_with_models(lambda claim: 0.9, test_loss=9.0)).text
    assert "No epoch of this run has such a loss" in text
    assert "no pair of loss and accuracy in the report is refuted" in text


def test_a_regularizer_that_helps_is_named():
    text = critique.describe(lab_with_models(lambda c: 0.7 if c.l2 else 0.6)).text
    assert "regularization raises test accuracy with all samples" in text
    assert "rises with L2 (+0.100)" in text


@pytest.mark.parametrize("best", [0.0, 0.003, 0.1])
def test_strengths_are_judged_by_the_best_of_the_sweep(best):
    it = lab(q2)
    for strength in (0.0, *sweeps.STRENGTHS["l2"]):
        for net in sweeps.nets(it, "l2", strength, subset=False):
            loss = 1 + abs(strength - best)
            with_figures(it, net, train_loss=0.5, test_loss=loss, accuracy=0.5)
    for point in sweeps.points(it, "l2", subset=False):
        loss = 1 + abs(point.strength - best)
        expected = "well" if loss <= 1.01 else "under" if point.strength < best else "over"
        assert point.verdict == expected
