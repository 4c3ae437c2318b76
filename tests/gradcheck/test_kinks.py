"""Points where the loss has no derivative are recognized, judged apart, and judged exactly."""

import numpy as np
import pytest

from fastmlp import Sequential, activations, check_gradients, layers, regularizers
from fastmlp.initializers import Constant
from fastmlp.kernels import reference
from fastmlp.kernels.contract import SELU_ALPHA, SELU_SCALE
from tests.backends import ALL, COMPILED

BACKENDS = pytest.mark.parametrize("backend", ALL)

# activation: slopes on the left and on the right of 0
SLOPES = {
    "relu": ("relu", 0.0, 1.0),
    "leaky_relu": (activations.LeakyReLU(0.2), 0.2, 1.0),
    "steeper on the left": (activations.LeakyReLU(3.0), 3.0, 1.0),
    "elu": (activations.ELU(0.3), 0.3, 1.0),
    "selu": ("selu", SELU_SCALE * SELU_ALPHA, SELU_SCALE),
}


# activation: where it has a kink; slopes on the left and on the right of it, and the one taken
ELSEWHERE = {
    "relu6 at 0": ("relu6", 0.0, 0.0, 1.0, 0.0),
    "relu6 at 6": ("relu6", 6.0, 1.0, 0.0, 0.0),
    "hard_sigmoid at -3": ("hard_sigmoid", -3.0, 0.0, 1 / 6, 0.0),
    "hard_sigmoid at 3": ("hard_sigmoid", 3.0, 1 / 6, 0.0, 0.0),
    "hard_silu at -3": ("hard_silu", -3.0, 0.0, -0.5, 0.0),
    "hard_silu at 3": ("hard_silu", 3.0, 1.5, 1.0, 1.0),
    "hard_tanh at -1": ("hard_tanh", -1.0, 0.0, 1.0, 0.0),
    "hard_tanh at 1": ("hard_tanh", 1.0, 1.0, 0.0, 0.0),
    "sparse_sigmoid at -1": ("sparse_sigmoid", -1.0, 0.0, 0.5, 0.0),
    "sparse_sigmoid at 1": ("sparse_sigmoid", 1.0, 0.5, 0.0, 0.0),
    "soft_shrink at -0.5": ("soft_shrink", -0.5, 1.0, 0.0, 0.0),
    "soft_shrink at 0.5": ("soft_shrink", 0.5, 0.0, 1.0, 0.0),
}
WITH_KINKS = [
    *SLOPES, "relu6", "hard_sigmoid", "hard_silu", "hard_tanh", "sparse_sigmoid", "soft_shrink",
    "hard_shrink", "threshold", "prelu",
]  # fmt: skip

KINKS = {
    "hard_sigmoid": 3.0, "hard_silu": -3.0, "hard_tanh": 1.0, "sparse_sigmoid": -1.0,
    "soft_shrink": 0.5, "hard_shrink": 0.5, "threshold": 0.5,
}  # fmt: skip


def one_unit(activation, bias, backend, weight=2.0):
    """The loss (weight * f(x + bias) + 0.5 - t)^2, for one input x."""
    model = Sequential(
        [layers.Input((1,)), layers.Dense(1, activation), layers.Dense(1)],
        dtype="float64",
        backend=backend,
    )
    model.compile("sgd", "mse")
    model.set_weights([[[1.0]], [bias], [[weight]], [0.5]])
    return model


@BACKENDS
@pytest.mark.parametrize("name", SLOPES)
def test_unit_exactly_at_its_kink(name, backend):
    activation, slope_left, slope_right = SLOPES[name]
    report = check_gradients(one_unit(activation, 0.0, backend), [[0.0]], [1.0])
    assert report.passed
    # The input is 0, so the kernel moves nothing; of the rest only the bias is at the kink.
    (kink,) = report.kinks
    assert (kink.cause, kink.tensor, kink.index) == ("activation", "dense/bias", (0,))
    outer = 2 * (0.5 - 1.0) * 2.0
    # One-sided over a step of 1.5e-8: curvature gives about as much, rounding 1e-8.
    assert (kink.left, kink.right) == pytest.approx((slope_left * outer, slope_right * outer), 1e-6)
    # Backpropagation counts 0 to the left side.
    assert kink.analytic == pytest.approx(slope_left * outer, 1e-14)
    assert kink.passed
    by_name = {tensor.name: tensor for tensor in report.tensors}
    assert [by_name[t].kinks for t in ("dense/kernel", "dense/bias", "dense_1/kernel")] == [0, 1, 0]
    assert report.relative_error < 1e-10


