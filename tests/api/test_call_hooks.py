"""Watching a fit call by call: at one's own pace, without a change of its result."""

import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, layers
from fastmlp.callbacks import Callback
from fastmlp.runtime.data import check_samples

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((400, 5)), np.arange(400) % 2


class Watch(Callback):
    def __init__(self, seconds, stop_at=None):
        self.seconds_per_call, self.stop_at = seconds, stop_at
        self.seen = []

    def on_train_batches_end(self, batch, logs=None):
        self.seen.append((batch, logs["loss"], self.model.steps_trained))
        if self.stop_at == batch:
            self.model.stop_training = True


def net(*more):
    stack = [layers.Input((5,)), layers.Dense(4, "tanh"), *more, layers.Dense(2, "softmax")]
    model = Sequential(stack, seed=0)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, *callbacks, **options):
    return model.fit(X, Y, 10, 2, verbose=0, callbacks=list(callbacks), **options)


def test_at_no_time_at_all_each_batch_is_a_call():
    plain, watched, watch, telemetry = net(), net(), Watch(0.0), Telemetry(3)
    history = fit(plain)
    assert fit(watched, watch, telemetry=telemetry).history == history.history
    np.testing.assert_array_equal(plain.params, watched.params)
    assert [(batch, steps) for batch, _, steps in watch.seen] == [
        (step % 40, step + 1) for step in range(80)
    ]
    assert watch.seen[39][1] == pytest.approx(history.history["loss"][0])
    assert telemetry.steps == [*range(0, 40, 3), *range(40, 80, 3)]


def test_in_much_time_an_epoch_is_few_calls():
    watch = Watch(10.0)  # counted as 0.2
    fit(net(), watch)
    assert len(watch.seen) < 80
    assert watch.seen[-1][0] == 39


def test_it_can_end_the_fit_there():
    model, watch = net(), Watch(0.0, stop_at=7)
    history = fit(model, watch)
    assert len(watch.seen) == 8
    assert model.steps_trained == 8
    assert len(history.epoch) == 1


@pytest.mark.parametrize("backend", ["auto", "numpy"])
def test_activations_are_what_numpy_makes_of_the_weights(backend):
    stack = [
        layers.Input((5,)), layers.Dense(4, "tanh"), layers.Residual([layers.Dense(4, "relu")]),
        layers.Dropout(0.5), layers.Dense(2, "softmax"),
    ]  # fmt: skip
    model = Sequential(stack, seed=0, backend=backend, dtype="float64")
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    x = X[:7]
    found = model._ready_engine().activations(check_samples("x", x, (5,), model.dtype))
    w = model.get_weights()
    h = np.tanh(x @ w[0] + w[1])
    np.testing.assert_allclose(found["dense/tanh"].T, h, rtol=1e-12)
    np.testing.assert_allclose(found["dense_1/relu"].T, np.maximum(h @ w[2] + w[3], 0), rtol=1e-12)
