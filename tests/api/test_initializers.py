"""Initializers: scales, shapes of their distributions, and orthogonality."""

import math

import numpy as np
import pytest

from fastmlp import Sequential, initializers
from fastmlp.layers import Dense, Input, Layer

FAN_IN, FAN_OUT = 300, 200
SIZE = FAN_IN * FAN_OUT

# name: (standard deviation, bound, kurtosis); a normal distribution cut off at two standard
# deviations has kurtosis 2.3661, one that is not cut off 3, a uniform one 1.8.
UNIFORM, CUT, NORMAL = 1.8, 2.3661, 3.0
CUT_AT = 2 / 0.87962566


def uniform(variance):
    return math.sqrt(variance), math.sqrt(3 * variance), UNIFORM


def cut_normal(variance):
    return math.sqrt(variance), CUT_AT * math.sqrt(variance), CUT


EXPECTED = {
    "uniform": (0.05 / math.sqrt(3), 0.05, UNIFORM),
    "normal": (0.05, math.inf, NORMAL),
    "random_uniform": (0.05 / math.sqrt(3), 0.05, UNIFORM),
    "random_normal": (0.05, math.inf, NORMAL),
    "truncated_normal": (0.05 * 0.87962566, 0.1, CUT),
    "glorot_uniform": uniform(2 / (FAN_IN + FAN_OUT)),
    "glorot_normal": cut_normal(2 / (FAN_IN + FAN_OUT)),
    "he_uniform": uniform(2 / FAN_IN),
    "he_normal": cut_normal(2 / FAN_IN),
    "lecun_uniform": uniform(1 / FAN_IN),
    "lecun_normal": cut_normal(1 / FAN_IN),
    "torch_default": uniform(1 / (3 * FAN_IN)),
}


def draw(name, shape=(FAN_IN, FAN_OUT), seed=0):
    function = initializers.get("initializer", name)
    return function(shape, shape[0], shape[-1], np.random.default_rng(seed))


@pytest.mark.parametrize("name", EXPECTED)
def test_moments(name):
    std, bound, kurtosis = EXPECTED[name]
    values = draw(name)
    assert values.shape == (FAN_IN, FAN_OUT)
    # Five standard deviations of each estimate over 60,000 draws; of a variance's, relative,
    # sqrt((kurtosis - 1) / size); of a kurtosis', at most that of the normal one, sqrt(24 / size).
    assert abs(values.mean()) <= 5 * std / math.sqrt(SIZE)
    assert abs(values.var() / std**2 - 1) <= 5 * math.sqrt((kurtosis - 1) / SIZE)
    assert abs(np.mean(values**4) / std**4 - kurtosis) <= kurtosis * 5 * math.sqrt(24 / SIZE)
    assert np.abs(values).max() <= bound
    if math.isfinite(bound):
        # The chance that none of 60,000 comes this near the bound is below 1e-20.
        assert np.abs(values).max() > 0.98 * bound


@pytest.mark.parametrize("name", EXPECTED)
def test_draws_are_independent(name):
    values = draw(name) / EXPECTED[name][0]
    for a, b in ((values[1:], values[:-1]), (values[:, 1:], values[:, :-1])):
        assert abs((a * b).mean()) <= 5 / math.sqrt(a.size)


@pytest.mark.parametrize("shape", [(7, 7), (40, 9), (9, 40), (1, 5), (5, 1), (1, 1)])
def test_orthogonal(shape):
    q = draw("orthogonal", shape)
    assert q.shape == shape
    product = q.T @ q if shape[0] >= shape[1] else q @ q.T
    # Each entry is a sum of at most 40 products of numbers with errors of some epsilon.
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=100 * np.finfo(float).eps)


def test_orthogonal_is_uniformly_distributed():
    # Without the correction of signs, QR gives matrices whose diagonal is mostly of one sign.
    draws = np.array([draw("orthogonal", (3, 3), seed) for seed in range(2000)])
    assert abs(np.linalg.det(draws).mean()) <= 5 / math.sqrt(2000)
    # Each entry has mean 0 and variance 1 / 3, and its square variance 4 / 45.
    assert np.abs(draws.mean(axis=0)).max() <= 5 * math.sqrt(1 / 3 / 2000)
    assert np.abs((draws**2).mean(axis=0) - 1 / 3).max() <= 5 * math.sqrt(4 / 45 / 2000)


def test_orthogonal_is_for_matrices():
    with pytest.raises(ValueError, match=r"orthogonal: expected a matrix, got shape \(3,\)"):
        draw("orthogonal", (3,))


def test_constants():
    assert (draw("zeros") == 0).all()
    assert (draw("ones") == 1).all()


def test_random_signs():
    signs = draw("random_sign", (100, 100))
    assert set(signs.ravel()) == {-1.0, 1.0}
    assert abs(signs.mean()) <= 5 / 100


def test_all_names_are_tested_and_known_to_dense():
    others = {"constant", "identity", "ones", "orthogonal", "variance_scaling", "zeros"}
    others |= {"random_sign"}
    assert set(initializers.NAMES) == {*EXPECTED, *others}
    for name in initializers.NAMES:
        model = Sequential([Input((6,)), Dense(4, kernel_initializer=name)], seed=0)
        assert np.isfinite(model.params).all()


def spread_of_bias(units, inputs, **options):
    model = Sequential([Input((inputs,)), Dense(units, **options)], seed=0)
    return model.get_weights()[1].std()


@pytest.mark.parametrize(
    ("name", "variance"),
    [("he_normal", 2), ("he_uniform", 2), ("lecun_normal", 1), ("lecun_uniform", 1),
     ("glorot_normal", 1), ("glorot_uniform", 1)],
)  # fmt: skip
def test_a_bias_is_drawn_by_its_own_length_as_in_keras(name, variance):
    for inputs in (50, 3):
        std = spread_of_bias(3000, inputs, bias_initializer=name)
        # Five standard deviations of the estimate over 3,000 draws, of at most normal kurtosis.
        assert abs(std / math.sqrt(variance / 3000) - 1) <= 5 / math.sqrt(2 * 3000)


def test_torchs_bias_is_drawn_by_the_inputs():
    for options in (
        {"kernel_initializer": "torch_default"}, {"bias_initializer": "torch_default"}
    ):  # fmt: skip
        std = spread_of_bias(3000, 50, **options)
        assert abs(std / math.sqrt(1 / 150) - 1) <= 5 / math.sqrt(2 * 3000)


@pytest.mark.parametrize(
    ("shape", "fans"),
    [
        ((), (1, 1)),
        ((7,), (7, 7)),
        ((7, 5), (7, 5)),
        ((3, 7, 5), (21, 15)),
        ((2, 3, 7, 5), (42, 30)),
    ],
)
def test_fans_are_those_of_keras(shape, fans):
    seen = []

    class Holder(Layer):
        def build(self, input_shape):
            self.add_weight("w", shape, lambda s, i, o, rng: seen.append((i, o)) or np.zeros(s))

    Sequential([Input((2,)), Holder()])
    assert seen == [fans]


def test_a_function_of_ones_own():
    calls = []

    def mine(shape, fan_in, fan_out, rng):
        calls.append((shape, fan_in, fan_out))
        return np.full(shape, 0.25)

    layer = Dense(4, kernel_initializer=mine, bias_initializer=mine)
    model = Sequential([Input((6,)), layer], seed=0)
    assert calls == [((6, 4), 6, 4), ((4,), 4, 4)]
    assert (model.params == 0.25).all()
