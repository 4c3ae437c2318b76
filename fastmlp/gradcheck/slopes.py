"""A function's slopes and bends over given steps, and how far rounding may have moved them."""

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
KINK_ATTEMPTS = 5  # nearer than the last of these steps, a kink counts as being at the point
_FINEST, _COARSEST = 2.0**-30, 2.0**-22  # steps that show a function's noise, of the point
_DISTINCT = 5  # of seven: a function that is constant to one side of a kink has four
_EPS = float(np.finfo(np.float64).eps)


@dataclass
class Question:
    """What is to be differentiated, and what the derivative is said to be.

    Attributes
    ----------
    losses : function
        ``losses(indices, steps, keeps_branches)`` returns the values (k, 2) with entry
        ``indices[k]`` moved by ``+steps[k]`` and ``-steps[k]``, and whether (k,) a kink lies in
        between; ``keeps_branches`` asks for values without that kink.  Terms that do not depend
        on that entry may be left out.
    point : float64 array (entries,)
    steps : float64 array (entries,)
        The first step to try.
    here : float
        The function's value at ``point``.
    smallest_value : float
        The least that is taken for the size of what is rounded.
    has_hidden_kinks : bool
        Whether there may be kinks that ``losses`` does not tell of.
    precision : float
        The relative rounding error of the function's values.
    """

    losses: Losses
    point: Vector
    steps: Vector
    here: float
    smallest_value: float
    has_hidden_kinks: bool
    precision: float = _EPS


@dataclass
class Slopes:
    """What one step, and the double one, tell of some entries."""

    values: Vector
    noise: Vector  # by rounding
    width: Vector  # of the smaller step, to both sides
    plain: Vector  # without extrapolation
    bends: Vector  # the slope to the right less that to the left
    wide_bends: Vector
    crossed: Flags

    def part(self, which: Flags) -> "Slopes":
        return Slopes(
            self.values[which], self.noise[which], self.width[which], self.plain[which],
            self.bends[which], self.wide_bends[which], self.crossed[which],
        )  # fmt: skip

    @property
    def usable(self) -> Flags:
        return np.isfinite(self.values) & np.isfinite(self.noise) & ~self.crossed

    @property
    def look_bent(self) -> Flags:
        """Whether the bend over the step is nearly that over the double step: a kink's."""
        size, wide = np.abs(self.bends), np.abs(self.wide_bends)
        same_sign = self.bends * self.wide_bends > 0
        looks: Flags = same_sign & (wide < 1.7 * size) & (size > 8 * self.noise)
        return looks


class Probe:
    """The function, asked for slopes; it counts its evaluations.

    Attributes
    ----------
    noise : float64 array (entries,)
        How far the function's values are known to scatter when an entry moves; 0 at first.
    evaluations : int
    """

    def __init__(self, question: Question) -> None:
        self._question = question
        self.noise = np.zeros(question.point.size)
        self.evaluations = 0

    def measure_noise(self, indices: Indices) -> None:
        """Learn how far the values scatter from those of a smooth function.

        Of seven values at equal and tiny distances, high differences leave nothing but noise:
        rounding inside the function that its result does not tell of.  If most of the values are
        the same, the function is coarser than these distances, which then are made larger.
        """
        point, found = self._question.point, np.zeros(indices.size)
        scale = np.where(point[indices] == 0, 1.0, np.abs(point[indices]))
        pending, distance = np.arange(indices.size), _FINEST
        unmoved = self.unmoved(indices)
        while pending.size and distance <= _COARSEST:
            which, steps = indices[pending], distance * scale[pending]
            sides = [self._values(which, j * steps)[0] for j in (1, 2, 3)]
            down = [side[:, 1] for side in sides[::-1]]
            values = np.stack([*down, unmoved[pending], *(side[:, 0] for side in sides)], axis=1)
            with np.errstate(all="ignore"):
                # Of white noise, these differences are sqrt(70) and sqrt(924) times as large.
                fourth = np.abs(np.diff(values, 4)).max(axis=1) / 70**0.5
                sixth = np.abs(np.diff(values, 6))[:, 0] / 924**0.5
                scatter = np.maximum(fourth, sixth)
            is_coarse = (np.diff(np.sort(values, axis=1)) != 0).sum(axis=1) + 1 < _DISTINCT
            scatter[is_coarse | ~np.isfinite(scatter)] = 0
            found[pending] = scatter
            pending, distance = pending[is_coarse], distance / SHRINK
        if found.any():
            self.noise[indices] = 8 * np.maximum(found, np.median(found[found > 0]))

    def unmoved(self, indices: Indices) -> Vector:
        return self._values(indices, np.zeros(indices.size))[0][:, 0]

    def slopes(
        self,
        indices: Indices,
        attempt: float,
        unmoved: Vector | None = None,
        keeps_branches: bool = False,
    ) -> Slopes:
        """Use the ``attempt``-th step; bends are NaN unless the values ``unmoved`` are known."""
        steps = self._question.steps[indices] * SHRINK**attempt
        narrow, crossed = self._values(indices, steps, keeps_branches)
        wide, crossed_wide = self._values(indices, 2 * steps, keeps_branches)
        with np.errstate(all="ignore"):
            width = self._width(indices, steps)
            slope = (narrow[:, 0] - narrow[:, 1]) / width
            wide_slope = (wide[:, 0] - wide[:, 1]) / self._width(indices, 2 * steps)
            bends, wide_bends = (np.full(indices.size, np.nan) for _ in range(2))
            if unmoved is not None:
                # In this order, as twice a value of 1e308 overflows.
                bends = ((narrow[:, 0] - unmoved) - (unmoved - narrow[:, 1])) / steps
                wide_bends = ((wide[:, 0] - unmoved) - (unmoved - wide[:, 1])) / (2 * steps)
            sizes = np.abs(np.hstack([narrow, wide])).max(axis=1)
            noise = np.maximum(self._rounding(sizes), self.noise[indices]) / width
            return Slopes(
                slope + (slope - wide_slope) / 3, noise, width, slope, bends, wide_bends,
                crossed | crossed_wide,
            )  # fmt: skip

    def sides(self, indices: Indices) -> tuple[Vector, Vector, Vector]:
        """Return the slopes to the left and right over a small step, and their noise."""
        steps = self._question.steps[indices] * SHRINK ** (KINK_ATTEMPTS - 1)
        moved, _ = self._values(indices, steps)
        unmoved = self.unmoved(indices)
        left, right = (unmoved - moved[:, 1]) / steps, (moved[:, 0] - unmoved) / steps
        return left, right, self._rounding(np.abs(moved).max(axis=1)) / steps

    def _values(
        self, indices: Indices, steps: Vector, keeps_branches: bool = False
    ) -> tuple[Vector, Flags]:
        self.evaluations += 2 * indices.size
        return self._question.losses(indices, steps, keeps_branches)

    def _rounding(self, sizes: Vector) -> Vector:
        q = self._question
        rounding: Vector = 4 * q.precision * np.maximum(sizes, max(abs(q.here), q.smallest_value))
        return rounding

    def _width(self, indices: Indices, steps: Vector) -> Vector:
        """Return what floating point really makes of ``2 * steps``."""
        w = self._question.point[indices]
        width: Vector = (w + steps) - (w - steps)
        return width