@BACKENDS
@pytest.mark.parametrize("offset", [1e-12, -1e-12])
@pytest.mark.parametrize("name", SLOPES)
def test_unit_nearer_than_any_step(name, offset, backend):
    report = check_gradients(one_unit(SLOPES[name][0], offset, backend), [[0.0]], [1.0])
    assert [kink.tensor for kink in report.kinks] == ["dense/bias"]
    assert report.passed


@BACKENDS
@pytest.mark.parametrize("offset", [5e-4, -5e-4, 1e-6, -1e-6])
@pytest.mark.parametrize("name", SLOPES)
def test_unit_near_its_kink_gets_a_smaller_step(name, offset, backend):
    """It has a derivative, so it is no kink; and the same check with one step would fail."""
    model = one_unit(SLOPES[name][0], offset, backend)
    report = check_gradients(model, [[0.0]], [1.0])
    assert report.kinks == []
    assert report.passed
    far = check_gradients(one_unit(SLOPES[name][0], 0.5, backend), [[0.0]], [1.0])
    assert report.evaluations > far.evaluations


@BACKENDS
@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "gelu", "silu", "softplus"])
def test_smooth_activations_have_no_kink(name, backend):
    report = check_gradients(one_unit(name, 0.0, backend), [[0.0]], [1.0])
    assert report.kinks == []
    assert report.passed


@BACKENDS
@pytest.mark.parametrize("case", ELSEWHERE)
def test_unit_at_a_kink_that_is_not_at_0(case, backend):
    name, bias, slope_left, slope_right, taken = ELSEWHERE[case]
    report = check_gradients(one_unit(name, bias, backend), [[0.0]], [1.0])
    assert report.passed
    (kink,) = report.kinks
    outer = 2 * (2.0 * activations.get(name)(np.array([bias])).item() + 0.5 - 1.0) * 2.0
    assert (kink.left, kink.right) == pytest.approx(
        (slope_left * outer, slope_right * outer), rel=1e-6, abs=1e-6
    )
    assert kink.analytic == pytest.approx(taken * outer, 1e-14)


@BACKENDS
@pytest.mark.parametrize("loss", ["mae", "mape", "hinge", "categorical_hinge"])
def test_loss_at_its_kink(loss, backend):
    """Errors of 0, and margins of 0."""
    model = Sequential(
        [layers.Input((2,)), layers.Dense(3), layers.Dense(2, kernel_initializer="zeros")],
        seed=1, dtype="float64", backend=backend,
    )  # fmt: skip
    model.compile("sgd", loss)
    y = {"hinge": [[1.0, 1.0]], "categorical_hinge": [[0.0, 1.0]]}.get(loss, [[0.0, 0.5]])
    if loss == "hinge":
        model.set_weights([*model.get_weights()[:3], [1.0, 0.0]])
    report = check_gradients(model, [[0.3, -0.2]], y)
    assert report.passed, report


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("name", WITH_KINKS)
@pytest.mark.parametrize("initializer", ["zeros", "glorot_uniform"])
def test_many_units_at_their_kinks_at_once(initializer, name, backend):
    check_many_units(initializer, name, backend)


@pytest.mark.parametrize("name", ["relu", "hard_silu"])  # each takes a second
def test_many_units_of_the_reference_at_their_kinks(name):
    check_many_units("zeros", name, "numpy")


