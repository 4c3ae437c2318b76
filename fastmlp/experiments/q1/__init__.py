"""Question 1: why do deep nets stop learning, and what cures them."""

import numpy as np

from ... import Sequential
from ...datasets import Dataset
from ..folder import RunFolder
from ..lab import Lab
from ..nets import Net
from . import critique, cures, depth_map, patients

TITLE = "Why deep sigmoid, tanh and ReLU nets stop learning, and what cures them"

DTYPES = ("float32",)

# In this order: each may use what the earlier ones found.
PARTS = (patients, depth_map, cures, critique)


def measure(dataset: Dataset, net: Net, model: Sequential) -> dict[str, float]:
    """Return nothing: the histories say all that this question asks."""
    return {}


def write_arrays(lab: Lab, folder: RunFolder) -> None:
    """Write what is too long for a report: the first layers' weight changes (inputs, units)."""
    changes = patients.arrays(lab)
    if changes:
        folder.write_binary(
            "first_layer_change.npz", lambda file: np.savez(file, allow_pickle=False, **changes)
        )
