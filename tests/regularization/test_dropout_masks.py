"""Masks: the same bits on every backend, and a function of key, step and element alone."""

import numpy as np
import pytest

from fastmlp.kernels import reference
from fastmlp.kernels.contract import Column, Op
from tests.backends import ALL, COMPILED
from tests.kernels.op_table import kernels
from tests.regularization.nets import dropout_net, dropout_rows

KEYS = (0, 1, -1, 2**63 - 1, -(2**63), 0x299F31D0A4093822)
STEPS = (0, 1, 2**31, 2**32 - 1, 2**32, 2**40 + 7)
SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 33, 63, 64, 65, 127, 130, 257, 1021)
# The last two are nearer to 0 and to 1 than the 32 bits of a random word can tell.
RATES = (0.1, 0.25, 1 / 3, 0.5, 0.75, 0.999, 1e-12, 1 - 2.0**-50)


def draw(kernels, key, step, rate, size, dtype):
    mask = np.full(size, np.nan, dtype)
    kernels.dropout_mask(key, step, rate, mask)
    return mask


def assert_same_bits(a, b):
    assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_backends_draw_the_same_bits(size, dtype, backend):
    for number, key in enumerate(KEYS):
        for rate in RATES:
            step = STEPS[number % len(STEPS)]
            expected = draw(reference, key, step, rate, size, dtype)
            assert_same_bits(draw(kernels(backend), key, step, rate, size, dtype), expected)


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("step", STEPS)
def test_steps_beyond_32_bits(step, backend):
    masks = [
        draw(module, 12345, step, 0.5, 101, np.float64) for module in (reference, kernels(backend))
    ]
    assert_same_bits(*masks)
    if step:
        assert np.any(masks[0] != draw(reference, 12345, 0, 0.5, 101, np.float64))


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", [0.1, 1 / 3, 0.5, 0.9])
def test_values_are_0_or_the_scale(rate, dtype, backend):
    mask = draw(kernels(backend), 7, 3, rate, 1000, dtype)
    assert_same_bits(np.unique(mask), np.array([0, dtype(1 / (1 - rate))], dtype))


@pytest.mark.parametrize("backend", ALL)
def test_dtypes_drop_the_same_elements(backend):
    single, double = (
        draw(kernels(backend), 7, 3, 0.3, 501, dtype) for dtype in (np.float32, np.float64)
    )
    np.testing.assert_array_equal(single == 0, double == 0)


@pytest.mark.parametrize("backend", ALL)
def test_a_higher_rate_drops_all_that_a_lower_one_drops(backend):
    """The same random words are compared with a higher threshold."""
    dropped = [
        draw(kernels(backend), 7, 3, rate, 501, np.float64) == 0 for rate in (0.1, 0.2, 0.6, 0.9)
    ]
    for fewer, more in zip(dropped, dropped[1:], strict=False):
        assert np.all(fewer <= more)
        assert fewer.sum() < more.sum()


@pytest.mark.parametrize("compiled", COMPILED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nets_draw_the_same_masks_on_each_backend(dtype, compiled):
    """Read from the workspace after a training-mode pass: what the nets really used."""
    x, y = np.ones((13, 5)), np.arange(13) % 3
    masks = []
    for backend in ("numpy", compiled):
        model = dropout_net(dtype=dtype, backend=backend)
        model.loss_and_gradient(x, y, step=41)
        engine = model._ready_engine()
        values = engine.workspace(13).memory.values
        capacity = values.size // engine.plan.features
        for row, rate in dropout_rows(model, x):
            size = int(row[Column.OUTPUTS]) * 13
            start = (row[Column.Y] + row[Column.OUTPUTS]) * capacity
            mask = values[start : start + size].copy()
            assert_same_bits(
                mask, draw(reference, row[Column.KEY], 41, rate, size, np.dtype(dtype).type)
            )
            masks.append(mask)
    half = len(masks) // 2
    assert half == 2
    for ours, theirs in zip(masks[:half], masks[half:], strict=True):
        assert_same_bits(ours, theirs)


def keys_of(model):
    x = np.ones((1, 5))
    return [
        int(row[Column.KEY]) for row, _ in dropout_rows(model, x) if row[Column.OP] == Op.DROPOUT
    ]


def test_keys_differ_between_layers_and_seeds_and_repeat_with_the_seed():
    first, again, other = (dropout_net(seed=seed) for seed in (1, 1, 2))
    assert keys_of(first) == keys_of(again)
    everything = keys_of(first) + keys_of(other)
    assert len(set(everything)) == 4


def test_a_layers_own_seed_overrides_the_nets():
    models = [dropout_net(seed=seed, own_seed=9) for seed in (1, 2)]
    (first_one, second_one), (first_two, second_two) = map(keys_of, models)
    assert second_one == second_two
    assert first_one != first_two
