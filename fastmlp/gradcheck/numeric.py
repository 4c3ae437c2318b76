"""Numeric derivatives in float64: central differences, extrapolated, with a step for each entry.

With ``D(h) = (f(w + h) - f(w - h)) / 2h``, an error of ``h^2 f'''/6 + O(h^4)`` remains beside the
rounding error ``eps |f| / h``.  Two steps remove the first term (Richardson):
``(4 D(h) - D(2h)) / 3``, so ``h`` may be a hundred times larger than for a plain central
difference, and the rounding error is a hundred times smaller.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Losses = Callable[[NDArray[np.int64], Vector], tuple[Vector, NDArray[np.bool_]]]

STEP = 2.0**-10
SHRINK = 2.0**-4
ATTEMPTS = 5


@dataclass
class NumericGradient:
    """Derivatives with what is known of their accuracy; all arrays are (entries,).

    Attributes
    ----------
    values : float64
    noise : float64
        How far rounding alone may have moved each value.
    at_kink : bool
        The function has a kink nearer than the smallest step that was tried.
    left, right : float64
        There, the slopes on both sides; NaN elsewhere.
    evaluations : int
    """

    values: Vector
    noise: Vector
    at_kink: NDArray[np.bool_]
    left: Vector
    right: Vector
    evaluations: int


def numeric_gradient(losses: Losses, point: Vector, steps: Vector, here: float) -> NumericGradient:
    """Differentiate by every entry of ``point``.

    Parameters
    ----------
    losses : function
        ``losses(indices, steps)`` returns the values (k, 2) with entry ``indices[k]`` moved by
        ``+steps[k]`` and ``-steps[k]``, and whether (k,) a kink lies in between.  Terms that do
        not depend on that entry may be left out.
    point : float64 array (entries,)
    steps : float64 array (entries,)
        The first step to try; shrunk for those entries that cross a kink with it.
    here : float
        The function's value at ``point``: the size of what is rounded.
    """
    size = point.size
    values, noise = np.full(size, np.nan), np.zeros(size)
    left, right = np.full(size, np.nan), np.full(size, np.nan)
    pending = np.arange(size)
    steps = steps.copy()
    evaluations = 0
    rounding = 4 * np.finfo(np.float64).eps * max(abs(here), 1e-3)
    for _ in range(ATTEMPTS):
        narrow, width, crossed = _differences(losses, point, pending, steps[pending])
        wide, _, crossed_wide = _differences(losses, point, pending, 2 * steps[pending])
        evaluations += 4 * pending.size
        values[pending] = (4 * narrow - wide) / 3
        noise[pending] = rounding / width
        pending = pending[crossed | crossed_wide]
        steps[pending] *= SHRINK
        if not pending.size:
            break
    at_kink = np.zeros(size, dtype=bool)
    at_kink[pending] = True
    if pending.size:
        last = steps[pending] / SHRINK
        sides, _ = losses(pending, last)
        unmoved = losses(pending, np.zeros_like(last))[0][:, 0]
        right[pending] = (sides[:, 0] - unmoved) / last
        left[pending] = (unmoved - sides[:, 1]) / last
    return NumericGradient(values, noise, at_kink, left, right, evaluations)


def _differences(
    losses: Losses, point: Vector, indices: NDArray[np.int64], steps: Vector
) -> tuple[Any, Any, NDArray[np.bool_]]:
    """Return D(h), the width 2h that floating point really made of it, and what crossed a kink."""
    sides, crossed = losses(indices, steps)
    width = (point[indices] + steps) - (point[indices] - steps)
    return (sides[:, 0] - sides[:, 1]) / width, width, crossed
