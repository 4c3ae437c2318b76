"""The map: the depth at which each activation stops learning."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Rectangle

from .. import style
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, table
from . import claims

DEPTHS = {"sigmoid": range(1, 7), "tanh": range(1, 17), "relu": range(1, 13)}


@dataclass(frozen=True)
class Border:
    """How one activation fares over depth.

    Attributes
    ----------
    stuck, trained : dict of depth to int
        How many nets of that depth learned nothing, and how many there are.
    accuracy : dict of depth to float
        Their mean test accuracy.
    onset : int or None
        The smallest depth at which at least half of the nets are stuck.
    """

    activation: str
    stuck: dict[int, int]
    trained: dict[int, int]
    accuracy: dict[int, float]
    onset: int | None


def nets(lab: Lab, activation: str) -> list[Net]:
    return [
        claims.net(lab.settings, activation, depth, seed)
        for depth in DEPTHS[activation]
        for seed in claims.seeds(lab.settings)
    ]


def train(lab: Lab) -> None:
    for activation in DEPTHS:
        lab.train(f"Map of {style.NAMES[activation]}", nets(lab, activation))


def borders(lab: Lab) -> list[Border]:
    """Return what the nets trained so far show."""
    found = []
    for activation in DEPTHS:
        done = lab.done(nets(lab, activation))
        depths = sorted({net.depth for net in done})
        at = {depth: [net for net in done if net.depth == depth] for depth in depths}
        stuck = {depth: sum(map(lab.is_stuck, at[depth])) for depth in depths}
        accuracy = {
            depth: float(np.mean([lab.test_accuracy(net) for net in at[depth]])) for depth in depths
        }
        onset = next((d for d in depths if 2 * stuck[d] >= len(at[d])), None)
        trained = {depth: len(at[depth]) for depth in depths}
        found.append(Border(activation, stuck, trained, accuracy, onset))
    return [border for border in found if border.trained]


def describe(lab: Lab) -> Section | None:
    found = borders(lab)
    if not found:
        return None
    seeds = len(claims.seeds(lab.settings))
    depths = sorted({depth for border in found for depth in border.trained})
    by_depth = table(
        ["hidden layers", *(style.NAMES[border.activation] for border in found)],
        [[depth, *(_cell(border, depth) for border in found)] for depth in depths],
    )
    summary = table(
        ["activation", "stops at depth", "share stuck there", "reported", "share stuck there"],
        [_summary_row(border) for border in found],
    )
    text = (
        f"The same nets at every depth, each from {seeds} seeds. A net counts as stuck if after "
        f"the last epoch its test loss is above 99 % of {lab.entropy:.4f}, that is, if it "
        "explains less than 1 % of the labels' entropy, or if its loss is no longer finite. An "
        "activation stops learning at the smallest depth at which at least half of the nets are "
        f"stuck.\n\n{summary}\n\nStuck nets of all, and their mean test accuracy, by depth:"
        f"\n\n{by_depth}"
    )
    if any(0 < border.stuck[d] < border.trained[d] for border in found for d in border.trained):
        text += (
            "\n\nWhere only some of the nets of a depth are stuck, rounding has a say in which: on "
            "another machine or backend a border may lie a layer or so elsewhere."
        )
    caption = (
        "Mean test accuracy by depth; in each cell the stuck nets of all. "
        "The frame marks the depth that the course report names."
    )
    return Section(
        "The map: how deep is too deep",
        text,
        [Figure("depth_map", caption, lambda: draw(lab))],
    )


def results(lab: Lab) -> list[dict[str, object]]:
    return [
        {
            "activation": border.activation,
            "onset": border.onset,
            "reported": claims.DEPTHS[border.activation],
            "stuck": border.stuck,
            "trained": border.trained,
            "mean_test_accuracy": border.accuracy,
        }
        for border in borders(lab)
    ]


def _cell(border: Border, depth: int) -> str:
    if depth not in border.trained:
        return ""
    return f"{border.stuck[depth]}/{border.trained[depth]}, {border.accuracy[depth]:.2f}"


def _summary_row(border: Border) -> list[str]:
    def share(depth: int | None) -> str:
        if depth not in border.trained:
            return "-"
        return f"{border.stuck[depth]} of {border.trained[depth]}"

    onset = f"none up to {max(border.trained)}" if border.onset is None else str(border.onset)
    claim = claims.DEPTHS[border.activation]
    return [style.NAMES[border.activation], onset, share(border.onset), str(claim), share(claim)]


def draw(lab: Lab) -> Drawing:
    found = borders(lab)
    deepest = max(max(depths) for depths in DEPTHS.values())
    figure, ((axis,),) = style.subplots(1, 1, 10, 2.7)
    image = np.full((len(found), deepest), np.nan)
    for row, border in enumerate(found):
        for depth, accuracy in border.accuracy.items():
            image[row, depth - 1] = accuracy
    shown = axis.imshow(
        image, cmap="viridis", vmin=0, vmax=1, aspect="auto",
        extent=(0.5, deepest + 0.5, len(found) - 0.5, -0.5),
    )  # fmt: skip
    for row, border in enumerate(found):
        for depth, stuck in border.stuck.items():
            axis.text(
                depth, row, f"{stuck}/{border.trained[depth]}", ha="center", va="center",
                fontsize=9, color="black" if border.accuracy[depth] > 0.6 else "white",
            )  # fmt: skip
        claim = claims.DEPTHS[border.activation]
        axis.add_patch(
            Rectangle((claim - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=style.RED, linewidth=3)
        )
    axis.set_xticks(range(1, deepest + 1))
    axis.set_yticks(range(len(found)), [style.NAMES[border.activation] for border in found])
    axis.set_xlabel("hidden layers")
    axis.grid(False)
    axis.tick_params(length=0)
    figure.colorbar(shown, ax=axis, pad=0.01, label="mean test accuracy")
    return figure
