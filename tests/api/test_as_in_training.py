"""Outputs with dropout: ``model(x, training=True)``, and layers that are always in training."""

import numpy as np
import pytest

import fastmlp
from fastmlp import Input, Sequential, layers
from tests.backends import ALL

X = np.random.default_rng(0).standard_normal((64, 3))
Y = np.arange(64) % 4


class MCDropout(layers.Dropout):
    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


def net(*stack, backend="numpy", **options):
    model = Sequential(
        [Input(3), *stack, layers.Dense(4, "softmax")], seed=0, backend=backend, **options
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("backend", ALL)
def test_masks_are_drawn_anew(backend):
    model = net(layers.Dense(20, "relu"), layers.Dropout(0.5), backend=backend)
    plain, weights = model.predict(X), model.params.tobytes()
    draws = np.stack([model(X, training=True) for _ in range(300)])
    assert len({draw.tobytes() for draw in draws}) == 300
    assert not np.array_equal(draws[0], plain)
    np.testing.assert_allclose(draws.mean(0), plain, atol=0.15)
    np.testing.assert_array_equal(model(X), plain)
    assert model.params.tobytes() == weights
    again = net(layers.Dense(20, "relu"), layers.Dropout(0.5), backend=backend)
    np.testing.assert_array_equal(again(X, training=True), draws[0])


@pytest.mark.parametrize("backend", ALL)
def test_a_batch_is_normalized_by_its_own_statistics(backend):
    model = Sequential(
        [Input(3), layers.BatchNormalization(epsilon=1e-6)], backend=backend, dtype="float64"
    )
    np.testing.assert_allclose(model(X, training=True), (X - X.mean(0)) / X.std(0), rtol=1e-4)
    np.testing.assert_allclose(model(X), X, rtol=1e-5)


@pytest.mark.parametrize("backend", ALL)
def test_a_layer_may_always_be_in_training(backend):
    model = net(layers.Dense(20, "relu"), MCDropout(0.5), backend=backend)
    other = net(layers.Dense(20, "relu"), layers.Dropout(0.5), backend=backend)
    for one in (model, other):
        one.fit(X, Y, epochs=2, verbose=0)
    assert model.params.tobytes() == other.params.tobytes()
    draws = [call(X) for call in 5 * (model.predict, model, model.predict_on_batch)]
    assert len({draw.tobytes() for draw in draws}) == len(draws)
    assert len({model.evaluate(X, Y) for _ in range(5)}) == 5
    assert len({model.predict(X[:1]).tobytes() for _ in range(5)}) == 5


def test_so_may_a_layer_in_python():
    class Noise(layers.Layer):
        def forward(self, x, training):
            return x + training

        def backward(self, dy):
            return dy, {}

    class Always(Noise):
        def call(self, inputs):
            return super().call(inputs, training=True)

    for kind, added in ((Noise, 0), (Always, 1)):
        model = Sequential([Input(3), kind()], backend="numpy", dtype="float64")
        np.testing.assert_allclose(model.predict(X), X + added)
        np.testing.assert_allclose(model(X, training=True), X + 1)


def test_draws_go_on_after_loading(tmp_path):
    model = net(MCDropout(0.5))
    model.predict(X)
    model.save(tmp_path / "net")
    loaded = fastmlp.load_model(tmp_path / "net", {"MCDropout": MCDropout})
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_other_uses_of_call_are_refused():
    class Never(layers.Dropout):
        def call(self, inputs, training=None):
            return super().call(inputs, training=False)

    class Twice(layers.Dropout):
        def call(self, inputs, training=None):
            return super().call(super().call(inputs))

    with pytest.raises(ValueError, match="^training: .* can be given None"):
        net(Never(0.5))
    with pytest.raises(TypeError, match="can be called once"):
        net(Twice(0.5))
