"""What numbers and categories become before the first dense layer of the variant "td"."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import initializers
from ...layers import Layer
from ...runtime.arguments import non_negative_integer, positive_integer
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

    Notes
    -----
    It is written in Python: the net's rows are then run one by one, on one thread.
    """

    def __init__(
        self, numbers: int, sizes: Any = (), name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        self.numbers = non_negative_integer("numbers", numbers)
        self.sizes = tuple(positive_integer("sizes", size) for size in sizes)
        self._x: Array = np.empty((0, 0))
        # Of the last batch, (numbers, frequencies, n) each, in the same memory from batch to batch.
        self._angles = self._waves = self._slopes = np.empty((0, 0, 0))

    def build(self, input_shape: Shape) -> None:
        """Declare the weights."""
        count = self.numbers
        if count:
            bound = 1 / np.sqrt(FREQUENCIES)
            spread = initializers.RandomUniform(-bound, bound)
            shape = (count, FREQUENCIES)
            self.add_weight("frequencies", shape, initializers.RandomNormal(0.0, SIGMA))
            self.add_weight("phases", shape, initializers.RandomUniform(-np.pi, np.pi))
            self.add_weight("weights", (count, LEARNED, FREQUENCIES), spread)
            self.add_weight("biases", (count, LEARNED), spread)
        for index, size in enumerate(self.sizes):
            normal = initializers.RandomNormal(0.0, 1.0)
            self.add_weight(f"categories_{index}", (size + 1, CATEGORY_SIZE), normal)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of one output."""
        (inputs,) = input_shape
        new = self.numbers * LEARNED + len(self.sizes) * (CATEGORY_SIZE - 1)
        return (inputs + new,)

    def forward(self, x: Array, training: bool) -> Array:
        """Return the outputs (n, outputs)."""
        self._x = x.copy()
        parts = [x[:, : x.shape[1] - len(self.sizes)]]
        if self.numbers:
            self._take_angles(x)
            np.cos(self._angles, out=self._waves)
            learned = np.matmul(self.weights["weights"], self._waves)
            learned += self.weights["biases"][:, :, None]
            parts.insert(0, learned.reshape(-1, len(x)).T)
        parts += [
            self.weights[f"categories_{index}"][codes] for index, codes in enumerate(self._codes.T)
        ]
        return np.ascontiguousarray(np.hstack(parts), x.dtype)

    def backward(self, dy: Array) -> tuple[Array, dict[str, Array]]:
        """Return the gradients of the inputs, 0 for codes, and of the weights."""
        x, count = self._x, self.numbers
        gradients: dict[str, Array] = {}
        middle = count * LEARNED + x.shape[1] - len(self.sizes)
        dx = np.zeros_like(x)
        dx[:, : x.shape[1] - len(self.sizes)] = dy[:, count * LEARNED : middle]
        if count:
            of_numbers, gradients = self._backward_of_numbers(
                dy[:, : count * LEARNED].T.reshape(count, LEARNED, len(x))
            )
            dx[:, :count] += of_numbers
        for index, codes in enumerate(self._codes.T):
            start = middle + index * CATEGORY_SIZE
            of_table = np.zeros_like(self.weights[f"categories_{index}"])
            np.add.at(of_table, codes, dy[:, start : start + CATEGORY_SIZE])
            gradients[f"categories_{index}"] = of_table
        return dx, gradients

    def _backward_of_numbers(self, dy: Array) -> tuple[Array, dict[str, Array]]:
        """Return the gradients of numbers (n, numbers), and of what embeds them."""
        slopes = np.matmul(self.weights["weights"].swapaxes(1, 2), dy, out=self._slopes)
        slopes *= np.sin(self._angles)  # of the angles, but for the sign
        of_x = np.matmul(self.weights["frequencies"][:, None, :], slopes)[:, 0].T
        by_x = np.matmul(slopes, self._x.T[: self.numbers, :, None])[:, :, 0]
        turn = self._x.dtype.type(2 * np.pi)
        gradients = {
            "frequencies": -turn * by_x,
            "phases": -slopes.sum(axis=2),
            "weights": np.matmul(dy, self._waves.swapaxes(1, 2)),
            "biases": dy.sum(axis=2),
        }
        return -turn * of_x, gradients

    def _take_angles(self, x: Array) -> None:
        """Compute what the cosines are taken of."""
        shape = (self.numbers, FREQUENCIES, len(x))
        if self._angles.shape != shape or self._angles.dtype != x.dtype:
            self._angles, self._waves, self._slopes = (np.empty(shape, x.dtype) for _ in range(3))
        turns = x.dtype.type(2 * np.pi) * self.weights["frequencies"]
        np.multiply(turns[:, :, None], x.T[: self.numbers, None, :], out=self._angles)
        self._angles += self.weights["phases"][:, :, None]

    @property
    def _codes(self) -> NDArray[np.int64]:
        codes: NDArray[np.int64] = self._x[:, self._x.shape[1] - len(self.sizes) :].astype(np.int64)
        return codes
