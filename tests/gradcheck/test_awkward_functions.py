"""Functions that are hard to differentiate numerically, and right: none is accused.

Each stands with the verdict that it gets.  "Cannot tell" is only there where float64 does not
hold the answer, and each such case says why.
"""

import math
import zlib

import numpy as np
import pytest

from fastmlp import check_gradients

RNG = np.random.default_rng(11)
NORMAL = RNG.normal(size=(4, 3))
VECTOR = RNG.normal(size=6)
MATRIX = RNG.normal(size=(6, 6))
X32 = RNG.normal(size=(16, 6)).astype(np.float32)
T32 = RNG.normal(size=16).astype(np.float32)


def power(p):
    return (lambda x: (x**p).sum()), (lambda x: p * x ** (p - 1))


def logsumexp(x):
    return x.max() + np.log(np.exp(x - x.max()).sum())


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def chain(x):
    """Tanh, forty times in a row."""
    for _ in range(40):
        x = np.tanh(1.1 * x)
    return x.sum()


def chain_gradient(x):
    slope = np.ones_like(x)
    for _ in range(40):
        x = np.tanh(1.1 * x)
        slope = slope * 1.1 * (1 - x**2)
    return slope


def logistic_map(x):
    """Chaotic: each of the twelve rounds doubles what went in, more or less."""
    for _ in range(12):
        x = 3.9 * x * (1 - x)
    return float(x[0])


def logistic_map_gradient(x):
    slope = np.ones_like(x)
    for _ in range(12):
        slope = slope * 3.9 * (1 - 2 * x)
        x = 3.9 * x * (1 - x)
    return slope


def regression32(w):
    """A mean squared error in float32 throughout."""
    e = X32 @ w.astype(np.float32) - T32
    return np.mean(e * e)


def regression32_gradient(w):
    return 2 * X32.T @ (X32 @ w.astype(np.float32) - T32) / np.float32(16)


def with_float32_inside(w):
    """Returns a float64 that is no number of float32, though all but the last step is."""
    return 1.1 * float(regression32(w))


def half(x):
    return np.sum(x.astype(np.float16) ** 2)


def tie(x):
    return np.maximum(x[:2], x[2:4]).sum()


def tie_gradient(x):
    left = x[:2] > x[2:4]
    return np.concatenate([left, ~left, [False, False]]).astype(float)


def scatter(x):
    """A number between 0 and 1 that has nothing to do with that for any other point."""
    return zlib.crc32(x.tobytes()) / 2**32


def softplus_gradient(x):
    return 1 / (1 + np.exp(-x))


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def rosenbrock_gradient(x):
    g = np.zeros_like(x)
    inner = x[1:] - x[:-1] ** 2
    g[1:] += 200 * inner
    g[:-1] += -400 * x[:-1] * inner - 2 * (1 - x[:-1])
    return g


