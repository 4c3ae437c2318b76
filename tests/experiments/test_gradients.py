"""The gradient of every configuration in the questions, against numeric differences."""

import pytest

from fastmlp import check_gradients, datasets
from fastmlp.experiments import q2
from fastmlp.experiments.q1 import claims as q1_claims
from fastmlp.experiments.q1 import cures
from fastmlp.experiments.q2 import claims as q2_claims
from fastmlp.experiments.q2 import sweeps
from fastmlp.experiments.settings import Settings
from tests.experiments.labs import lab

TOLERANCE = 1e-8


def configurations():
    patients = [q1_claims.net(Settings(), name, d) for name, d in q1_claims.DEPTHS.items()]
    it = lab(q2)
    models = [q2_claims.net(it, claim) for claim in q2_claims.MODELS]
    cured = [cure.apply(net) for net in patients for cure in cures.CURES]
    swept = [
        sweeps.nets(it, kind, strength, subset=False)[0]
        for kind in sweeps.KINDS
        for strength in sweeps.strengths(it, kind)
    ]
    # What a gradient depends on; the learning rate and the like are not part of it.
    alike = {}
    for net in [*patients, *cured, *models, *swept]:
        key = (
            net.activation, net.depth, net.width, net.initializer, net.l1, net.l2, net.dropout,
            net.residual, net.normalized,
        )  # fmt: skip
        alike.setdefault(key, net)
    return list(alike.values())


def name_of(net):
    penalties = f"l1={net.l1:g}, l2={net.l2:g}, dropout={net.dropout:g}"
    kind = "residual " if net.residual else "normalized " if net.normalized else ""
    return f"{kind}{net.activation} {net.depth} x {net.width}, {net.initializer}, {penalties}"


@pytest.fixture(scope="module")
def dataset():
    return datasets.load()


@pytest.mark.parametrize("net", configurations(), ids=name_of)
def test_relative_error(net, dataset):
    x, y = (array[:6] for array in dataset.train)
    report = check_gradients(net.build(dataset, dtype="float64"), x, y)
    assert report.passed, str(report)
    assert report.relative_error <= TOLERANCE
