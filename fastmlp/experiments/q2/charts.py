"""The figures of question 2 to be looked into: hover for values and seeds, tick what is shown."""

from collections.abc import Callable

import numpy as np

from ...pages.charts import Chart, Key, Panel, Row, Spec, axis, colours, dashes, shapes, tooltip
from ..lab import Lab
from ..nets import Net
from . import claims, critique, models, sweeps

_SETS = {"train": "blue", "test": "orange"}
_SET_KEY = [Key("train", "blue", "line"), Key("test", "orange", "dashed")]
_DASHES = {"train": [1, 0], "test": [6, 3]}
_CELLS = 60  # of the density of losses and accuracies, along each axis


def models_chart(lab: Lab, *, subset: bool) -> Chart:
    """Return each model's loss and accuracy by epoch: thin lines are seeds, thick ones means."""
    panels = []
    for claim in claims.MODELS:
        trained = lab.done(models.nets(lab, claim, subset=subset))
        for figure in ("loss", "accuracy"):
            rows = [row for net in trained for row in _epochs(lab, net, figure)]
            if rows:
                panels.append(Panel(f"{claim.name}: {figure}", _epochs_spec(figure), rows,
                                    claim.name, height=170))  # fmt: skip
    caption = (
        f"Loss (without penalties) and accuracy over the epochs"
        f"{', with few training samples' if subset else ''}: a thin line is a seed, a thick one "
        "the mean. The train curves are means over each epoch, with dropout at work; epochs in "
        "which a loss is not finite are left out."
    )
    return Chart(panels, key=_SET_KEY, groups="model", caption=caption, least=230)


def _epochs(lab: Lab, net: Net, figure: str) -> list[Row]:
    return [
        {"set": which, "seed": net.seed, "epoch": epoch, figure: value}
        for which, prefix in (("train", ""), ("test", "val_"))
        for epoch, value in enumerate(lab.outcomes[net].of_data(prefix + figure), 1)
        if np.isfinite(value)
    ]


def _epochs_spec(figure: str) -> Spec:
    title = "loss (nats)" if figure == "loss" else figure
    scale: Spec = (
        {"scale": {"nice": 4}}
        if figure == "loss"
        else {"scale": {"domain": [0, 1]}, "axis": {"tickCount": 5}}
    )
    across = axis("epoch", "epoch", axis={"tickMinStep": 1, "format": "d"})
    shared = {"color": colours("set", _SETS), "strokeDash": dashes("set", _DASHES)}
    seeds = {
        "mark": {"type": "line", "strokeWidth": 1, "opacity": 0.45,
                 "point": {"size": 14, "filled": True, "opacity": 0.4}},
        "encoding": {
            "x": across, "y": axis(figure, title, **scale), **shared, "detail": {"field": "seed"},
            "tooltip": tooltip(("set", "set"), ("seed", "seed"), ("epoch", "epoch"),
                               (figure, figure)),
        },
    }  # fmt: skip
    means = {
        "mark": {"type": "line", "strokeWidth": 2.5, "aria": False},
        "encoding": {"x": across, "y": axis(figure, title, aggregate="mean", **scale), **shared},
    }
    return {"layer": [seeds, means]}


def sweeps_chart(lab: Lab) -> Chart:
    """Return train and test loss by the strength of each regularizer."""
    panels = []
    for subset in (False, True):
        samples = claims.few(lab) if subset else len(lab.dataset.train[0])
        for kind in sweeps.KINDS:
            found = sweeps.points(lab, kind, subset=subset)
            own = claims.own_strength(lab.settings, sweeps.CLAIMS[kind])
            rows = [
                {
                    "strength": f"{p.strength:g}" + (" *" if p.strength == own else ""),
                    "set": which, "loss": value.mean, "low": value.low, "high": value.high,
                    "verdict": p.verdict, "learned": f"{p.learned} of {len(p.ends)}",
                    "seeds": [n.seed for n in sweeps.nets(lab, kind, p.strength, subset=subset)],
                }
                for p in found
                if not p.diverged
                for which, value in (("train", p.train_loss), ("test", p.test_loss))
            ]  # fmt: skip
            if rows:
                order = list(dict.fromkeys(str(row["strength"]) for row in rows))
                title = f"{sweeps.NAMES[kind]}, {samples:,} samples"
                panels.append(Panel(title, _sweep_spec(order, sweeps.NAMES[kind]), rows,
                                    sweeps.NAMES[kind].partition(",")[0], height=200))  # fmt: skip
    key = [
        Key("train", "blue", "circle"), Key("test", "orange", "square"),
        Key("shown to be within 1 % of the best test loss", "green", "frame"),
        Key("95 % t interval; *: the report's strength, or that asked for", "ink", "line"),
    ]  # fmt: skip
    caption = (
        "Train and test loss (without penalties) by strength, on all samples and on few; 0 is no "
        "regularization. Strengths at which a net diverged are left out."
    )
    return Chart(panels, key=key, groups="regularizer", caption=caption)


