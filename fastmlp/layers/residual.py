"""A connection that leads around other layers."""

import copy
from collections.abc import Sequence
from typing import Any

from ..runtime.arguments import items
from ..runtime.lowering import Buffer, Builder
from ..runtime.tensors import Shape
from .base import Layer
from .shape import Input
from .stack import check_layer, stacked


class Residual(Layer):
    """``x + f(x)``, where ``f`` is a stack of layers that keeps the shape.

    However deep the net, gradients find a way down that no activation shrinks (He et al., 2016).
    Its layers may be any, another Residual among them; their weights are those of the net, and
    their names are told apart from those of all its layers.

    Parameters
    ----------
    layers : sequence of Layer
        None of them an :class:`Input`.

    Raises
    ------
    TypeError, ValueError
        If one of them is no layer, or is used elsewhere.

    Examples
    --------
    >>> from fastmlp import Sequential, layers
    >>> block = layers.Residual([layers.Dense(32, "relu"), layers.Dense(16)])
    >>> net = Sequential([layers.Input((16,)), block, layers.Dense(3, "softmax")])
    >>> net.count_params()
    1123
    """

    _settings = ("layers",)

    def __init__(self, layers: Sequence[Layer], name: str | None = None, **options: Any) -> None:
        super().__init__(name, **options)
        layers = items("layers", "layers", layers)
        for index, layer in enumerate(layers):
            check_layer(f"layers[{index}]", layer, layers[:index])
            if isinstance(layer, Input):
                raise ValueError(f"layers[{index}]: an Input can only be the first layer of a net")
        self.layers = tuple(layers)
        if not self.trainable:
            self.trainable = False  # those inside, too

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs: layers of its own."""
        return super().__getstate__() | {"layers": copy.deepcopy(self.layers)}

    @property
    def nested(self) -> tuple[Layer, ...]:
        """The layers that this one leads around."""
        return self.layers

    def build(self, input_shape: Shape) -> None:
        for _ in stacked(self.layers, input_shape, build=True):
            pass

    def output_shape(self, input_shape: Shape) -> Shape:
        inside = [shape for _, _, shape in stacked(self.layers, input_shape, build=False)]
        if inside and inside[-1] != input_shape:
            raise ValueError(
                f"Residual expects layers that give outputs of the shape of its inputs, "
                f"{input_shape}, got {inside[-1]}"
            )
        return input_shape

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        start = builder.along_batch(x)
        fork, y = builder.fork(start), start
        for layer in self.layers:
            y = builder.lower(layer, y)
        return builder.join(fork, y, start)
