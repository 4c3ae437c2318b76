"""The four models: no regularization, L1, L2 and dropout, on all the data and on little."""

from dataclasses import asdict, dataclass

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator

from .. import style
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, Statement, count, table
from . import claims
from .claims import Claim
from .endings import Ending, difference, endings
from .intervals import Interval

ARMS = (False, True)  # with few samples?

_FIGURES = (
    "train_loss", "test_loss", "gap", "train_penalized", "test_penalized", "train_accuracy",
    "test_accuracy", "accuracy_gap", "weight_norm", "small_weights",
)  # fmt: skip


@dataclass(frozen=True)
class Findings:
    """One model: how its seeds ended, and how they differ from the same without regularizer."""

    claim: Claim
    ends: list[Ending]
    figures: dict[str, Interval]
    effects: dict[str, Interval]

    @property
    def learned(self) -> int:
        return sum(end.learned for end in self.ends)

    @property
    def diverged(self) -> int:
        return sum(end.diverged for end in self.ends)


def nets(lab: Lab, claim: Claim, *, subset: bool, strength: float | None = None) -> list[Net]:
    return [
        claims.net(lab, claim, seed, subset=subset, strength=strength)
        for seed in claims.seeds(lab.settings)
    ]


def controls(lab: Lab, claim: Claim, *, subset: bool) -> list[Net]:
    """Return the same nets without their regularizer: rate and seeds are the same."""
    return nets(lab, claim, subset=subset, strength=0.0 if claim.kind else None)


def train(lab: Lab) -> None:
    for title, subset in (("The four models", False), ("The same with few samples", True)):
        lab.train(
            title,
            [
                net
                for claim in claims.MODELS
                for which in (nets, controls)
                for net in which(lab, claim, subset=subset)
            ],
        )


def findings(lab: Lab, *, subset: bool) -> list[Findings]:
    """Return what the nets trained so far show."""
    found = []
    for claim in claims.MODELS:
        mine = nets(lab, claim, subset=subset)
        ends = endings(lab, mine)
        if not ends:
            continue
        figures = {name: Interval.of([getattr(e, name) for e in ends]) for name in _FIGURES}
        plain = controls(lab, claim, subset=subset)
        effects = {
            name: difference(lab, mine, plain, lambda end, name=name: getattr(end, name))  # type: ignore[misc]
            for name in ("gap", "test_loss", "test_accuracy")
        }
        found.append(Findings(claim, ends, figures, effects))
    return found


def describe(lab: Lab) -> Section | None:
    if not findings(lab, subset=False):
        return None
    net = nets(lab, claims.PLAIN, subset=False)[0]
    regular = style.NAMES.get(net.activation, net.activation)
    parts = [
        f"Nets of {count(net.depth, 'hidden layer')} of {count(net.width, 'unit')} ({regular}), "
        f"batches of {net.batch_size}, {count(net.epochs, 'epoch')}, "
        f"{count(len(claims.seeds(lab.settings)), 'seed')}. The tables hold means over the seeds "
        "± the half width of the 95 % t interval; one seed has none. Train figures are of the "
        "trained net as it predicts, dropout off, and without penalties unless they are called "
        "penalized. The gap is test loss minus train loss. Small weights are below 0.001 in "
        "absolute value. A net *learned* if its test loss, without penalties, is at least 1 % "
        "below that of the best constant guess.",
        _settings(lab),
    ]
    statements: list[Statement] = []
    for subset in ARMS:
        found = findings(lab, subset=subset)
        if not found:
            continue
        samples = len(lab.dataset.train[0]) if not subset else claims.few(lab)
        parts.append(f"### With {'the first ' if subset else 'all '}{samples:,} samples")
        if subset:
            parts.append(
                f"The first {samples:,} training samples only, each shown so often that an epoch "
                "has as many steps as with all of them. Rate, batches, epochs, seeds and test set "
                "are the same: only the data differ."
            )
        parts += [_losses(found), _weights(found)]
        said = [effect(lab, f, subset=subset) for f in found if f.claim.kind]
        statements += said
        parts += [
            "What each regularizer does, beside nets of the same rate and the same seeds without "
            "it (paired differences with 95 % t intervals, not corrected for their number):",
            "\n".join(f"- {statement.text}" for statement in said),
        ]
    figures = [
        Figure(
            "models_curves_subset" if subset else "models_curves",
            "Loss (without penalties) and accuracy over the epochs"
            f"{', with few training samples' if subset else ''}: lines are means, bands span the "
            "seeds. The train curves are means over each epoch, with dropout at work; epochs in "
            "which a loss is not finite are left out.",
            lambda subset=subset: draw(lab, subset=subset),  # type: ignore[misc]
        )
        for subset in ARMS
        if findings(lab, subset=subset)
    ]
    return Section("The four models", "\n\n".join(parts), figures, statements)


