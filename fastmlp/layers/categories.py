"""Whole numbers in the samples: what they stand for, as vectors or as indicators."""

from typing import Any

from .. import constraints, initializers, regularizers
from ..kernels.contract import Coding, Op
from ..runtime.arguments import integer, positive_integer, shown, truth
from ..runtime.lookup import by_name
from ..runtime.lowering import Buffer, Builder, Param
from ..runtime.tensors import Array, Shape
from .base import Layer

# float32 holds the whole numbers up to here.
_MOST_CATEGORIES = 2**24


class OfCategories(Layer):
    """A layer that reads whole numbers from the samples, or from some columns of them."""


def _number_of_categories(argument: str, number: Any) -> int:
    kind = f"an integer from 1 to {_MOST_CATEGORIES}"
    return integer(argument, number, kind, 1, _MOST_CATEGORIES)


class Embedding(OfCategories):
    """A vector that is learned for each of the whole numbers from 0 to ``input_dim - 1``.

    Of samples of shape (length,) it makes (length, output_dim): a :class:`Flatten` may follow.
    Numbers are looked up, so a step costs as much for a thousand categories as for two, with plain
    SGD; other optimizers step along the whole matrix, as in Keras.  It reads the samples
    themselves: it is the first layer of a net, or inside of :class:`Columns`, where each column of
    a table has an embedding of its own.  Numbers are checked before anything changes.

    Parameters
    ----------
    input_dim : int, positive
        How many categories there are.
    output_dim : int, positive
        The length of their vectors.
    embeddings_initializer : str or function
    embeddings_regularizer : str or fastmlp.regularizers.L1L2, optional
        A penalty to add to the loss.
    embeddings_constraint : str or fastmlp.constraints.Constraint, optional
        What the matrix is brought to after each step.
    input_length : int, optional
        As older books have it: the same as ``input_shape=(input_length,)``.

    Raises
    ------
    TypeError, ValueError
        If a number is not a positive integer, or a name is unknown.

    Examples
    --------
    >>> from fastmlp import Sequential, layers
    >>> net = Sequential([layers.Input(3), layers.Embedding(7, 2), layers.Flatten()])
    >>> net.output_shape, net.count_params()
    ((None, 6), 14)
    """

    _settings = (
        "input_dim",
        "output_dim",
        "embeddings_initializer",
        "embeddings_regularizer",
        "embeddings_constraint",
    )
    _not_attributes = ("input_shape", "input_length")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: initializers.Given = "uniform",
        embeddings_regularizer: str | regularizers.L1L2 | None = None,
        embeddings_constraint: str | constraints.Constraint | None = None,
        *,
        input_length: int | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        if input_length is not None:
            options = {"input_shape": (positive_integer("input_length", input_length),)} | options
        super().__init__(name, **options)
        self.input_dim = _number_of_categories("input_dim", input_dim)
        self.output_dim = positive_integer("output_dim", output_dim)
        self.embeddings_initializer = initializers.get(
            "embeddings_initializer", embeddings_initializer
        )
        self.embeddings_regularizer = regularizers.get(
            "embeddings_regularizer", embeddings_regularizer
        )
        self.embeddings_constraint = constraints.get("embeddings_constraint", embeddings_constraint)

    @property
    def embeddings(self) -> Array:
        """The vectors (input_dim, output_dim): a view of the memory that training changes."""
        if "embeddings" not in self._weights:
            raise AttributeError(
                f"embeddings: {self!r} has no weights yet", name="embeddings", obj=self
            )
        return self._weights["embeddings"]

    def build(self, input_shape: Shape) -> None:
        self._add_with_options("embeddings", (self.input_dim, self.output_dim))

    def output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        params = [Param("embeddings", (self.input_dim, self.output_dim))]
        features = x.features * self.output_dim
        return builder.columns_row(Op.EMBEDDING, x, features, self.input_dim, params=params)


_CODINGS = {
    "one_hot": Coding.ONE_HOT,
    "multi_hot": Coding.MULTI_HOT,
    "count": Coding.NUMBER,
    "binary": Coding.MULTI_HOT,  # Keras' older name of it
}


class CategoryEncoding(OfCategories):
    """Indicators of the whole numbers from 0 to ``num_tokens - 1``.

    It reads the samples themselves: it is the first layer of a net, or inside of :class:`Columns`,
    for some columns of a table.  Numbers are checked before anything changes.

    Parameters
    ----------
    num_tokens : int, positive
        How many numbers there are.
    output_mode : {"multi_hot", "one_hot", "count"}
        Of samples of shape (length,), "multi_hot" makes (num_tokens,): 1 for each number that
        occurs in the sample; "count" how often it does.  "one_hot" makes
        (length, num_tokens), a 1 in each row, and (num_tokens,) of (1,).
    sparse : bool
        Only False: results are arrays.

    Raises
    ------
    TypeError, ValueError
        If ``num_tokens`` is not a positive integer, or a mode is unknown.

    Examples
    --------
    >>> from fastmlp import Sequential, layers
    >>> net = Sequential([layers.Input(2), layers.CategoryEncoding(4)])
    >>> net.predict([[3, 1]])
    array([[0., 1., 0., 1.]], dtype=float32)
    """

    _settings = ("num_tokens", "output_mode", "sparse")

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.num_tokens = _number_of_categories("num_tokens", num_tokens)
        coding = by_name("output_mode", output_mode, _CODINGS)
        self.output_mode = next(mode for mode, known in _CODINGS.items() if known == coding)
        if truth("sparse", sparse):
            raise ValueError(f"sparse: expected False, for arrays are dense, got {shown(sparse)}")
        self.sparse = False

    def output_shape(self, input_shape: Shape) -> Shape:
        self._check_features(input_shape)
        if self.output_mode == "one_hot" and input_shape != (1,):
            return (*input_shape, self.num_tokens)
        return (self.num_tokens,)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        coding = _CODINGS[self.output_mode]
        columns = x.features if coding == Coding.ONE_HOT else 1
        features = columns * self.num_tokens
        return builder.columns_row(Op.COLUMNS, x, features, self.num_tokens, coding=coding)