AWKWARD = {
    # Steps of the usual size lead across a pole, or over many periods.
    "1/x at 1e-5": (*power(-1), np.array([1e-5, -1e-5, 3e-5])),
    "1/x at 1e-9": (*power(-1), np.array([1e-9])),
    "1/x at many sizes": (*power(-1), np.array([1e-7, 1e-3, 1.0, 1e4])),
    "1/x^3 at 1e-4": (*power(-3), np.array([1e-4, 2e-4])),
    "square root at 1e-8": (*power(0.5), np.array([1e-8, 1.0])),
    "square root at 1e-14": (*power(0.5), np.array([1e-14])),
    "log at 1e-6": (lambda x: np.log(x).sum(), lambda x: 1 / x, np.array([1e-6, 2.0])),
    "log at 1e-300": (lambda x: np.log(x).sum(), lambda x: 1 / x, np.array([1e-12, 1e6])),
    "math.log, which raises": (
        lambda x: math.log(x[0]),
        lambda x: 1 / x,
        np.array([1e-5]),
    ),
    "1 / x of Python, at 1e-4": (
        lambda x: 1 / float(x[0]),
        lambda x: -1 / x**2,
        np.array([2.0**-10]),  # the first step leads to 0
    ),
    "cos at 1e4": (lambda x: np.cos(x).sum(), lambda x: -np.sin(x), np.array([1e4, 12345.678])),
    "cos at 1e7": (lambda x: np.cos(x).sum(), lambda x: -np.sin(x), np.array([1e7 + 0.3])),
    "sin(1e4 x)": (
        lambda x: np.sin(1e4 * x).sum(),
        lambda x: 1e4 * np.cos(1e4 * x),
        NORMAL,
    ),
    "sin(1e6 x)": (
        lambda x: np.sin(1e6 * x).sum(),
        lambda x: 1e6 * np.cos(1e6 * x),
        np.array([0.3, 0.7]),
    ),
    "chirp": (
        lambda x: np.sin(x**4).sum(),
        lambda x: 4 * x**3 * np.cos(x**4),
        np.array([0.1, 2.0, 10.0]),
    ),
    "narrow bump": (
        lambda x: np.exp(-((x * 1e6) ** 2)).sum(),
        lambda x: -2e12 * x * np.exp(-((x * 1e6) ** 2)),
        np.array([5e-7, -1e-7]),
    ),
    "steep step": (
        lambda x: np.tanh(1e5 * x).sum(),
        lambda x: 1e5 / np.cosh(1e5 * x) ** 2,
        np.array([1e-6, -2e-5]),
    ),
    # Exponentials.
    "exp(1e3 x)": (
        lambda x: np.exp(1e3 * x).sum(),
        lambda x: 1e3 * np.exp(1e3 * x),
        np.array([0.01, -0.002]),
    ),
    "exp(1e6 x), infinite a step away": (
        lambda x: np.exp(1e6 * x).sum(),
        lambda x: 1e6 * np.exp(1e6 * x),
        np.array([0.0, 1e-6]),
    ),
    "exp at 700": (lambda x: np.exp(x).sum(), np.exp, np.array([700.0, 709.0])),
    "exp of both signs": (
        lambda x: np.exp(np.array([20.0, 0.0, -10.0]) * x).sum(),
        lambda x: np.array([20.0, 0.0, -10.0]) * np.exp(np.array([20.0, 0.0, -10.0]) * x),
        np.ones(3),
    ),
    # Sizes.
    "values of 1e-200": (
        lambda x: 1e-200 * (x**2).sum(),
        lambda x: 2e-200 * x,
        NORMAL,
    ),
    "values of 1e200": (lambda x: 1e200 * (x**2).sum(), lambda x: 2e200 * x, NORMAL),
    "points of 1e-10": (*power(2), 1e-10 * NORMAL),
    "points of 1e12": (*power(2), 1e12 * NORMAL),
    "entries of very different size": (
        lambda x: (np.array([1e8, 1.0, 1e-4]) * x**2).sum(),
        lambda x: np.array([2e8, 2.0, 2e-4]) * x,
        np.array([1.0, 1.0, 1.0]),
    ),
    "an offset of 1e8": (lambda x: 1e8 + (x**2).sum(), lambda x: 2 * x, NORMAL),
    "an offset of 1e11": (lambda x: 1e11 + (x**2).sum(), lambda x: 2 * x, NORMAL),
    "an offset that cancels": (
        lambda x: (1e8 + (x**2).sum()) - 1e8,
        lambda x: 2 * x,
        NORMAL,
    ),
    # Zeros and constants.
    "a constant": (lambda x: 3.7, np.zeros_like, NORMAL),
    "zero": (lambda x: 0.0, np.zeros_like, NORMAL),
    "a minimum": (*power(2), np.zeros(3)),
    "a flat minimum": (*power(8), np.zeros(3)),
    "a saddle": (lambda x: x[0] * x[1], lambda x: x[::-1].copy(), np.zeros(2)),
    "sparse": (
        lambda x: x[3] ** 2 + math.e,
        lambda x: np.where(np.arange(50) == 3, 2 * x, 0),
        np.linspace(-1, 1, 50),
    ),
    "a sum that is always 1": (
        lambda x: softmax(x).sum(),
        lambda x: softmax(x) * (1 - softmax(x).sum()),
        VECTOR,
    ),
    "linear": (lambda x: (x * NORMAL).sum(), lambda x: NORMAL, RNG.normal(size=(4, 3))),
    # Kinks, near but not at the point.
    "abs away from 0": (lambda x: np.abs(x).sum(), np.sign, NORMAL),
    "abs near 0": (lambda x: np.abs(x).sum(), np.sign, np.array([1e-4, -1e-5, 1e-6, 2e-9, 3.0])),
    "relu near 0, on both sides": (
        lambda x: np.maximum(x, 0).sum(),
        lambda x: (x > 0).astype(float),
        np.array([1e-4, -1e-4, 1e-7, -1e-7, 1.0, -1.0]),
    ),
    "maximum of two that nearly tie": (
        tie,
        tie_gradient,
        np.array([1.0, 2.0, 1.0 + 1e-5, 2.0 - 1e-6, 0.0, 0.0]),
    ),
    "a step not far away": (
        lambda x: (np.floor(x) + x**2).sum(),
        lambda x: 2 * x,
        np.array([1.0001, 1.9999, 0.5]),
    ),
    "Huber at its knee": (
        lambda x: np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5).sum(),
        lambda x: np.clip(x, -1, 1),
        np.array([1.0, -1.0, 1 + 1e-4, 0.3]),
    ),
    "clip": (
        lambda x: np.clip(x, -1, 1).sum(),
        lambda x: (np.abs(x) < 1).astype(float),
        np.array([0.9999, 1.0001, -5.0, 0.0]),
    ),
    # Sums, chains and losses.
    "logsumexp": (logsumexp, softmax, VECTOR),
    "logsumexp of large numbers": (logsumexp, softmax, 300 * VECTOR),
    "a confident cross-entropy": (
        lambda x: logsumexp(x) - x[0],
        lambda x: softmax(x) - (np.arange(6) == 0),
        VECTOR + np.array([12.0, 0, 0, 0, 0, 0]),
    ),
    "softplus far out": (
        lambda x: np.logaddexp(0, x).sum(),
        softplus_gradient,
        np.array([-20.0, 0.0, 40.0]),
    ),
    "a long chain": (chain, chain_gradient, VECTOR),
    "chaos": (logistic_map, logistic_map_gradient, np.array([0.37])),
    "Rosenbrock": (rosenbrock, rosenbrock_gradient, VECTOR),
    "a product of fifty": (
        lambda x: float(np.prod(x)),
        lambda x: np.prod(x) / x,
        RNG.uniform(0.5, 2, 50),
    ),
    "a high power": (*power(30), RNG.uniform(0.8, 1.5, 5)),
    "an ill-conditioned quadratic form": (
        lambda x: x @ np.diag(10.0 ** np.arange(-5, 1)) @ x,
        lambda x: 2 * 10.0 ** np.arange(-5, 1) * x,
        VECTOR,
    ),
    "a norm": (np.linalg.norm, lambda x: x / np.linalg.norm(x), 1e-3 * VECTOR),
    "log of a determinant": (
        lambda x: np.linalg.slogdet(x)[1],
        lambda x: np.linalg.inv(x).T,
        MATRIX,
    ),
    # Coarser numbers than float64's.
    "float32": (
        lambda x: np.sum(x.astype(np.float32) ** 2),
        lambda x: 2 * x.astype(np.float32),
        NORMAL,
    ),
    "float32, made a float": (
        lambda x: float(np.sum(x.astype(np.float32) ** 2)),
        lambda x: 2 * x,
        NORMAL,
    ),
    "a regression in float32": (regression32, regression32_gradient, VECTOR),
    "float32 inside": (
        with_float32_inside,
        lambda w: 1.1 * regression32_gradient(w).astype(float),
        VECTOR,
    ),
    "only the gradient in float32": (
        lambda x: np.exp(x).sum(),
        lambda x: np.exp(x.astype(np.float32)),
        NORMAL,
    ),
    "float16": (half, lambda x: 2 * x, NORMAL),
    "noise of 1e-9": (
        lambda x: (x**2).sum() + 1e-9 * scatter(x),
        lambda x: 2 * x,
        NORMAL,
    ),
}

