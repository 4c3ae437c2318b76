"""Numeric derivatives: central differences, extrapolated, with a step and an error for each entry.

With ``D(h) = (f(w + h) - f(w - h)) / 2h``, an error of ``h^2 f'''/6 + O(h^4)`` remains beside the
rounding error ``eps |f| / h``.  Two steps remove the first term (Richardson):
``R(h) = (4 D(h) - D(2h)) / 3``, so ``h`` may be a hundred times larger than for a plain central
difference, and the rounding error is a hundred times smaller.

The first step fits most entries of most functions: where the derivative to be checked agrees with
``R`` there, no more is done.  For the others (a wrong derivative, a function that bends sharply as
1/x does near 0, a kink nearby, rounding coarser than float64's) the step shrinks by 16 at a time:

- two steps in a row give the same slope: that is the derivative;
- they never do: the step is taken whose slope differs least from that of the next smaller step,
  and this difference, in which both rounding and truncation show, is the error;
- the bend ``(f(w + h) - 2 f(w) + f(w - h)) / h`` shrinks with the step where there is a
  derivative, stays at a kink, and grows where rounding, or a step much too large, is all that it
  shows.  The activations of a net say themselves when a step takes them across their kink.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]
Losses = Callable[[Indices, Vector, bool], tuple[Vector, Flags]]

STEP = 2.0**-10
SHRINK = 2.0**-4
KINK_ATTEMPTS = 5  # nearer than the last of these steps, a kink counts as being at the point
ATTEMPTS = 13
_RESOLVED = 1e-2
_STRETCH = -1.5  # the attempt with a step 64 times the first
_SAME_SLOPE = 1e-8  # relative
_FINEST, _COARSEST = 2.0**-30, 2.0**-14  # steps that show a function's noise, of the point
_DISTINCT = 4
_EPS = float(np.finfo(np.float64).eps)


def resolved_share(tolerance: float) -> float:
    """Return the share of a derivative below which an error leaves its sign and size known."""
    return max(_RESOLVED, 4 * tolerance)


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
class NumericGradient:
    """Derivatives with what is known of their accuracy; all arrays are (entries,).

    Attributes
    ----------
    values : float64
    noise : float64
        How far rounding and truncation may have moved each value, infinite where no step gives
        one; at a kink, how far each of ``kept``.
    flat : bool
        Moving this entry changes the function by no more than rounding does.
    at_kink : bool
        The function has a kink nearer than the fifth step that was tried.
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
    flat: Flags
    at_kink: Flags
    left: Vector
    right: Vector
    side_noise: Vector
    kept: Vector
    has_hidden_kinks: bool
    evaluations: int

    @classmethod
    def unknown(cls, entries: int) -> "NumericGradient":
        """Return what is known of a function that cannot be differentiated: nothing."""
        nothing, no = np.full(entries, np.nan), np.zeros(entries, np.bool_)
        everything = np.full(entries, np.inf)
        return cls(nothing, everything, no, no, nothing, nothing, nothing, nothing, True, 0)


