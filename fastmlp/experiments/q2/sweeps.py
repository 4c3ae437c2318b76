"""The sweeps: how much of each regularizer is too little, right, or too much."""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from .. import style
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, Statement, count, listing, table
from . import claims
from .claims import Claim
from .endings import Ending, difference, endings
from .intervals import Interval

STRENGTHS = {
    "l1": (1e-4, 3e-4, 1e-3, 1e-2),
    "l2": (3e-4, 5e-3, 2e-2, 1e-1),
    "dropout": (0.02, 0.1, 0.5, 0.75),
}
NAMES = {"l1": "L1, λ", "l2": "L2, λ", "dropout": "dropout, rate"}
CLAIMS = {claim.kind: claim for claim in claims.REGULARIZED}
KINDS = tuple(STRENGTHS)

# A strength is right if its test loss is shown to be within this share of the best.
TOLERANCE = 0.01

Verdict = Literal["under", "well", "over", "undecided", "diverged", "nothing learned"]

_WORDS: dict[str, str] = {
    "under": "under-regularized: a stronger one has a lower test loss",
    "well": f"well chosen: no other has a test loss lower by {TOLERANCE:.0%}",
    "over": "over-regularized: a weaker one has a lower test loss",
}


@dataclass(frozen=True)
class Point:
    """A strength, 0 being none, with what its seeds show."""

    strength: float
    ends: list[Ending]
    train_loss: Interval
    test_loss: Interval
    gap: Interval
    test_accuracy: Interval
    gain: Interval  # test loss less that of strength 0
    verdict: Verdict

    @property
    def learned(self) -> int:
        return sum(end.learned for end in self.ends)

    @property
    def diverged(self) -> int:
        return sum(end.diverged for end in self.ends)


def strengths(lab: Lab, kind: str) -> list[float]:
    """Return 0, the sweep's strengths and the model's own, in order."""
    return sorted({0.0, *STRENGTHS[kind], claims.own_strength(lab.settings, CLAIMS[kind])})


def nets(lab: Lab, kind: str, strength: float, *, subset: bool) -> list[Net]:
    """Return the nets of a strength; all of a sweep have the learning rate of its model."""
    return [
        claims.net(lab, CLAIMS[kind], seed, subset=subset, strength=strength)
        for seed in claims.sweep_seeds(lab.settings)
    ]


def train(lab: Lab) -> None:
    for subset in (False, True):
        for kind in KINDS:
            title = f"Sweep of {kind}{', few samples' if subset else ''}"
            lab.train(
                title,
                [n for s in strengths(lab, kind) for n in nets(lab, kind, s, subset=subset)],
            )


def points(lab: Lab, kind: str, *, subset: bool) -> list[Point]:
    """Return a sweep, from no regularization on; empty unless two strengths are complete."""
    sweep = {s: nets(lab, kind, s, subset=subset) for s in strengths(lab, kind)}
    done = {s: mine for s, mine in sweep.items() if len(lab.done(mine)) == len(mine)}
    if len(done) < 2 or 0.0 not in done:
        return []
    ends = {s: endings(lab, mine) for s, mine in done.items()}
    found = []
    for s, mine in done.items():
        found.append(
            Point(
                s,
                ends[s],
                Interval.of([end.train_loss for end in ends[s]]),
                Interval.of([end.test_loss for end in ends[s]]),
                Interval.of([end.gap for end in ends[s]]),
                Interval.of([end.test_accuracy for end in ends[s]]),
                difference(lab, mine, done[0.0], lambda end: end.test_loss, len(done) - 1),
                _verdict(lab, s, done, ends),
            )
        )
    return found


def _verdict(
    lab: Lab, strength: float, nets: dict[float, list[Net]], ends: dict[float, list[Ending]]
) -> Verdict:
    """Judge a strength by its differences from the others, seed by seed."""
    if not any(end.learned for these in ends.values() for end in these):
        return "nothing learned"
    if any(end.diverged for end in ends[strength]):
        return "diverged"
    finite = {s for s, these in ends.items() if not any(end.diverged for end in these)}
    slack = TOLERANCE * min(float(np.mean([e.test_loss for e in ends[s]])) for s in finite)
    excess = {
        other: difference(
            lab, nets[strength], nets[other], lambda end: end.test_loss, len(nets) - 1
        )
        for other in finite - {strength}
    }
    better = {other: d.low for other, d in excess.items() if d.low > slack}
    if better:
        return "under" if max(better, key=better.__getitem__) > strength else "over"
    shown = excess and all(d.high <= slack for d in excess.values())
    return "well" if shown and all(end.learned for end in ends[strength]) else "undecided"


