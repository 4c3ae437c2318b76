"""Question 1: why do deep nets stop learning, and what cures them."""

import numpy as np
from numpy.typing import NDArray

from ... import Sequential
from ...datasets import Dataset
from ..lab import Lab
from ..nets import Net
from . import causes, critique, cures, depth_map, maps, patients
from .charts import CHARTS

TITLE = "Why deep sigmoid, tanh and ReLU nets stop learning, and what cures them"

DTYPES = ("float32",)

OPTIONS = {
    "activations": "those that are compared",
    "depth": "hidden layers of the nets looked at closely; the map goes at least that deep",
}

ARRAYS = ("first_layer_change.npz",)

# In this order: each may use what the earlier ones found.
PARTS = (depth_map, patients, causes, cures, maps, critique)


__all__ = ["ARRAYS", "CHARTS", "DTYPES", "OPTIONS", "PARTS", "TITLE", "arrays", "measure"]


def measure(dataset: Dataset, net: Net, model: Sequential) -> dict[str, float]:
    """Return nothing: the histories say all that this question asks."""
    return {}


def arrays(lab: Lab) -> dict[str, dict[str, NDArray[np.floating]]]:
    """Return the first layers' weight changes (inputs, units), by the file's name."""
    changes = patients.arrays(lab)
    return dict.fromkeys(ARRAYS, changes) if changes else {}
