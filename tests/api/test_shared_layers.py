"""Layers that are in several nets, and nets that are layers of others."""

import copy
import pickle

import numpy as np
import pytest

import fastmlp
from fastmlp import Input, Sequential, callbacks, layers, models
from tests.backends import ALL

X = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
Y = np.arange(40) % 4


def net(*stack, loss="sparse_categorical_crossentropy", **options):
    model = Sequential([Input(3), *stack], **{"seed": 0, "backend": "numpy", **options})
    model.compile("adam", loss)
    return model


def pair(**options):
    """A net, and another one on top of its first layer."""
    model = net(layers.Dense(5, "tanh"), layers.Dense(4, "softmax"), **options)
    other = net(*model.layers[:-1], layers.Dense(2, "softmax"), **options)
    return model, other


def assert_same(ours, theirs):
    assert [w.tobytes() for w in ours] == [w.tobytes() for w in theirs]


@pytest.mark.parametrize("backend", ALL)
def test_what_one_net_learns_the_other_knows(backend):
    model, other = pair(backend=backend)
    alone = net(layers.Dense(5, "tanh"), layers.Dense(2, "softmax"), backend=backend)
    alone.set_weights(other.get_weights())
    for each in (other, alone):
        each.fit(X, Y % 2, epochs=2, verbose=0)
    assert_same(other.get_weights(), alone.get_weights())
    assert_same(model.get_weights()[:2], alone.get_weights()[:2])
    expected = net(layers.Dense(5, "tanh"), layers.Dense(4, "softmax"), backend=backend)
    expected.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    assert model.evaluate(X, Y) == expected.evaluate(X, Y)
    assert model.test_on_batch(X, Y) == expected.test_on_batch(X, Y)
    model.train_on_batch(X, Y)
    assert_same(model.get_weights()[:2], other.get_weights()[:2])
    assert_same(model.get_weights()[:2], model.layers[0].get_weights())
    assert_same([model.params[:5]], [np.ascontiguousarray(other.params[:5])])


def test_weights_are_set_where_they_are():
    model, other = pair()
    other.fit(X, Y % 2, verbose=0)
    model.set_weights([w * 0 for w in model.get_weights()])
    assert not other.get_weights()[0].any()
    other.layers[0].kernel[...] = 3
    assert (model.weights[0] == 3).all()
    assert (model.predict(X) == model.predict(X)).all()
    model.weights[1][...] = 2
    assert (other.layers[0].bias == 2).all()


def test_a_net_may_predict_while_the_other_is_trained():
    """As an encoder may, in a callback of the autoencoder's."""
    encoder, decoder = Sequential([layers.Dense(2)], seed=1), Sequential([layers.Dense(3)], seed=2)
    both = Sequential([encoder, decoder], backend="numpy")
    both.compile("sgd", "mse")
    seen = []
    watch = callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(encoder.predict(X)))
    both.fit(X, X, epochs=3, verbose=0, callbacks=[watch])
    assert not np.array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[-1], encoder.predict(X))
    plain = Sequential([layers.Dense(2), layers.Dense(3)], backend="numpy")
    plain.build((None, 3))
    plain.compile("sgd", "mse")
    fresh = Sequential([copy.copy(both)], backend="numpy")
    plain.set_weights(fresh.get_weights())
    np.testing.assert_array_equal(plain.predict(X), both.predict(X))


def test_two_trainings_at_once_are_refused():
    model, other = pair()
    tries = callbacks.LambdaCallback(on_epoch_end=lambda *_: other.fit(X, Y % 2, verbose=0))
    with pytest.raises(RuntimeError, match="in use by a fit"):
        model.fit(X, Y, verbose=0, callbacks=[tries])
    with pytest.raises(ValueError, match="^models: nets that share layers"):
        fastmlp.fit_many([model, other], X, Y)
    other.fit(X, Y % 2, verbose=0)


