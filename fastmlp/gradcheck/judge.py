"""The verdict: which entries are right, which are wrong, and of which nothing can be told."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .diagnosis import Stage, distance, find_pattern, locate, norm, only_penalty_is_wrong
from .kinks import kinks_of
from .numeric import NumericGradient, resolved_share
from .report import Entry, Kink, LayerResult, TensorResult, Verdict
from .slopes import Flags, Indices, Vector
from .subject import Subject, Tensor

_WORST = 5
_UNRESOLVED = 4  # where the error itself is uncertain, so many times the error is no proof
_RESIDUE = 8
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Comparison:
    """Two gradients, and how far they may be apart; the arrays are (entries,).

    Attributes
    ----------
    analytic : float64 array
    numeric : NumericGradient
    residue : float64 array
        By how much the analytic gradient differs a few roundings away from the point.
    changes : bool array
        Where a second call of the analytic gradient returns something else.
    accumulates : bool
        Whether that is because each call adds to the result of the one before.
    tolerance : float
    trouble : str
        Why there is no numeric gradient; empty if there is one.
    """

    analytic: Vector
    numeric: NumericGradient
    residue: Vector
    changes: Flags
    accumulates: bool
    tolerance: float
    trouble: str

    def wrong(self) -> Flags:
        """Tell which entries are wrong for sure, those at a kink aside."""
        a, n, error = self.analytic, self.numeric.values, self.numeric.noise
        if self.trouble:
            return np.zeros(a.size, np.bool_)
        with np.errstate(all="ignore"):
            margin = np.where(self._resolved(), error, _UNRESOLVED * error)
            right = np.abs(a - n) <= self.tolerance * (np.abs(a) + np.abs(n)) + margin
        wrong: Flags = ~np.isfinite(a) | (np.isfinite(error) & ~right)
        return (wrong & ~self.numeric.at_kink) | self.changes

    def unresolved(self) -> Flags:
        """Tell of which entries neither is known: right or wrong."""
        a, n, error = self.analytic, self.numeric.values, self.numeric.noise
        with np.errstate(all="ignore"):
            same = np.abs(a - n) <= self.tolerance * (np.abs(a) + np.abs(n))
            # Rounding is all there is of the one and of the other: that is a right 0.
            nothing = self.numeric.flat & (np.abs(a) <= error)
            nothing &= np.abs(a) <= _RESIDUE * self.residue
        open_ones: Flags = ~self._resolved() & ~(same & np.isfinite(error)) & ~nothing
        return open_ones & ~self.numeric.at_kink & ~self.wrong()

    def _resolved(self) -> Flags:
        a, n = np.abs(self.analytic), np.abs(self.numeric.values)
        with np.errstate(all="ignore"):
            resolved: Flags = self.numeric.noise <= resolved_share(self.tolerance) * np.fmax(a, n)
        return resolved


def judge(subject: Subject, comparison: Comparison) -> dict[str, Any]:
    """Return what a report says of verdicts, tensors, kinks and places."""
    a, numeric = comparison.analytic, comparison.numeric
    kinks = kinks_of(a, numeric, subject.tensors, comparison.tolerance)
    wrong, unresolved = comparison.wrong(), comparison.unresolved()
    results = [
        _judge_tensor(comparison, tensor, kinks, wrong, unresolved) for tensor in subject.tensors
    ]
    verdict = _worst_verdict([result.verdict for result in results])
    reason = comparison.trouble
    only_kinks = bool(kinks) and all(k.cause == "bend" for k in kinks) and numeric.at_kink.all()
    if verdict is Verdict.PASSED and only_kinks:
        verdict = Verdict.CANNOT_TELL
        reason = "every entry lies at a kink, where any slope between those of both sides would do"
    elif verdict is Verdict.CANNOT_TELL and not reason:
        reason = _reason_of(results, comparison.tolerance)
    smooth = ~numeric.at_kink
    return {
        "relative_error": distance(a[smooth], numeric.values[smooth]),
        "cosine": _cosine(a[smooth], numeric.values[smooth]),
        "verdict": verdict,
        "reason": reason if verdict is Verdict.CANNOT_TELL else "",
        "layers": _layers_of(comparison, subject.tensors, results),
        "tensors": results,
        "worst": _worst_of(comparison, subject.tensors),
        "kinks": kinks,
        "location": _location(subject, comparison, results, kinks, wrong),
    }


def _worst_verdict(verdicts: list[Verdict]) -> Verdict:
    for verdict in (Verdict.FAILED, Verdict.CANNOT_TELL):
        if verdict in verdicts:
            return verdict
    return Verdict.PASSED


def _judge_tensor(
    comparison: Comparison, tensor: Tensor, kinks: list[Kink], wrong: Flags, unresolved: Flags
) -> TensorResult:
    entries, numeric = tensor.entries, comparison.numeric
    a, smooth = comparison.analytic[entries], ~numeric.at_kink[entries]
    n = np.where(smooth, numeric.values[entries], a)
    resolution = norm(numeric.noise[entries][smooth])
    norm_a, norm_n = (norm(gradient[smooth]) for gradient in (a, n))
    at_kinks = [kink for kink in kinks if kink.tensor == tensor.name]
    hidden, faulty = int(unresolved[entries].sum()), int(wrong[entries].sum())
    finding, verdict = "", Verdict.PASSED
    if faulty:
        verdict = Verdict.FAILED
        finding = _finding(comparison, tensor, a, n, smooth)
    elif not all(kink.passed for kink in at_kinks):
        verdict, finding = Verdict.FAILED, "wrong at a kink"
    elif (
        comparison.trouble
        or _mostly_hidden(comparison, entries, unresolved)
        or (hidden and not resolution <= resolved_share(comparison.tolerance) * max(norm_a, norm_n))
    ):
        verdict = Verdict.CANNOT_TELL
    return TensorResult(
        name=tensor.name,
        shape=a.shape,
        relative_error=distance(a[smooth], n[smooth]),
        analytic_norm=norm_a,
        numeric_norm=norm_n,
        resolution=resolution,
        kinks=len(at_kinks),
        verdict=verdict,
        finding=finding,
        wrong=faulty + sum(not kink.passed for kink in at_kinks),
        unresolved=hidden,
    )


def _mostly_hidden(comparison: Comparison, entries: Indices, unresolved: Flags) -> bool:
    """Tell whether nothing is known of half the entries of a tensor that count.

    Those next to nothing beside an entry that is known do not.
    """
    smooth = ~comparison.numeric.at_kink[entries]
    sizes, hidden = np.abs(comparison.analytic[entries]), unresolved[entries]
    known = sizes[smooth & ~hidden].max(initial=0.0)
    hidden = hidden & ~((sizes <= _NEGLIGIBLE * known) & (known > 0))
    return bool(hidden.any() and 2 * hidden.sum() >= smooth.sum())


def _finding(comparison: Comparison, tensor: Tensor, a: Vector, n: Vector, smooth: Flags) -> str:
    changes = comparison.changes[tensor.entries].any()
    if changes and comparison.accumulates:
        return "accumulates: a second call adds to what the first has left in the gradient"
    error = comparison.numeric.noise[tensor.entries]
    if changes and np.all((np.abs(a - n) <= comparison.tolerance * np.abs(n) + error)[smooth]):
        return "not repeatable: a second call returns another gradient than the first"
    return find_pattern(a, n, tensor.context)


def _reason_of(results: list[TensorResult], tolerance: float) -> str:
    """Say which tensors are hidden, and behind what."""
    hidden = [result for result in results if result.verdict is Verdict.CANNOT_TELL]
    names = ", ".join(
        f"{result.name} ({result.unresolved:,} of {np.prod(result.shape, dtype=int):,} entries)"
        for result in hidden
    )
    share = resolved_share(tolerance)
    return (
        "rounding hides the gradient, or there is no derivative: whatever the step, differences "
        f"of the function do not give it to within {share:.0%} in {names}"
    )


def _layers_of(
    comparison: Comparison, tensors: list[Tensor], results: list[TensorResult]
) -> list[LayerResult]:
    layers = []
    smooth = ~comparison.numeric.at_kink
    for name in dict.fromkeys(tensor.layer for tensor in tensors):
        entries = np.concatenate([t.entries.ravel() for t in tensors if t.layer == name])
        entries = entries[smooth[entries]]
        error = distance(comparison.analytic[entries], comparison.numeric.values[entries])
        verdicts = [r.verdict for r, t in zip(results, tensors, strict=True) if t.layer == name]
        layers.append(LayerResult(name, error, _worst_verdict(verdicts)))
    return layers


def _location(
    subject: Subject,
    comparison: Comparison,
    results: list[TensorResult],
    kinks: list[Kink],
    wrong: Flags,
) -> str:
    if subject.operations_above is not None:
        return locate(_stages_of(subject.operations_above, comparison, results, subject.tensors))
    (result,) = results
    count = int(wrong.sum()) + sum(not kink.passed for kink in kinks)
    return f"in {count} of the {wrong.size} entries of {result.name}" if count else ""


def _stages_of(
    above: dict[str, list[str]],
    comparison: Comparison,
    results: list[TensorResult],
    tensors: list[Tensor],
) -> list[Stage]:
    wrong: dict[str, list[str]] = {layer: [] for layer in above}
    gets_right_gradient = dict.fromkeys(above, False)
    for tensor, result in zip(tensors, results, strict=True):
        if result.verdict is Verdict.FAILED:
            wrong[tensor.layer].append(result.name.removeprefix(f"{tensor.layer}/"))
        if comparison.changes[tensor.entries].any():
            continue
        # A gradient that is 0 anyway tells nothing; one that lacks just its penalty tells all.
        a = comparison.analytic[tensor.entries]
        n = comparison.numeric.values[tensor.entries]
        gets_right_gradient[tensor.layer] |= (
            result.relative_error <= comparison.tolerance
            and result.numeric_norm > result.resolution
        ) or only_penalty_is_wrong(a, n, tensor.context)
    return [Stage(layer, wrong[layer], gets_right_gradient[layer], above[layer]) for layer in above]


def _worst_of(comparison: Comparison, tensors: list[Tensor]) -> list[Entry]:
    numeric = comparison.numeric
    with np.errstate(all="ignore"):
        difference = np.abs(comparison.analytic - numeric.values) - numeric.noise
    beyond = np.where(numeric.at_kink, -np.inf, np.nan_to_num(difference, nan=np.inf))
    worst = []
    for position in np.argsort(-beyond, kind="stable")[:_WORST]:
        for tensor in tensors:
            where = np.argwhere(tensor.entries == position)
            if where.size:
                a, n = float(comparison.analytic[position]), float(numeric.values[position])
                total = abs(a) + abs(n)
                worst.append(
                    Entry(
                        tensor.name, tuple(map(int, where[0])), a, n,
                        abs(a - n) / total if total else 0.0,
                    )
                )  # fmt: skip
    return worst


def _cosine(a: Vector, n: Vector) -> float:
    """Return the cosine of the angle between the two; NaN if one is 0 or not finite."""
    sizes = [np.abs(vector).max(initial=0.0) for vector in (a, n)]
    if not all(0 < size < np.inf for size in sizes):
        return float("nan")
    a, n = a / sizes[0], n / sizes[1]
    return float(np.vdot(a, n) / (np.linalg.norm(a) * np.linalg.norm(n)))