def check_many_units(initializer, name, backend):
    """Samples of 0 and layers of 0: a step takes units across that pull in opposite directions.

    There the gradient that backpropagation takes need not lie between the slopes on both sides.
    """
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(8, 5)), rng.integers(0, 4, 8)
    x[:3] = 0

    def activation():
        if name == "prelu":
            return layers.PReLU("random_uniform")
        if name == "threshold":
            return layers.ReLU(threshold=0.5)
        return layers.Activation(SLOPES[name][0] if name in SLOPES else name)

    at = KINKS.get(name, 0.0)
    model = Sequential(
        [
            layers.Input((5,)),
            layers.Dense(7, kernel_initializer=initializer, bias_initializer=Constant(at)),
            activation(),
            layers.Dense(6, bias_initializer=Constant(at)),
            activation(),
            layers.Dense(4, "softmax"),
        ],
        seed=0,
        dtype="float64",
        backend=backend,
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    report = check_gradients(model, x, y)
    assert len(report.kinks) >= (13 if at == 0 else 7)
    assert report.passed
    assert report.relative_error < 1e-9
    if name in SLOPES and name != "relu":
        inside = [
            min(k.left, k.right) - 1e-6 <= k.analytic <= max(k.left, k.right) + 1e-6
            for k in report.kinks
        ]
        assert not all(inside)


@pytest.mark.parametrize("name", SLOPES)
def test_the_other_slope_at_0_is_found(name, monkeypatch):
    """A convention that differs from the one that training uses, at exactly 0 alone."""
    kernel = reference.activation_backward

    def counts_0_to_the_right(kind, alpha, x, y, dy, dx):
        kernel(kind, alpha, np.where(x == 0, 1e-300, x), y, dy, dx)

    monkeypatch.setattr(reference, "activation_backward", counts_0_to_the_right)
    report = check_gradients(one_unit(SLOPES[name][0], 0.0, "numpy"), [[0.0]], [1.0])
    assert [kink.passed for kink in report.kinks] == [False]
    assert [t.finding for t in report.tensors if not t.passed] == ["wrong at a kink"]
    assert not report.passed
    assert "1 of them wrong" in str(report)


def penalized(weights, backend, l1=0.25):
    model = Sequential(
        [
            layers.Input((len(weights),)),
            layers.Dense(1, use_bias=False, kernel_regularizer=regularizers.L1L2(l1, 0.125)),
        ],
        dtype="float64",
        backend=backend,
    )
    model.compile("sgd", "mse")
    model.set_weights([np.array(weights)[:, None]])
    return model


@BACKENDS
def test_weights_at_0_under_l1(backend):
    model = penalized([0.0, 0.5, -0.0, -0.5], backend)
    report = check_gradients(model, [[1.0, 2.0, 3.0, 4.0]], [1.0])
    assert report.passed
    assert [(kink.cause, kink.index) for kink in report.kinks] == [
        ("L1", (0, 0)),
        ("L1", (2, 0)),
    ]
    outer = 2 * (0.5 * 2 - 0.5 * 4 - 1)  # 2 (output - target)
    for kink, x in zip(report.kinks, (1.0, 3.0), strict=True):
        assert kink.analytic == pytest.approx(outer * x, rel=1e-14)
        expected = (outer * x - 0.25, outer * x + 0.25)
        assert (kink.left, kink.right) == pytest.approx(expected, rel=1e-10)
    assert report.tensors[0].kinks == 2


@BACKENDS
@pytest.mark.parametrize("scale", [1.0, 1e-6])
@pytest.mark.parametrize("weight", [1e-3, -1e-3, 1e-9, -1e-9, 1e-300])
def test_weights_near_0_under_l1_are_no_kinks(weight, scale, backend):
    """The slope of |w| is known there; a small input makes for a large step."""
    report = check_gradients(penalized([weight, 1.0], backend), [[scale, -scale]], [1.0])
    assert report.kinks == []
    assert report.passed
    assert report.relative_error < 1e-9


def test_another_slope_of_l1_at_0_is_found(monkeypatch):
    def sign_of_0_is_1(l1, l2, step, first, weights, gradient):
        gradient += l1 * np.where(weights >= 0, 1, -1) + 2 * l2 * weights

    monkeypatch.setattr(reference, "penalty_gradient", sign_of_0_is_1)
    report = check_gradients(penalized([0.0, 0.5], "numpy"), [[1.0, 2.0]], [1.0])
    assert [kink.passed for kink in report.kinks] == [False]
    assert not report.passed


@BACKENDS
def test_without_l1_a_weight_of_0_is_no_kink(backend):
    report = check_gradients(penalized([0.0, 0.5], backend, l1=0.0), [[1.0, 2.0]], [1.0])
    assert report.kinks == []
    assert report.passed
