"""A net with its data, and what must not change when a call is refused."""

import numpy as np
import pytest

from fastmlp import Sequential, layers

X = np.random.default_rng(0).standard_normal((12, 3))
Y = np.arange(12) % 4
ONE_HOT = np.eye(4)[Y]


def make(loss="sparse_categorical_crossentropy", built=True):
    model = Sequential(
        [
            *([layers.Input((3,))] if built else []),
            layers.Dense(5, "tanh"),
            layers.Dense(4, "softmax"),
        ],
        seed=0,
    )
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


def state(model):
    return (
        model.params.tobytes(), [id(layer) for layer in model.layers], model.history,
        model.optimizer, model.loss, tuple(model.metrics), model.epochs_trained, model.built,
        [layer.name for layer in model.layers],
    )  # fmt: skip


def assert_refused(call, error, message, *models):
    before = [state(model) for model in models]
    with pytest.raises(error, match=message):
        call()
    assert [state(model) for model in models] == before


built_or_not = pytest.mark.parametrize("built", [True, False], ids=["built", "not built"])