def test_what_does_not_fit_is_refused():
    model, _ = pair()
    with pytest.raises(ValueError, match=r"weights for inputs of shape \(3,\), got \(7,\)"):
        Sequential([Input(7), model.layers[0]])
    with pytest.raises(ValueError, match="part of a net of dtype float32, and can't be in one of"):
        Sequential([Input(3), model.layers[0]], dtype="float64")
    with pytest.raises(ValueError, match="a net can't be a layer of itself"):
        model.add(model)
    unbuilt = Sequential([layers.Dense(2)])
    with pytest.raises(ValueError, match=r"expected samples of shape|got \(4,\)"):
        Sequential([Input(4), Sequential([Input(3), layers.Dense(2)])])
    assert not unbuilt.built


def nested(**options):
    inner = Sequential([layers.Dense(4, "relu"), layers.Dense(2)], name="encoder", seed=1)
    return Sequential([Input(3), inner, layers.Dense(3)], **{"backend": "numpy", **options})


def test_a_net_as_a_layer_is_the_net():
    model = nested()
    inner = model.layers[0]
    assert isinstance(inner, Sequential)
    assert model.get_layer("encoder") is inner
    assert inner.built
    assert [layer.name for layer in inner.layers] == ["dense", "dense_1"]
    assert model.layers[1].name == "dense_2"
    assert_same(model.get_weights()[:4], inner.get_weights())
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    out = model.layers[1]
    np.testing.assert_allclose(
        inner.predict(X) @ out.kernel + out.bias, model.predict(X), rtol=1e-4, atol=1e-6
    )
    assert model.pop() is out
    assert model.pop() is inner


@pytest.mark.parametrize("way", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_share_as_the_original_does(way):
    model = nested()
    model.compile("sgd", "mse")
    made = way(model)
    made.fit(X, X, verbose=0)
    model.fit(X, X, verbose=0)
    assert_same(made.get_weights(), model.get_weights())
    assert_same(made.layers[0].get_weights(), made.get_weights()[:4])
    made.fit(X, X, verbose=0)
    assert made.params.tobytes() != model.params.tobytes()


@pytest.mark.parametrize("change", [lambda net: net.add(layers.Dense(4)), lambda net: net.pop()])
def test_a_part_that_has_got_other_layers_is_noticed(change, tmp_path):
    outer = nested()
    outer.compile("sgd", "mse")
    outer.fit(X, X, verbose=0)
    weights = outer.get_weights()
    change(outer.layers[0])
    for use in (
        lambda: outer.fit(X, X, verbose=0),
        lambda: outer.predict(X),
        lambda: outer.compile("sgd", "mse"),
        lambda: outer.save(tmp_path / "net"),
    ):
        with pytest.raises(RuntimeError, match="has got other layers since it became a part"):
            use()
    assert all(map(np.array_equal, weights, outer.get_weights()))
    assert not any(tmp_path.iterdir())


def test_files_and_clones(tmp_path):
    model = nested()
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    model.save(tmp_path / "net")
    loaded = fastmlp.load_model(tmp_path / "net")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    np.testing.assert_array_equal(loaded.layers[0].predict(X), model.layers[0].predict(X))
    for made in (models.clone_model(model), models.clone_model(model, copy.copy)):
        assert [type(layer) for layer in made.layers] == [Sequential, layers.Dense]
        assert made.layers[0] is not model.layers[0]
        assert made.count_params() == model.count_params()


def test_two_nets_of_equal_names_are_saved(tmp_path):
    first, second = (net(layers.Dense(3), layers.Dense(3), loss="mse", seed=s) for s in (0, 1))
    both = net(first.layers[0], second.layers[0], loss="mse")
    for model in (first, second, both):
        model.save(tmp_path / "net")
        assert len({layer.name for layer in model.layers}) == 2
        assert_same(fastmlp.load_model(tmp_path / "net").get_weights(), model.get_weights())


def test_without_its_first_net_a_layer_lives_on():
    model, other = pair()
    before = model.get_weights()[0]
    del model
    assert (other.get_weights()[0] == before).all()
    other.fit(X, Y % 2, verbose=0)
    assert (other.get_weights()[0] != before).any()
