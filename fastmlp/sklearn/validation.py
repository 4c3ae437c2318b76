"""Data set apart to be scored after each epoch of an estimator's fit."""

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from ..runtime.tensors import Array


class Split(NamedTuple):
    """What is learned from, and what is scored; ``x_val`` is None if nothing is."""

    x: Array
    y: Array
    x_val: Array | None = None
    y_val: Array | None = None


def set_apart(given: Split, fraction: float, seed: int, stratify: Array | None) -> Split:
    """Set a share of the samples apart: of the same data and seed always the same.

    Raises
    ------
    ValueError
        If that leaves fewer than two samples to score, or a class cannot be shared out.
    """
    random = np.random.RandomState(seed)
    x_train, x_val, y_train, y_val = train_test_split(
        given.x, given.y, test_size=fraction, random_state=random, stratify=stratify
    )
    if len(x_val) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your "
            f"dataset: validation_fraction={fraction} of {len(given.x)} samples are {len(x_val)}"
        )
    return Split(x_train, y_train, x_val, y_val)
