"""Connections around layers: values and gradients, and that a net knows the layers inside."""

import copy
import pickle

import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, check_gradients, layers, optimizers, regularizers
from tests.backends import ALL

from .nets import Scale, data, net

each = pytest.mark.parametrize("backend", ALL)


def nested(*, python=False, **options):
    """A net of residual blocks, one of them in another, and one with nothing in it."""
    inner = layers.Residual(
        [layers.Dropout(0.3), layers.Dense(9, "relu", kernel_regularizer=regularizers.L2(0.01))]
    )
    return net(
        layers.Residual([layers.Dense(9, "tanh"), inner, layers.Dense(6)]),
        layers.Residual([]),
        layers.Dense(20, "gelu"),
        layers.Residual([layers.Dense(20, "tanh"), *[Scale()] * python, layers.Dropout(0.2)]),
        layers.Residual([layers.Activation("tanh"), layers.Rescaling(0.5)]),
        **options,
    )


@each
def test_it_adds_its_input(backend):
    model = net(
        layers.Residual([layers.Dense(6, "tanh")]),
        backend=backend, last=None, loss="mse", metrics=(),
    )  # fmt: skip
    w, b, v, c = model.get_weights()
    x = data()[0].astype(np.float64)
    expected = (x + np.tanh(x @ w + b)) @ v + c
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-12, atol=1e-12)


@each
def test_gradients(backend):
    x, y = data(20)
    report = check_gradients(nested(backend=backend), x, y, tolerance=1e-8)
    assert report.passed, report


def test_gradients_with_a_layer_in_python():
    x, y = data(20)
    report = check_gradients(nested(python=True, backend="numpy"), x, y, tolerance=1e-8)
    assert report.passed, report


@each
def test_it_ends_a_net(backend):
    x, _ = data(20)
    model = Sequential(
        [layers.Input((4,)), layers.Residual([layers.Dense(4)])],
        seed=0, dtype="float64", backend=backend,
    )  # fmt: skip
    model.compile("sgd", "mse")
    report = check_gradients(model, x[:, :4], x[:, 2:], tolerance=1e-8)
    assert report.passed, report


@each
def test_a_copy_goes_on_in_the_same_way(backend):
    x, y = data()
    model = nested(backend=backend, optimizer=optimizers.SGD(0.05, 0.9))
    model.fit(x, y, epochs=2, verbose=0)
    copies = [copy.copy(model), pickle.loads(pickle.dumps(model))]
    for each_net in (model, *copies):
        each_net.fit(x, y, epochs=2, verbose=0)
    for other in copies:
        assert np.array_equal(other.params, model.params)
        assert np.array_equal(other.predict(x), model.predict(x))


def test_weights_go_by_layer():
    model = nested()
    block = model.layers[0]
    first, inner, last = block.layers
    assert [w.shape for w in block.get_weights()] == [(6, 9), (9,), (9, 9), (9,), (9, 6), (6,)]
    for mine, theirs in zip(block.get_weights(), model.get_weights(), strict=False):
        assert np.array_equal(mine, theirs)
    assert block.count == first.count + inner.count + last.count
    assert model.count_params() == sum(w.size for w in model.get_weights())
    changed = [w + 1 for w in model.get_weights()]
    model.set_weights(changed)
    assert np.array_equal(inner.layers[1].weights["kernel"], changed[2])


def test_names_are_told_apart(capsys):
    model = nested()
    names = [model.layers[0].name, *[layer.name for layer in model.layers[0].layers]]
    assert names == ["residual", "dense", "residual_1", "dense_2"]
    assert model.layers[0].layers[1].layers[1].name == "dense_1"
    model.summary()
    assert "    dense_1 (Dense)" in capsys.readouterr().out


def test_telemetry_sees_the_layers_inside():
    x, y = data()
    telemetry = Telemetry(every=2)
    plain = nested()
    plain.fit(x, y, verbose=0)
    model = nested()
    model.fit(x, y, verbose=0, telemetry=telemetry)
    assert np.array_equal(model.params, plain.params)
    assert telemetry.rows[:4] == ["dense", "dense/tanh", "dense_1", "dense_1/relu"]
    assert np.isfinite(telemetry["mean"]).all(), telemetry["mean"]


def test_layers_must_keep_the_shape():
    expected = (
        r"layers\[1\] \('residual'\): Residual expects layers that give outputs of the shape of "
        r"its inputs, \(6,\), got \(5,\)"
    )
    with pytest.raises(ValueError, match=expected):
        net(layers.Residual([layers.Dense(5)]))
    with pytest.raises(ValueError, match=r"layers\[1\] .*layers\[0\] \('dense'\): Dense expects"):
        Sequential([layers.Input((2, 3)), layers.Residual([layers.Dense(3)])])


def test_what_it_cannot_hold():
    dense = layers.Dense(6)
    with pytest.raises(ValueError, match=r"layers\[1\]: .* already part of this net"):
        layers.Residual([dense, dense])
    with pytest.raises(ValueError, match=r"layers\[0\]: an Input"):
        layers.Residual([layers.Input((6,))])
    with pytest.raises(TypeError, match=r"layers\[0\]: expected a Layer"):
        layers.Residual(["dense"])
    with pytest.raises(TypeError, match="layers: expected a list of layers"):
        layers.Residual(dense)
    block = layers.Residual([dense])
    with pytest.raises(ValueError, match="already part of this net"):
        net(dense, block)
    net(block)
    net(layers.Residual([dense]))  # another net, which shares it
    with pytest.raises(AttributeError):
        block.layers = ()


def test_a_copy_of_a_block_belongs_to_no_net():
    model = net(layers.Residual([layers.Dense(6)]))
    other = net(copy.copy(model.layers[0]))
    assert np.array_equal(other.get_weights()[0], model.get_weights()[0])
    other.set_weights([w + 1 for w in other.get_weights()])
    assert not np.array_equal(other.get_weights()[0], model.get_weights()[0])


def test_a_net_that_cannot_be_built_leaves_its_layers_alone():
    dense = layers.Dense(6)
    model = Sequential([layers.Residual([dense]), layers.Dense(4), layers.Residual([])], seed=0)
    model.compile("sgd", "mse")
    x = np.zeros((3, 5))
    with pytest.raises(ValueError, match="Residual expects"):
        model.fit(x, x, verbose=0)
    assert dense.count == 0
    model.fit(np.zeros((3, 6)), np.zeros((3, 4)), verbose=0)
