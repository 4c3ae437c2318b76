"""Random nets whose outputs other libraries are to compute, too."""

from typing import NamedTuple

import numpy as np

from fastmlp import Input, Sequential, activations, layers

# Those that all three libraries have as a module or an operator of their own.
HIDDEN = [
    "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus",
    "mish", activations.LeakyReLU(0.05), activations.ELU(0.7),
]  # fmt: skip


class Case(NamedTuple):
    model: Sequential
    x: np.ndarray


def random_case(seed, *, residual=True, dtype="float32"):
    """A net of random architecture and weights, with samples for it."""
    rng = np.random.default_rng(seed)
    shape = [(int(rng.integers(1, 40)),), (4, 5), (2, 3, 3)][rng.integers(3)]
    stack = [Input(shape)]
    if rng.random() < 0.3:
        stack.append(layers.Rescaling(float(rng.uniform(0.2, 2)), float(rng.normal())))
    if len(shape) > 1:
        stack.append(layers.Flatten())
    for _ in range(rng.integers(0, 4)):
        units, function = int(rng.integers(1, 30)), HIDDEN[rng.integers(len(HIDDEN))]
        stack.append(layers.Dense(units, function, use_bias=bool(rng.random() < 0.8)))
        if rng.random() < 0.4:
            both = bool(rng.random() < 0.8)
            stack.append(layers.BatchNormalization(center=both, scale=both))
        if rng.random() < 0.3:
            stack.append(layers.Activation(HIDDEN[rng.integers(len(HIDDEN))]))
        if rng.random() < 0.3:
            stack.append(layers.Dropout(0.3))
        if residual and rng.random() < 0.3:
            stack.append(layers.Residual([layers.Dense(9, "tanh"), layers.Dense(units)]))
    if rng.random() < 0.3:
        stack.append(Sequential([layers.Dense(7, "relu"), layers.Dense(5)], name="inner"))
    stack.append(layers.Dense(int(rng.integers(2, 6)), ["linear", "softmax"][rng.integers(2)]))
    model = Sequential(stack, seed=seed, dtype=dtype, backend="numpy")
    weights = []
    for weight in model.get_weights():
        noise = rng.normal(size=weight.shape) * 0.1
        weights.append(weight + (np.abs(noise) if weight.ndim == 1 else noise))
    model.set_weights(weights)
    return Case(model, rng.normal(size=(17, *shape)).astype(dtype))


def assert_equal(theirs, ours, what="outputs"):
    """To 1e-6, relative to the largest where that is above 1."""
    assert theirs.shape == ours.shape
    off = np.abs(np.asarray(theirs, np.float64) - ours).max()
    assert off <= 1e-6 * max(1.0, np.abs(ours).max()), f"{what} are {off:.2e} apart"
