"""What every data set offers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Split = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class DatasetNotFoundError(FileNotFoundError):
    """A data set is in none of the places where it was looked for."""


@dataclass(frozen=True)
class Dataset:
    """A classification data set, split in two.

    Attributes
    ----------
    name : str
    train, test : (x, y)
        uint8 samples (n, *input_shape) and uint8 labels (n,).
    classes : tuple of str
    scale : float
        ``x * scale`` lies in [0, 1].
    note : str
        What a reader of results must know about this choice; mostly empty.
    """

    name: str
    train: Split
    test: Split
    classes: tuple[str, ...]
    scale: float
    note: str = ""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.train[0].shape[1:]
