"""What a callback changes before an epoch counts from then on: rates of dropout, an optimizer."""

import numpy as np
import pytest

from fastmlp import callbacks, layers, optimizers
from tests.backends import ALL

from .nets import data, net

each = pytest.mark.parametrize("backend", ALL)
X, Y = data(40)


class From(callbacks.Callback):
    """Does something before an epoch."""

    def __init__(self, epoch, change):
        self.epoch, self.change = epoch, change

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            self.change(self.model)


@each
def test_the_rate_of_dropout(backend):
    def made(rate):
        return net(layers.Dense(8, "tanh"), layers.Dropout(rate, seed=3), backend=backend)

    one, other, changed = made(0.5), made(0.25), made(0.5)

    def change(model):
        model.layers[1].rate = 0.25

    one.fit(X, Y, 20, 2, 0)
    other.set_weights(one.get_weights())
    other._state.steps, other._state.epochs = one._state.steps, one._state.epochs
    other.fit(X, Y, 20, 1, 0)
    changed.fit(X, Y, 20, 3, 0, [From(2, change)])
    assert changed.params.tobytes() == other.params.tobytes()
    assert changed.params.tobytes() != one.params.tobytes()


@each
def test_the_rate_of_dropout_between_batches(backend):
    """Also for a batch of a size that was seen before, which takes a shorter way."""

    def made():
        return net(layers.Dense(8, "tanh"), layers.Dropout(0.5, seed=3), backend=backend)

    one, other, x = made(), made(), X.astype(np.float64)
    for model, y in ((one, Y), (other, Y.tolist())):  # a list goes the long way
        for _ in range(3):
            model.train_on_batch(x, y)
        model.layers[1].rate = 0.0
        model.train_on_batch(x, y)
    assert one.params.tobytes() == other.params.tobytes()


def test_a_layer_that_drops_nothing_has_no_place():
    left_out = layers.Dropout(0.0)
    with pytest.raises(AttributeError, match="rate: .* was made with rate=0"):
        left_out.rate = 0.1
    left_out.rate = 0.0
    layer = layers.Dropout(0.3)
    layer.rate = 0.0
    layer.rate = 0.2
    with pytest.raises(ValueError, match="rate: expected a number"):
        layer.rate = 1.0
    assert layer.rate == 0.2


@each
def test_the_decay_of_weights(backend):
    def change(model):
        model.optimizer.weight_decay = 0.5

    optimizer = optimizers.SGD(0.0)
    model = net(layers.Dense(4), backend=backend, optimizer=optimizers.Adam(0.1, weight_decay=0.1))
    still = net(layers.Dense(4), backend=backend, optimizer=optimizers.Adam(0.1, weight_decay=0.1))
    still.fit(X, Y, 40, 1, 0)
    still.optimizer.weight_decay = 0.5
    still.fit(X, Y, 40, 1, 0)
    model.fit(X, Y, 40, 2, 0, [From(1, change)])
    assert model.params.tobytes() == still.params.tobytes()
    assert optimizer.weight_decay is None


@each
def test_which_weights_decay(backend):
    """Also if nothing of the optimizer changes but that, and if another number does afterwards."""

    def change(model):
        model.optimizer.exclude_from_weight_decay(["dense/kernel"])

    def another(model):
        model.optimizer.weight_decay = 0.2

    made = [
        net(layers.Dense(4), backend=backend, optimizer=optimizers.Adam(0.1, weight_decay=0.1))
        for _ in range(2)
    ]
    model, still = made
    model.fit(X, Y, 40, 3, 0, [From(1, change), From(2, another)])
    for epoch in range(3):
        if epoch == 1:
            change(still)
        if epoch == 2:
            another(still)
        still._engine = None
        still.fit(X, Y, 40, 1, 0)
    assert model.params.tobytes() == still.params.tobytes()


@each
def test_decays_of_their_own(backend):
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    model = net(layers.Dense(5), backend=backend, optimizer=optimizer)
    optimizer.scale_weight_decay(3.0, ["dense/kernel"])
    optimizer.exclude_from_weight_decay(["dense/bias"])
    assert optimizer.factors("dense/kernel") == (1.0, 3.0)
    assert optimizer.factors("dense/bias") == (1.0, 0.0)
    plain = net(layers.Dense(5), backend=backend, optimizer=optimizers.SGD(0.1))
    before = plain.layers[0].kernel.copy()
    for one in (model, plain):
        one.fit(X, Y, 40, 1, 0)
    expected = plain.layers[0].kernel - 0.1 * 0.5 * 3 * before
    np.testing.assert_allclose(model.layers[0].kernel, expected, rtol=1e-5, atol=1e-7)
    again = optimizers.SGD.from_config(optimizer.get_config())
    assert again.factors("dense/kernel") == (1.0, 3.0)
    with pytest.raises(ValueError, match="^factor: expected"):
        optimizer.scale_weight_decay(-1.0)
