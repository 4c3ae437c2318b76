"""What numbers and categories become before the first dense layer of the variant "td"."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import initializers, layers
from ...kernels.contract import Activation, Column, Op, Scalar
from ...layers import Layer
from ...runtime.arguments import non_negative_integer, positive_integer
from ...runtime.lowering import Buffer, Builder, Layout, Param, Part
from ...runtime.tensors import Array, Shape

FREQUENCIES = 16  # of each number
LEARNED = 3  # what is made of them; the number itself is the fourth
SIGMA = 0.1  # of the first frequencies
CATEGORY_SIZE = 8

OF_NUMBERS = ("frequencies", "phases", "weights", "biases")  # the weights that embed them


class TableEmbedding(Layer):
    """Periodic embeddings of numbers, and a vector for each category.

    Inputs (n, inputs) are numbers, others, and the codes of categories. Each number ``x`` becomes
    ``weight @ cos(2 pi frequency x + phase) + bias`` and itself ("PBLD": Holzmueller, Grinsztajn &
    Steinwart, 2024, after Gorishniy et al., 2022); the others stay; and each code chooses a vector.
    The outputs are what is made of numbers, then numbers and others, then the vectors.

    Parameters
    ----------
    numbers : int, not negative
        How many of the first inputs are embedded.
    sizes : sequence of int
        How many categories each of the last inputs has; code 0 stands for a missing one.
    """

    _settings = ("numbers", "sizes")

    def __init__(
        self, numbers: int, sizes: Any = (), name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        self.numbers = non_negative_integer("numbers", numbers)
        self.sizes = tuple(positive_integer("sizes", size) for size in sizes)
        normal = initializers.RandomNormal(0.0, 1.0)
        self._categories = tuple(
            layers.Embedding(size + 1, CATEGORY_SIZE, normal, name=f"categories_{index}")
            for index, size in enumerate(self.sizes)
        )

    @property
    def nested(self) -> tuple[Layer, ...]:
        """The embeddings of the categories."""
        return self._categories

    def build(self, input_shape: Shape) -> None:
        """Declare the weights."""
        if count := self.numbers:
            bound = 1 / np.sqrt(FREQUENCIES)
            spread = initializers.RandomUniform(-bound, bound)
            shape = (count, FREQUENCIES)
            self.add_weight("frequencies", shape, initializers.RandomNormal(0.0, SIGMA))
            self.add_weight("phases", shape, initializers.RandomUniform(-np.pi, np.pi))
            self.add_weight("weights", (count, LEARNED, FREQUENCIES), spread)
            self.add_weight("biases", (count, LEARNED), spread)
        for layer in self._categories:
            layer._build((1,))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of one output."""
        (inputs,) = input_shape
        new = self.numbers * LEARNED + len(self.sizes) * (CATEGORY_SIZE - 1)
        return (inputs + new,)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        """Add the rows of the numbers, one for all that stays, and one for each category."""
        (inputs,) = builder.shape
        (outputs,) = self.output_shape(builder.shape)
        y = builder.reserve(outputs, Layout.FEATURES_FIRST)
        if self.numbers:
            self._lower_numbers(builder, x, y)
        place, codes = self.numbers * LEARNED, inputs - len(self.sizes)
        if codes:
            stays = Buffer(x.offset, codes, x.layout, Part(0, y, place))
            builder.columns_row(Op.COLUMNS, stays, codes)
        place += codes
        for column, layer in enumerate(self._categories, codes):
            builder.shape = (1,)
            own = Buffer(x.offset, 1, x.layout, Part(column, y, place))
            place += builder.lower(layer, own).features
        return y

    def _lower_numbers(self, builder: Builder, x: Buffer, y: Buffer) -> None:
        """Add the rows that embed the numbers; the last of them writes the beginning of ``y``."""
        count, waves = self.numbers, self.numbers * FREQUENCIES
        numbers = Buffer(x.offset, count, x.layout)
        turned = builder.row(
            Op.RESCALE,
            builder.columns_row(Op.COLUMNS, numbers, waves),
            reals={Scalar.SCALE: 2 * math.pi},
        )
        shape = (count, FREQUENCIES)
        angles = builder.row(
            Op.SCALE,
            turned,
            params=[Param("frequencies", shape), Param("phases", shape)],
            columns={Column.BIAS: builder.start_of("phases")},
            label=f"{self.name}/angles",
        )
        cosines = builder.row(
            Op.ACTIVATION,
            angles,
            columns={Column.KIND: int(Activation.COSINE)},
            label=f"{self.name}/cosine",
        )
        builder.grouped_row(
            cosines,
            y,
            count,
            [Param("weights", (count, LEARNED, FREQUENCIES)), Param("biases", (count, LEARNED))],
        )

    def of(self, x: Array) -> Array:
        """Return the outputs (n, outputs) for inputs, computed in NumPy."""
        values: Array = x[:, : x.shape[1] - len(self.sizes)]
        codes: NDArray[np.int64] = x[:, values.shape[1] :].astype(np.int64)
        parts = [values]
        if self.numbers:
            own = self.weights
            turns = 2 * np.pi * own["frequencies"][:, :, None] * x.T[: self.numbers, None, :]
            learned = np.matmul(own["weights"], np.cos(turns + own["phases"][:, :, None]))
            learned += own["biases"][:, :, None]
            parts.insert(0, learned.reshape(-1, len(x)).T)
        parts += [
            layer.embeddings[own] for layer, own in zip(self._categories, codes.T, strict=True)
        ]
        return np.ascontiguousarray(np.hstack(parts), x.dtype)
