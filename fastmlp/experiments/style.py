"""How the figures look: one palette, distinct also without colour, and one size of type."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .layout import OnePass

# Okabe & Ito (2008): told apart also by the colour-blind.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PINK = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
GREY = "#8A8A8A"
LIGHT = "#DDDDDD"


class _Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name


# How activations are written, where that is not their name.
NAMES = _Names(
    relu="ReLU", leaky_relu="leaky ReLU", elu="ELU", selu="SELU", gelu="GELU", silu="SiLU"
)

_SETTINGS: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED, PINK, SKY, BLACK]),
    "legend.frameon": False,
    "figure.dpi": 120,
    "savefig.dpi": 120,
    "svg.fonttype": "none",
    "svg.hashsalt": "fastmlp",
}


def applied() -> AbstractContextManager[None]:
    """Draw and save in this style."""
    return mpl.rc_context(_SETTINGS)


def subplots(
    rows: int, columns: int, width: float, height: float, **options: Any
) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure of that many inches, and its axes row by row."""
    figure = Figure(figsize=(width, height), layout=OnePass())
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes.tolist()


def subplots_and_bar(
    rows: int, columns: int, width: float, height: float
) -> tuple[Figure, list[list[Axes]], Axes]:
    """Return a figure, its axes row by row, and narrow ones beside them for a scale of colours."""
    figure = Figure(figsize=(width, height), layout=OnePass())
    grid = figure.add_gridspec(rows, columns + 1, width_ratios=[1] * columns + [0.16 / width])
    axes = [[figure.add_subplot(grid[r, c]) for c in range(columns)] for r in range(rows)]
    return figure, axes, figure.add_subplot(grid[:, -1])


def integers_only(axis: Axes, values: Sequence[int]) -> None:
    """Tick the horizontal axis at every whole number, or at fewer if there are many."""
    step = max(1, len(values) // 10)
    axis.set_xticks(list(values)[:: step if len(values) > 16 else 1])


def ticks_at(axis: Axes, places: Mapping[int, int]) -> None:
    """Tick the horizontal axis at the places of whole numbers, or at some if there are many."""
    chosen = list(places.items())[:: -(-len(places) // 22)]
    axis.set_xticks([place for _, place in chosen], [str(number) for number, _ in chosen])
    axis.tick_params(axis="x", labelsize=10 if len(chosen) <= 12 else 8)


def legend_below(figure: Figure, axes: Sequence[Axes]) -> None:
    """Put one legend of all that the axes show below the figure, in rows of six at most."""
    found: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    rows = -(-len(found) // 6)
    columns = -(-len(found) // rows)
    figure.legend(list(found.values()), list(found), loc="lower center", ncols=columns)
