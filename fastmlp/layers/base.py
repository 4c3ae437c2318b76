"""What every layer has, and what a user's own layer fills in."""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import initializers, regularizers
from ..arguments import shape_of, shown

if TYPE_CHECKING:
    from ..plan import Builder

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


class Layer:
    """A step of a net; subclass it to write your own in Python.

    A layer of your own declares its tensors in :meth:`build` with :meth:`add_weight`, finds
    them in ``self.weights`` by name, and computes in :meth:`forward` and :meth:`backward`.
    The net then runs layer by layer, with the same kernels for all its other layers.

    Parameters
    ----------
    name : str, optional
        For messages and tables; by default the class's name, numbered.

    Examples
    --------
    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.add_weight("scale", input_shape, "ones")
    ...
    ...     def forward(self, x, training):
    ...         self.x = x.copy()
    ...         return x * self.weights["scale"]
    ...
    ...     def backward(self, dy):
    ...         return dy * self.weights["scale"], {"scale": (dy * self.x).sum(axis=0)}
    """

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name: expected a string, got {shown(name)}")
        self._given_name = name
        self.name = name or _snake_case(type(self).__name__)
        self.declared: list[Weight] = []
        self.weights: dict[str, Array] = {}

    def build(self, input_shape: Shape) -> None:
        """Declare the weights for inputs of ``input_shape``, which excludes the batch."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of one output for inputs of ``input_shape``.

        Raises
        ------
        ValueError
            If the layer cannot take such inputs.
        """
        return input_shape

    def lower(self, builder: "Builder") -> None:
        """Add the layer's rows to a plan; a layer written in Python becomes one CUSTOM row."""
        builder.custom(self)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the outputs (n, *output_shape) for ``x`` (n, *input_shape).

        ``x`` is a view of memory that is used again: copy what :meth:`backward` needs.
        """
        raise NotImplementedError(f"{type(self).__name__}.forward(x, training) is missing")

    def backward(self, dy: Array) -> tuple[Array, dict[str, Array]]:
        """Return dL/dx, and dL/dw for each weight by name, given dL/dy.

        It follows the :meth:`forward` of the same batch. ``dy`` is already divided by the
        batch's size, so weights' gradients are sums over the batch.
        """
        raise NotImplementedError(f"{type(self).__name__}.backward(dy) is missing")

    def add_weight(
        self,
        name: str,
        shape: Shape,
        initializer: str | initializers.Initializer = "glorot_uniform",
        *,
        fan_in: int | None = None,
        fan_out: int | None = None,
        transposed: bool = False,
        regularizer: str | regularizers.L1L2 | None = None,
    ) -> None:
        """Declare a tensor; call it from :meth:`build`.

        Parameters
        ----------
        name : str
            Its key in ``self.weights`` and in what :meth:`backward` returns.
        shape : tuple of int
            ``()`` for a single number.
        initializer : str or function
        fan_in, fan_out : int, optional
            For the initializer; by default what Keras makes of ``shape``.
        transposed : bool
            Whether it lies in memory with its axes swapped.
        regularizer : str or fastmlp.regularizers.L1L2, optional
            The net adds its value to the loss, and its gradient to what :meth:`backward` returns.
        """
        if not isinstance(name, str):
            raise TypeError(f"name: expected a string, got {shown(name)}")
        shape = shape_of("shape", shape)
        own_fan_in, own_fan_out = initializers.fans_of(shape)
        self.declared.append(
            Weight(
                name,
                shape,
                initializers.get("initializer", initializer),
                own_fan_in if fan_in is None else fan_in,
                own_fan_out if fan_out is None else fan_out,
                transposed,
                regularizers.get("regularizer", regularizer),
            )
        )

    @property
    def count(self) -> int:
        """The number of parameters."""
        return sum(math.prod(weight.shape) for weight in self.declared)

    def get_weights(self) -> list[Array]:
        """Return copies of the weights, in the order in which they were declared."""
        return [np.array(self.weights[weight.name]) for weight in self.declared]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
