"""Training all samples as one batch, by SciPy's L-BFGS-B."""

from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from ..model import Sequential
from .objective import Objective
from .settings import Settings
from .validation import Split


def minimize(
    net: Sequential, split: Split, settings: Settings, objective: Objective
) -> tuple[int, str | None]:
    """Train a compiled net; return the number of iterations, and why it stopped too early, if so.

    Raises
    ------
    ValueError
        If the loss is not finite.
    """
    views = net.trainable_weights

    def put(values: NDArray[np.float64]) -> None:
        start = 0
        for view in views:
            view[...] = values[start : start + view.size].reshape(view.shape)
            start += view.size

    def value_and_slopes(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        put(values)
        value, gradient = net.loss_and_gradient(split.x, split.y, sample_weight=split.weights)
        slopes = np.concatenate([part.ravel() for part in gradient]).astype(np.float64)
        return objective.slope * value, objective.slope * slopes

    start = np.concatenate([view.ravel() for view in views]).astype(np.float64)
    found: Any = scipy.optimize.minimize(
        value_and_slopes,
        start,
        method="L-BFGS-B",
        jac=True,
        options={
            "maxfun": settings.max_fun, "maxiter": settings.max_iter, "gtol": settings.tol,
        },
    )  # fmt: skip
    put(found.x)
    if not np.isfinite(found.x).all() or not np.isfinite(found.fun):
        raise ValueError(
            "Solver produced non-finite parameter weights. The input data may contain large "
            "values and need to be preprocessed."
        )
    # Some versions of SciPy count one iteration more than they were allowed.
    iterations = min(int(found.nit), settings.max_iter)
    return iterations, None if found.success else str(found.message)
