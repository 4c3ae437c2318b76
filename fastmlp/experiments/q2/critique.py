"""The critique: what the numbers say about the report's table, in words chosen by the numbers."""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from .. import style
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, Statement, count, listing, table
from . import claims, models
from .claims import Claim
from .endings import difference
from .intervals import Interval

NEAR = 0.1  # nats: losses that count as alike
MARGIN = 0.1  # how far an accuracy must lie outside of what was seen to count as refuted
# Fewer epochs near a loss, or of fewer nets, are no evidence.
MIN_EPOCHS, MIN_NETS = 20, 4

Answer = Literal["refuted", "fits", "unknown", ""]


@dataclass(frozen=True)
class Pairs:
    """Loss and accuracy of some nets at every epoch; ``net`` tells the nets apart."""

    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    net: NDArray[np.int64]

    def where(self, chosen: NDArray[np.bool_]) -> "Pairs":
        return Pairs(self.loss[chosen], self.accuracy[chosen], self.net[chosen])

    @property
    def suffice(self) -> bool:
        return self.loss.size >= MIN_EPOCHS and np.unique(self.net).size >= MIN_NETS


@dataclass(frozen=True)
class Held:
    """A pair of the report, held against this run under both readings of its loss.

    ``plain`` and ``penalized`` are the answers if the loss is without and with the penalty (empty:
    the model has none); the ranges are of accuracies seen near that loss, or NaN.
    """

    claim: Claim
    test: bool
    loss: float
    accuracy: float
    epochs: int
    low: float
    high: float
    plain: Answer
    penalized_epochs: int
    penalized_low: float
    penalized_high: float
    penalized: Answer

    @property
    def answer(self) -> Answer:
        """Return refuted only if it is under every reading, fits if it does under one."""
        answers = [a for a in (self.plain, self.penalized) if a]
        if "fits" in answers:
            return "fits"
        return "refuted" if set(answers) == {"refuted"} else "unknown"

    @property
    def name(self) -> str:
        kind = "test" if self.test else "train"
        return f"{self.claim.name}, {kind}: {self.loss:.4f} with {self.accuracy:.4f}"


def train(lab: Lab) -> None:
    """Nothing: the other parts have trained what this one talks about."""


def pairs(lab: Lab, nets: list[Net], prefix: str, *, penalized: bool) -> Pairs:
    """Return the pairs of every epoch; ``prefix`` is empty for train, or ``val_`` for test."""
    rows: list[tuple[float, float, int]] = []
    for number, net in enumerate(nets):
        figures = lab.outcomes[net].figures
        with_penalty = figures.get(f"{prefix}loss", [])
        losses = with_penalty if penalized else figures.get(f"{prefix}data_loss", with_penalty)
        accuracies = figures.get(f"{prefix}accuracy", [])
        rows += [(a, b, number) for a, b in zip(losses, accuracies, strict=True)]
    array = np.array(rows, float).reshape(-1, 3)
    array = array[np.isfinite(array).all(axis=1)]
    return Pairs(array[:, 0], array[:, 1], array[:, 2].astype(np.int64))


def held(lab: Lab) -> list[Held]:
    """Hold each of the report's pairs against the pairs of this run."""
    found = []
    everything = list(lab.outcomes)
    for test in (False, True):
        prefix = "val_" if test else ""
        plain = pairs(lab, everything, prefix, penalized=False)
        for claim in claims.MODELS:
            loss, accuracy = (
                (claim.test_loss, claim.test_accuracy)
                if test
                else (claim.train_loss, claim.train_accuracy)
            )
            near = plain.where(np.abs(plain.loss - loss) <= NEAR)
            low, high = _range(near)
            n_low, n_high, size, answer = np.nan, np.nan, 0, ""
            if claim.kind in ("l1", "l2"):
                own = [n for n in everything if getattr(n, claim.kind) == claim.strength]
                total = pairs(lab, own, prefix, penalized=True)
                near_total = total.where(np.abs(total.loss - loss) <= NEAR)
                n_low, n_high = _range(near_total)
                size = near_total.loss.size
                answer = _answer(near_total, accuracy)
                # A penalty only adds: the data's loss is the printed one or less.
                below = plain.where(plain.loss <= loss + NEAR)
                if answer == "unknown" and _too_low(below, accuracy):
                    answer = "refuted"
            found.append(
                Held(claim, test, loss, accuracy, near.loss.size, low, high,
                     _answer(near, accuracy), size, n_low, n_high, answer)  # type: ignore[arg-type]
            )  # fmt: skip
    return found


