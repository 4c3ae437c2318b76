"""Training under dropout follows torch's, given the same masks."""

import pytest

from fastmlp import Sequential, layers, losses, optimizers, regularizers
from tests.backends import ALL, COMPILED
from tests.regularization.torch_replay import assert_same_trajectory, blobs, regression

Dense, Dropout = layers.Dense, layers.Dropout
PLAIN = optimizers.SGD(0.1)
MOMENTUM = optimizers.SGD(0.02, momentum=0.9)
NESTEROV = optimizers.SGD(0.02, momentum=0.8, nesterov=True)


def l2(units, activation):
    return Dense(units, activation, kernel_regularizer=regularizers.L2(0.01))


def l1(units, activation):
    return Dense(units, activation, kernel_regularizer=regularizers.L1(0.002))


# the layers below the output layer, made anew for each test, and the optimizer
NETS = {
    "one": (lambda: [Dense(13, "relu"), Dropout(0.25)], PLAIN),
    "after each layer": (
        lambda: [Dense(9, "tanh"), Dropout(0.1), Dense(8, "tanh"), Dropout(0.5)],
        PLAIN,
    ),
    "on the inputs": (lambda: [Dropout(0.2), Dense(6, "sigmoid")], PLAIN),
    "on rescaled inputs": (
        lambda: [layers.Rescaling(1.0, 0.0), Dropout(0.2), Dense(6, "elu")],
        PLAIN,
    ),
    "before an activation": (
        lambda: [Dense(7), Dropout(0.3), layers.Activation("softplus")],
        PLAIN,
    ),
    "two in a row": (lambda: [Dense(11, "relu"), Dropout(0.2), Dropout(0.3)], PLAIN),
    "seed of its own": (lambda: [Dense(7, "relu"), Dropout(0.4, seed=99)], PLAIN),
    "momentum": (lambda: [Dense(9, "tanh"), Dropout(0.25), Dense(5, "tanh")], MOMENTUM),
    "Nesterov": (lambda: [Dense(9, "elu"), Dropout(0.25)], NESTEROV),
    "L2": (lambda: [l2(9, "tanh"), Dropout(0.25), l2(5, "tanh"), Dropout(0.1)], PLAIN),
    "L1, momentum": (lambda: [l1(8, "sigmoid"), Dropout(0.5)], MOMENTUM),
    "high rate": (lambda: [Dense(30, "leaky_relu"), Dropout(0.9)], PLAIN),
    "rate 0": (lambda: [Dense(9, "tanh"), Dropout(0.0), Dense(5, "tanh")], PLAIN),
}


def make(name, last, loss, backend):
    below, optimizer = NETS[name]
    model = Sequential(
        [layers.Input((7,)), *below(), last], seed=4, dtype="float64", backend=backend
    )
    model.compile(optimizer, loss)
    return model


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("name", NETS)
def test_classification(name, backend):
    x, y = blobs()
    model = make(name, Dense(4, "softmax"), "sparse_categorical_crossentropy", backend)
    replay = assert_same_trajectory(model, x, y)
    evaluated = model.evaluate(x, y, return_dict=True)
    expected = replay.evaluate(x, y)
    assert evaluated == pytest.approx({name: expected[name] for name in evaluated}, rel=1e-9)


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("name", ["after each layer", "momentum", "L2"])
def test_regression(name, backend):
    x, y = regression()
    assert_same_trajectory(make(name, Dense(3), "mse", backend), x, y)


def test_right_before_the_loss():
    x, y = blobs()
    model = Sequential([layers.Input((7,)), Dense(4), Dropout(0.5)], seed=6, dtype="float64")
    model.compile(PLAIN, losses.SparseCategoricalCrossentropy(from_logits=True))
    assert_same_trajectory(model, x, y)
