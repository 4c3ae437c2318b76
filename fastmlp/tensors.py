"""Tensors: what a layer declares, and where each lies in the flat memory of a net."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from . import initializers, regularizers

Shape = tuple[int, ...]
Array = NDArray[Any]


@dataclass(frozen=True)
class Weight:
    """A tensor that a layer declares: its shape is what users see.

    ``transposed`` tensors lie in memory with their axes swapped: a dense kernel is
    ``(inputs, outputs)`` to Keras and its users, and ``(outputs, inputs)`` to the kernels.
    """

    name: str
    shape: Shape
    initializer: initializers.Initializer
    fan_in: int
    fan_out: int
    transposed: bool = False
    regularizer: regularizers.L1L2 | None = None

    @property
    def size(self) -> int:
        """The number of its values."""
        return math.prod(self.shape)


class Owner(Protocol):
    """What a tensor's layer is to those who only look for its memory."""

    name: str
    _weights: dict[str, Array]


@dataclass(frozen=True)
class Slot:
    """Where one tensor lies in the flat parameter vector."""

    layer: Owner
    weight: Weight
    start: int

    def view(self, vector: Array) -> Array:
        """Return the tensor in its users' shape, as a view of the flat vector."""
        shape = self.weight.shape
        flat = vector[self.start : self.start + self.weight.size]
        return flat.reshape(shape[::-1]).T if self.weight.transposed else flat.reshape(shape)