def _range(near: Pairs) -> tuple[float, float]:
    if not near.accuracy.size:
        return np.nan, np.nan
    return float(near.accuracy.min()), float(near.accuracy.max())


def _answer(near: Pairs, accuracy: float) -> Answer:
    """Judge an accuracy by those near the same loss: refuted, fits, or unknown."""
    low, high = _range(near)
    if low <= accuracy <= high:
        return "fits"
    outside = accuracy < low - MARGIN or accuracy > high + MARGIN
    return "refuted" if outside and near.suffice else "unknown"


def _too_low(below: Pairs, accuracy: float) -> bool:
    return below.suffice and accuracy < _range(below)[0] - MARGIN


def describe(lab: Lab) -> Section | None:
    found = models.findings(lab, subset=False)
    if not found:
        return None
    said = [assumptions(lab), *table_of_pairs(lab), *overfits_most(lab), two_changes()]
    text = "\n\n".join(f"{n}. {statement.text}" for n, statement in enumerate(said, 1))
    hidden = sum(_hidden(lab, prefix) for prefix in ("val_", ""))
    caption = (
        "Loss (without penalties) and accuracy of the nets of this run, at every epoch, on the "
        "test set and in training; the large marks are the report's figures."
        + (f" Points beyond the right edge, not shown: {hidden}." if hidden else "")
    )  # fmt: skip
    figure = Figure("loss_accuracy", caption, lambda: draw(lab))
    return Section("The critique", f"{_beside(found)}\n\n{text}", [figure], said)


def results(lab: Lab) -> dict[str, object]:
    return {
        "departures": claims.departures(lab),
        "pairs": [
            {
                **{key: value for key, value in asdict(h).items() if key != "claim"},
                "model": h.claim.name,
                "answer": h.answer,
            }
            for h in held(lab)
        ],
    }


def _beside(found: list[models.Findings]) -> str:
    names = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
    rows: list[list[object]] = []
    for f in found:
        c = f.claim
        rows.append([c.name, "report", *(f"{getattr(c, name):.4f}" for name in names)])
        rows.append(["", "here", *(f.figures[name] for name in names)])
        if c.kind in ("l1", "l2"):
            penalized = ("train_penalized", "train_accuracy", "test_penalized", "test_accuracy")
            rows.append(["", "here, with the penalty", *(f.figures[name] for name in penalized)])
    columns = ["model", "", *(name.replace("_", " ") for name in names)]
    return table(columns, rows, 2)


def assumptions(lab: Lab) -> Statement:
    """Say what the report leaves open, and in what this run is not the report's."""
    found = claims.departures(lab)
    text = (
        "**What is assumed.** The report does not say which data set it used, how inputs were "
        "scaled, the activation, the initialization, nor whether its losses include the penalty. "
        "Here: Fashion-MNIST if nothing else was asked for, scaled to [0, 1], ReLU, PyTorch's "
        "default initialization; both readings of the loss are considered."
    )
    if found:
        text += (
            f" This run is not comparable with the report's: {'; '.join(found)}. So no figure of "
            "the report is judged by it; a run without options would be comparable."
        )
    return Statement("assumptions", text, {"departures": found})


