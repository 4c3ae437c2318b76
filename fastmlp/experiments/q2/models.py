"""The four models: no regularization, L1, L2 and dropout, on all the data and on little."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure as Drawing

from .. import style
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, count, table
from . import claims
from .claims import Claim


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over seeds."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        return cls(float(np.mean(values)), float(np.std(values, ddof=1)) if values[1:] else 0.0)

    def __str__(self) -> str:
        return f"{self.mean:.3f}±{self.deviation:.3f}"


@dataclass(frozen=True)
class Findings:
    """One model, as its seeds turned out; losses are without penalties, and without dropout."""

    claim: Claim
    train_loss: Spread
    train_accuracy: Spread
    test_loss: Spread
    test_accuracy: Spread
    gap: Spread
    weight_norm: Spread
    small_weights: Spread


def nets(lab: Lab, claim: Claim, *, subset: bool) -> list[Net]:
    return [
        claims.net(lab.settings, claim, seed, subset=subset) for seed in claims.seeds(lab.settings)
    ]


def train(lab: Lab) -> None:
    for title, subset in (("The four models", False), ("The same on a subset", True)):
        lab.train(
            title, [net for claim in claims.MODELS for net in nets(lab, claim, subset=subset)]
        )


def test_loss(lab: Lab, net: Net) -> float:
    """Return the final test loss, without penalties."""
    figures = lab.outcomes[net].figures
    return figures.get("val_data_loss", figures["val_loss"])[-1]


def findings(lab: Lab, *, subset: bool) -> list[Findings]:
    """Return what the nets trained so far show."""
    found = []
    for claim in claims.MODELS:
        done = lab.done(nets(lab, claim, subset=subset))
        if not done:
            continue
        measured = [lab.outcomes[net].measured for net in done]
        test = [test_loss(lab, net) for net in done]
        found.append(
            Findings(
                claim,
                Spread.of([m["train_loss"] for m in measured]),
                Spread.of([m["train_accuracy"] for m in measured]),
                Spread.of(test),
                Spread.of([lab.test_accuracy(net) for net in done]),
                Spread.of([t - m["train_loss"] for t, m in zip(test, measured, strict=True)]),
                Spread.of([m["weight_norm"] for m in measured]),
                Spread.of([m["small_weights"] for m in measured]),
            )
        )
    return found


def describe(lab: Lab) -> Section | None:
    full, small = findings(lab, subset=False), findings(lab, subset=True)
    if not full:
        return None
    net = nets(lab, claims.MODELS[0], subset=False)[0]
    seeds = count(len(claims.seeds(lab.settings)), "seed")
    text = (
        f"Nets of {net.depth} hidden layers of {net.width} units ({style.NAMES[net.activation]}: "
        f"the report does not name its activation), batches of {net.batch_size}, {net.epochs} "
        f"epochs, {seeds}: mean±standard deviation. Losses "
        "are the data's, without penalties; train figures are of the trained net as it predicts, "
        "dropout off; the gap is test loss minus train loss. Small weights are below 0.001 in "
        f"absolute value.\n\n{_settings(lab, subset=False)}\n\n{_losses(full)}"
        f"\n\n{_weights(full)}"
    )
    if small:
        subset = nets(lab, claims.MODELS[0], subset=True)[0]
        text += (
            f"\n\n### With {subset.samples:,} samples\n\nThe first {subset.samples:,} training "
            f"samples only, {subset.epochs} epochs, learning rate {subset.learning_rate:g} "
            f"and its like; the same test set.\n\n{_losses(small)}\n\n{_weights(small)}"
        )
    figures = [
        Figure(
            "models_curves",
            "Loss (without penalties) and accuracy over the epochs; bands span the seeds. The "
            "train curves are means over each epoch, with dropout at work.",
            lambda: draw(lab, subset=False),
        )
    ]
    if small:
        figures.append(
            Figure(
                "models_curves_subset",
                "The same with few training samples.",
                lambda: draw(lab, subset=True),
            )
        )
    return Section("The four models", text, figures)


def results(lab: Lab) -> dict[str, object]:
    return {
        name: [
            {
                "model": f.claim.name,
                **{
                    key: {"mean": spread.mean, "deviation": spread.deviation}
                    for key, spread in vars(f).items()
                    if isinstance(spread, Spread)
                },
            }
            for f in findings(lab, subset=subset)
        ]
        for name, subset in (("full", False), ("subset", True))
    }


def _settings(lab: Lab, *, subset: bool) -> str:
    rows = []
    for claim in claims.MODELS:
        net = nets(lab, claim, subset=subset)[0]
        strength = claim.l1 or claim.l2 or claim.dropout
        rows.append([claim.name, f"{net.learning_rate:g}", f"{strength:g}" if strength else "-"])
    return table(["model", "learning rate", "λ or dropout rate"], rows)


def _losses(found: list[Findings]) -> str:
    return table(
        ["model", "train loss", "test loss", "gap", "train accuracy", "test accuracy"],
        [
            [f.claim.name, f.train_loss, f.test_loss, f.gap, f.train_accuracy, f.test_accuracy]
            for f in found
        ],
    )


def _weights(found: list[Findings]) -> str:
    return table(
        ["model", "norm of the weights", "small weights"],
        [
            [
                f.claim.name,
                f"{f.weight_norm.mean:.2f}±{f.weight_norm.deviation:.2f}",
                f"{f.small_weights.mean:.1%}±{f.small_weights.deviation:.1%}",
            ]
            for f in found
        ],
    )


def draw(lab: Lab, *, subset: bool) -> Drawing:
    done = [
        (claim, lab.done(nets(lab, claim, subset=subset)))
        for claim in claims.MODELS
        if lab.done(nets(lab, claim, subset=subset))
    ]
    figure, axes = style.subplots(2, len(done), 2.9 * len(done), 5.4, sharex=True, sharey="row")
    for column, (claim, trained) in enumerate(done):
        for row, names in enumerate((("data_loss", "loss"), ("accuracy",))):
            axis = axes[row][column]
            for prefix, colour, line, label in (
                ("", style.BLUE, "-", "train"),
                ("val_", style.ORANGE, "--", "test"),
            ):
                curves = np.array([_curve(lab, net, prefix, names) for net in trained])
                epochs = range(1, curves.shape[1] + 1)
                axis.fill_between(
                    epochs, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.25,
                    linewidth=0,
                )  # fmt: skip
                axis.plot(epochs, curves.mean(axis=0), line, color=colour, label=label)
        axes[0][column].set_title(claim.name)
        axes[1][column].set_xlabel("epoch")
    axes[0][0].set_ylabel("loss (nats)")
    axes[1][0].set_ylabel("accuracy")
    axes[0][0].set_ylim(0, None)
    axes[1][0].set_ylim(0, 1)
    axes[0][-1].legend(loc="upper right")
    return figure


def _curve(lab: Lab, net: Net, prefix: str, names: tuple[str, ...]) -> list[float]:
    figures = lab.outcomes[net].figures
    return next(figures[prefix + name] for name in names if prefix + name in figures)
