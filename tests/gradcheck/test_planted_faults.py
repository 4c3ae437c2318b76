"""The checker is proved able to fail: faults planted in backpropagation are found, and located."""

import re

import pytest

from fastmlp import check_gradients
from tests.gradcheck.fault_table import FAULTS
from tests.gradcheck.faults import TENSORS, batch, classifier, regressor


@pytest.mark.parametrize("make", [classifier, regressor])
def test_without_a_fault_everything_passes(make):
    model = make()
    report = check_gradients(model, *batch(model))
    assert report.passed
    assert [tensor.name for tensor in report.tensors] == TENSORS
    assert all(tensor.passed and not tensor.finding for tensor in report.tensors)
    # Rounding: 4 eps |loss| / step = 1e-12, over gradients of 0.1 or more.
    assert report.relative_error < 1e-10
    assert report.location == ""


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_and_located(name, monkeypatch):
    fault = FAULTS[name]
    fault.plant(monkeypatch)
    model = fault.model()
    report = check_gradients(model, *batch(model))
    assert not report.passed
    assert [tensor.name for tensor in report.tensors if not tensor.passed] == fault.wrong
    # By layer as well.
    layers = {tensor.split("/")[0] for tensor in fault.wrong}
    assert {layer.name for layer in report.layers if not layer.passed} == layers
    assert re.search(fault.location, report.location), report.location
    findings = {tensor.name: tensor.finding for tensor in report.tensors}
    for tensor in TENSORS:
        if tensor in fault.wrong:
            assert re.search(fault.findings.get(tensor, "."), findings[tensor]), findings[tensor]
        else:
            assert findings[tensor] == ""
    assert {entry.tensor for entry in report.worst[:1]} <= set(fault.wrong)
    text = str(report)
    assert "FAILED" in text
    assert f"Where: {report.location}." in " ".join(text.split())


def test_two_faults_are_both_located(monkeypatch):
    for name in ("tanh has no derivative", "bias off by one"):
        FAULTS[name].plant(monkeypatch)
    model = classifier()
    location = check_gradients(model, *batch(model)).location
    own, down = location.split("; and ")
    assert re.search(FAULTS["bias off by one"].location, own)
    assert re.search(FAULTS["tanh has no derivative"].location, down)