def table_of_pairs(lab: Lab) -> list[Statement]:
    """Hold the report's pairs of loss and accuracy against this run's, if they are comparable."""
    if claims.departures(lab):
        return []
    found = held(lab)
    refuted = [h for h in found if h.answer == "refuted"]
    fits = [h for h in found if h.answer == "fits"]
    unknown = [h for h in found if h.answer == "unknown"]
    title = (
        f"{len(refuted)} of its {len(found)} pairs of loss and accuracy are refuted"
        if refuted
        else "no pair of loss and accuracy is refuted by this run"
    )
    parts = [
        f"**The report's table: {title}.** Every net of this run, at every epoch, gives a pair to "
        f"compare with. A pair is refuted if, under each reading of the loss (without the penalty, "
        f"and with it where the model has one), no epoch with a loss within {NEAR:g} has an "
        f"accuracy within {MARGIN:g} of the printed one, of at least {MIN_EPOCHS} epochs of "
        f"{MIN_NETS} nets. Where too few penalized losses are near, it is enough that all epochs "
        "with a smaller loss without penalty, which only adds, have an accuracy that is higher by "
        "more than that."
    ]
    if refuted:
        parts.append(f"Refuted: {'; '.join(map(_seen, refuted))}.")
        if any(h.test and h.accuracy < h.low for h in refuted):
            parts.append(
                "A loss is the mean of -ln p(right class): one near 1 means that the right class "
                "gets a third of the probability or more on a typical sample, and is then mostly "
                "the largest of ten. This is no theorem (a net could always put the right class "
                "second), but no trained net here is like that."
            )
    if fits:
        parts.append(f"Seen: {'; '.join(map(_seen, fits))}.")
    if unknown:
        parts.append(f"Not decided: {'; '.join(map(_seen, unknown))}.")
    parts.append("(Figure loss_accuracy.)")
    quantities = {h.name: h.answer for h in found}
    return [Statement("pairs", " ".join(parts), quantities)]


def _seen(h: Held) -> str:
    plain = _near(h.epochs, h.low, h.high)
    if not h.penalized:
        return f"{h.name} ({plain})"
    other = _near(h.penalized_epochs, h.penalized_low, h.penalized_high)
    if h.penalized == "refuted" and not h.penalized_epochs:
        other += ", but without its penalty the loss is smaller still"
    return f"{h.name} (without penalty: {plain}; with it: {other})"


def _near(epochs: int, low: float, high: float) -> str:
    if not epochs:
        return "no epoch has such a loss"
    return f"{count(epochs, 'epoch')} near that loss, accuracy {low:.2f} to {high:.2f}"


def overfits_most(lab: Lab) -> list[Statement]:
    """Judge the claim that L2 overfits most: by the report's losses, and by ours."""
    gaps = {c.name: c.test_loss - c.train_loss for c in claims.MODELS}
    most = max(gaps, key=gaps.__getitem__)
    accuracy = {c.name: c.train_accuracy - c.test_accuracy for c in claims.MODELS}
    text = (
        "**L2 overfits most, says the report.** By its own losses it does not: test minus train "
        f"loss is {listing([f'{gap:+.4f} ({name})' for name, gap in gaps.items()])}, largest for "
        f"the {most} net; only the difference of the accuracies "
        f"({listing([f'{gap:.2f} ({name})' for name, gap in accuracy.items()])}) is largest for "
        f"{max(accuracy, key=accuracy.__getitem__)}, and it rests on the test accuracies."
    )
    quantities: dict[str, object] = {"report_gaps": gaps, "report_accuracy_gaps": accuracy}
    for subset in models.ARMS:
        answer, numbers = _ours(lab, subset=subset)
        quantities["subset" if subset else "full"] = numbers
        text += f" {answer}"
    return [Statement("overfits", text, quantities)]


