"""``check_gradients(f, grad, x)``: functions and gradients written with NumPy."""

import numpy as np
import pytest

from fastmlp import check_gradients

RNG = np.random.default_rng(7)
MATRIX = RNG.normal(size=(6, 6))
POSITIVE = RNG.uniform(0.5, 3, 8)
NORMAL = RNG.normal(size=(4, 3))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


RIGHT = {
    "sum of squares": (lambda x: (x**2).sum(), lambda x: 2 * x, NORMAL),
    "quadratic form": (
        lambda x: x @ MATRIX @ x,
        lambda x: (MATRIX + MATRIX.T) @ x,
        RNG.normal(size=6),
    ),
    "log-sum-exp": (
        lambda x: np.log(np.exp(x).sum(axis=-1)).sum(),
        softmax,
        NORMAL,
    ),
    "logarithm": (lambda x: np.log(x).sum(), lambda x: 1 / x, POSITIVE),
    "product": (np.prod, lambda x: np.prod(x) / x, POSITIVE),
    "fast oscillation": (lambda x: np.sin(50 * x).sum(), lambda x: 50 * np.cos(50 * x), NORMAL),
    "a scalar": (lambda x: float(x**3), lambda x: 3 * x**2, np.array(1.5)),
    "large values": (lambda x: (x**2).sum(), lambda x: 2 * x, NORMAL * 1e6),
    "small values": (lambda x: (x**2).sum(), lambda x: 2 * x, NORMAL * 1e-3),
    "gradient 0": (lambda x: (x**2).sum(), lambda x: 2 * x, np.zeros(4)),
    "constant": (lambda x: 3.0, np.zeros_like, NORMAL),
    "three axes": (lambda x: (x**3).sum(), lambda x: 3 * x**2, RNG.normal(size=(2, 3, 2))),
    "away from its kink": (lambda x: np.abs(x).sum(), np.sign, NORMAL),
    "near its kink": (lambda x: np.abs(x).sum(), np.sign, np.array([1e-4, -1e-5, 2e-6, 1.0])),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_pass(name):
    function, gradient, x = RIGHT[name]
    report = check_gradients(function, gradient, x)
    assert report.passed, str(report)
    assert report.relative_error < 1e-8
    assert report.parameters == x.size
    assert report.loss == pytest.approx(float(function(x)), rel=1e-15)
    assert report.kinks == []
    (tensor,) = report.tensors
    assert (tensor.name, tensor.shape, tensor.finding) == ("x", x.shape, "")


def test_a_gradient_may_be_given_as_an_array():
    assert check_gradients(lambda x: (x**2).sum(), 2 * NORMAL, NORMAL).passed
    assert not check_gradients(lambda x: (x**2).sum(), 3 * NORMAL, NORMAL).passed


def only(index, factor):
    def spoil(g):
        g = g.copy()
        g.flat[index] *= factor
        return g

    return spoil


# what is wrong: the mistake, the finding, the location
WRONG = {
    "half": (lambda g: g / 2, "scale: 0.5 times the numeric one", "12 of the 12"),
    "zero": (lambda g: 0 * g, "zero: the analytic gradient is 0", "12 of the 12"),
    "negative": (lambda g: -g, "sign: the analytic gradient is the negative", "12 of the 12"),
    "transposed": (lambda g: g.T.reshape(g.shape), "transposed", "10 of the 12"),
    "rolled": (lambda g: np.roll(g, 1, axis=0), "shifted: its inputs are off by one", "12 of"),
    "one entry": (only(5, 1.001), "no simple pattern: cosine 1.000", "in 1 of the 12 entries of x"),
    "tiny": (lambda g: 1e-9 * RNG.normal(size=g.shape), "vanishing", "12 of the 12"),
    "a column lost": (
        lambda g: g * [1, 0, 1],
        "partly zero: the gradient of 1 of 3",
        "4 of the 12",
    ),
    "infinite": (only(0, np.inf), "not finite: the analytic gradient", "1 of the 12"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradients_fail(name):
    mistake, finding, location = WRONG[name]
    report = check_gradients(lambda x: (x**2).sum(), lambda x: np.asarray(mistake(2 * x)), NORMAL)
    assert not report.passed
    assert report.tensors[0].finding.startswith(finding)
    assert location in report.location
    assert "FAILED" in str(report)


def test_spurious_gradient():
    report = check_gradients(lambda x: 3.0, np.ones_like, NORMAL)
    assert not report.passed
    assert report.tensors[0].finding.startswith("spurious")


def test_worst_entry_is_shown():
    report = check_gradients(lambda x: (x**2).sum(), lambda x: only(7, 1.1)(2 * x), NORMAL)
    entry = report.worst[0]
    assert (entry.tensor, entry.index) == ("x", (2, 1))
    assert entry.numeric == pytest.approx(2 * NORMAL[2, 1])
    assert entry.analytic == pytest.approx(2.2 * NORMAL[2, 1])
    assert entry.relative_error == pytest.approx(0.1 / 2.1)


def unpack(flat):
    return flat[:35].reshape(5, 7), flat[35:42], flat[42:70].reshape(7, 4), flat[70:]


def relu_net(seed, slope=1.0):
    """A loss and its gradient as one writes them by hand, of the 74 parameters of 5-7-4."""
    rng = np.random.default_rng(seed)
    x, t = rng.normal(size=(32, 5)), rng.normal(size=(32, 4))

    def loss(flat):
        a, b, c, d = unpack(flat)
        return np.mean((np.maximum(x @ a + b, 0) @ c + d - t) ** 2)

    def gradient(flat):
        a, b, c, d = unpack(flat)
        z = x @ a + b
        h = np.maximum(z, 0)
        e = 2 * (h @ c + d - t) / t.size
        dz = e @ c.T * (z > 0) * slope
        return np.concatenate(
            [(x.T @ dz).ravel(), dz.sum(axis=0), (h.T @ e).ravel(), e.sum(axis=0)]
        )

    return loss, gradient, rng.normal(size=74)


@pytest.mark.parametrize("seed", range(10))
def test_relu_nets_by_hand_pass_although_steps_cross_kinks(seed):
    report = check_gradients(*relu_net(seed))
    assert report.passed, str(report)
    assert report.relative_error < 1e-8


def test_a_relu_net_by_hand_with_a_fault_fails():
    report = check_gradients(*relu_net(0, slope=1.001))
    assert not report.passed
    assert report.location == "in 42 of the 74 entries of x"


@pytest.mark.parametrize(
    ("slope", "passes"), [(-1.0, True), (0.0, True), (0.3, True), (1.0, True), (1.1, False)]
)
def test_at_a_kink_any_slope_between_the_two_passes(slope, passes):
    x = np.array([0.5, 0.0, -2.0])
    report = check_gradients(
        lambda x: np.abs(x).sum(), lambda x: np.where(x == 0, slope, np.sign(x)), x
    )
    (kink,) = report.kinks
    assert (kink.cause, kink.index) == ("bend", (1,))
    assert (kink.left, kink.right) == pytest.approx((-1, 1), rel=1e-6)
    assert kink.passed == report.passed == passes
    assert report.location == ("" if passes else "in 1 of the 3 entries of x")
    assert report.relative_error < 1e-10


def test_a_function_rounded_to_float32_is_no_kink_but_a_coarse_gradient():
    def rounded(x):
        return np.sum(x.astype(np.float32) ** 2)

    report = check_gradients(rounded, lambda x: 2 * x, NORMAL)
    assert report.kinks == []
    # eps / step = 6e-8 / 1e-3.
    assert 1e-7 < report.relative_error < 1e-3
    assert "float32" in report.explanation


def test_neither_x_nor_its_copies_are_changed():
    x = NORMAL.copy()

    def destructive(z):
        value = (z**2).sum()
        z[:] = 0
        return value

    def gradient(z):
        g = 2 * z
        z[:] = 0
        return g

    assert check_gradients(destructive, gradient, x).passed
    np.testing.assert_array_equal(x, NORMAL)
