"""Telemetry changes no bit, and its figures are what NumPy makes of the same step."""

import numpy as np
import pytest

from fastmlp import Telemetry, layers, optimizers, regularizers
from fastmlp.kernels.contract import SATURATED_SLOPE
from tests.backends import ALL

from .nets import Scale, data, net

backends = pytest.mark.parametrize("backend", ALL)
OPTIMIZERS = {
    "plain": optimizers.SGD(0.5),
    "momentum": optimizers.SGD(0.2, 0.9),
    "nesterov": optimizers.SGD(0.2, 0.9, nesterov=True),
}
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS)


def relu_and_tanh(backend="numba", optimizer="plain", dtype="float64"):
    # Large weights: some units of tanh saturate, some of relu die.
    return net(
        layers.Dense(9, "relu", kernel_initializer="he_normal", bias_initializer="normal"),
        layers.Dense(8, "tanh", kernel_regularizer=regularizers.L2(0.01)),
        backend=backend,
        optimizer=OPTIMIZERS[optimizer],
        dtype=dtype,
    )


def every_kind_of_row(backend, optimizer, dtype):
    return net(
        layers.Activation("tanh"), layers.Rescaling(2.0), layers.Dropout(0.2),
        layers.Dense(9, "silu"), layers.Dropout(0.3), layers.Dense(8, "softmax"),
        layers.Rescaling(3.0), backend=backend, optimizer=OPTIMIZERS[optimizer], dtype=dtype,
    )  # fmt: skip


@backends
@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("make", [relu_and_tanh, every_kind_of_row])
@pytest.mark.parametrize("every", [1, 3])
def test_observing_changes_no_bit(backend, optimizer, dtype, make, every):
    x, y = data()
    plain, observed = (make(backend, optimizer, dtype) for _ in range(2))
    telemetry = Telemetry(every)
    histories = [
        plain.fit(x, y, batch_size=8, epochs=3, verbose=0).history,
        observed.fit(x, y, batch_size=8, epochs=3, verbose=0, telemetry=telemetry).history,
    ]
    assert len(telemetry.steps) == 3 * -(-5 // every)
    np.testing.assert_array_equal(plain.params, observed.params)
    assert histories[0] == histories[1]


def slope(name, z):
    return (z > 0).astype(float) if name == "relu" else 1 - np.tanh(z) ** 2


def expected_figures(model, x, y, step):
    """Recompute a step's figures; ``step`` takes it and returns the weights before and after."""
    _, gradients = model.loss_and_gradient(x, y)
    weights = model.get_weights()
    figures, h = {}, x.astype(np.float64)
    for i, (layer, activation) in enumerate(
        [("dense", "relu"), ("dense_1", "tanh"), ("dense_2", None)]
    ):
        z = h @ weights[2 * i] + weights[2 * i + 1]
        gradient = np.concatenate([g.ravel() for g in gradients[2 * i : 2 * i + 2]])
        figures[layer] = {
            "mean": z.mean(), "std": z.std(), "gradient_norm": np.linalg.norm(gradient)
        }  # fmt: skip
        if activation:
            flat = np.abs(slope(activation, z)) < SATURATED_SLOPE
            h = np.maximum(z, 0) if activation == "relu" else np.tanh(z)
            figures[f"{layer}/{activation}"] = {
                "mean": h.mean(), "std": h.std(),
                "saturated": flat.mean(), "dead": flat.all(axis=0).mean(),
            }  # fmt: skip
    before, after = step()
    for i, layer in enumerate(["dense", "dense_1", "dense_2"]):
        own = [np.concatenate([w.ravel() for w in ws[2 * i : 2 * i + 2]]) for ws in (before, after)]
        ratio = np.linalg.norm(own[1] - own[0]) / np.linalg.norm(own[0])
        figures[layer]["update_ratio"] = ratio
    return figures


@backends
@every_optimizer
def test_figures_are_those_of_numpy(backend, optimizer):
    x, y = data(5)  # few samples, so that some units are dead on all of them
    model, telemetry = relu_and_tanh(backend, optimizer), Telemetry(1)
    model.set_weights([2 * w for w in model.get_weights()])
    seen = []

    def step():
        before = model.get_weights()
        model.fit(x, y, shuffle=False, verbose=0, telemetry=telemetry)
        return before, model.get_weights()

    names = ("gradient_norm", "update_ratio", "mean", "std", "saturated", "dead")
    for number in range(4):  # momentum shows from the second on
        expected = expected_figures(model, x, y, step)
        assert telemetry.rows == [
            "dense", "dense/relu", "dense_1", "dense_1/tanh", "dense_2"
        ]  # fmt: skip
        for column, row in enumerate(telemetry.rows):
            for name in names:
                actual = telemetry[name][number, column]
                # Differences of weights lose digits: a step is some percent of them.
                expected_value = expected[row].get(name, np.nan)
                assert actual == pytest.approx(expected_value, rel=1e-10, nan_ok=True), (row, name)
        seen.append(telemetry.records[number])
    assert np.nanmax(np.array(seen)[:, :, 4]) > 0  # something was saturated,
    assert np.nanmax(np.array(seen)[:, :, 5]) > 0  # and dead


@backends
def test_some_steps_are_some_of_all(backend):
    x, y = data()
    records = {}
    for every in (1, 3):
        telemetry = Telemetry(every)
        relu_and_tanh(backend).fit(x, y, batch_size=8, epochs=2, verbose=0, telemetry=telemetry)
        records[every] = dict(zip(telemetry.steps, telemetry.records, strict=True))
    assert list(records[1]) == list(range(10))
    assert list(records[3]) == [0, 3, 5, 8]  # of five steps an epoch, the 1st and the 4th
    for step, figures in records[3].items():
        np.testing.assert_array_equal(figures, records[1][step])


@backends
def test_custom_layers_are_observed_too(backend):
    x, y = data()
    telemetry = Telemetry(1)
    plain, model = (net(Scale(), layers.Dense(5, "tanh"), backend=backend) for _ in range(2))
    plain.fit(x, y, batch_size=37, verbose=0)
    _, gradients = model.loss_and_gradient(x, y)
    model.fit(x, y, batch_size=37, verbose=0, telemetry=telemetry)
    np.testing.assert_array_equal(model.params, plain.params)
    assert telemetry.rows[0] == "scale"
    norm = telemetry["gradient_norm"][0, 0]
    assert norm == pytest.approx(np.linalg.norm(gradients[0]), rel=1e-12)
    assert telemetry["update_ratio"][0, 0] == pytest.approx(0.1 * norm / 6**0.5, rel=1e-12)


def test_nothing_recorded_yet():
    telemetry = Telemetry(2)
    assert telemetry.records.shape[0] == 0
    assert telemetry["mean"].shape[0] == 0
    with pytest.raises(KeyError, match="'speed': expected one of gradient_norm"):
        telemetry["speed"]


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "2", None])
def test_every_must_be_a_positive_integer(every):
    with pytest.raises(ValueError, match="every: expected a positive integer"):
        Telemetry(every)