def _sweep_spec(order: list[str], title: str) -> Spec:
    across = axis("strength", title, "ordinal", sort=order, axis={"labelAngle": -40})
    aside = {"field": "set", "type": "nominal", "sort": ["train", "test"]}
    well = {
        "transform": [{"filter": "datum.verdict === 'well' && datum.set === 'test'"}],
        "mark": {"type": "bar", "color": "var(--green)", "opacity": 0.22, "aria": False,
                 "width": {"band": 1}},
        "encoding": {"x": across, "y": {"value": 0}, "y2": {"value": "height"}},
    }  # fmt: skip
    bars = {
        "mark": {"type": "rule", "strokeWidth": 1.5, "aria": False},
        "encoding": {
            "x": across, "xOffset": aside, "y": axis("low", "loss (nats)"),
            "y2": {"field": "high"}, "color": colours("set", _SETS),
        },
    }  # fmt: skip
    points = {
        "mark": {"type": "point", "filled": True, "size": 55},
        "encoding": {
            "x": across, "xOffset": aside, "y": axis("loss", "loss (nats)"),
            "color": colours("set", _SETS),
            "shape": shapes("set", {"train": "circle", "test": "square"}),
            "tooltip": tooltip(("strength", "strength"), ("set", "set"), ("loss", "mean loss"),
                               ("low", "from"), ("high", "to"), ("verdict", "verdict"),
                               ("learned", "learned"), ("seeds", "seeds")),
        },
    }  # fmt: skip
    return {"layer": [well, bars, points]}


def pairs_chart(lab: Lab) -> Chart:
    """Return how often each loss goes with each accuracy, and where the report's pairs are."""
    panels = []
    for prefix, title in (("val_", "test"), ("", "train")):
        seen = critique.pairs(lab, list(lab.outcomes), prefix, penalized=False)
        edge = critique.largest_loss(lab)
        counts, losses, accuracies = np.histogram2d(
            seen.loss, seen.accuracy, bins=_CELLS, range=((0, edge), (0, 1))
        )
        rows: list[Row] = [
            {"loss": float(losses[i]), "loss to": float(losses[i + 1]),
             "accuracy": float(accuracies[j]), "accuracy to": float(accuracies[j + 1]),
             "epochs": int(counts[i, j])}
            for i, j in np.argwhere(counts)
        ]  # fmt: skip
        rows += [
            {
                "loss": claim.test_loss if prefix else claim.train_loss,
                "accuracy": claim.test_accuracy if prefix else claim.train_accuracy,
                "report": claim.name,
            }
            for claim in claims.MODELS
        ]
        panels.append(Panel(title, _pairs_spec(edge), rows, height=300))
    key = [
        Key("epochs of this run's nets: the more, the darker", "blue", "square"),
        *(Key(f"report: {claim.name}", "red", shape)
          for claim, shape in zip(claims.MODELS, _MARKS, strict=True)),
    ]  # fmt: skip
    caption = (
        "Loss (without penalties) and accuracy of the nets of this run, at every epoch, on the "
        "test set and in training, counted in small cells; the red marks are the report's figures."
    )
    return Chart(panels, key=key, caption=caption, least=330)


_MARKS = ("cross", "square", "diamond", "triangle-up")


def _pairs_spec(edge: float) -> Spec:
    across = axis("loss", "loss (nats)", scale={"domain": [0, edge]})
    up = axis("accuracy", "accuracy", scale={"domain": [0, 1]})
    shape = shapes(
        "report", {claim.name: mark for claim, mark in zip(claims.MODELS, _MARKS, strict=True)}
    )
    density = {
        "transform": [{"filter": "datum.epochs > 0"}],
        "mark": {"type": "rect", "color": "var(--blue)", "aria": False},
        "encoding": {
            "x": across, "x2": {"field": "loss to"}, "y": up, "y2": {"field": "accuracy to"},
            "opacity": {"field": "epochs", "type": "quantitative", "legend": None,
                        "scale": {"type": "log", "range": [0.3, 1]}},
            "tooltip": tooltip(("loss", "loss from"), ("loss to", "to"),
                               ("accuracy", "accuracy from"), ("accuracy to", "to "),
                               ("epochs", "epochs")),
        },
    }  # fmt: skip
    reported = {
        "transform": [{"filter": "isValid(datum.report)"}],
        "mark": {"type": "point", "filled": True, "size": 160, "color": "var(--red)",
                 "stroke": "var(--paper)"},
        "encoding": {
            "x": across, "y": up, "shape": shape,
            "tooltip": tooltip(("report", "report's"), ("loss", "loss"), ("accuracy", "accuracy")),
        },
    }  # fmt: skip
    return {"layer": [density, reported]}


# The interactive form of a figure, by the figure's name.
CHARTS: dict[str, Callable[[Lab], Chart]] = {
    "models_curves": lambda lab: models_chart(lab, subset=False),
    "models_curves_subset": lambda lab: models_chart(lab, subset=True),
    "sweeps": sweeps_chart,
    "loss_accuracy": pairs_chart,
}
