"""An activation as a layer of its own."""

from typing import Any

from .. import activations
from ..kernels.contract import Column, Op, Scalar
from ..runtime.lowering import Buffer, Builder
from ..runtime.tensors import Shape
from .base import Layer


class Activation(Layer):
    """Apply an activation to every value (softmax and its logarithm: to each sample's features).

    Parameters
    ----------
    activation : str or fastmlp.activations.Activation
        Such as ``"relu"`` or ``activations.LeakyReLU(0.01)``.
    """

    _settings = ("activation",)

    def __init__(
        self, activation: str | activations.Activation, name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        self.activation = activations.get(activation)

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.activation.name in activations.OF_FEATURES and len(input_shape) != 1:
            raise ValueError(
                f"{self.activation.name} expects inputs of shape (features,), got {input_shape}; "
                "put a Flatten() before it"
            )
        return input_shape

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        return lower_activation(builder, x, self.activation, self.name)


def lower_activation(
    builder: Builder, x: Buffer, activation: activations.Activation, layer: str
) -> Buffer:
    """Add the row of a layer's activation; for ``linear``, none."""
    label = f"{layer}/{activation.name}"
    if activation.name in activations.OF_FEATURES:
        op = Op.SOFTMAX if activation.name == "softmax" else Op.LOG_SOFTMAX
        return builder.row(op, builder.along_batch(x), label=label)
    if activation.kind is None:
        return x
    columns, reals = {Column.KIND: int(activation.kind)}, {Scalar.ALPHA: activation.alpha}
    return builder.row(Op.ACTIVATION, x, columns=columns, reals=reals, label=label)