# name: function, gradient, point, why float64 does not hold the answer
HIDDEN = {
    "a gradient of 1e-14 beside 1": (
        lambda x: 1 + (x**2).sum(),
        lambda x: 2 * x,
        np.array([1e-14, 2e-14]),
        "rounding hides the gradient",
    ),
    "a rotation that changes no length": (
        lambda x: ((np.linalg.qr(MATRIX)[0] @ x) ** 2).sum() - (x**2).sum(),
        lambda x: 2 * np.linalg.qr(MATRIX)[0].T @ (np.linalg.qr(MATRIX)[0] @ x) - 2 * x,
        VECTOR,
        "rounding hides the gradient",
    ),
    "an offset of 1e15": (
        lambda x: 1e15 + (x**2).sum(),
        lambda x: 2 * x,
        NORMAL,
        "rounding hides the gradient",
    ),
    "noise of 1": (
        lambda x: (x**2).sum() + scatter(x),
        lambda x: 2 * x,
        NORMAL,
        "rounding hides the gradient, or there is no derivative",
    ),
    "nowhere a derivative": (
        lambda x: float(sum(0.7**k * np.cos(7.0**k * np.pi * x[0]) for k in range(18))),
        lambda x: np.ones(1),
        np.array([0.3]),
        "or there is no derivative",
    ),
    "nothing but kinks": (
        lambda x: np.abs(x).sum(),
        np.sign,
        np.zeros(3),
        "every entry lies at a kink",
    ),
    "at a jump": (np.floor, lambda x: np.zeros(1), np.array([1.0]), "there is no derivative"),
    "random": (
        lambda x: (x**2).sum() + RNG.normal(),
        lambda x: 2 * x,
        NORMAL,
        "the function is not deterministic: two calls at the same point return",
    ),
    "a little random": (
        lambda x: (x**2).sum() * (1 + 1e-12 * RNG.normal()),
        lambda x: 2 * x,
        NORMAL,
        "the function is not deterministic",
    ),
    "a random mask": (
        lambda x: (x**2 * (RNG.random(x.shape) < 0.5)).sum(),
        lambda x: 2 * x * (RNG.random(x.shape) < 0.5),
        NORMAL,
        "the function is not deterministic",
    ),
}