def describe(lab: Lab) -> Section | None:
    found = {
        (kind, subset): points(lab, kind, subset=subset)
        for subset in (False, True)
        for kind in KINDS
    }
    if not any(found.values()):
        return None
    seeds = count(len(claims.sweep_seeds(lab.settings)), "seed")
    parts = [
        "Each regularizer alone, from none to far too much, at the learning rate of the report's "
        f"model with it, {seeds} each; the strength of that model is among them, marked with a "
        "star. Means ± half the width of the 95 % t interval. A strength is called *well* chosen "
        "if its test loss is shown (by the intervals of the differences, seed by seed, from all "
        f"others) to be within {TOLERANCE:.0%} of the best, *under* if a stronger one is shown to "
        "be better by more, *over* if a weaker one is, and else *undecided*. The intervals of "
        "these differences are widened for their number in a sweep (Bonferroni)."
    ]
    statements = []
    for subset in (False, True):
        for kind in KINDS:
            if found[kind, subset]:
                samples = claims.few(lab) if subset else len(lab.dataset.train[0])
                title = f"{NAMES[kind]} ({'the first' if subset else 'all'} {samples:,} samples)"
                said = statement(lab, kind, found[kind, subset], subset=subset)
                statements.append(said)
                parts += [_table(lab, kind, title, found[kind, subset]), said.text]
    caption = (
        "Train and test loss (without penalties) by strength, on all samples (above) and on few "
        "(below), with 95 % t intervals; the dotted line is the strength of the report's model, "
        "or that asked for. Leftmost: no regularization. Green: shown to be within 1 % of the "
        "best. Strengths at which a net diverged are left out; intervals may reach beyond the axis."
    )
    return Section(
        "The sweeps", "\n\n".join(parts), [Figure("sweeps", caption, lambda: draw(lab))], statements
    )


def statement(lab: Lab, kind: str, found: list[Point], *, subset: bool) -> Statement:
    """Say what a sweep shows, if it shows something."""
    own = claims.own_strength(lab.settings, CLAIMS[kind])
    mine = next((p for p in found if p.strength == own), None)
    lower = [p.strength for p in found[1:] if p.gain.sign < 0]
    higher = [p.strength for p in found[1:] if p.gain.sign > 0]
    quantities = {
        "kind": kind,
        "subset": subset,
        "own": own,
        "verdict": mine.verdict if mine else None,
        "lower": lower,
        "higher": higher,
        "learned": sum(p.learned for p in found),
        "nets": sum(len(p.ends) for p in found),
        "diverged": sum(p.diverged for p in found),
        "seeds": len(found[0].ends),
    }
    head = f"{NAMES[kind].partition(',')[0]}, {'few' if subset else 'all'} samples:"
    text = f"{head} {_found(CLAIMS[kind], found, mine, lower, higher)}"
    return Statement("sweep", text, quantities)


def _found(
    claim: Claim, found: list[Point], mine: Point | None, lower: list[float], higher: list[float]
) -> str:
    diverged, nets = sum(p.diverged for p in found), sum(len(p.ends) for p in found)
    if not any(p.learned for p in found):
        why = f"{diverged} of {nets} diverged" if diverged else "none diverged"
        return f"no net of this sweep learned ({why}), so no strength can be judged."
    n = len(found[0].ends)
    if n < 2:
        return "one seed cannot tell a strength from another."
    sentences = []
    if any(end.diverged for end in found[0].ends):
        sentences.append("without it, nets diverged, so there is nothing to compare with.")
    else:
        if lower:
            sentences.append(f"test loss is lower than without it at {_strengths(lower)}.")
        if higher:
            also = "" if not lower else "it is "
            noun = "test loss is " if not lower else also
            sentences.append(f"{noun}higher than without it at {_strengths(higher)}.")
        rest = len(found) - 1 - len(lower) - len(higher)
        if rest:
            some = "the others" if lower or higher else "all strengths"
            sentences.append(f"for {some} ({rest}), {n} seeds don't tell.")
    if mine and mine.strength:
        whose = "the report's" if mine.strength == claim.strength else "the one asked for"
        verdict = _WORDS.get(mine.verdict)
        sentences.append(
            f"{mine.strength:g}, {whose}, is {verdict}."
            if verdict
            else f"{mine.strength:g}, {whose}, cannot be judged: "
            + (f"{mine.diverged} of {n} nets diverged." if mine.diverged else
               f"undecided with {n} seeds.")
        )  # fmt: skip
    return " ".join([sentences[0], *(s[0].upper() + s[1:] for s in sentences[1:])])


