"""What readings, patterns and places mean, taken by themselves."""

import numpy as np
import pytest

from fastmlp.gradcheck import explain_reading
from fastmlp.gradcheck.diagnosis import (
    Context,
    Stage,
    distance,
    find_pattern,
    locate,
    only_penalty_is_wrong,
)

RNG = np.random.default_rng(8)
N = RNG.normal(size=(5, 3))
L1, L2 = 0.1 * RNG.normal(size=(5, 3)), 0.2 * RNG.normal(size=(5, 3))
PENALIZED = Context(16, {"L1": L1, "L2": L2})

PATTERNS = {
    "zero: the analytic": (0 * N, Context()),
    "zero: all but the gradient of the penalty": (L1 + L2, PENALIZED),
    "not finite: the analytic": (np.full_like(N, np.nan), Context()),
    "sign: the analytic gradient is the negative": (-N, Context()),
    "sign: -3 times": (-3 * N, Context()),
    "scale: 2 times": (2 * N, Context()),
    "scale: 0.001 times": (0.001 * N, Context()),
    "missing batch mean: 16 times too large": (16 * N, Context(16)),
    "scale: 16 times too small": (N / 16, Context(16)),
    "scale: 16 times the": (16 * N, Context(1)),
    "transposed": (N.reshape(3, 5).T, Context()),
    "shifted: its units": (np.roll(N, 1, axis=1), Context()),
    "shifted: its inputs": (np.roll(N, -1, axis=0), Context()),
    "missing term: the gradient of the penalty": (N - L1 - L2, PENALIZED),
    "missing term: the gradient of the L1": (N - L1, PENALIZED),
    "missing term: the gradient of the L2": (N - L2, PENALIZED),
    "scale: the gradient of the L2 comes in half": (N - L2 / 2, PENALIZED),
    "scale: the gradient of the L2 counts twice": (N + L2, PENALIZED),
    "sign: the gradient of the L1 is subtracted": (N - 2 * L1, PENALIZED),
    "scale: the gradient of the L1 is divided by the batch": (N - L1 * 15 / 16, PENALIZED),
    "partly zero: the gradient of 1 of 3 units is 0": (N * [1, 1, 0], Context()),
    "vanishing: the analytic gradient is": (1e-9 * L1, Context()),
    "no simple pattern: cosine": (N + L1, Context()),
}


@pytest.mark.parametrize("finding", PATTERNS)
def test_patterns(finding):
    analytic, context = PATTERNS[finding]
    assert find_pattern(analytic, N, context).startswith(finding)


def test_patterns_where_the_numeric_gradient_is_0_or_not_finite():
    assert find_pattern(N, 0 * N, Context()).startswith("spurious")
    assert find_pattern(N, N * np.inf, Context()).startswith("not finite: the loss")


@pytest.mark.parametrize("finding", PATTERNS)
def test_what_is_wrong_in_the_penalty_alone(finding):
    analytic, context = PATTERNS[finding]
    named = any(f"of the {name} " in f"{finding} " for name in ("L1", "L2", "penalty"))
    alone = named and not finding.startswith("zero")
    assert only_penalty_is_wrong(analytic, N, context) == alone


def test_distance():
    assert distance(np.zeros(3), np.zeros(3)) == 0
    assert distance(np.zeros(3), np.ones(3)) == 1
    assert distance(np.ones(3), -np.ones(3)) == 1
    assert distance(3 * np.ones(3), np.ones(3)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("reading", "text"),
    [
        (0.0, "agree"),
        (1e-9, "agree"),
        (1e-5, "nearly: they differ by some 2e-05"),
        (0.009, "nearly: they differ by some 0.02"),
        (1 / 3, "its factor is 2"),
        (0.75, "its factor is 7"),
        (0.95, "39.0 times the other"),
        (0.9999, "one is 2.0e+04 times the other"),
        (0.9999999999998282, "one is 1.2e+13 times the other"),
        (0.9999999999999998, "one of the two is exactly 0"),
        (1.0, "one of the two is exactly 0"),
    ],
)
def test_readings(reading, text):
    assert text in explain_reading(reading)


@pytest.mark.parametrize("factor", [2.0, 7.5, 1e4, 1.3e8])
def test_a_factor_can_be_read_off_the_reading(factor):
    n = RNG.normal(size=50)
    r = distance(factor * n, n)
    # The rounding of r, 1e-16, counts (1 + r) / (1 - r) times.
    assert (1 + r) / (1 - r) == pytest.approx(factor, rel=1e-15 * factor + 1e-12)


@pytest.mark.parametrize("reading", [-0.1, 1.1, float("nan")])
def test_readings_out_of_range(reading):
    with pytest.raises(ValueError, match=r"^relative_error: expected a number in \[0, 1\], got"):
        explain_reading(reading)


def stages(*kinds):
    """From input to output: "right", "bias" (that alone is wrong), or "wrong"."""
    wrong = {"right": [], "bias": ["bias"], "wrong": ["kernel", "bias"]}
    return [
        Stage(f"layer{i}", wrong[kind], kind != "wrong", [f"layer{i}/tanh"])
        for i, kind in enumerate(kinds)
    ]


OWN = "the gradient that arrives there is right, so look at how the layer computes its own"


@pytest.mark.parametrize(
    ("kinds", "location"),
    [
        (("right", "right"), ""),
        (("right", "bias"), f"in layer1/bias: {OWN}"),
        (("bias", "bias"), f"in layer1/bias and layer0/bias: {OWN}"),
        (("right", "wrong", "right"), f"in layer1/kernel and layer1/bias: {OWN}"),
        (
            ("wrong", "wrong", "right"),
            "from layer1 downwards, while the gradient that arrives at layer2 is right: look at "
            "what layer2 hands down and the backward pass of layer1/tanh",
        ),
        (("wrong", "wrong"), "from layer1 downwards: look at the backward pass of layer1/tanh"),
        (
            ("wrong", "right"),
            "in kernel and bias of layer0, while the gradient that arrives at layer1 is right: "
            "look at what layer1 hands down, the backward pass of layer0/tanh and how layer0 "
            "computes its own gradient",
        ),
        (
            ("wrong", "wrong", "bias"),
            f"in layer2/bias: {OWN}; and from layer1 downwards, while the gradient that arrives "
            "at layer2 is right: look at what layer2 hands down and the backward pass of "
            "layer1/tanh",
        ),
        (
            ("wrong", "bias", "wrong"),
            f"in layer2/kernel, layer2/bias and layer1/bias: {OWN}; and in kernel and bias of "
            "layer0, while the gradient that arrives at layer1 is right: look at what layer1 "
            "hands down, the backward pass of layer0/tanh and how layer0 computes its own gradient",
        ),
    ],
)
def test_places(kinds, location):
    assert locate(stages(*kinds)) == location
