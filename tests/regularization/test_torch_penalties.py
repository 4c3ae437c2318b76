"""Training under penalties follows torch's, step by step."""

import numpy as np
import pytest

from fastmlp import Sequential, layers, optimizers, regularizers
from tests.backends import ALL, COMPILED
from tests.regularization.torch_replay import assert_same_trajectory, blobs, regression

L1, L2, L1L2 = regularizers.L1, regularizers.L2, regularizers.L1L2
PLAIN = optimizers.SGD(0.1)
MOMENTUM = optimizers.SGD(0.03, momentum=0.9)
NESTEROV = optimizers.SGD(0.03, momentum=0.8, nesterov=True)

# hidden widths, activation, kernel and bias penalties (one for all layers), optimizer
NETS = {
    "L1 on one layer": ((), "linear", L1(0.0018), None, PLAIN),
    "L1": ((13, 5), "tanh", L1(0.0018), None, PLAIN),
    "strong L1": ((9,), "sigmoid", L1(0.05), None, PLAIN),
    "L2": ((13, 13, 13), "relu", L2(0.0019), None, PLAIN),
    "L2 on biases alone": ((6, 5), "elu", None, L2(0.03), PLAIN),
    "L1 on biases alone": ((6, 5), "sigmoid", None, L1(0.02), PLAIN),
    "both on kernels": ((11,), "softplus", L1L2(0.002, 0.003), None, PLAIN),
    "both on everything": ((8, 6), "tanh", L1L2(0.001, 0.01), L1L2(0.003, 0.002), PLAIN),
    "L2 with momentum": ((9, 4), "tanh", L2(0.01), None, MOMENTUM),
    "L1 with momentum": ((9, 4), "elu", L1(0.004), L1(0.001), MOMENTUM),
    "both with Nesterov": ((7,), "leaky_relu", L1L2(0.002, 0.005), L2(0.01), NESTEROV),
}


def make(net, last_units, last_activation, backend, seed=3):
    widths, activation, kernel, bias, optimizer = net
    penalties = {"kernel_regularizer": kernel, "bias_regularizer": bias}
    model = Sequential(
        [
            layers.Input((7,)),
            *(layers.Dense(width, activation, **penalties) for width in widths),
            layers.Dense(last_units, last_activation, **penalties),
        ],
        seed=seed,
        dtype="float64",
        backend=backend,
    )
    loss = "sparse_categorical_crossentropy" if last_activation == "softmax" else "mse"
    model.compile(optimizer, loss)
    return model


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("name", NETS)
def test_classification(name, backend):
    x, y = blobs()
    model = make(NETS[name], 4, "softmax", backend)
    before = model.get_weights()
    replay = assert_same_trajectory(model, x, y)
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))
    figures = model.evaluate(x, y, return_dict=True)
    assert figures == pytest.approx(replay.evaluate(x, y), rel=1e-9)


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("name", ["L1", "both on everything", "both with Nesterov"])
def test_regression(name, backend):
    x, y = regression()
    assert_same_trajectory(make(NETS[name], 3, None, backend), x, y)


def test_penalties_differ_from_layer_to_layer():
    x, y = blobs()
    model = Sequential(
        [
            layers.Input((7,)),
            layers.Dense(6, "tanh", kernel_regularizer=L1(0.01)),
            layers.Dense(5, "tanh", use_bias=False, kernel_regularizer=L2(0.02)),
            layers.Dense(5, "relu"),
            layers.Dense(4, "softmax", bias_regularizer=L1L2(0.01, 0.03)),
        ],
        seed=5,
        dtype="float64",
    )
    model.compile(PLAIN, "sparse_categorical_crossentropy")
    assert_same_trajectory(model, x, y)


def test_sizes_that_fill_no_vector_register():
    x, y = blobs(samples=101, features=33, classes=5)
    model = Sequential(
        [
            layers.Input((33,)),
            layers.Dense(17, "tanh", kernel_regularizer=L1L2(0.001, 0.001)),
            layers.Dense(5, "softmax", kernel_regularizer=L2(0.01)),
        ],
        seed=8,
        dtype="float64",
    )
    model.compile(PLAIN, "sparse_categorical_crossentropy")
    assert_same_trajectory(model, x, y, epochs=30, batch_size=13)
