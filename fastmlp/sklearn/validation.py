"""Data set apart to be scored after each epoch of an estimator's fit."""

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from ..runtime.tensors import Array


class Split(NamedTuple):
    """What is learned from, and what is scored; ``x_val`` is None if nothing is.

    ``weights`` say how much samples count; None if all count alike.
    """

    x: Array
    y: Array
    weights: Array | None = None
    x_val: Array | None = None
    y_val: Array | None = None
    weights_val: Array | None = None

    @property
    def mean_weight(self) -> float:
        """How much a sample that is learned from counts on average."""
        return 1.0 if self.weights is None else float(self.weights.mean(dtype=np.float64))


def set_apart(given: Split, fraction: float, seed: int, stratify: Array | None) -> Split:
    """Set a share of the samples apart: of the same data and seed always the same.

    Raises
    ------
    ValueError
        If that leaves fewer than two samples to score, or a class cannot be shared out.
    """
    random = np.random.RandomState(seed)
    parts = train_test_split(
        given.x,
        given.y,
        *([] if given.weights is None else [given.weights]),
        test_size=fraction,
        random_state=random,
        stratify=stratify,
    )
    x_train, x_val, y_train, y_val = parts[:4]
    weights, weights_val = parts[4:] or (None, None)
    if len(x_val) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            f"dataset: validation_fraction={fraction} of {len(given.x)} samples are {len(x_val)}"
        )
    return Split(x_train, y_train, weights, x_val, y_val, weights_val)