def effect(lab: Lab, found: Findings, *, subset: bool) -> Statement:
    """Say what a regularizer changes, as far as the seeds tell."""
    claim = found.claim
    value = claims.own_strength(lab.settings, claim)
    plain = endings(lab, controls(lab, claim, subset=subset))
    n = found.effects["gap"].count
    quantities = {
        "model": claim.name,
        "subset": subset,
        "strength": value,
        "learned": [found.learned, sum(end.learned for end in plain)],
        "diverged": [found.diverged, sum(end.diverged for end in plain)],
        "seeds": n,
        **{name: asdict(interval) for name, interval in found.effects.items()},
    }
    head = f"{claim.name} ({value:g})"
    if value == 0:
        text = f"{head}: its strength was set to 0, so there is nothing to compare."
    elif found.diverged or any(end.diverged for end in plain):
        text = (
            f"{head}: {found.diverged} of {len(found.ends)} nets with it and "
            f"{sum(end.diverged for end in plain)} of {len(plain)} without it diverged, so their "
            "losses cannot be compared."
        )
    elif not found.learned and not any(end.learned for end in plain):
        text = f"{head}: no net learned, with it or without it, so nothing can be said of it."
    elif n < 2:
        text = f"{head}: one seed cannot tell what it changes."
    else:
        text = f"{head}: {_effects(found, n)}"
        lost = len(found.ends) - found.learned
        if lost:
            text += f" {lost} of {len(found.ends)} nets with it did not learn."
    return Statement("effect", text, quantities)


def _effects(found: Findings, n: int) -> str:
    words = {
        "gap": ("the gap narrows by", "the gap widens by", "the gap"),
        "test_loss": ("test loss falls by", "test loss rises by", "test loss"),
        "test_accuracy": ("test accuracy falls by", "test accuracy rises by", "test accuracy"),
    }
    said = []
    for name, (down, up, noun) in words.items():
        interval = found.effects[name]
        if interval.sign:
            low, high = sorted((abs(interval.low), abs(interval.high)))
            verb = up if interval.sign > 0 else down
            said.append(f"{verb} {abs(interval.mean):.4f} ({low:.4f} to {high:.4f})")
        else:
            said.append(
                f"whether {noun} changes is undecided with {n} seeds "
                f"({interval.low:+.4f} to {interval.high:+.4f})"
            )
    return "; ".join(said) + "."


def results(lab: Lab) -> dict[str, object]:
    return {
        name: [
            {
                "model": f.claim.name,
                "strength": claims.own_strength(lab.settings, f.claim),
                "seeds": len(f.ends),
                "learned": f.learned,
                "diverged": f.diverged,
                **{key: asdict(interval) for key, interval in f.figures.items()},
                "effects": {key: asdict(interval) for key, interval in f.effects.items()},
            }
            for f in findings(lab, subset=subset)
        ]
        for name, subset in (("full", False), ("subset", True))
    }


def _settings(lab: Lab) -> str:
    rows = []
    for claim in claims.MODELS:
        net = nets(lab, claim, subset=False)[0]
        value = f"{claims.own_strength(lab.settings, claim):g}" if claim.kind else "-"
        rows.append([claim.name, f"{net.learning_rate:g}", value])
    return table(["model", "learning rate", "λ or dropout rate"], rows)


def _losses(found: list[Findings]) -> str:
    names = (
        "train_loss", "test_loss", "gap", "train_penalized", "test_penalized", "train_accuracy",
        "test_accuracy",
    )  # fmt: skip
    return table(
        ["model", *(name.replace("_", " ") for name in names), "learned"],
        [
            [f.claim.name, *(f.figures[name] for name in names), f"{f.learned} of {len(f.ends)}"]
            for f in found
        ],
    )


def _weights(found: list[Findings]) -> str:
    return table(
        ["model", "norm of the weights", "share of small weights"],
        [[f.claim.name, f.figures["weight_norm"], f.figures["small_weights"]] for f in found],
    )


def draw(lab: Lab, *, subset: bool) -> Drawing:
    done = [
        (claim, lab.done(nets(lab, claim, subset=subset)))
        for claim in claims.MODELS
        if lab.done(nets(lab, claim, subset=subset))
    ]
    figure, axes = style.subplots(2, len(done), 2.9 * len(done), 5.4, sharex=True, sharey="row")
    epochs = nets(lab, claims.PLAIN, subset=subset)[0].epochs
    for column, (claim, trained) in enumerate(done):
        for row, names in enumerate((("data_loss", "loss"), ("accuracy",))):
            axis = axes[row][column]
            for prefix, colour, line, label in (
                ("", style.BLUE, "o-", "train"),
                ("val_", style.ORANGE, "s--", "test"),
            ):
                curves = np.full((len(trained), epochs), np.nan)
                for place, net in zip(curves, trained, strict=True):
                    values = _curve(lab, net, prefix, names)
                    place[: len(values)] = values
                shown = np.flatnonzero(np.isfinite(curves).all(axis=0))
                if not shown.size:
                    continue
                low, mean, high = (f(curves[:, shown], axis=0) for f in (np.min, np.mean, np.max))
                axis.fill_between(shown + 1, low, high, color=colour, alpha=0.25, linewidth=0)
                axis.plot(shown + 1, mean, line, color=colour, label=label, markersize=2.5)
        axes[0][column].set_title(claim.name)
        axes[1][column].set_xlabel("epoch")
        if not axes[0][column].lines:
            axes[0][column].text(
                0.5, 0.5, "diverged", ha="center", transform=axes[0][column].transAxes
            )
    axes[0][0].set_ylabel("loss (nats)")
    axes[1][0].set_ylabel("accuracy")
    axes[0][0].set_xlim(0.5, epochs + 0.5)
    axes[0][0].xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes[0][0].set_ylim(0, None)
    axes[1][0].set_ylim(0, 1)
    if axes[1][-1].lines:
        axes[1][-1].legend(loc="lower right")
    return figure


def _curve(lab: Lab, net: Net, prefix: str, names: tuple[str, ...]) -> list[float]:
    figures = lab.outcomes[net].figures
    return next((figures[prefix + name] for name in names if prefix + name in figures), [])
