"""Question 2: what do L1, L2 and dropout do, and is the gradient right."""

from ..folder import RunFolder
from ..lab import Lab
from . import critique, gradients, models, sweeps
from .measure import measure

TITLE = "What L1, L2 and dropout do, and whether the gradient is right"

DTYPES = ("float32", "float64")  # to train, and to check gradients

# In this order: each may use what the earlier ones found.
PARTS = (models, sweeps, gradients, critique)

__all__ = ["DTYPES", "PARTS", "TITLE", "measure", "write_arrays"]


def write_arrays(lab: Lab, folder: RunFolder) -> None:
    """Write nothing: what is too long for the report is in results.json and epochs.csv."""
