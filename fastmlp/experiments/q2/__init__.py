"""Question 2: what do L1, L2 and dropout do, and is the gradient right."""

import numpy as np
from numpy.typing import NDArray

from ..lab import Lab
from . import critique, gradients, models, sweeps
from .charts import CHARTS
from .measure import measure

TITLE = "What L1, L2 and dropout do, and whether the gradient is right"

DTYPES = ("float32", "float64")  # to train, and to check gradients

# In this order: each may use what the earlier ones found.
PARTS = (models, sweeps, gradients, critique)

# What the options mean here, where it is not what they mean everywhere.
OPTIONS = {
    "activations": "of the hidden layers, one",
    "depth": "hidden layers",
}

ARRAYS = ()  # files of arrays too long for results.json: none

__all__ = ["ARRAYS", "CHARTS", "DTYPES", "OPTIONS", "PARTS", "TITLE", "arrays", "measure"]


def arrays(lab: Lab) -> dict[str, dict[str, NDArray[np.floating]]]:
    """Return nothing: what is too long for the report is in results.json and epochs.csv."""
    return {}
