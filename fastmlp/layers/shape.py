"""Layers that only speak of shapes."""

import math
from collections.abc import Sequence
from typing import Any

from ..runtime.arguments import integer, items, shape_of, shown
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


class Identity(Layer):
    """Give what comes, unchanged."""

    _settings = ()

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        return x


class Flatten(Layer):
    """From any shape to ``(features,)``, in C order."""

    _settings = ()

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        return x  # values are flat in memory as it is


class Reshape(Layer):
    """From any shape to another with as many values, in C order.

    Parameters
    ----------
    target_shape : tuple of int
        Without the batch; one of them may be -1, for what is left.

    Raises
    ------
    TypeError, ValueError
        If they are no such numbers.
    """

    _settings = ("target_shape",)

    def __init__(
        self, target_shape: Sequence[int], name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        sizes = items("target_shape", "integers", target_shape)
        kind = "positive integers, or one -1"
        checked = [integer(f"target_shape[{i}]", size, kind, -1) for i, size in enumerate(sizes)]
        if not checked or 0 in checked or checked.count(-1) > 1:
            raise ValueError(f"target_shape: expected {kind}, got {shown(target_shape)}")
        self.target_shape = tuple(checked)

    def output_shape(self, input_shape: Shape) -> Shape:
        size, known = math.prod(input_shape), math.prod(n for n in self.target_shape if n > 0)
        shape = tuple(size // known if n == -1 else n for n in self.target_shape)
        if math.prod(shape) != size or 0 in shape:
            raise ValueError(
                f"Reshape can't make {self.target_shape} of inputs of shape {input_shape}"
            )
        return shape

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        return x  # values are flat in memory as it is
