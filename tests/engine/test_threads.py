"""However many threads share a net's steps: the same bits."""

import contextlib
import warnings

import numpy as np
import pytest

from fastmlp import DivergenceWarning, Telemetry, engine, layers, optimizers, set_num_threads
from fastmlp.regularizers import L1, L2

from .nets import data, net, targets

MANY = (2, 3, 5)  # also more than there are cores, or units in some layer


@pytest.fixture
def shared(monkeypatch):
    """Let any net be shared, however small, by the number of threads that is asked for."""
    monkeypatch.setattr(engine, "_WORTH_SHARING", 0)
    monkeypatch.setattr("fastmlp.threads._chosen", 0)
    return set_num_threads


NETS = {
    "plain": lambda **options: net(
        layers.Dense(33, "relu"), layers.Dense(17, "tanh"), layers.Dense(2, "sigmoid"), **options
    ),
    "rows": lambda **options: net(
        layers.Rescaling(0.5, 0.1), layers.Activation("gelu"), layers.Dropout(0.2),
        layers.Dense(19, use_bias=False), **options,
    ),
    "masks and penalties": lambda **options: net(
        layers.Dense(34, "leaky_relu", kernel_regularizer=L2(0.01), bias_regularizer=L1(0.02)),
        layers.Dropout(0.3),
        layers.Dense(11, "softplus", kernel_regularizer=L1(0.01)),
        layers.Dropout(0.1),
        layers.Dense(7, "softmax"),
        **options,
    ),
    "momentum": lambda **options: net(
        layers.Dense(35, "selu", kernel_regularizer=L2(0.01)), layers.Dropout(0.3),
        optimizer=optimizers.SGD(0.01, 0.9, nesterov=True), **options,
    ),
    "one unit": lambda **options: net(
        layers.Dense(1, "tanh"), last=None, loss="mse", metrics=(), classes=1, **options
    ),
    "no hidden layer": net,
}  # fmt: skip


def trained(model, outputs):
    """Train a little, look at everything, and return all of it."""
    x, y = data(53)
    y = targets(53, 1) if outputs == 1 else y
    telemetry = Telemetry(every=3)
    model.fit(x, y, batch_size=8, epochs=2, validation_data=(x, y), telemetry=telemetry, verbose=0)
    loss, gradients = model.loss_and_gradient(x, y)
    return [
        model.params, model.predict(x), model.evaluate(x, y), loss, *gradients,
        np.array(telemetry.records), repr(model.history.history),
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETS)
def test_the_number_of_threads_changes_nothing(shared, name, dtype):
    results = []
    for threads in (1, *MANY):
        shared(threads)
        model = NETS[name](backend="numba", dtype=dtype)
        results.append(trained(model, model.layers[-1].units))
    for other in results[1:]:
        for expected, actual in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("threads", [1, *MANY])
def test_all_threads_stop_at_a_divergence(shared, threads):
    shared(threads)
    x, y = data(64)
    model = net(
        layers.Dense(33, "relu"), layers.Dense(17, "relu"), dtype="float32", backend="numba",
        optimizer=optimizers.SGD(1e20),
    )  # fmt: skip
    with pytest.warns(DivergenceWarning):
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    assert model.history.divergence.step == 1
    # And work again afterwards.
    with warnings.catch_warnings(), contextlib.suppress(DivergenceWarning):
        warnings.simplefilter("error")
        assert not np.isfinite(model.evaluate(x, y)[0])


def test_small_nets_are_not_shared(shared, monkeypatch):
    monkeypatch.undo()
    x, y = data(64)
    model = net(layers.Dense(3, "tanh"), backend="numba")
    monkeypatch.setattr("fastmlp.team.Worker", None)
    model.fit(x, y, verbose=0)
