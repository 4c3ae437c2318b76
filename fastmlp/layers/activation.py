"""An activation as a layer of its own."""

from typing import TYPE_CHECKING

from .. import activations
from .base import Layer, Shape

if TYPE_CHECKING:
    from ..plan import Builder


class Activation(Layer):
    """Apply an activation to every value (softmax: over the features of each sample).

    Parameters
    ----------
    activation : str or fastmlp.activations.Activation
        Such as ``"relu"`` or ``activations.LeakyReLU(0.01)``.
    """

    _settings = ("activation",)

    def __init__(self, activation: str | activations.Activation, name: str | None = None) -> None:
        super().__init__(name)
        self.activation = activations.get(activation)

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.activation.name == "softmax" and len(input_shape) != 1:
            raise ValueError(
                f"softmax expects inputs of shape (features,), got {input_shape}; "
                "put a Flatten() before it"
            )
        return input_shape

    def lower(self, builder: "Builder") -> None:
        builder.activation(self.activation)
