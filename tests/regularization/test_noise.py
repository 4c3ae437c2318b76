"""GaussianNoise, GaussianDropout and AlphaDropout: when they act, how much, and their gradients."""

import math

import numpy as np
import pytest

from fastmlp import Sequential, check_gradients, layers
from fastmlp.kernels.contract import SELU_ALPHA, SELU_SCALE
from fastmlp.layers import AlphaDropout, Dense, GaussianDropout, GaussianNoise
from tests.backends import ALL, COMPILED
from tests.engine.nets import Scale, data, net
from tests.kernels.op_table import kernels
from tests.threads import each_number_of_threads

X, Y = data(40)
KINDS = [lambda: GaussianNoise(0.3), lambda: GaussianDropout(0.3), lambda: AlphaDropout(0.3)]
each = pytest.mark.parametrize("backend", ALL)
each_kind = pytest.mark.parametrize("make", KINDS, ids=["noise", "dropout", "alpha"])


def drawn(layer, x, backend="numpy", step=0):
    """What a layer makes of ``x`` in training: the gradient of a kernel of zeros shows it."""
    model = Sequential([layers.Input(x.shape[1]), layer, Dense(1)], dtype="float64", seed=3,
                       backend=backend)  # fmt: skip
    model.compile("sgd", "mse")
    model.set_weights([np.zeros((x.shape[1], 1)), np.ones(1)])
    rows = [model.loss_and_gradient(row[None], [[0.5]], step=step)[1][0].ravel() for row in x]
    return np.array(rows)


@each_kind
def test_moments(make):
    """Over 20,000 values: means and variances within 5 standard errors."""
    layer, size = make(), 20_000
    x = np.random.default_rng(1).standard_normal((1, size))
    y = drawn(layer, x)
    if isinstance(layer, GaussianNoise):
        noise, deviation = y - x, 0.3
    elif isinstance(layer, GaussianDropout):
        noise, deviation = y / x - 1, math.sqrt(0.3 / 0.7)
    else:
        limit = -SELU_SCALE * SELU_ALPHA
        scale = 1 / math.sqrt(0.7 * (1 + 0.3 * limit**2))
        dropped = np.isclose(y, scale * limit - scale * 0.3 * limit)
        assert dropped.mean() == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / size))
        np.testing.assert_allclose(y[~dropped], scale * (x[~dropped] - 0.3 * limit), atol=1e-13)
        noise, deviation = y, 1.0  # the moments of x are kept
    assert abs(noise.mean()) < 5 * deviation / math.sqrt(size)
    assert noise.std() == pytest.approx(deviation, rel=5 / math.sqrt(size))


@each
@each_kind
def test_off_in_predict(make, backend):
    model = net(make(), Dense(5, "selu"), make(), backend=backend)
    bare = net(Dense(5, "selu"), backend=backend)
    bare.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(X), bare.predict(X))
    assert model.evaluate(X, Y) == bare.evaluate(X, Y)
    assert model.loss_and_gradient(X, Y)[0] != bare.loss_and_gradient(X, Y)[0]


@each
@pytest.mark.parametrize("python", [False, True], ids=["kernels", "with a layer in Python"])
def test_gradients(backend, python):
    model = net(
        GaussianNoise(0.1), Dense(5, "tanh"), GaussianDropout(0.2), *[Scale()] * python,
        AlphaDropout(0.3), backend=backend,
    )  # fmt: skip
    assert check_gradients(model, X[:7], Y[:7], tolerance=1e-8).passed


@pytest.mark.parametrize("backend", COMPILED)
def test_the_backends_draw_the_same(backend):
    for key, step in ((5, 0), (-1, 2**40)):
        masks = [np.empty(10_001) for _ in range(2)]
        for name, mask in zip((backend, "numpy"), masks, strict=True):
            kernels(name).normal_mask(key, step, 0.0, 1.0, mask)
        np.testing.assert_allclose(*masks, rtol=0, atol=1e-14)


@pytest.mark.parametrize("backend", COMPILED)
def test_the_same_bits_on_every_number_of_threads(backend, monkeypatch):
    found = set()
    for _ in each_number_of_threads(monkeypatch):
        model = net(*(make() for make in KINDS), Dense(23), backend=backend)
        model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        found.add(model.params.tobytes())
    assert len(found) == 1


def test_arguments():
    for wrong in (-0.1, math.nan, "a"):
        with pytest.raises(ValueError, match="^stddev: expected"):
            GaussianNoise(wrong)
        for kind in (GaussianDropout, AlphaDropout):
            with pytest.raises(ValueError, match="^rate: expected"):
                kind(wrong)
            with pytest.raises(ValueError, match="^rate: expected"):
                kind(1.0)
    for layer in (GaussianNoise(0), GaussianDropout(0), AlphaDropout(0)):
        np.testing.assert_array_equal(drawn(layer, X[:2].astype(float)), X[:2])
    for seeded in (
        lambda seed: GaussianNoise(0.1, seed),
        lambda seed: AlphaDropout(0.1, seed=seed),
    ):
        one, same, other = (drawn(seeded(seed), X.astype(float)) for seed in (1, 1, 2))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)
