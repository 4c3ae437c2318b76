"""Some columns of a table embedded or encoded, and the others as they are."""

import copy
import math
from collections.abc import Sequence
from typing import Any

from ..kernels.contract import Op
from ..runtime.arguments import integer, items, shown
from ..runtime.lowering import Buffer, Builder, Layout, Part
from ..runtime.tensors import Shape
from .base import Layer, runs_in_python
from .categories import OfCategories
from .stack import check_layer


class Columns(Layer):
    """Some columns of a table, each through a layer of its own, and the others as they are.

    Of samples of shape (features,) it makes one row of features: those of each column in its
    place.  Keras needs a net of several inputs for it.

    Parameters
    ----------
    columns : sequence of int
        Which columns; those from the end are negative.
    layers : sequence of Embedding or CategoryEncoding
        One for each of them.

    Raises
    ------
    TypeError, ValueError
        If there are not as many layers as columns, a column is named twice, or a layer is none of
        these.

    Examples
    --------
    >>> from fastmlp import Sequential, layers
    >>> kinds = [layers.Embedding(50, 4), layers.CategoryEncoding(3, "one_hot")]
    >>> net = Sequential([layers.Input(6), layers.Columns([0, 2], kinds), layers.Dense(1)])
    >>> net.layers[0].output_shape((6,))
    (11,)
    """

    _settings = ("columns", "layers")

    def __init__(
        self,
        columns: Sequence[int],
        layers: Sequence[Layer],
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        places = items("columns", "integers", columns)
        given = items("layers", "layers", layers)
        self.columns = tuple(
            integer(f"columns[{i}]", n, "an integer", -(2**62)) for i, n in enumerate(places)
        )
        if len(given) != len(places):
            raise ValueError(
                f"layers: expected one for each of the {len(places)} columns, got {len(given)}"
            )
        for index, layer in enumerate(given):
            check_layer(f"layers[{index}]", layer, given[:index])
            if not isinstance(layer, OfCategories) or runs_in_python(layer):
                raise TypeError(
                    f"layers[{index}]: expected an Embedding or a CategoryEncoding, "
                    f"got {shown(layer)}"
                )
        self.layers = tuple(given)
        if not self.trainable:
            self.trainable = False  # those inside, too

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs; layers of its own among it."""
        return super().__getstate__() | {"layers": copy.deepcopy(self.layers)}

    @property
    def nested(self) -> tuple[Layer, ...]:
        """The layers of the columns."""
        return self.layers

    def _by_column(self, input_shape: Shape) -> dict[int, Layer]:
        """Return the layers by their columns, in rising order.

        Raises
        ------
        ValueError
            If the inputs have no such column, or one is named twice.
        """
        self._check_features(input_shape)
        (features,) = input_shape
        found: dict[int, Layer] = {}
        for column, layer in zip(self.columns, self.layers, strict=True):
            if not -features <= column < features:
                raise ValueError(f"columns: inputs of shape {input_shape} have no column {column}")
            if column % features in found:
                raise ValueError(f"columns: column {column % features} is there twice")
            found[column % features] = layer
        return dict(sorted(found.items()))

    def build(self, input_shape: Shape) -> None:
        for layer in self._by_column(input_shape).values():
            layer._build((1,))

    def output_shape(self, input_shape: Shape) -> Shape:
        layers = self._by_column(input_shape).values()
        made = sum(math.prod(layer._output_shape((1,))) for layer in layers)
        return (input_shape[0] - len(layers) + made,)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        """Add a row for each column with a layer, and one for those between two of them.

        They all write the same buffer.
        """
        (features,) = builder.shape
        (outputs,) = self.output_shape((features,))
        y = builder.reserve(outputs, Layout.FEATURES_FIRST)
        done = place = 0
        for column, layer in [*self._by_column((features,)).items(), (features, None)]:
            if (count := column - done) > 0:
                between = Buffer(x.offset, count, x.layout, Part(done, y, place))
                place += builder.columns_row(Op.COLUMNS, between, count).features
            if layer is not None:
                builder.shape = (1,)
                own = Buffer(x.offset, 1, x.layout, Part(column, y, place))
                place += builder.lower(layer, own).features
            done = column + 1
        return y
