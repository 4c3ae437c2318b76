"""Penalties on what layers give: activity_regularizer, and ActivityRegularization."""

import numpy as np
import pytest
import torch

from fastmlp import Sequential, check_gradients, layers, optimizers, regularizers
from fastmlp.layers import ActivityRegularization, Dense
from tests.backends import ALL, COMPILED
from tests.threads import each_number_of_threads

from .nets import Scale, data, net

each = pytest.mark.parametrize("backend", ALL)
X, Y = data(40)
ON_DENSE = regularizers.L1L2(0.03, 0.02)


def penalized(*more, **options):
    """Outputs under a penalty before and after an activation, in a branch, and of the samples."""
    return net(
        ActivityRegularization(0.01, 0.1),
        Dense(7, activity_regularizer=ON_DENSE), ActivityRegularization(0.05), *more,
        layers.Activation("tanh", activity_regularizer="l2"),
        layers.Residual([ActivityRegularization(l2=0.1), Dense(7, activity_regularizer="l1")]),
        **options,
    )  # fmt: skip


@each
def test_gradients(backend):
    for more in ([], [Scale()], [layers.Dropout(0.3), layers.BatchNormalization()]):
        model = penalized(*more, backend=backend)
        assert check_gradients(model, X[:7], Y[:7], tolerance=1e-8).passed


def values(x, weights):
    """The net above in torch: its outputs, and the penalties over the number of samples."""
    kernel, bias, inner, inner_bias, last, last_bias = weights
    found = 0.01 * x.abs().sum() + 0.1 * (x**2).sum()
    h = x @ kernel + bias
    found = found + 0.03 * h.abs().sum() + 0.02 * (h**2).sum() + 0.05 * h.abs().sum()
    h = torch.tanh(h)
    found = found + 0.01 * (h**2).sum() + 0.1 * (h**2).sum()
    f = h @ inner + inner_bias
    found = found + 0.01 * f.abs().sum()
    return (h + f) @ last + last_bias, found / len(x)


@each
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_200_steps_are_those_of_torch(backend, optimizer):
    makers = {
        "sgd": (optimizers.SGD(0.05), lambda w: torch.optim.SGD(w, 0.05)),
        "adam": (optimizers.Adam(0.01), lambda w: torch.optim.Adam(w, 0.01, eps=1e-7)),
    }
    own, of_torch = makers[optimizer]
    model = penalized(backend=backend, optimizer=own)
    weights = [torch.tensor(w, requires_grad=True) for w in model.get_weights()]
    stepper, losses = of_torch(weights), []
    x, y = torch.tensor(X.astype(float)), torch.tensor(Y)
    for _ in range(200):
        stepper.zero_grad()
        outputs, penalty = values(x, weights)
        loss = torch.nn.functional.cross_entropy(outputs, y)
        losses.append(((loss + penalty).item(), loss.item()))
        (loss + penalty).backward()
        stepper.step()
    history = model.fit(X, Y, batch_size=40, epochs=200, shuffle=False, verbose=0).history
    found = np.column_stack([history["loss"], history["data_loss"]])
    np.testing.assert_allclose(found, losses, rtol=1e-9)
    for weight, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(weight, other.detach().numpy(), rtol=0, atol=1e-9)


@pytest.mark.parametrize("backend", COMPILED)
def test_the_same_bits_on_every_number_of_threads(backend, monkeypatch):
    found = set()
    for _ in each_number_of_threads(monkeypatch):
        model = penalized(backend=backend)
        history = model.fit(X, Y, batch_size=16, epochs=2, verbose=0).history
        found.add((model.params.tobytes(), str(history)))
    assert len(found) == 1


@each
def test_it_counts_where_nothing_is_learned(backend):
    """As in Keras: evaluate's loss has it, per sample, whatever the size of the batch."""
    model = Sequential(
        [layers.Input(6), ActivityRegularization(0.5, 0.25)], backend=backend, dtype="float64"
    )
    model.compile("sgd", "mse")
    x = X.astype(float)
    expected = (0.5 * abs(x) + 0.25 * x**2).sum() / len(x)
    for size in (40, 7):
        assert model.evaluate(X, x, batch_size=size, verbose=0) == pytest.approx(expected)
    assert model.evaluate(X, x, verbose=0, return_dict=True)["data_loss"] == 0


def test_where_it_can_not_be():
    for loss, last in [("bce", "sigmoid"), ("categorical_crossentropy", "softmax")]:
        model = Sequential([layers.Input(6), Dense(4, last, activity_regularizer="l1")])
        with pytest.raises(ValueError, match=f"^activity_regularizer: a {last} that the loss"):
            model.compile("sgd", loss)
        model.compile("sgd", "mse")  # has none built in
    with pytest.raises(ValueError, match="^activity_regularizer: "):
        Dense(3, activity_regularizer="l3")
    with pytest.raises(ValueError, match="^l1: "):
        ActivityRegularization(-1)
    with pytest.raises(TypeError, match="^activity_regularizer: this layer has l1 and l2"):
        ActivityRegularization(0.1, activity_regularizer="l1")
    layer = ActivityRegularization(0.1, 0.2)
    again = ActivityRegularization.from_config(layer.get_config())
    assert (again.l1, again.l2) == (0.1, 0.2)
