"""Penalties whose step is less than the rounding of the weights add up nevertheless."""

import numpy as np
import pytest

from fastmlp import Sequential, layers, optimizers, regularizers
from fastmlp.kernels.contract import Number, Rule
from tests.backends import ALL
from tests.kernels.op_table import kernels

BACKENDS = pytest.mark.parametrize("backend", ALL)
RATE, STEPS, MOMENTUM = 0.02, 1970, 0.9


def weights(size=5001):
    w = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    return w[np.abs(w) > 0.01]


def shrinkage(before, after):
    """Return by which part of themselves the weights have come closer to 0."""
    before, after = before.astype(np.float64), after.astype(np.float64)
    return np.mean(1 - after / before)


@BACKENDS
@pytest.mark.parametrize("strength", [1e-8, 1e-7, 1e-6, 1e-4])
def test_l2_by_itself(backend, strength):
    before = weights()
    after = before.copy()
    for step in range(STEPS):
        kernels(backend).penalty_update(
            np.float32(0), np.float32(strength), np.float32(RATE), step, 0, after
        )
    expected = 1 - (1 - 2 * RATE * strength) ** STEPS
    assert shrinkage(before, after) == pytest.approx(expected, rel=0.005)
    # Each weight by itself, within some units of its last place; up to 1e-6 a step is
    # less than one unit.  At 1e-4 it is dozens, whose own roundings are a random walk of 17.
    units = 8 if strength < 1e-5 else 32
    exact = before.astype(np.float64) * (1 - expected)
    assert (np.abs(after - exact) <= units * np.spacing(np.abs(before))).all()


@BACKENDS
@pytest.mark.parametrize("strength", [1e-8, 1e-6])
def test_l1_by_itself(backend, strength):
    before = weights()
    after = before.copy()
    for step in range(STEPS):
        kernels(backend).penalty_update(
            np.float32(strength), np.float32(0), np.float32(RATE), step, 0, after
        )
    steps = np.abs(before.astype(np.float64)) - np.abs(after.astype(np.float64))
    assert np.mean(steps) == pytest.approx(STEPS * RATE * strength, rel=0.01)


@BACKENDS
def test_a_gradient_keeps_the_slope(backend):
    w, gradient = weights(), weights()[::-1].copy()
    total = np.zeros(w.size)
    for step in range(STEPS):
        sums = gradient.copy()
        kernels(backend).penalty_gradient(np.float32(0), np.float32(1e-8), step, 0, w, sums)
        total += sums.astype(np.float64) - gradient
    assert np.mean(total / STEPS / w) == pytest.approx(2e-8, rel=0.01)


def net(strength, dtype, momentum, nesterov, backend):
    model = Sequential(
        [
            layers.Input(40),
            layers.Dense(60, "tanh", kernel_regularizer=regularizers.L2(strength)),
            layers.Dense(3, kernel_regularizer=regularizers.L2(strength)),
        ],
        seed=0, dtype=dtype, backend=backend,
    )  # fmt: skip
    model.compile(optimizers.SGD(RATE, momentum, nesterov=nesterov), "mse", metrics=())
    return model


@BACKENDS
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_inputs_that_are_always_0(backend, momentum, nesterov):
    """No data's gradient moves their weights, so the penalty's step is all that they get."""
    x = np.random.default_rng(1).standard_normal((64, 40)).astype(np.float32)
    x[:, ::2] = 0
    y = x[:, 1:6:2]
    found = {}
    for dtype in ("float32", "float64"):
        model = net(1e-7, dtype, momentum, nesterov, backend)
        before = model.get_weights()[0][::2].copy()
        model.fit(x, y, batch_size=4, epochs=60, verbose=0)
        found[dtype] = shrinkage(before, model.get_weights()[0][::2])
    assert found["float64"] > 1e-6
    assert found["float32"] == pytest.approx(found["float64"], rel=0.02)


@BACKENDS
def test_weights_without_slope_stay(backend):
    """No penalty, no gradient, no velocity: not a bit changes, whatever the rounding."""
    w = np.concatenate([weights(), np.float32([0, 1, -2, 0.5])])
    after, nothing = w.copy(), np.zeros_like(w)
    numbers = np.zeros(len(Number))
    numbers[Number.MOMENTUM] = MOMENTUM
    for step in range(20):
        kernels(backend).penalty_update(np.float32(0), np.float32(0), np.float32(1), step, 0, after)
        kernels(backend).optimizer_step(
            int(Rule.MOMENTUM), RATE, 0.0, step, True, 0, after, nothing, nothing.copy(),
            nothing[:0], nothing[:0], numbers,
        )  # fmt: skip
    np.testing.assert_array_equal(after, w)


@BACKENDS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shares_of_a_tensor_round_like_the_whole(backend, dtype):
    """Hence the bits do not depend on how many threads share it."""
    whole = weights(101).astype(dtype)
    shares = whole.copy()
    numbers = dtype(1e-7), dtype(1e-7), dtype(RATE)
    for step in range(30):
        kernels(backend).penalty_update(*numbers, step, 0, whole)
        for first, stop in ((0, 37), (37, 64), (64, shares.size)):
            kernels(backend).penalty_update(*numbers, step, first, shares[first:stop])
    np.testing.assert_array_equal(shares, whole)


@BACKENDS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_backends_round_alike(backend, dtype):
    w = weights().astype(dtype)
    results = []
    for kernel_set in (kernels(backend), kernels("numpy")):
        after = w.copy()
        kernel_set.penalty_update(dtype(0), dtype(2.0**-20), dtype(0.25), 77, 0, after)
        results.append(after)
    np.testing.assert_array_equal(*results)
