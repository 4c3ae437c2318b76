"""From a table in numbers to the inputs of a net."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...runtime.tensors import Array
from .columns import Encoded

_CLIP = 3.0  # what an input stays below


@dataclass(frozen=True)
class Preparation:
    """How inputs are made: one-hot categories, then robust scaling and smooth clipping of all.

    Attributes
    ----------
    medians : float64 array (columns of numbers,)
        What a missing number counts as.
    lacking : int64 array
        The columns of numbers that lack some: each has one more input, which says where.
    sizes : tuple of int
        How many categories each column of categories has.
    embedded : tuple of bool
        For each of these, whether its inputs are its codes, and not one for each category.
    centers, factors : float64 array (inputs before the codes,)
    """

    medians: NDArray[np.float64]
    lacking: NDArray[np.int64]
    sizes: tuple[int, ...]
    embedded: tuple[bool, ...]
    centers: NDArray[np.float64]
    factors: NDArray[np.float64]

    @property
    def numbers(self) -> int:
        """How many inputs are numbers of the table: the first ones."""
        return len(self.medians)

    def transform(self, table: Encoded) -> NDArray[np.float32]:
        """Return the inputs (n, inputs): numbers, where some lack, one-hot categories, codes."""
        raw = _raw(table, self.medians, self.lacking, self.sizes, self.embedded)
        scaled = (raw - self.centers) * self.factors
        clipped = scaled / np.hypot(1, scaled / _CLIP)
        codes = table.codes[:, np.array(self.embedded, bool)]
        return np.hstack([clipped, codes]).astype(np.float32)


def prepared(table: Encoded, sizes: list[int], largest_one_hot: int | None) -> Preparation:
    """Return how inputs are made of tables like this one.

    Parameters
    ----------
    table : Encoded
        What is learned from.
    sizes : list of int
        How many categories each column of categories has.
    largest_one_hot : int, optional
        Columns with more categories are embedded; None: none are.
    """
    embedded = tuple(largest_one_hot is not None and size > largest_one_hot for size in sizes)
    missing = np.isnan(table.numbers)
    medians = np.array([_median(column) for column in table.numbers.T])
    lacking = np.flatnonzero(missing.any(axis=0))
    raw = _raw(table, medians, lacking, tuple(sizes), embedded)
    centers = np.median(raw, axis=0)
    low, high = np.quantile(raw, [0.25, 0.75], axis=0)
    width = high - low
    # Where half of the samples are alike, half of the range takes the place of that distance.
    width = np.where(width == 0, (raw.max(axis=0) - raw.min(axis=0)) / 2, width)
    factors = np.divide(1, width, out=np.zeros_like(width), where=width > 0)
    return Preparation(medians, lacking, tuple(sizes), embedded, centers, factors)


def _raw(
    table: Encoded,
    medians: NDArray[np.float64],
    lacking: NDArray[np.int64],
    sizes: tuple[int, ...],
    embedded: tuple[bool, ...],
) -> NDArray[np.float64]:
    missing = np.isnan(table.numbers)
    parts = [np.where(missing, medians, table.numbers), missing[:, lacking].astype(np.float64)]
    parts += [
        _one_hot(codes, size)
        for codes, size, is_code in zip(table.codes.T, sizes, embedded, strict=True)
        if not is_code
    ]
    return np.hstack(parts)


def _one_hot(codes: Array, size: int) -> NDArray[np.float64]:
    """Return an input for each category; of two, one of -1 and 1. A missing one is 0."""
    if size == 2:
        return np.array([0.0, 1.0, -1.0])[codes][:, None]
    return np.eye(size + 1)[codes][:, 1:]


def _median(column: Array) -> float:
    there = column[~np.isnan(column)]
    return float(np.median(there)) if len(there) else 0.0
