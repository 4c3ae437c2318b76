"""The sweeps: how much of each regularizer is too little, right, or too much."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from matplotlib.figure import Figure as Drawing

from .. import style
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, count, table
from . import claims, models

STRENGTHS = {
    "l1": (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
    "l2": (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1),
    "dropout": (0.02, 0.05, 0.1, 0.25, 0.5, 0.75),
}
NAMES = {"l1": "L1, λ", "l2": "L2, λ", "dropout": "dropout, rate"}
KINDS = tuple(STRENGTHS)

# A strength is right if its test loss is within this share of the best.
TOLERANCE = 0.01

Verdict = Literal["under", "well", "over"]


@dataclass(frozen=True)
class Point:
    """A strength, 0 being none, with the means over its seeds and what they amount to."""

    strength: float
    train_loss: float
    test_loss: float
    test_accuracy: float
    verdict: Verdict


def nets(lab: Lab, kind: str, strength: float, *, subset: bool) -> list[Net]:
    """Return the nets of a strength; all of a sweep share the learning rate of the plain net."""
    claim = replace(claims.MODELS[0], **{kind: strength})  # type: ignore[arg-type]
    return [
        claims.net(lab.settings, claim, seed, subset=subset)
        for seed in claims.sweep_seeds(lab.settings)
    ]


def train(lab: Lab) -> None:
    for subset in (False, True):
        for kind, strengths in STRENGTHS.items():
            title = f"Sweep of {kind}{', subset' if subset else ''}"
            lab.train(title, [n for s in strengths for n in nets(lab, kind, s, subset=subset)])


def points(lab: Lab, kind: str, *, subset: bool) -> list[Point]:
    """Return a sweep, from no regularization on; empty if nothing of it has been trained."""
    means = []
    for strength in (0.0, *STRENGTHS[kind]):
        done = lab.done(nets(lab, kind, strength, subset=subset))
        if done:
            train = float(np.mean([lab.outcomes[net].measured["train_loss"] for net in done]))
            test = float(np.mean([models.test_loss(lab, net) for net in done]))
            accuracy = float(np.mean([lab.test_accuracy(net) for net in done]))
            means.append((strength, train, test, accuracy))
    if len(means) < 2:
        return []
    losses = [test if np.isfinite(test) else np.inf for _, _, test, _ in means]
    best = min(losses)
    right = [i for i, loss in enumerate(losses) if loss <= (1 + TOLERANCE) * best]
    verdicts: list[Verdict] = [
        "well" if i in right else "under" if i < losses.index(best) else "over"
        for i in range(len(means))
    ]
    return [Point(*mean, verdict) for mean, verdict in zip(means, verdicts, strict=True)]


def describe(lab: Lab) -> Section | None:
    found = {
        (kind, subset): points(lab, kind, subset=subset)
        for subset in (False, True)
        for kind in KINDS
    }
    if not any(found.values()):
        return None
    few = claims.net(lab.settings, claims.MODELS[0], subset=True).samples
    seeds = count(len(claims.sweep_seeds(lab.settings)), "seed")
    parts = [
        "Each regularizer alone, from none to far too much, at the learning rate of the plain "
        f"net, {seeds} each. A strength is *well* chosen "
        f"if its mean test loss is within {TOLERANCE:.0%} of the sweep's best; *under* are the "
        "weaker, *over* the stronger ones."
    ]
    for subset in (False, True):
        for kind in KINDS:
            if found[kind, subset]:
                where = f"{few:,} samples" if subset else "all samples"
                parts.append(_table(f"{NAMES[kind]} ({where})", found[kind, subset]))
    caption = (
        "Train and test loss by strength, on all samples (above) and on few (below); the green "
        "band is where the test loss is within 1 % of its best. Leftmost: no regularization."
    )
    return Section("The sweeps", "\n\n".join(parts), [Figure("sweeps", caption, lambda: draw(lab))])


def results(lab: Lab) -> list[dict[str, object]]:
    return [
        {"kind": kind, "subset": subset, **vars(point)}
        for subset in (False, True)
        for kind in KINDS
        for point in points(lab, kind, subset=subset)
    ]


def _table(title: str, found: list[Point]) -> str:
    return table(
        [title, "train loss", "test loss", "gap", "test accuracy", "regularized"],
        [
            [
                f"{p.strength:g}", f"{p.train_loss:.3f}", f"{p.test_loss:.3f}",
                f"{p.test_loss - p.train_loss:.3f}", f"{p.test_accuracy:.3f}", p.verdict,
            ]
            for p in found
        ],
    )  # fmt: skip


def draw(lab: Lab) -> Drawing:
    rows = [subset for subset in (False, True) if points(lab, KINDS[0], subset=subset)]
    figure, axes = style.subplots(len(rows), len(KINDS), 10.5, 3.1 * len(rows), sharey="row")
    for row, subset in enumerate(rows):
        for axis, kind in zip(axes[row], KINDS, strict=True):
            found = points(lab, kind, subset=subset)
            places = range(len(found))
            for place, point in zip(places, found, strict=True):
                if point.verdict == "well":
                    axis.axvspan(place - 0.5, place + 0.5, color=style.GREEN, alpha=0.15, lw=0)
            train, test = [p.train_loss for p in found], [p.test_loss for p in found]
            axis.plot(places, train, "o-", color=style.BLUE, label="train")
            axis.plot(places, test, "s--", color=style.ORANGE, label="test")
            axis.set_xticks(places, [f"{p.strength:g}" for p in found], rotation=45)
            if row == len(rows) - 1:
                axis.set_xlabel(NAMES[kind])
        few = claims.net(lab.settings, claims.MODELS[0], subset=True).samples
        axes[row][0].set_ylabel(f"loss, {few:,} samples" if subset else "loss, all samples")
        axes[row][0].set_ylim(0, None)
    axes[0][0].legend(loc="upper left")
    return figure
