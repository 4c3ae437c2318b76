"""Normalization, convolution, pooling, gates, reuse, buffers: right ones pass, faults are found."""

import numpy as np
import pytest

from fastmlp import Sequential, check_gradients, layers
from tests.backends import ALL
from tests.gradcheck import faulty_layers as f
from tests.gradcheck.fault_table import FAULTS as KERNEL_FAULTS

BELOW = ("below/kernel", "below/bias")

# layer: its faults, each with the tensors whose gradient is wrong
FAULTS = {
    f.BatchNorm: {
        "gamma sees the input": ("it/gamma",),
        "beta takes the mean": ("it/beta",),
        "gamma left out": BELOW,
        "mean held fixed": BELOW,
        "variance held fixed": BELOW,
        "variance for deviation": BELOW,
    },
    f.LayerNorm: {
        "gamma sees the input": ("it/gamma",),
        "mean held fixed": BELOW,
        "variance held fixed": BELOW,
    },
    f.Convolution: {
        "kernel flipped": BELOW,
        "off by one": ("it/kernel",),
        "overwrites instead of adding": BELOW,
        "border forgotten": BELOW,
    },
    f.MaxPooling: {"to both": BELOW, "to the first": BELOW},
    f.AveragePooling: {"not shared": BELOW},
    f.Gate: {
        "slope of the gate": BELOW,
        "gate held fixed": BELOW,
        "gate forgotten": BELOW,
        "halves swapped": BELOW,
    },
    f.Tied: {"first use only": ("it/kernel",), "second use only": ("it/kernel",)},
    f.Recurrent: {
        "later state": ("it/w",),
        "last step only": ("it/w",),
        "not transposed": (*BELOW, "it/u", "it/w"),
        "cut off after two steps": (*BELOW, "it/u", "it/w"),
    },
    f.Accumulating: {
        "scale not cleared": ("it/scale",),
        "averaged with the last call's": ("it/scale", "it/shift"),
        "input's gradient not cleared": BELOW,
        "one buffer for both": ("it/scale",),
    },
    f.Views: {"input not copied": BELOW, "slope from the input": BELOW},
    f.Residual: {"skip forgotten": BELOW, "branch forgotten": BELOW},
}
CASES = [(kind, fault) for kind, faults in FAULTS.items() for fault in faults]
REPEATING = {
    "scale not cleared": "accumulates: ",
    "input's gradient not cleared": "accumulates: ",
    "averaged with the last call's": "not repeatable: ",
}


def net(layer, backend="numpy"):
    model = Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, "tanh", name="below"),
            layer,
            layers.Dense(3, "softmax", name="above"),
        ],
        seed=0,
        dtype="float64",
        backend=backend,
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def batch():
    rng = np.random.default_rng(4)
    return rng.normal(size=(7, 5)), rng.integers(0, 3, 7)


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("kind", FAULTS)
def test_right_layers_pass(kind, backend):
    report = check_gradients(net(kind(), backend), *batch())
    assert report.verdict == "passed", str(report)
    assert report.relative_error < 1e-8


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_faults_are_found_and_located(kind, fault):
    report = check_gradients(net(kind(fault)), *batch())
    wrong = FAULTS[kind][fault]
    assert report.verdict == "failed"
    failed = [tensor for tensor in report.tensors if not tensor.passed]
    assert sorted(tensor.name for tensor in failed) == sorted(wrong), str(report)
    assert "above" not in report.location.partition(", while")[0]
    own = [name.partition("/")[2] for name in wrong if name not in BELOW]
    if kind is f.Recurrent and len(own) == 2:
        assert report.location.startswith("from it downwards, while the gradient that arrives at")
    elif own:
        assert "the gradient that arrives" in report.location
        assert "it/" in report.location or "of it" in report.location
    elif report.layers[1].name == "it":
        assert "while the gradient that arrives at it is right: look at what it hands down" in (
            report.location
        )
    else:
        assert "look at what above hands down, the backward pass of it" in report.location
    for tensor in failed:
        assert tensor.finding.startswith(REPEATING.get(fault, tensor.finding[:1]))
        assert tensor.wrong > 0


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (f.BatchNorm, "mean held fixed"),
        (f.Convolution, "border forgotten"),
        (f.Accumulating, "scale not cleared"),
        (f.Tied, "second use only"),
    ],
)
def test_faults_are_found_on_every_backend(kind, fault, backend):
    assert check_gradients(net(kind(fault), backend), *batch()).verdict == "failed"


class Noisy(f.Faulty):
    """Draws new noise at each call."""

    def build(self, input_shape):
        self.rng = np.random.default_rng(0)

    def forward(self, x, training):
        return x + self.rng.normal(size=x.shape)

    def backward(self, dy):
        return dy, {}


@pytest.mark.parametrize("backend", ALL)
def test_a_net_that_is_not_deterministic(backend):
    report = check_gradients(net(Noisy(), backend), *batch())
    assert report.verdict == "cannot tell"
    assert report.reason.startswith("the function is not deterministic: two calls")
    assert all(tensor.verdict == "cannot tell" for tensor in report.tensors)


class Float32Inside(f.Views):
    """Computes in float32, as a layer made with another library may."""

    def forward(self, x, training):
        return super().forward(x.astype(np.float32), training).astype(x.dtype)


@pytest.mark.parametrize("factor", [1.0, 1.05])
def test_a_layer_that_rounds_to_float32(factor):
    class Scaled(Float32Inside):
        def backward(self, dy):
            return factor * super().backward(dy)[0].astype(dy.dtype), {}

    report = check_gradients(net(Scaled()), *batch())
    assert report.verdict == ("passed" if factor == 1 else "failed"), str(report)


@pytest.mark.parametrize("backend", ALL)
def test_a_bias_below_a_normalization_has_a_gradient_of_0(backend):
    """What backpropagation gives there is rounding, and so is the numeric gradient."""
    model = Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, name="below"),
            f.BatchNorm(),
            layers.Dense(3, "softmax"),
        ],
        seed=0,
        backend=backend,
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    report = check_gradients(model, *batch())
    assert report.tensors[1].analytic_norm < 1e-12
    assert report.verdict == "passed", str(report)


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("depth", [3, 16])
def test_a_vanished_gradient_is_not_said_to_be_right(depth, backend):
    hidden = [layers.Dense(4, "sigmoid", name=f"hidden{i}") for i in range(depth)]
    model = Sequential(
        [layers.Input((5,)), *hidden, layers.Dense(3, "softmax")], seed=0, backend=backend
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    report = check_gradients(model, *batch())
    assert report.verdict == ("passed" if depth == 3 else "cannot tell"), str(report)
    assert report.tensors[-1].passed
    if depth == 16:
        assert report.tensors[0].verdict == "cannot tell"
        assert "hidden0/kernel" in report.reason


def test_there_are_enough_of_them():
    assert len(CASES) >= 33
    assert len(CASES) + len(KERNEL_FAULTS) >= 65
