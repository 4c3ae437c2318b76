"""Layers that only speak of shapes."""

import math

from ..runtime.arguments import shape_of
from ..runtime.lowering import Buffer, Builder
from ..runtime.tensors import Shape
from .base import Layer


class Input(Layer):
    """The shape of one sample, without the batch; the first layer, if given.

    Parameters
    ----------
    shape : tuple of int
        All positive.

    Raises
    ------
    ValueError
        If ``shape`` is empty or holds anything but positive integers.
    """

    _settings = ("shape",)

    def __init__(self, shape: Shape, name: str | None = None) -> None:
        super().__init__(name)
        self.shape = shape_of("shape", shape if isinstance(shape, (tuple, list)) else (shape,))
        if not self.shape:
            raise ValueError("shape: expected a tuple of positive integers, got ()")

    def output_shape(self, input_shape: Shape) -> Shape:
        if input_shape != self.shape:
            raise ValueError(f"expected samples of shape {self.shape}, got {input_shape}")
        return self.shape

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        return x


class Flatten(Layer):
    """From any shape to ``(features,)``, in C order."""

    _settings = ()

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        return x  # values are flat in memory as it is
