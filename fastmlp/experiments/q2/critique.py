"""The critique: what the numbers say about the report's table, in words chosen by the numbers."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from .. import style
from ..lab import Lab
from ..report import Figure, Section, count, listing, table
from . import claims, gradients, models, sweeps

NEAR = 0.1  # nats: losses that count as alike
MARGIN = 0.1  # how far an accuracy must lie outside of what was seen to count as impossible
BEYOND = 2  # standard errors: a difference that counts


@dataclass(frozen=True)
class Seen:
    """Every epoch of every net: its loss, without penalties, beside its accuracy."""

    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    def at(self, loss: float) -> NDArray[np.float64]:
        """Return the accuracies at losses within NEAR."""
        return self.accuracy[np.abs(self.loss - loss) <= NEAR]


def train(lab: Lab) -> None:
    """Nothing: the other parts have trained what this one talks about."""


def seen(lab: Lab, prefix: str) -> Seen:
    """Return the pairs of the run; ``prefix`` is empty for train, or ``val_`` for test."""
    figures = [outcome.figures for outcome in lab.outcomes.values()]
    loss = [f.get(f"{prefix}data_loss", f[f"{prefix}loss"]) for f in figures]
    pairs = np.array(
        [
            pair
            for losses, f in zip(loss, figures, strict=True)
            for pair in zip(losses, f[f"{prefix}accuracy"], strict=True)
        ]
    ).reshape(-1, 2)
    return Seen(*pairs[np.isfinite(pairs).all(axis=1)].T)


def describe(lab: Lab) -> Section | None:
    found = models.findings(lab, subset=False)
    if not found:
        return None
    paragraphs = [
        _table(lab),
        *_overfitting(lab),
        *(_sweep(lab, kind) for kind in sweeps.KINDS if sweeps.points(lab, kind, subset=False)),
        *_gradients(lab),
    ]
    text = "\n\n".join(f"{n}. {paragraph}" for n, paragraph in enumerate(paragraphs, 1))
    caption = (
        "Loss and accuracy of every net of this run, at every epoch, on the test set and in "
        "training; the crosses are the report's figures."
    )
    figure = Figure("loss_accuracy", caption, lambda: draw(lab))
    return Section("The critique", f"{_beside(found)}\n\n{text}", [figure])


def results(lab: Lab) -> str:
    section = describe(lab)
    return section.text if section else ""


def _beside(found: list[models.Findings]) -> str:
    rows: list[list[object]] = []
    for f in found:
        c = f.claim
        rows.append([
            c.name, "report", f"{c.train_loss:.4f}", f"{c.train_accuracy:.4f}",
            f"{c.test_loss:.4f}", f"{c.test_accuracy:.4f}",
        ])  # fmt: skip
        rows.append(
            ["", "here", f.train_loss, f.train_accuracy, f.test_loss, f.test_accuracy]
        )  # fmt: skip
    return table(
        ["model", "", "train loss", "train accuracy", "test loss", "test accuracy"], rows, 2
    )


def _table(lab: Lab) -> str:
    """Hold each reported pair of loss and accuracy against the pairs of this run."""
    impossible: list[str] = []
    possible: list[str] = []
    unknown: list[str] = []
    for prefix, kind in (("", "train"), ("val_", "test")):
        pairs = seen(lab, prefix)
        for claim in claims.MODELS:
            loss = claim.test_loss if prefix else claim.train_loss
            accuracy = claim.test_accuracy if prefix else claim.train_accuracy
            alike = pairs.at(loss)
            name = f"{claim.name}, {kind}: {loss} with {accuracy}"
            if not alike.size:
                unknown.append(name)
                continue
            low, high = float(alike.min()), float(alike.max())
            said = (
                f"{name} ({count(alike.size, 'epoch')} near that loss, accuracy {low:.2f} to "
                f"{high:.2f})"
            )
            fits = low - MARGIN <= accuracy <= high + MARGIN
            (possible if fits else impossible).append(said)
    parts = []
    if impossible:
        parts.append(f"Far outside of all that was seen: {'; '.join(impossible)}.")
    if possible:
        parts.append(f"Within it, or near: {'; '.join(possible)}.")
    if unknown:
        parts.append(f"No epoch of this run has such a loss: {'; '.join(unknown)}.")
    total = len(impossible) + len(possible) + len(unknown)
    reason = (
        " A loss is the mean of -ln p(right class), so a loss near 1 means that the right class "
        "gets a third of the probability or more on a typical sample, and is then mostly the "
        "largest of ten: an accuracy near 0.2 goes with a loss near 2."
        if any(", test:" in said for said in impossible)
        else ""
    )
    title = (
        f"{len(impossible)} of the report's {total} pairs of loss and accuracy cannot be right"
        if impossible
        else "no pair of loss and accuracy in the report is refuted by this run"
    )
    return (
        f"**The report's table: {title}.** Every net of this run, at every epoch, gives a pair to "
        f"compare with (losses within {NEAR:g}).{reason} {' '.join(parts)} (Figure loss_accuracy.)"
    )


def _overfitting(lab: Lab) -> list[str]:
    """Say which model overfits, and what the regularizers change about it."""
    paragraphs = []
    for subset in (False, True):
        found = {f.claim.name: f for f in models.findings(lab, subset=subset)}
        if "none" not in found or len(found) < 2:
            continue
        none = found.pop("none")
        seeds = len(claims.seeds(lab.settings))
        narrower = [name for name, f in found.items() if _differs(none.gap, f.gap, seeds) > 0]
        better = [
            f"{name} ({f.test_accuracy.mean - none.test_accuracy.mean:+.3f})"
            for name, f in found.items()
            if _differs(f.test_accuracy, none.test_accuracy, seeds) > 0
        ]
        worse = [
            f"{name} ({f.test_accuracy.mean - none.test_accuracy.mean:+.3f})"
            for name, f in found.items()
            if _differs(f.test_accuracy, none.test_accuracy, seeds) < 0
        ]
        where = "with few samples" if subset else "with all samples"
        verdict = (
            f"regularization raises test accuracy {where}"
            if better
            else f"no regularizer raises test accuracy {where}"
        )
        sentences = [
            f"Without any, test loss minus train loss is {none.gap.mean:.3f}.",
            f"The gap is narrower with {listing(narrower)}."
            if narrower
            else "No regularizer narrows that gap.",
            f"Test accuracy rises with {listing(better)}." if better else "",
            f"{'It' if better else 'Test accuracy'} falls with {listing(worse)}." if worse else "",
            "" if better or worse else "Test accuracy changes with none by more than chance.",
        ]
        figure = "models_curves_subset" if subset else "models_curves"
        paragraphs.append(
            f"**At the report's strengths, {verdict}.** "
            + " ".join(filter(None, sentences))
            + f" (Differences of more than {BEYOND} standard errors count. Figure {figure}.)"
        )
    return paragraphs


def _differs(a: models.Spread, b: models.Spread, seeds: int) -> int:
    """Return the sign of ``a - b``, or 0 if the seeds don't tell them apart."""
    error = np.hypot(a.deviation, b.deviation) / np.sqrt(seeds)
    difference = a.mean - b.mean
    return int(np.sign(difference)) if abs(difference) > BEYOND * error else 0


