"""The net of RealMLP: its layers, its first weights, and how fast each of them learns.

The paper multiplies a dense layer's kernel by ``1 / sqrt(inputs)`` when it is used (the neural
tangent parametrization), and lets Adam step along what is multiplied.  As Adam's steps do not
depend on the scale of a gradient, that is a plain dense layer whose first kernel and whose learning
rate have that factor, and whose decay, a share of the learning rate, has its inverse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ... import layers, losses, optimizers, schedules
from ...model import Sequential
from ...runtime.tensors import Array
from .embedding import OF_NUMBERS, TableEmbedding
from .settings import Settings
from .variants import (
    BETA_1,
    BETA_2,
    BIAS_RATE,
    EMBEDDED_NUMBERS_RATE,
    EPSILON,
    MIX_RATE,
    SCALE_RATE,
)

_SIMPLEX = 5  # from so many samples a first bias is mixed
_SAMPLES = 8192  # so many are enough to know how large values are
_PIECE = 2**18  # multiplications of a product for which OpenBLAS takes one thread


@dataclass(frozen=True)
class Task:
    """What a net is for.

    Attributes
    ----------
    inputs, outputs : int
    of_classes : bool
        Whether outputs are probabilities of classes, or numbers.
    numbers : int
        How many of the first inputs are numbers to be embedded.
    sizes : tuple of int
        How many categories each of the last inputs has, which are codes.
    """

    inputs: int
    outputs: int
    of_classes: bool
    numbers: int = 0
    sizes: tuple[int, ...] = ()


def make_net(task: Task, settings: Settings, steps: int, seed: int) -> Sequential:
    """Return a compiled net whose weights are 0, for a training of so many steps."""
    net = Sequential(_layers(task, settings), seed=seed, backend=settings.backend)
    net.compile(_optimizer(net, settings, steps), _loss(task, settings))
    return net


def draw_weights(net: Sequential, settings: Settings, x: Array, seed: int) -> None:
    """Give a net its first weights; ``x`` are samples (n, inputs) that it will learn from."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(3,)))
    if len(x) > _SAMPLES:
        x = x[rng.choice(len(x), _SAMPLES, replace=False)]
    for layer in net.layers:
        if isinstance(layer, TableEmbedding):
            x = layer.of(x)
    values = x.astype(np.float64)
    dense = [layer for layer in net.layers if isinstance(layer, layers.Dense)]
    for layer in dense:
        is_last = layer is dense[-1]
        if settings.starts_from_data:
            values = _draw_from_data(layer, values, rng)
            if not is_last:
                values = settings.activation(values)
        elif not is_last:
            layer.kernel[...] = rng.standard_normal(layer.kernel.shape) / np.sqrt(x.shape[1])
            _bias(layer)[...] = rng.standard_normal(layer.units)
            x = np.empty((0, layer.units))


def _draw_from_data(layer: layers.Dense, x: Array, rng: np.random.Generator) -> Array:
    """Let each unit's sums have a variance of 1, and its bias lie among them; return the sums.

    The bias is minus a mixture of a few sums ("he+5", after the hinges of Steinwart, 2019), so that
    the unit's bend is where samples are.
    """
    kernel = rng.standard_normal(layer.kernel.shape)
    deviations = _product(x, kernel).std(axis=0)
    kernel = np.divide(kernel, deviations, out=np.zeros_like(kernel), where=deviations > 0)
    sums = _product(x, kernel)
    drawn = sums[rng.integers(0, len(x), (_SIMPLEX, layer.units)), np.arange(layer.units)]
    shares = rng.exponential(size=(_SIMPLEX, layer.units))
    bias = -(drawn * shares).sum(axis=0) / shares.sum(axis=0)
    layer.kernel[...], _bias(layer)[...] = kernel, bias
    biased: Array = sums + bias
    return biased


def _product(x: Array, kernel: Array) -> Array:
    """Return ``x @ kernel``, in pieces so small that a BLAS takes them on this thread.

    For a larger one it wakes threads of its own, whose number its rounding may depend on, and which
    then wait for more, busily: for 0.1 s, in which the net's training needs their cores.
    """
    rows = _PIECE // kernel.size
    if rows < 2:
        return x @ kernel
    return np.concatenate([x[i : i + rows] @ kernel for i in range(0, len(x), rows)])


def _bias(layer: layers.Dense) -> Array:
    assert layer.bias is not None
    return layer.bias


def _layers(task: Task, settings: Settings) -> list[layers.Layer]:
    """Return the layers; their names say which of them learn alike."""
    stack: list[layers.Layer] = [layers.Input((task.inputs,))]
    if task.numbers or task.sizes:
        stack.append(TableEmbedding(task.numbers, task.sizes, name="embedding"))
    stack.append(layers.Scale(name="scale"))
    for index, units in enumerate(settings.hidden):
        stack.append(layers.Dense(units, kernel_initializer="zeros", name=f"dense_{index}"))
        kind = layers.MixedActivation if settings.mixes else layers.Activation
        stack.append(kind(settings.activation, name=f"activation_{index}"))
        if settings.dropout:
            stack.append(layers.Dropout(settings.dropout))
    last = "softmax" if task.of_classes else "linear"
    stack.append(layers.Dense(task.outputs, last, kernel_initializer="zeros", name="output"))
    return stack


def _loss(task: Task, settings: Settings) -> losses.Loss:
    if task.of_classes:
        return losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing)
    return losses.MeanSquaredError()


def _optimizer(net: Sequential, settings: Settings, steps: int) -> optimizers.Optimizer:
    rate = schedules.CosineLog(settings.rate, steps)
    optimizer = optimizers.Adam(rate, BETA_1, BETA_2, EPSILON, weight_decay=settings.weight_decay)
    for layer in net.layers:
        if isinstance(layer, layers.Dense):
            root = float(np.sqrt(layer.kernel.shape[0]))
            optimizer.scale_learning_rate(1 / root, [f"{layer.name}/kernel"])
            optimizer.scale_weight_decay(root, [f"{layer.name}/kernel"])
            optimizer.scale_learning_rate(BIAS_RATE, [f"{layer.name}/bias"])
    optimizer.exclude_from_weight_decay(var_names=["/bias$"])
    _scale_group(optimizer, net, layers.Scale, SCALE_RATE)
    _scale_group(optimizer, net, layers.MixedActivation, MIX_RATE)
    _scale_group(optimizer, net, TableEmbedding, EMBEDDED_NUMBERS_RATE, OF_NUMBERS)
    return optimizer


def _scale_group(
    optimizer: optimizers.Optimizer,
    net: Sequential,
    kind: type[layers.Layer],
    factor: float,
    named: Sequence[str] | None = None,
) -> None:
    """Let weights of a kind of layer, all or named ones, learn faster or slower, and decay so, too.

    The reference has the factor in the decay twice: once as a share of the learning rate, and once
    more.
    """
    names = [
        f"{layer.name}/{name}"
        for layer in net.layers
        if isinstance(layer, kind)
        for name in layer.weights.names
        if named is None or name in named
    ]
    if names:
        optimizer.scale_learning_rate(factor, names)
        optimizer.scale_weight_decay(factor, names)


def dropouts(net: Sequential) -> Sequence[layers.Dropout]:
    """Return the layers whose rate changes."""
    return [layer for layer in net.layers if isinstance(layer, layers.Dropout)]