def _strengths(values: list[float]) -> str:
    return listing([f"{value:g}" for value in values])


def results(lab: Lab) -> list[dict[str, object]]:
    return [
        {
            "kind": kind,
            "subset": subset,
            "strength": p.strength,
            "learned": p.learned,
            "diverged": p.diverged,
            "seeds": len(p.ends),
            "verdict": p.verdict,
            **{
                name: asdict(getattr(p, name))
                for name in ("train_loss", "test_loss", "gap", "test_accuracy", "gain")
            },
        }
        for subset in (False, True)
        for kind in KINDS
        for p in points(lab, kind, subset=subset)
    ]


def _table(lab: Lab, kind: str, title: str, found: list[Point]) -> str:
    own = claims.own_strength(lab.settings, CLAIMS[kind])
    return table(
        [title, "train loss", "test loss", "gap", "test accuracy", "learned", "verdict"],
        [
            [
                f"{p.strength:g}" + (" *" if p.strength == own else ""), p.train_loss,
                p.test_loss, p.gap, p.test_accuracy, f"{p.learned} of {len(p.ends)}", p.verdict,
            ]
            for p in found
        ],
    )  # fmt: skip


def draw(lab: Lab) -> Drawing:
    rows = [s for s in (False, True) if any(points(lab, kind, subset=s) for kind in KINDS)]
    figure, axes = style.subplots(len(rows), len(KINDS), 10.5, 3.2 * len(rows), sharey="row")
    for row, subset in enumerate(rows):
        for axis, kind in zip(axes[row], KINDS, strict=True):
            found = points(lab, kind, subset=subset)
            own = claims.own_strength(lab.settings, CLAIMS[kind])
            for place, point in enumerate(found):
                if point.verdict == "well":
                    axis.axvspan(
                        place - 0.5, place + 0.5, color=style.GREEN, alpha=0.15, lw=0,
                        label="shown to be within 1 % of the best test loss",
                    )  # fmt: skip
                if point.strength == own:
                    axis.axvline(
                        place, color=style.BLACK, linestyle=":", linewidth=1.2,
                        label="the report's strength, or that asked for",
                    )  # fmt: skip
            for name, marker, colour, label, aside in (
                ("train_loss", "o-", style.BLUE, "train", -0.07),
                ("test_loss", "s--", style.ORANGE, "test", 0.07),
            ):
                kept = [(i, getattr(p, name)) for i, p in enumerate(found) if not p.diverged]
                reach = [0.0 if np.isnan(v.reach) else v.reach for _, v in kept]
                axis.errorbar(
                    [i + aside for i, _ in kept], [v.mean for _, v in kept], reach, fmt=marker,
                    color=colour, label=label, markersize=4, capsize=2.5,
                )  # fmt: skip
            axis.set_xticks(range(len(found)), [f"{p.strength:g}" for p in found], rotation=45)
            axis.set_xlim(-0.5, max(len(found), 1) - 0.5)
            if row == len(rows) - 1:
                axis.set_xlabel(NAMES[kind])
        samples = claims.few(lab) if subset else len(lab.dataset.train[0])
        axes[row][0].set_ylabel(f"loss (nats), {samples:,} samples")
        _set_height(lab, axes[row][0], [p for k in KINDS for p in points(lab, k, subset=subset)])
    style.legend_below(figure, [axis for row in axes for axis in row])
    return figure


def _set_height(lab: Lab, axis: Axes, found: list[Point]) -> None:
    """Show every mean; where some are huge, the axis is logarithmic above the entropy."""
    means = [v for p in found for v in (p.test_loss.mean, p.train_loss.mean)]
    top = max((v for v in means if np.isfinite(v)), default=lab.entropy)
    if top > 5 * lab.entropy:
        axis.set_yscale("symlog", linthresh=lab.entropy)
    axis.set_ylim(0, 1.15 * max(top, lab.entropy))
