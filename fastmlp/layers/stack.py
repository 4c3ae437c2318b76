"""Layers one on top of the other."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..runtime.arguments import check_memory, shown
from ..runtime.tensors import Shape
from .base import Layer
from .shape import Input


def every_layer(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Return the layers with those that they are made of: each before its own."""
    for layer in layers:
        yield layer
        yield from every_layer(layer.nested)


def check_layer(argument: str, layer: object, others: Sequence[Layer]) -> None:
    """Raise an error unless a layer can be put on top of the others.

    Raises
    ------
    TypeError, ValueError
        If it is no layer, is used already, or is one that fastmlp could not run.
    """
    if not isinstance(layer, Layer):
        raise TypeError(f"{argument}: expected a Layer, got {shown(layer)}")
    if not hasattr(layer, "_given_name"):
        raise TypeError(
            f"{argument}: {type(layer).__name__}.__init__ does not call super().__init__()"
        )
    taken = {id(other) for other in every_layer(others)}
    for part in every_layer([layer]):
        if part._in_use or id(part) in taken:
            raise ValueError(f"{argument}: {part!r} is already part of a net")
        taken.add(id(part))
    if isinstance(layer, Input) and others:
        raise ValueError(f"{argument}: an Input can only be the first layer")
    if hasattr(layer, "call"):
        raise TypeError(
            f"{argument}: {layer!r} has a method call(), which would not be called: write "
            "forward(x, training) and backward(dy)"
        )


def learning(layers: Sequence[Layer], learns: bool = True) -> Iterator[tuple[Layer, bool]]:
    """Return every layer, and whether it is to be trained: none in a layer that is not."""
    for layer in layers:
        own = learns and layer.trainable
        yield layer, own
        yield from learning(layer.nested, own)


def stacked(
    layers: Sequence[Layer], input_shape: Shape, *, build: bool
) -> Iterator[tuple[str, Layer, Shape]]:
    """Return what each layer is called in messages, the layer, and the shape of its outputs.

    With ``build``, every layer that is new declares its weights.

    Raises
    ------
    TypeError, ValueError
        If a layer cannot take what the layer before it gives, or its ``output_shape`` returns no
        shape; the message names the layer.
    """
    shape = input_shape
    for index, layer in enumerate(layers):
        argument = f"layers[{index}] ({layer.name!r})"
        try:
            shape = layer._build(shape) if build else layer._output_shape(shape)
        except (TypeError, ValueError) as reason:
            kind = TypeError if isinstance(reason, TypeError) else ValueError
            raise kind(f"{argument}: {reason}") from reason
        yield argument, layer, shape


def build_layers(
    layers: Sequence[Layer], input_shape: Shape, dtype: np.dtype[np.floating[Any]]
) -> None:
    """Let every layer that is new declare its weights; errors name the layer that does not fit.

    Raises
    ------
    TypeError, ValueError
        As :func:`stacked`, or if the weights or the outputs do not fit into memory.
    """
    count = features = 0
    for argument, layer, shape in stacked(layers, input_shape, build=True):
        count += layer.count
        features += math.prod(shape)
        check_memory(argument, "the weights up to this layer", count * dtype.itemsize)
        check_memory(argument, "one sample's values up to this layer", features * dtype.itemsize)
