"""A diverging run stops, says where, and keeps what it has."""

import warnings

import numpy as np
import pytest

from fastmlp import DivergenceWarning, Telemetry, fit_many, layers, optimizers
from fastmlp.layers import Layer
from tests.backends import ALL

from .nets import data, net

backends = pytest.mark.parametrize("backend", ALL)
MOMENTUM = optimizers.SGD(0.1, 0.9)


class Faulty(Layer):
    """Passes its input on, until a given step."""

    def __init__(self, step, value=np.nan):
        super().__init__("faulty")
        self.step, self.value, self.seen = step, value, 0

    def forward(self, x, training):
        self.seen += training
        return np.full_like(x, self.value) if training and self.seen == self.step + 1 else x

    def backward(self, dy):
        return dy, {}


def exploding(backend="numba", dtype="float32", rate=1e20, **options):
    return net(
        layers.Dense(7, "relu", name="first"),
        layers.Dense(6, "relu", name="second"),
        backend=backend, dtype=dtype, optimizer=optimizers.SGD(rate), **options,
    )  # fmt: skip


@backends
@pytest.mark.parametrize("optimizer", [None, MOMENTUM], ids=["plain", "momentum"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize(("samples", "batch_size"), [(40, 8), (37, 8), (128, 128)])
def test_the_layer_and_the_step_are_named(
    backend, optimizer, value, validated, samples, batch_size
):
    x, y = data(samples)
    steps = -(-samples // batch_size)
    hidden = [layers.Dense(5, "tanh"), Faulty(steps + steps // 2, value), layers.Dense(3, "tanh")]
    model = net(*hidden, backend=backend, optimizer=optimizer)
    validation = (x, y) if validated else None
    with (
        pytest.warns(
            DivergenceWarning, match="training diverged.*the outputs of 'faulty'"
        ) as found,
        np.errstate(invalid="ignore"),
    ):
        history = model.fit(
            x, y, batch_size=batch_size, epochs=5, validation_data=validation, verbose=0
        )
    assert len(found) == 1
    assert found[0].filename == __file__
    divergence = history.divergence
    assert (divergence.epoch, divergence.step) == (1, steps // 2)
    assert divergence.layer == "faulty"
    assert not np.isfinite(divergence.loss)
    assert f"epoch 2, step {steps // 2 + 1}" in divergence.message
    assert "learning rate 0.1" in divergence.message
    assert history.epoch == [0, 1]
    for name in ("loss", "val_loss") if validated else ("loss",):
        assert np.isfinite(history.history[name][0])
        assert not np.isfinite(history.history[name][1])


@backends
@pytest.mark.parametrize("optimizer", [None, MOMENTUM], ids=["plain", "momentum"])
def test_the_batch_is_not_learned_from(backend, optimizer):
    x, y = data(40)
    model, sound = (
        net(layers.Dense(5, "tanh"), Faulty(step), backend=backend, optimizer=optimizer)
        for step in (3, 1000)
    )
    with pytest.warns(DivergenceWarning):
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    sound.fit(x[:24], y[:24], batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.params, sound.params)
    assert model.history.divergence.step == 3


@backends
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_that_overflow_are_named_with_their_layer(backend, dtype):
    x, y = data()
    rate = 1e38 if dtype == "float32" else 1e300
    model = exploding(backend, dtype, rate)
    with pytest.warns(DivergenceWarning), np.errstate(all="ignore"):
        history = model.fit(x, y, batch_size=8, epochs=50, verbose=0)
    assert history.divergence is not None
    assert history.divergence.layer in {"first", "second", "dense"} or (
        history.divergence.layer.startswith(("first/", "second/", "dense/"))
    )
    assert history.divergence.layer in history.divergence.message
    assert len(history.epoch) < 50


@backends
def test_penalties_that_overflow_are_seen(backend):
    from fastmlp.regularizers import L2

    x, y = data()
    model = net(layers.Dense(5, "tanh", kernel_regularizer=L2(10.0)), backend=backend,
                optimizer=optimizers.SGD(1.0))  # fmt: skip
    with pytest.warns(DivergenceWarning), np.errstate(all="ignore"):
        history = model.fit(x, y, batch_size=1, epochs=20, verbose=0)
    assert not np.isfinite(history.history["loss"][-1])


@backends
def test_evaluating_a_diverged_net_is_not_finite_and_no_error(backend):
    x, _ = data(300)
    model = net(layers.Dense(5), backend=backend, last=None, loss="mse", metrics=())
    model.params[:] = np.nan
    with np.errstate(invalid="ignore"):
        assert np.isnan(model.evaluate(x, np.zeros((300, 4))))
        assert np.isnan(model.predict(x)).all()


@backends
@pytest.mark.parametrize("place", [0, 150, 299])
def test_evaluation_counts_every_sample_however_large_a_loss(backend, place):
    """One impossible sample makes the loss infinite; all others still count."""
    model = net(features=2, classes=2, backend=backend, last=None, loss="mse")
    model.set_weights([np.eye(2), np.zeros(2)])
    x = np.tile([1.0, 0.0], (300, 1)).astype(np.float64)
    y = np.tile([1.0, 0.0], (300, 1))
    x[place] = 1e200
    y[place] = [1e200, -1e200]
    for options in ({}, {"batch_size": 7}, {"batch_size": 1000}, {"verbose": 2}):
        with np.errstate(over="ignore"):
            figures = model.evaluate(x, y, return_dict=True, **options)
        assert figures == {"loss": np.inf, "accuracy": 1.0}


@backends
def test_evaluation_counts_samples_that_are_not_numbers(backend):
    model = net(features=2, classes=3, backend=backend, last=None, loss="mse")
    x = np.zeros((300, 2))
    x[200:] = 1.7e308
    model.set_weights([np.full((2, 3), 2.0), np.array([0.0, 1.0, 0.0])])
    with np.errstate(over="ignore", invalid="ignore"):
        loss, accuracy = model.evaluate(x, np.eye(3)[np.full(300, 1)])
    assert loss == np.inf
    assert accuracy == 200 / 300


@backends
@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("epochs", [1, 3])
def test_a_last_step_that_ruins_the_weights_is_told(backend, validated, momentum, epochs):
    x, y = data(8)
    model = net(layers.Dense(5, "relu", name="mine"), backend=backend, last=None, loss="mse",
                optimizer=optimizers.SGD(1e305, momentum), classes=1, metrics=())  # fmt: skip
    y = np.full((8, 1), 1e6)
    with (
        pytest.warns(DivergenceWarning, match="the weights are no longer finite") as found,
        np.errstate(all="ignore"),
    ):
        history = model.fit(
            x, y, batch_size=8, epochs=epochs, verbose=0,
            validation_data=(x, y) if validated else None,
        )  # fmt: skip
    assert len(found) == 1
    assert (history.divergence.epoch, history.divergence.step) == (0, 0)
    assert history.divergence.layer in {"mine", "dense"}
    assert history.epoch == [0]
    assert np.isfinite(history.history["loss"][0])
    if validated:
        assert not np.isfinite(history.history["val_loss"][0])


@backends
def test_a_validation_that_is_not_finite_is_told(backend):
    x, _ = data(8)
    y = np.zeros((8, 1))
    model = net(
        backend=backend,
        last=None,
        loss="mse",
        optimizer=optimizers.SGD(1e-30),
        classes=1,
        metrics=(),
    )
    with (
        pytest.warns(DivergenceWarning, match="loss of the validation data is inf") as found,
        np.errstate(all="ignore"),
    ):
        history = model.fit(
            x, y, batch_size=4, epochs=2, verbose=0,
            validation_data=(np.full(x.shape, 1e200), y),
        )  # fmt: skip
    assert len(found) == 1
    assert (history.divergence.epoch, history.divergence.step) == (0, 1)
    assert np.isfinite(model.params).all()


@backends
def test_telemetry_ends_where_training_does(backend):
    x, y = data(40)
    model, telemetry = net(layers.Dense(5, "tanh"), Faulty(7), backend=backend), Telemetry(1)
    with pytest.warns(DivergenceWarning):
        model.fit(x, y, batch_size=8, epochs=3, telemetry=telemetry, verbose=0)
    assert telemetry.steps == list(range(7))
    assert len(telemetry.records) == 7
    assert np.isfinite(telemetry["mean"]).all()


def test_one_of_many_does_not_stop_the_others():
    x, y = data()
    models = [exploding(rate=rate, dtype="float32") for rate in (0.1, 1e38, 0.1)]
    with pytest.warns(DivergenceWarning), np.errstate(all="ignore"):
        histories = fit_many(models, x, y, batch_size=8, epochs=20, jobs=2)
    assert [history.divergence is None for history in histories] == [True, False, True]
    assert len(histories[2].epoch) == 20
    np.testing.assert_array_equal(models[0].params, models[2].params)


def test_a_large_but_finite_loss_is_no_divergence():
    x, _ = data()
    model = net(last=None, loss="mse", metrics=(), optimizer=optimizers.SGD(1e-300))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model.fit(1e100 * x.astype(np.float64), np.zeros((37, 4)), verbose=0)
    assert history.divergence is None
    assert history.history["loss"][0] > 1e190