@dataclass
class _Slopes:
    """What one step, and the double one, tell of some entries."""

    values: Vector
    noise: Vector  # by rounding
    width: Vector  # of the smaller step, to both sides
    plain: Vector  # without extrapolation
    bends: Vector  # the slope to the right less that to the left
    wide_bends: Vector
    crossed: Flags

    def part(self, which: Flags) -> "_Slopes":
        return _Slopes(
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


class _Probe:
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
            found[pending] = np.nan_to_num(scatter, nan=0.0, posinf=0.0)
            is_coarse = (np.diff(np.sort(values, axis=1)) != 0).sum(axis=1) + 1 < _DISTINCT
            pending, distance = pending[is_coarse], distance / SHRINK
        self.noise[indices] = 4 * np.maximum(found, np.median(found)) if found.size else found

    def unmoved(self, indices: Indices) -> Vector:
        return self._values(indices, np.zeros(indices.size))[0][:, 0]

    def slopes(
        self,
        indices: Indices,
        attempt: float,
        unmoved: Vector | None = None,
        keeps_branches: bool = False,
    ) -> _Slopes:
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
            return _Slopes(
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


def numeric_gradient(question: Question, analytic: Vector, tolerance: float) -> NumericGradient:
    """Differentiate by every entry, until the result agrees with ``analytic`` or is certain."""
    probe = _Probe(question)
    search = _Search(
        probe, question, analytic, min(tolerance, _SAME_SLOPE), resolved_share(tolerance)
    )
    search.run()
    search.stretch()
    entries = question.point.size
    at_kink = np.zeros(entries, np.bool_)
    left, right, kept, side_noise = (np.full(entries, np.nan) for _ in range(4))
    kinks = search.kinks
    if kinks.size:
        at_kink[kinks] = True
        left[kinks], right[kinks], side_noise[kinks] = probe.sides(kinks)
        slopes = probe.slopes(kinks, 0, keeps_branches=True)
        kept[kinks], search.errors[kinks] = slopes.values, slopes.noise
    return NumericGradient(
        search.values, search.errors, search.flat, at_kink, left, right, side_noise, kept,
        question.has_hidden_kinks, probe.evaluations,
    )  # fmt: skip


@dataclass
class _Search:
    """The search for a step, of all entries at once.

    Attributes
    ----------
    values, errors : float64 array (entries,)
        The best known so far.
    flat : bool array (entries,)
    kinks : int64 array
        Which entries are at a kink.
    """

    probe: _Probe
    question: Question
    analytic: Vector
    tolerance: float
    resolved: float
    values: Vector = field(init=False)
    errors: Vector = field(init=False)
    flat: Flags = field(init=False)
    kinks: Indices = field(init=False)

    def run(self) -> None:
        everything = np.arange(self.question.point.size)
        self.unmoved = None
        if self.question.has_hidden_kinks:
            self.unmoved = self.probe.unmoved(everything)
        first = self.probe.slopes(everything, 0, self.unmoved)
        self.values, self.errors = first.values.copy(), first.noise.copy()
        self.flat = self._is_flat(first)
        self.kinks = everything[:0]
        self.was_rough = np.zeros(everything.size, np.bool_)
        self.times_bent = np.zeros(everything.size, np.int64)
        accepted = self._agrees(everything, first) & first.usable & ~first.look_bent
        pending, before = everything[~accepted], first.part(~accepted)
        self.errors[pending] = np.inf
        self.probe.measure_noise(pending[~before.crossed])
        with np.errstate(all="ignore"):
            before.noise = np.maximum(before.noise, self.probe.noise[pending] / before.width)
        self.flat[pending] = self._is_flat(before)
        self._shrink(pending, before)

    def _shrink(self, pending: Indices, before: _Slopes) -> None:
        """Try ever smaller steps for the entries ``pending``, whose last slopes are ``before``."""
        for attempt in range(1, ATTEMPTS):
            if not pending.size:
                return
            unmoved = None if self.unmoved is None else self.unmoved[pending]
            now = self.probe.slopes(pending, attempt, unmoved)
            bent, rough = _stays_bent(before, now), _grows_bent(before, now)
            self.times_bent[pending] += bent
            settled = self._keep_best(pending, before, now, ~bent & ~rough)
            accepted = ~settled & ~bent & ~rough & self._accepts(pending, before, now)
            self.values[pending[accepted]] = now.values[accepted]
            self.errors[pending[accepted]] = now.noise[accepted]
            self.was_rough[pending] |= rough
            # A still smaller step, with still more noise, would be of no use.
            goes_on = ~settled & ~accepted & ~(now.noise > self.errors[pending])
            if attempt == KINK_ATTEMPTS - 1:
                # Bent once may be rounding that happens to look like a kink.
                at_kink = goes_on & (now.crossed | (bent & (self.times_bent[pending] > 1)))
                self.kinks = pending[at_kink]
                goes_on &= ~at_kink
            pending, before = pending[goes_on], now.part(goes_on)

    def _keep_best(self, pending: Indices, before: _Slopes, now: _Slopes, smooth: Flags) -> Flags:
        """Judge the slopes ``before`` by those of the smaller step; return which are certain."""
        with np.errstate(all="ignore"):
            gap = np.abs(before.values - now.values)
            sizes = np.abs(before.values) + np.abs(now.values)
        same = _SAME_SLOPE * sizes
        trusted = smooth & before.usable & now.usable & ~self._on_a_stair(pending, before)
        settled: Flags = trusted & (gap <= same + 4 * now.noise)
        errors = before.noise + np.where(settled, np.minimum(gap, same), gap)
        better = trusted & (errors < self.errors[pending])
        self.values[pending[better]] = before.values[better]
        self.errors[pending[better]] = errors[better]
        return settled

    def _accepts(self, pending: Indices, before: _Slopes, now: _Slopes) -> Flags:
        """Tell where the analytic derivative is right by a step that is worth believing."""
        sharp = now.noise <= self.resolved * np.abs(now.values)
        first_usable = now.usable & ~before.usable
        nothing = (now.values == 0) & (self.analytic[pending] == 0)
        agrees: Flags = (
            self._agrees(pending, now)
            & now.usable
            & ~now.look_bent
            & (sharp | first_usable | nothing)
            & ~self._on_a_stair(pending, now)
        )
        return agrees

    def _on_a_stair(self, pending: Indices, slopes: _Slopes) -> Flags:
        """Tell where a function that rounds coarsely is constant over so small a step."""
        on_a_stair: Flags = self.was_rough[pending] & (slopes.bends == 0)
        return on_a_stair

    def _agrees(self, indices: Indices, slopes: _Slopes) -> Flags:
        a, n = self.analytic[indices], slopes.values
        with np.errstate(all="ignore"):
            sizes = np.abs(a) + np.abs(n)
            agrees: Flags = np.abs(a - n) <= self.tolerance * sizes + slopes.noise
        return agrees & np.isfinite(a)

    def _is_flat(self, slopes: _Slopes) -> Flags:
        with np.errstate(all="ignore"):
            bent = np.abs(slopes.bends) > 16 * slopes.noise
            flat: Flags = (np.abs(slopes.values) <= slopes.noise) & ~bent
        return flat

    def stretch(self) -> None:
        """Where rounding hides the derivative, try a step 64 times the first."""
        a = np.abs(np.nan_to_num(self.analytic))
        sizes = np.maximum(a, np.abs(np.nan_to_num(self.values)))
        hidden = ~(self.errors <= self.resolved * sizes) & (sizes > 0)
        hidden[self.kinks] = False
        indices = np.flatnonzero(hidden)
        if not indices.size:
            return
        far = self.probe.slopes(indices, _STRETCH)
        with np.errstate(all="ignore"):
            errors = far.noise + np.abs(far.values - far.plain)
            fits = ~(np.abs(far.values - self.values[indices]) > self.errors[indices] + errors)
            better = far.usable & fits & (errors <= self.resolved * np.abs(far.values))
        self.values[indices[better]] = far.values[better]
        self.errors[indices[better]] = errors[better]


def _stays_bent(before: _Slopes, now: _Slopes) -> Flags:
    """Tell whether the bend is the same although the step is a sixteenth."""
    was, size = np.abs(before.bends), np.abs(now.bends)
    with np.errstate(all="ignore"):
        same_sign = before.bends * now.bends > 0
        bent: Flags = same_sign & (size > was / 2) & (size < was * 2) & (size > 8 * now.noise)
    return bent


def _grows_bent(before: _Slopes, now: _Slopes) -> Flags:
    """Tell whether a smaller step makes the bend larger, as rounding does and too large a step."""
    was, size = np.abs(before.bends), np.abs(now.bends)
    with np.errstate(all="ignore"):
        grows: Flags = (size > 4 * was) & (size > 8 * now.noise)
    return grows
