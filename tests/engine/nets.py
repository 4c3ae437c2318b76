"""Nets and data for the tests of the engine."""

import numpy as np

from fastmlp import Sequential, layers, losses, optimizers
from fastmlp.layers import Layer

CLASSES = 4


class Scale(Layer):
    """A layer in Python with a tensor of its own: every feature times a number."""

    def build(self, input_shape):
        self.add_weight("scale", input_shape, "ones", regularizer=self.regularizer)

    def __init__(self, name=None, regularizer=None):
        super().__init__(name)
        self.regularizer = regularizer

    def forward(self, x, training):
        self.x = x.copy()
        return x * self.weights["scale"]

    def backward(self, dy):
        return dy * self.weights["scale"], {"scale": (dy * self.x).sum(axis=0)}


def data(samples=37, features=6, classes=CLASSES, seed=0):
    """Return inputs (samples, features), exact in float32, and labels."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((samples, features)).astype(np.float32)
    return x, rng.integers(0, classes, samples)


def targets(samples=37, outputs=CLASSES, distribution=False, seed=0):
    rng = np.random.default_rng(seed)
    if distribution:
        return rng.multinomial(64, [1 / outputs] * outputs, samples) / 64
    return rng.standard_normal((samples, outputs))


def net(
    *hidden,
    features=6,
    last="softmax",
    loss="sparse_categorical_crossentropy",
    optimizer=None,
    metrics=("accuracy",),
    classes=CLASSES,
    **options,
):
    """Return a compiled net with these hidden layers below a dense one."""
    model = Sequential(
        [layers.Input(features), *hidden, layers.Dense(classes, last)],
        **{"seed": 0, "dtype": "float64", **options},
    )
    model.compile(optimizer or optimizers.SGD(0.1), loss, metrics=metrics)
    return model


def dense_tanh():
    return [layers.Dense(7, "tanh"), layers.Dense(5, "tanh")]


def flat(model):
    return model.params.copy()


LOGITS = losses.SparseCategoricalCrossentropy(from_logits=True)
