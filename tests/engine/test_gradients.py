"""Gradients of whole nets in float64 against numeric ones."""

import numpy as np
import pytest

from fastmlp import activations, check_gradients, losses, regularizers
from fastmlp.layers import Activation, Dense, Dropout, Flatten, Rescaling
from tests.backends import ALL

from .nets import LOGITS, Scale, data, net, targets

MSE = "mean_squared_error"
L1L2 = regularizers.L1L2

# name: (hidden layers, options); everything that a plan can hold, in every place where it fits.
NETS = {
    "no hidden layer": (list, {}),
    "deep": (lambda: [Dense(5, "tanh") for _ in range(8)], {}),
    "wide": (lambda: [Dense(33, "silu"), Dense(17, "gelu")], {}),
    "narrow": (lambda: [Dense(1, "tanh")], {}),
    "no bias": (lambda: [Dense(7, "sigmoid", use_bias=False)], {}),
    "logits": (lambda: [Dense(7, "silu")], {"last": None, "loss": LOGITS}),
    "targets": (lambda: [Dense(7, "tanh")], {"loss": "categorical_crossentropy"}),
    "target logits": (
        lambda: [Dense(7, "tanh")],
        {"last": None, "loss": losses.CategoricalCrossentropy(from_logits=True)},
    ),
    "squares": (lambda: [Dense(7, "softplus")], {"last": None, "loss": MSE, "metrics": ()}),
    "one output": (
        lambda: [Dense(7, "tanh")],
        {"last": "sigmoid", "loss": MSE, "metrics": (), "classes": 1},
    ),
    **{
        str(loss): (lambda: [Dense(7, "tanh")], {"last": "sigmoid", "loss": loss, "metrics": ()})
        for loss in (losses.Huber(), losses.Huber(0.3), losses.MeanAbsoluteError())
    },
    "yes or no": (
        lambda: [Dense(7, "tanh")],
        {"last": "sigmoid", "loss": "bce", "metrics": (), "classes": 1},
    ),
    "many questions": (
        lambda: [Dense(7, "tanh"), Dropout(0.2)],
        {"last": "sigmoid", "loss": "bce"},
    ),
    "questions' logits": (
        lambda: [Dense(7, "tanh")],
        {"last": None, "loss": losses.BinaryCrossentropy(True)},
    ),
    "softmax and squares": (lambda: [Dense(7, "tanh")], {"loss": MSE}),
    "softmax inside": (lambda: [Dense(7, "softmax"), Dense(5, "softmax")], {}),
    "activation first": (lambda: [Activation("tanh"), Dense(7, "tanh")], {}),
    "softmax first": (lambda: [Activation("softmax"), Dense(7, "tanh")], {}),
    "rescaled": (lambda: [Rescaling(0.5, 0.1), Rescaling(3.0), Dense(7, "tanh")], {}),
    "rescaled inside": (lambda: [Dense(7, "tanh"), Rescaling(2.0, -1.0), Dense(5, "tanh")], {}),
    "rescaled after an activation": (lambda: [Activation("silu"), Rescaling(2.0), Dense(5)], {}),
    "flattened": (lambda: [Flatten(), Dense(7, "tanh"), Flatten()], {}),
    "penalties": (
        lambda: [
            Dense(7, "tanh", kernel_regularizer=L1L2(0.01, 0.02), bias_regularizer=L1L2(0.0, 0.1)),
            Dense(5, "tanh", kernel_regularizer=L1L2(0.03, 0.0)),
        ],
        {},
    ),
    "dropout": (lambda: [Dropout(0.2), Dense(9, "tanh"), Dropout(0.5), Dense(5, "tanh")], {}),
    "custom": (lambda: [Dense(7, "tanh"), Scale(), Dense(5, "tanh")], {}),
    "custom first": (lambda: [Scale(regularizer=L1L2(0.0, 0.1)), Dense(7, "tanh")], {}),
    "custom twice": (lambda: [Dense(7, "tanh"), Scale(), Scale(), Dropout(0.3)], {}),
    **{
        f"{name}": (lambda name=name: [Dense(7, name), Dense(6, name)], {})
        for name in activations.NAMES
        if name != "exponential"
    },
    # Of large inputs, an exponential of exponentials has no number.
    "exponential": (
        lambda: [Rescaling(0.1), Dense(7, "exponential"), Rescaling(0.1), Dense(6, "exponential")],
        {},
    ),
}
STEEP = activations.LeakyReLU(-0.3)
NETS["negative slope"] = (lambda: [Dense(7, STEEP), Dense(6, activations.ELU(2.5))], {})