def counting():
    """A function that counts its calls, and another value at each."""
    calls = []

    def function(x):
        calls.append(0)
        return (x**2).sum() + len(calls) // 20

    return function


@pytest.mark.parametrize("name", AWKWARD)
def test_right_and_awkward(name):
    function, gradient, x = AWKWARD[name]
    with np.errstate(all="ignore"):
        report = check_gradients(function, gradient, x)
    assert report.verdict == "passed", str(report)
    assert not any(tensor.wrong for tensor in report.tensors)


@pytest.mark.parametrize("name", AWKWARD)
def test_the_same_with_one_entry_wrong(name):
    """What lets the right ones pass is no blindness: an entry that is 2 % off is found."""
    function, gradient, x = AWKWARD[name]
    with np.errstate(all="ignore"):
        g = np.array(gradient(x), float)
    index = int(np.argmax(np.abs(g)))
    g.flat[index] = g.flat[index] * 1.02 if g.flat[index] else 1.0
    if name in ("float16", "a sum that is always 1"):
        g.flat[index] += 0.5 * np.abs(x).max()
    with np.errstate(all="ignore"):
        report = check_gradients(function, g, x)
    assert report.verdict == "failed", str(report)
    assert report.location == f"in 1 of the {x.size} entries of x"
    assert report.worst[0].index == np.unravel_index(index, x.shape)


@pytest.mark.parametrize("name", HIDDEN)
def test_what_cannot_be_told(name):
    function, gradient, x, reason = HIDDEN[name]
    report = check_gradients(function, gradient, x)
    assert report.verdict == "cannot tell"
    assert not report.passed
    assert not report
    assert reason in report.reason
    assert report.location == ""
    text = " ".join(str(report).split())
    assert f"CANNOT TELL: relative error {report.relative_error:.2e}" in text
    assert reason in text
    assert "PASSED" not in text
    assert "FAILED" not in text


def test_a_function_that_changes_only_now_and_then():
    report = check_gradients(counting(), lambda x: 2 * x, NORMAL)
    assert report.verdict == "cannot tell"
    assert "the function is not deterministic" in report.reason


@pytest.mark.parametrize("factor", [-1.0, 1.0, 3.0])
def test_below_the_noise_neither_sign_is_believed(factor):
    x = np.array([1e-14, 2e-14])
    report = check_gradients(lambda x: 1 + (x**2).sum(), lambda x: factor * 2 * x, x)
    assert report.verdict == "cannot tell"


def test_there_are_enough_of_them():
    assert len(AWKWARD) >= 60
