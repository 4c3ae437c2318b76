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

from dataclasses import dataclass, field

import numpy as np

from .slopes import KINK_ATTEMPTS, Flags, Indices, Probe, Question, Slopes, Vector

ATTEMPTS = 13
_RESOLVED = 1e-2
_STRETCH = -1.5  # the attempt with a step 64 times the first
_SAME_SLOPE = 1e-8  # relative


def resolved_share(tolerance: float) -> float:
    """Return the share of a derivative below which an error leaves its sign and size known."""
    return max(_RESOLVED, 4 * tolerance)


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
        Moving this entry changes the function by no more than the rounding of its values.
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


def numeric_gradient(question: Question, analytic: Vector, tolerance: float) -> NumericGradient:
    """Differentiate by every entry, until the result agrees with ``analytic`` or is certain."""
    probe = Probe(question)
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

    probe: Probe
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
        with np.errstate(all="ignore"):
            bent = np.abs(first.bends) > 16 * first.noise
            self.flat = (np.abs(first.values) <= first.noise) & ~bent
        self.kinks = everything[:0]
        self.was_rough = np.zeros(everything.size, np.bool_)
        self.times_bent = np.zeros(everything.size, np.int64)
        accepted = self._agrees(everything, first) & first.usable & ~first.look_bent
        pending, before = everything[~accepted], first.part(~accepted)
        self.errors[pending] = np.inf
        self.probe.measure_noise(pending[~before.crossed])
        with np.errstate(all="ignore"):
            before.noise = np.maximum(before.noise, self.probe.noise[pending] / before.width)
        self._shrink(pending, before)

    def _shrink(self, pending: Indices, before: Slopes) -> None:
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

    def _keep_best(self, pending: Indices, before: Slopes, now: Slopes, smooth: Flags) -> Flags:
        """Judge the slopes ``before`` by those of the smaller step; return which are certain."""
        with np.errstate(all="ignore"):
            gap = np.abs(before.values - now.values)
            sizes = np.abs(before.values) + np.abs(now.values)
        trusted = smooth & before.usable & now.usable & ~self._on_a_stair(pending, before)
        settled: Flags = trusted & (gap <= _SAME_SLOPE * sizes + 4 * now.noise)
        errors = before.noise + gap
        better = trusted & (errors < self.errors[pending])
        self.values[pending[better]] = before.values[better]
        self.errors[pending[better]] = errors[better]
        return settled

    def _accepts(self, pending: Indices, before: Slopes, now: Slopes) -> Flags:
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

    def _on_a_stair(self, pending: Indices, slopes: Slopes) -> Flags:
        """Tell where a function that rounds coarsely is constant over so small a step."""
        on_a_stair: Flags = self.was_rough[pending] & (slopes.bends == 0)
        return on_a_stair

    def _agrees(self, indices: Indices, slopes: Slopes) -> Flags:
        a, n = self.analytic[indices], slopes.values
        with np.errstate(all="ignore"):
            sizes = np.abs(a) + np.abs(n)
            agrees: Flags = np.abs(a - n) <= self.tolerance * sizes + slopes.noise
        return agrees & np.isfinite(a)

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


def _stays_bent(before: Slopes, now: Slopes) -> Flags:
    """Tell whether the bend is the same although the step is a sixteenth."""
    was, size = np.abs(before.bends), np.abs(now.bends)
    with np.errstate(all="ignore"):
        same_sign = before.bends * now.bends > 0
        bent: Flags = same_sign & (size > was / 2) & (size < was * 2) & (size > 8 * now.noise)
    return bent


def _grows_bent(before: Slopes, now: Slopes) -> Flags:
    """Tell whether a smaller step makes the bend larger, as rounding does and too large a step."""
    was, size = np.abs(before.bends), np.abs(now.bends)
    with np.errstate(all="ignore"):
        grows: Flags = (size > 4 * was) & (size > 8 * now.noise)
    return grows
