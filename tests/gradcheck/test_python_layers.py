"""Nets with layers written in Python are checked like any other."""

import numpy as np
import pytest

from fastmlp import Sequential, check_gradients, layers, regularizers
from tests.backends import ALL

BACKENDS = pytest.mark.parametrize("backend", ALL)


class Scale(layers.Layer):
    """``x * scale + shift``, with a regularizer, and faults to choose from."""

    def __init__(self, fault="", **options):
        super().__init__(**options)
        self.fault = fault

    def build(self, input_shape):
        self.add_weight("scale", input_shape, "normal", regularizer=regularizers.L1L2(0.02, 0.03))
        self.add_weight("shift", input_shape, "normal")

    def forward(self, x, training):
        self.x = x.copy()
        return x * self.weights["scale"] + self.weights["shift"]

    def backward(self, dy):
        dscale, dshift = (dy * self.x).sum(axis=0), dy.sum(axis=0)
        dx = dy * self.weights["scale"]
        match self.fault:
            case "scale":
                dscale = dy.sum(axis=0)
            case "shift twice":
                dshift = 2 * dshift
            case "handed down":
                dx = dy
        return dx, {"scale": dscale, "shift": dshift}


class Mix(layers.Layer):
    """``x @ kernel`` with a kernel that lies transposed in memory."""

    def build(self, input_shape):
        self.add_weight("kernel", (*input_shape, 4), transposed=True)

    def output_shape(self, input_shape):
        return (4,)

    def forward(self, x, training):
        self.x = x.copy()
        return x @ self.weights["kernel"]

    def backward(self, dy):
        return dy @ self.weights["kernel"].T, {"kernel": self.x.T @ dy}


class HandWrittenRelu(layers.Layer):
    """Its kink is known to nobody but itself."""

    def __init__(self, slope_at_0=0.0, **options):
        super().__init__(**options)
        self.slope_at_0 = slope_at_0

    def forward(self, x, training):
        self.x = x.copy()
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy * np.where(self.x == 0, self.slope_at_0, self.x > 0), {}


def net(middle, backend, seed=0, activation="tanh", dtype="float64"):
    model = Sequential(
        [
            layers.Input((5,)),
            layers.Dense(6, activation, name="below", kernel_regularizer="l2"),
            *middle,
            layers.Dense(3, "softmax", name="above"),
        ],
        seed=seed,
        dtype=dtype,
        backend=backend,
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def batch(n=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 5)), rng.integers(0, 3, n)


@BACKENDS
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_right_layers_pass(activation, dtype, backend):
    middle = [Scale(), layers.Dropout(0.3), Mix()]
    model = net(middle, backend, activation=activation, dtype=dtype)
    weights = [layer.weights for layer in middle]
    arrays = [{name: own[name] for name in own.names} for own in weights]
    report = check_gradients(model, *batch())
    assert report.passed
    assert report.relative_error < 1e-9
    tensors = [tensor.name for tensor in report.tensors]
    assert tensors[2:5] == ["scale/scale", "scale/shift", "mix/kernel"]
    # For the check they saw a float64 copy; now they see the net's own memory again.
    for own, before in zip(weights, arrays, strict=True):
        assert all(own[name] is before[name] for name in before)


@BACKENDS
@pytest.mark.parametrize(
    ("fault", "wrong", "finding"),
    [
        ("scale", ["scale/scale"], "no simple pattern"),
        ("shift twice", ["scale/shift"], "scale: 2 times"),
        ("handed down", ["below/kernel", "below/bias"], ""),
    ],
)
def test_wrong_layers_fail_and_are_located(fault, wrong, finding, backend):
    report = check_gradients(net([Scale(fault)], backend), *batch())
    assert not report.passed
    failed = [tensor for tensor in report.tensors if not tensor.passed]
    assert [tensor.name for tensor in failed] == wrong
    assert all(tensor.finding.startswith(finding) for tensor in failed)
    location = (
        "while the gradient that arrives at scale is right: look at what scale hands down"
        if fault == "handed down"
        else f"in {wrong[0]}: the gradient that arrives there is right"
    )
    assert location in report.location


@BACKENDS
@pytest.mark.parametrize("seed", range(6))
def test_kinks_inside_such_layers_are_noticed_from_values(seed, backend):
    """Of 32 x 6 units, some are nearer to their kink than the first step."""
    model = net([HandWrittenRelu()], backend, seed=seed, activation=None)
    report = check_gradients(model, *batch(32, seed))
    assert report.passed
    assert report.kinks == []
    # Where the step has to shrink to 2^-18, rounding is 4 eps / 2^-17 = 1e-10.
    assert report.relative_error < 1e-8


@pytest.mark.parametrize(
    ("slope_at_0", "passes"), [(0.0, True), (0.5, True), (1.0, True), (2.0, False)]
)
def test_any_slope_between_the_two_passes_at_such_a_kink(slope_at_0, passes):
    model = Sequential(
        [layers.Input((1,)), layers.Dense(1), HandWrittenRelu(slope_at_0), layers.Dense(1)],
        dtype="float64",
    )
    model.compile("sgd", "mse")
    model.set_weights([[[1.0]], [0.0], [[2.0]], [0.5]])
    report = check_gradients(model, [[0.0]], [1.0])
    (kink,) = report.kinks
    assert (kink.cause, kink.tensor) == ("bend", "dense/bias")
    assert (kink.left, kink.right) == pytest.approx((0.0, -2.0), abs=1e-6)
    assert kink.analytic == pytest.approx(-2.0 * slope_at_0)
    assert kink.passed == report.passed == passes
