"""Layers one on top of the other."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arguments import check_memory
from ..tensors import Shape
from .base import Layer


def build_layers(
    layers: Sequence[Layer], input_shape: Shape, dtype: np.dtype[np.floating[Any]]
) -> None:
    """Let every layer that is new declare its weights; errors name the layer that does not fit.

    Raises
    ------
    TypeError, ValueError
        If a layer cannot take what the layer before it gives, if its ``output_shape`` returns no
        shape, or if its weights or its outputs do not fit into memory.
    """
    shape = input_shape
    count = features = 0
    for index, layer in enumerate(layers):
        argument = f"layers[{index}] ({layer.name!r})"
        try:
            shape = layer._build(shape)
        except (TypeError, ValueError) as reason:
            kind = TypeError if isinstance(reason, TypeError) else ValueError
            raise kind(f"{argument}: {reason}") from reason
        count += layer.count
        features += math.prod(shape)
        check_memory(argument, "the weights up to this layer", count * dtype.itemsize)
        check_memory(argument, "one sample's values up to this layer", features * dtype.itemsize)