def _ours(lab: Lab, *, subset: bool) -> tuple[str, dict[str, object]]:
    where = "few" if subset else "all"
    found = models.findings(lab, subset=subset)
    if len(found) < len(claims.MODELS):
        return f"With {where} samples, not all models were trained.", {}
    if any(f.diverged for f in found):
        return f"Here, with {where} samples, nets diverged, so gaps cannot be compared.", {}
    if not all(f.learned for f in found):
        stuck = listing([f.claim.name for f in found if not f.learned])
        return f"Here, with {where} samples, no net learned with {stuck}: no comparison.", {}
    nets = {f.claim.name: models.nets(lab, f.claim, subset=subset) for f in found}
    others: dict[str, Interval] = {
        name: difference(lab, nets["L2"], mine, lambda end: end.gap)
        for name, mine in nets.items()
        if name != "L2"
    }
    numbers: dict[str, object] = {name: asdict(d) for name, d in others.items()}
    n = len(claims.seeds(lab.settings))
    if n < 2:
        return f"Here, with {where} samples, one seed cannot tell.", numbers
    spoken = {claim.name: claim.spoken for claim in claims.MODELS}
    larger = [f"{spoken[name]} ({-d.mean:+.3f})" for name, d in others.items() if d.sign < 0]
    smaller = [f"{spoken[name]} ({-d.mean:+.3f})" for name, d in others.items() if d.sign > 0]
    if larger:
        answer = f"it does not: the gap is larger than L2's for {listing(larger)}"
    elif len(smaller) == len(others):
        answer = "it does: the gap is smaller for all others"
    else:
        answer = f"that is undecided with {n} seeds"
    if smaller and larger:
        answer += f", and smaller for {listing(smaller)}"
    return f"Here, with {where} samples, {answer} (95 % t intervals of paired seeds).", numbers


def two_changes() -> Statement:
    names = [c.name for c in claims.REGULARIZED if c.learning_rate != claims.PLAIN.learning_rate]
    return Statement(
        "two changes",
        f"**Two changes at once.** In the report, {listing(names)} have another learning rate than "
        f"the unregularized net ({claims.MODELS[2].learning_rate:g} and "
        f"{claims.PLAIN.learning_rate:g}), so a difference between them cannot be put down to the "
        "regularizer alone. Here each is compared with the same net, rate and seeds without it "
        "(section The four models).",
        {"models": names},
    )


def largest_loss(lab: Lab) -> float:
    """Return where the axis of losses ends: at the largest, unless that is far beyond chance."""
    losses = np.concatenate(
        [pairs(lab, list(lab.outcomes), p, penalized=False).loss for p in ("", "val_")]
    )
    return float(max(1.5, 1.05 * min(losses.max(initial=0.0), 2 * max(lab.entropy, 1.0))))


def _hidden(lab: Lab, prefix: str) -> int:
    return int(
        (pairs(lab, list(lab.outcomes), prefix, penalized=False).loss > largest_loss(lab)).sum()
    )


def draw(lab: Lab) -> Drawing:
    figure, ((test, train_axis),) = style.subplots(1, 2, 9.5, 4.2, sharex=True, sharey=True)
    for axis, prefix, title in ((test, "val_", "test"), (train_axis, "", "train")):
        seen = pairs(lab, list(lab.outcomes), prefix, penalized=False)
        axis.plot(seen.loss, seen.accuracy, ".", color=style.BLUE, markersize=2, alpha=0.4)
        for claim, marker in zip(claims.MODELS, "XPD^", strict=True):
            loss = claim.test_loss if prefix else claim.train_loss
            accuracy = claim.test_accuracy if prefix else claim.train_accuracy
            axis.plot(
                loss, accuracy, marker, color=style.RED, markersize=9, linestyle="",
                markeredgecolor="white", label=f"report: {claim.name}",
            )  # fmt: skip
        axis.set_title(title)
        axis.set_xlabel("loss (nats)")
        axis.set_xlim(0, largest_loss(lab))
        axis.set_ylim(0, 1)
    test.set_ylabel("accuracy")
    train_axis.legend(loc="lower left")
    return figure
