"""A net as a layer of another one."""

from typing import TYPE_CHECKING, Any

from ..runtime.attributes import assign
from ..runtime.lowering import Buffer, Builder
from ..runtime.tensors import Shape
from .base import Layer
from .stack import every_layer, stacked

if TYPE_CHECKING:
    from ..runtime.stack import Stack


class Nested(Layer):
    """A net that is a layer of another one; both have the same layers, and so the same weights.

    Nets make it of a net that they are given, and never show it: ``model.layers`` has the net.

    Parameters
    ----------
    model : Stack
    """

    _settings = ("model",)

    def __init__(self, model: "Stack") -> None:
        self.model = model
        default = type(model).__name__.lower()
        super().__init__(None if model.name == default else model.name)
        assign(self, name=model.name)

    @property
    def trainable(self) -> bool:  # type: ignore[override]
        """Whether the net is."""
        return self.model.trainable

    @property
    def nested(self) -> tuple[Layer, ...]:
        """The layers of the net."""
        return self.model._layers

    @property
    def nets(self) -> "list[Stack]":
        """The net, with those that are layers of it."""
        inner = every_layer(self.nested)
        return [self.model, *(layer.model for layer in inner if isinstance(layer, Nested))]

    def build(self, input_shape: Shape) -> None:
        if self.model._input_shape is None:
            self.model._build_for(input_shape)

    def output_shape(self, input_shape: Shape) -> Shape:
        shapes = [s for _, _, s in stacked(self.model._layers, input_shape, build=False)]
        return shapes[-1] if shapes else input_shape

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        for layer in self.model._layers:
            x = builder.lower(layer, x)
        return x

    def __repr__(self) -> str:
        return repr(self.model)


def as_layer(thing: Any) -> Any:
    """Return a net as a layer; anything else as it is."""
    from ..runtime.stack import Stack

    return Nested(thing) if isinstance(thing, Stack) else thing


def shown_as(layer: Layer) -> Any:
    """Return what users know a layer as: the net, if it is one."""
    return layer.model if isinstance(layer, Nested) else layer
