"""A small net with its data."""

import numpy as np

from fastmlp import Sequential, layers


def small_net(**options):
    model = Sequential(
        [
            layers.Input((4,)),
            layers.Dense(5, activation="tanh", name="hidden"),
            layers.Dense(3, activation="softmax", name="output"),
        ],
        seed=0,
        **options,
    )
    model.compile("sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def small_data(count=50, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, 4)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0)