def batch(options):
    x, labels = data(samples=9)
    loss = losses.get(options.get("loss", "sparse_categorical_crossentropy"))
    if loss.sparse:
        return x, labels
    distribution = isinstance(loss, losses.CategoricalCrossentropy | losses.BinaryCrossentropy)
    return x, targets(9, options.get("classes", 4), distribution)


def randomized(model):
    """Give biases and scales values that are not 0 or 1, so that mistakes show."""
    rng = np.random.default_rng(5)
    model.set_weights([w + 0.3 * rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("name", NETS)
def test_check_gradients_passes(name, backend):
    hidden, options = NETS[name]
    model = randomized(net(*hidden(), backend=backend, **options))
    report = check_gradients(model, *batch(options), step=3)
    assert report.passed, str(report)
    assert report.parameters == model.count_params()
    # Extrapolated central differences in float64 reach 1e-9 and better.
    assert report.relative_error < 1e-8
    assert all(tensor.analytic_norm > 0 for tensor in report.tensors)


@pytest.mark.parametrize("name", NETS)
def test_a_plain_difference_quotient_agrees(name):
    hidden, options = NETS[name]
    # Dropout is off when a net is evaluated.
    deterministic = [layer for layer in hidden() if not isinstance(layer, Dropout)]
    model = randomized(net(*deterministic, **options))
    x, y = batch(options)
    loss, gradients = model.loss_and_gradient(x, y)
    weights = model.get_weights()
    numeric = [np.empty_like(w) for w in weights]
    # Errors: h^2 / 6 of third derivatives, and 1e-16 / h of rounding: some 1e-10 both.
    h = 1e-5
    for tensor, w in zip(numeric, weights, strict=True):
        for index in np.ndindex(w.shape):
            original = w[index]
            values = []
            for moved in (original + h, original - h):
                w[index] = moved
                model.set_weights(weights)
                values.append(model.evaluate(x, y, return_dict=True)["loss"])
            w[index] = original
            tensor[index] = (values[0] - values[1]) / (2 * h)
    model.set_weights(weights)
    assert loss == pytest.approx(model.evaluate(x, y, return_dict=True)["loss"], rel=1e-14)
    for a, n in zip(gradients, numeric, strict=True):
        assert np.linalg.norm(a - n) <= 1e-7 * np.linalg.norm(n) + 1e-10


def test_float32_gradients_are_those_of_float64_rounded():
    x, y = data()
    models = [
        net(Dense(9, "tanh"), Dense(7, "silu"), dtype=dtype) for dtype in ("float64", "float32")
    ]
    models[0].set_weights(models[1].get_weights())
    exact, rounded = (model.loss_and_gradient(x, y)[1] for model in models)
    for a, b in zip(rounded, exact, strict=True):
        assert a.dtype == np.float32
        # Sums of 37 products of numbers that went through some tens of roundings.
        assert np.abs(a - b).max() <= 30 * np.finfo(np.float32).eps * np.abs(b).max()


@pytest.mark.parametrize("backend", ALL)
def test_targets_that_sum_to_almost_1(backend):
    x, _ = data(9)
    y = targets(9, distribution=True) * np.linspace(0.9991, 1.0009, 9)[:, None]
    model = net(Dense(7, "tanh"), loss="categorical_crossentropy", backend=backend)
    report = check_gradients(model, x, y)
    assert report.relative_error < 1e-8, str(report)