def _sweep(lab: Lab, kind: str) -> str:
    claim = next(c for c in claims.MODELS if getattr(c, kind))
    reported = getattr(claim, kind)
    sentences = []
    for subset in (False, True):
        points = sweeps.points(lab, kind, subset=subset)
        if not points:
            continue
        best = min(points, key=lambda p: p.test_loss if np.isfinite(p.test_loss) else np.inf)
        gain = 1 - best.test_loss / points[0].test_loss
        near = min(points, key=lambda p: abs(np.log((p.strength or 1e-9) / reported)))
        where = "few" if subset else "all"
        found = (
            f"the best of the sweep is {best.strength:g}, whose test loss is {gain:.1%} below that "
            "of none"
            if best.strength
            else "no strength of the sweep has a smaller test loss than none"
        )
        sentences.append(
            f"With {where} samples {found}; {near.strength:g}, the strength nearest to the "
            f"report's {reported:g}, is {_REGULARIZED[near.verdict]}."
        )
    return f"**{sweeps.NAMES[kind]}.** {' '.join(sentences)} (Figure sweeps.)"


_REGULARIZED = {
    "under": "under-regularized",
    "well": "well chosen",
    "over": "over-regularized",
}


def _gradients(lab: Lab) -> list[str]:
    found = gradients.findings(lab)
    if not found:
        return []
    worst = max(report.relative_error for _, report in found)
    failed = [claim.name for claim, report in found if not report.passed]
    verdict = (
        f"the gradient of {listing(failed)} is wrong"
        if failed
        else f"{'all four' if len(found) == len(claims.MODELS) else len(found)} gradients are right"
    )
    return [
        f"**The gradient check: {verdict}.** The largest relative error is {worst:.1e}; the "
        f"report's {gradients.REPORTED} is not a small blemish but says that its two vectors had "
        "nothing to do with each other. (Section The gradient check.)"
    ]


def draw(lab: Lab) -> Drawing:
    figure, ((test, train_axis),) = style.subplots(1, 2, 9.5, 3.9, sharex=True, sharey=True)
    for axis, prefix, title in ((test, "val_", "test"), (train_axis, "", "train")):
        pairs = seen(lab, prefix)
        axis.plot(pairs.loss, pairs.accuracy, ".", color=style.BLUE, markersize=2, alpha=0.4)
        for claim, marker in zip(claims.MODELS, "XPD*", strict=True):
            loss = claim.test_loss if prefix else claim.train_loss
            accuracy = claim.test_accuracy if prefix else claim.train_accuracy
            axis.plot(
                loss, accuracy, marker, color=style.RED, markersize=9, linestyle="",
                label=f"report: {claim.name}",
            )  # fmt: skip
        axis.set_title(title)
        axis.set_xlabel("loss (nats)")
        axis.set_xlim(0, 1.1 * lab.entropy)
        axis.set_ylim(0, 1)
    test.set_ylabel("accuracy")
    train_axis.legend(loc="lower left")
    return figure
