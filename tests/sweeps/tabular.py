"""A small table, and nets for it, for the tests of sweeps; workers import it, too."""

import numpy as np

from fastmlp import Sequential, layers, optimizers

FEATURES = 4


def data(samples=64, seed=0):
    """Return samples (n, 4) and answers (n, 1)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((samples, FEATURES)).astype(np.float32)
    return x, np.sin(x.sum(axis=1, keepdims=True)).astype(np.float32)


def build(seed, width=4, rate=0.01):
    model = Sequential(
        [layers.Input((FEATURES,)), layers.Dense(width, "tanh"), layers.Dense(1)], seed=seed
    )
    model.compile(optimizers.Adam(rate), "mse")
    return model


class Fails(layers.Layer):
    """A layer that raises an error when it is trained."""

    def forward(self, x, training):
        if training:
            raise ArithmeticError("no")
        return x

    def backward(self, dy):
        return dy, {}


def build_some_that_fail(seed, kind):
    """Return a net that is fine, or fails in one of several ways."""
    if kind == "not built":
        raise ValueError("no such net")
    stack = [layers.Input((FEATURES,)), layers.Dense(3, "tanh")]
    if kind == "fails":
        stack.append(Fails())
    model = Sequential([*stack, layers.Dense(2 if kind == "refused" else 1)], seed=seed)
    model.compile(optimizers.SGD(1e38 if kind == "diverges" else 0.01), "mse")
    return model
