"""Tensors: what a layer declares, and where each lies in the flat memory of a net."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from .. import constraints, initializers, regularizers

Shape = tuple[int, ...]
Array = NDArray[Any]


@dataclass(frozen=True)
class Weight:
    """A tensor that a layer declares: its shape is what users see.

    ``transposed`` tensors lie in memory with their axes swapped: a dense kernel is
    ``(inputs, outputs)`` to Keras and its users, and ``(outputs, inputs)`` to the kernels.
    What is not ``trainable``, such as a running mean, has no gradient.
    """

    name: str
    shape: Shape
    initializer: initializers.Function
    fan_in: int
    fan_out: int
    transposed: bool = False
    regularizer: regularizers.L1L2 | None = None
    trainable: bool = True
    constraint: constraints.Constraint | None = None

    @property
    def size(self) -> int:
        """The number of its values."""
        return math.prod(self.shape)


class Owner(Protocol):
    """What a tensor's layer is to those who only look for its memory."""

    name: str
    _weights: dict[str, Array]


class Vectors(Protocol):
    """What holds the flat vectors of a net: the parameters, and the running statistics."""

    params: Array
    running: Array


@dataclass(frozen=True)
class Slot:
    """Where one tensor lies: in the flat vector of parameters, or that of running statistics."""

    layer: Owner
    weight: Weight
    start: int
    frozen: bool = False  # whether its layer is not to be trained

    @property
    def name(self) -> str:
        """The layer's name and its own."""
        return f"{self.layer.name}/{self.weight.name}"

    def view(self, vector: Array) -> Array:
        """Return the tensor in its users' shape, as a view of the flat vector."""
        shape = self.weight.shape
        flat = vector[self.start : self.start + self.weight.size]
        return flat.reshape(shape[::-1]).T if self.weight.transposed else flat.reshape(shape)

    def of(self, vectors: Vectors) -> Array:
        """Return the tensor as a view of the vector that it is part of."""
        return self.view(vectors.params if self.weight.trainable else vectors.running)
