"""Numeric derivatives in float64: central differences, extrapolated, with a step for each entry.

With ``D(h) = (f(w + h) - f(w - h)) / 2h``, an error of ``h^2 f'''/6 + O(h^4)`` remains beside the
rounding error ``eps |f| / h``.  Two steps remove the first term (Richardson):
``(4 D(h) - D(2h)) / 3``, so ``h`` may be a hundred times larger than for a plain central
difference, and the rounding error is a hundred times smaller.

A kink inside the step spoils all that, so there the step is shrunk.  The activations of a net say
themselves when a step takes them across their kink.  Of other functions only values are known:
where there is no kink, two steps of very different size give the same slope, and the bend
``(f(w + h) - 2 f(w) + f(w - h)) / h`` shrinks with the step; at a kink it stays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]
Losses = Callable[[Indices, Vector, bool], tuple[Vector, Flags]]

STEP = 2.0**-10
SHRINK = 2.0**-4
ATTEMPTS = 5
_SAME_SLOPE = 1e-8  # relative


@dataclass
class NumericGradient:
    """Derivatives with what is known of their accuracy; all arrays are (entries,).

    Attributes
    ----------
    values : float64
    noise : float64
        How far rounding alone may have moved each value; at a kink, each of ``kept``.
    at_kink : bool
        The function has a kink nearer than the smallest step that was tried.
    left, right, side_noise : float64
        There, the slopes on both sides, and how far rounding may have moved them; else NaN.
    kept : float64
        There, the slope if every activation keeps to the branch it is on; else NaN.
    has_hidden_kinks : bool
        Whether ``kept`` may be meaningless: for kinks that only values tell of.
    evaluations : int
    """

    values: Vector
    noise: Vector
    at_kink: Flags
    left: Vector
    right: Vector
    side_noise: Vector
    kept: Vector
    has_hidden_kinks: bool
    evaluations: int


@dataclass
class _Slopes:
    """What one step, and the double one, tell of some entries."""

    values: Vector
    noise: Vector
    bends: Vector  # the slope to the right less that to the left
    crossed: Flags

    def part(self, which: Flags) -> "_Slopes":
        return _Slopes(
            self.values[which], self.noise[which], self.bends[which], self.crossed[which]
        )


class _Probe:
    """The function, asked for slopes; it counts its evaluations."""

    def __init__(self, losses: Losses, point: Vector, steps: Vector, here: float) -> None:
        self._losses = losses
        self._point = point
        self._steps = steps
        self._rounding = 4 * np.finfo(np.float64).eps * max(abs(here), 1e-3)
        self.evaluations = 0

    def values(
        self, indices: Indices, steps: Vector, keeps_branches: bool = False
    ) -> tuple[Vector, Flags]:
        self.evaluations += 2 * indices.size
        return self._losses(indices, steps, keeps_branches)

    def unmoved(self, indices: Indices) -> Vector:
        return self.values(indices, np.zeros(indices.size))[0][:, 0]

    def slopes(
        self,
        indices: Indices,
        attempt: int,
        unmoved: Vector | None = None,
        keeps_branches: bool = False,
    ) -> _Slopes:
        """Use the ``attempt``-th step; bends are NaN unless the values ``unmoved`` are known."""
        steps = self._steps[indices] * SHRINK**attempt
        narrow, crossed = self.values(indices, steps, keeps_branches)
        wide, crossed_wide = self.values(indices, 2 * steps, keeps_branches)
        width = self._width(indices, steps)
        slope = (narrow[:, 0] - narrow[:, 1]) / width
        wide_slope = (wide[:, 0] - wide[:, 1]) / self._width(indices, 2 * steps)
        bends = np.full(indices.size, np.nan)
        if unmoved is not None:
            bends = (narrow[:, 0] - 2 * unmoved + narrow[:, 1]) / steps
        noise = self._rounding / width
        return _Slopes((4 * slope - wide_slope) / 3, noise, bends, crossed | crossed_wide)

    def sides(self, indices: Indices) -> tuple[Vector, Vector, Vector]:
        """Return the slopes to the left and right over the smallest step, and their noise."""
        steps = self._steps[indices] * SHRINK ** (ATTEMPTS - 1)
        moved, _ = self.values(indices, steps)
        unmoved = self.unmoved(indices)
        left, right = (unmoved - moved[:, 1]) / steps, (moved[:, 0] - unmoved) / steps
        return left, right, self._rounding / steps

    def _width(self, indices: Indices, steps: Vector) -> Vector:
        """Return what floating point really makes of ``2 * steps``."""
        w = self._point[indices]
        width: Vector = (w + steps) - (w - steps)
        return width


def numeric_gradient(
    losses: Losses, point: Vector, steps: Vector, here: float, *, has_hidden_kinks: bool
) -> NumericGradient:
    """Differentiate by every entry of ``point``.

    Parameters
    ----------
    losses : function
        ``losses(indices, steps, keeps_branches)`` returns the values (k, 2) with entry
        ``indices[k]`` moved by ``+steps[k]`` and ``-steps[k]``, and whether (k,) a kink lies in
        between; ``keeps_branches`` asks for values without that kink.  Terms that do not depend
        on that entry may be left out.
    point : float64 array (entries,)
    steps : float64 array (entries,)
        The first step to try; shrunk for those entries that cross a kink with it.
    here : float
        The function's value at ``point``: the size of what is rounded.
    has_hidden_kinks : bool
        Whether there may be kinks that ``losses`` does not tell of.
    """
    probe = _Probe(losses, point, steps, here)
    if has_hidden_kinks:
        values, noise, kinks = _by_values(probe, np.arange(point.size))
    else:
        values, noise, kinks = _by_flags(probe, np.arange(point.size))
    at_kink = np.zeros(point.size, np.bool_)
    left, right, kept, side_noise = (np.full(point.size, np.nan) for _ in range(4))
    if kinks.size:
        at_kink[kinks] = True
        left[kinks], right[kinks], side_noise[kinks] = probe.sides(kinks)
        slopes = probe.slopes(kinks, 0, keeps_branches=True)
        kept[kinks], noise[kinks] = slopes.values, slopes.noise
    return NumericGradient(
        values, noise, at_kink, left, right, side_noise, kept, has_hidden_kinks, probe.evaluations
    )


def _by_flags(probe: _Probe, everything: Indices) -> tuple[Vector, Vector, Indices]:
    """Shrink the steps that cross a kink; return values, noise, and what crosses to the last."""
    slopes = probe.slopes(everything, 0)
    values, noise, pending = slopes.values, slopes.noise, np.flatnonzero(slopes.crossed)
    for attempt in range(1, ATTEMPTS):
        if not pending.size:
            break
        slopes = probe.slopes(pending, attempt)
        values[pending], noise[pending] = slopes.values, slopes.noise
        pending = pending[slopes.crossed]
    return values, noise, pending


def _by_values(probe: _Probe, everything: Indices) -> tuple[Vector, Vector, Indices]:
    """Shrink the steps until two in a row agree; return values, noise, and what is at a kink.

    Where the function itself is too rough, by rounding coarser than float64's say, the first step,
    the largest, is the best there is.
    """
    unmoved = probe.unmoved(everything)
    before = probe.slopes(everything, 0, unmoved)
    values, noise, pending = before.values.copy(), before.noise.copy(), everything
    times_bent = np.zeros(everything.size, np.int64)
    for attempt in range(1, ATTEMPTS):
        if not pending.size:
            break
        now = probe.slopes(pending, attempt, unmoved[pending])
        bent, rough = _stays_bent(before, now), _grows_bent(before, now)
        times_bent[pending] += bent
        sizes = np.abs(before.values) + np.abs(now.values)
        agree = np.abs(before.values - now.values) <= _SAME_SLOPE * sizes + 4 * now.noise
        settled = agree & ~bent & ~before.crossed & ~rough
        values[pending[settled]] = before.values[settled]
        noise[pending[settled]] = before.noise[settled]
        goes_on = ~settled & ~rough
        pending, before = pending[goes_on], now.part(goes_on)
    # Once may be rounding that happens to look like a kink.
    return values, noise, pending[before.crossed | (times_bent[pending] > 1)]


def _stays_bent(before: _Slopes, now: _Slopes) -> Flags:
    """Tell whether the bend is the same although the step is a sixteenth."""
    was, size = np.abs(before.bends), np.abs(now.bends)
    same_sign = before.bends * now.bends > 0
    bent: Flags = same_sign & (size > was / 2) & (size < was * 2) & (size > 8 * now.noise)
    return bent


def _grows_bent(before: _Slopes, now: _Slopes) -> Flags:
    """Tell whether the bend is that of rounding alone, which a smaller step makes larger."""
    was, size = np.abs(before.bends), np.abs(now.bends)
    grows: Flags = (size > 4 * was) & (size > 8 * now.noise)
    return grows
