"""What question 2 wants to know of a trained net."""

import numpy as np

from ... import Sequential
from ...datasets import Dataset
from ..nets import Net

SMALL = 1e-3


def measure(dataset: Dataset, net: Net, model: Sequential) -> dict[str, float]:
    """Return the net's figures on its training samples as it stands, and those of its weights.

    The history's training figures are means over an epoch in which the net changed, and with
    dropout at work; here it predicts, as it does on the test set. ``train_loss`` is without
    penalties, ``train_penalized`` with them.
    """
    x, y = (array[: net.samples] for array in dataset.train)
    figures = model.evaluate(x, y, return_dict=True)
    assert isinstance(figures, dict)
    kernels = np.concatenate([w.ravel() for w in model.get_weights() if w.ndim == 2])
    return {
        "train_loss": figures.get("data_loss", figures["loss"]),
        "train_penalized": figures["loss"],
        "train_accuracy": figures["accuracy"],
        "weight_norm": float(np.linalg.norm(kernels.astype(np.float64))),
        "small_weights": float(np.mean(np.abs(kernels) < SMALL)),
    }
