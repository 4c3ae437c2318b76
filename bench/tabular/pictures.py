"""The critical-difference picture, and time against error."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from bench.tabular.ranks import groups

OURS = "#1f6fb4"
OTHERS = "#6b7480"


def colour(name: str) -> str:
    return OURS if name.startswith("fastmlp") else OTHERS


def draw_ranks(names: list[str], ranks: np.ndarray, difference: float, path: Path) -> None:
    """Draw peers at their mean ranks; bars join those that do not differ."""
    order, bars = np.argsort(ranks), groups(ranks, difference)
    figure, axes = plt.subplots(figsize=(8, 0.32 * len(names) + 1.6))
    for height, index in enumerate(order):
        y = -height - 0.6 - 0.25 * len(bars)
        axes.plot([ranks[index]] * 2, [0, y], color=colour(names[index]), lw=1)
        axes.plot([ranks[index], len(names) + 0.5], [y, y], color=colour(names[index]), lw=1)
        label = f"{names[index]}  {ranks[index]:.2f}"
        axes.text(len(names) + 0.6, y, label, va="center", color=colour(names[index]))
    for level, (first, last) in enumerate(bars):
        ends = np.sort(ranks)[[first, last]]
        axes.plot(ends, [-0.35 - 0.25 * level] * 2, color="black", lw=3, solid_capstyle="butt")
    axes.plot([1, 1 + difference], [1, 1], color="black", lw=2)
    axes.text(1 + difference / 2, 1.15, f"critical difference {difference:.2f}", ha="center")
    axes.axhline(0, color="black", lw=0.8)
    for rank in range(1, len(names) + 1):
        axes.plot([rank, rank], [0, 0.15], color="black", lw=0.8)
        axes.text(rank, 0.25, str(rank), ha="center", fontsize=8)
    axes.set_xlim(0.5, len(names) + 6)
    axes.set_axis_off()
    figure.savefig(path, dpi=130, bbox_inches="tight")
    plt.close(figure)


def draw_pareto(names: list[str], seconds: np.ndarray, errors: np.ndarray, path: Path) -> None:
    """Draw fit seconds against errors relative to the best, and the front of what is not beaten."""
    figure, axes = plt.subplots(figsize=(8, 6))
    middle = np.sqrt(seconds.min() * seconds.max())
    for name, x, y in zip(names, seconds, errors, strict=True):
        axes.scatter(x, y, color=colour(name), zorder=3)
        # Names of the slower ones stand below on the left, inside of the picture.
        offset, side = ((6, 4), "left") if x < 2 * middle else ((-6, -11), "right")
        axes.annotate(
            name, (x, y), xytext=offset, ha=side, textcoords="offset points", color=colour(name)
        )
    order = np.argsort(seconds)
    front = [i for k, i in enumerate(order) if errors[i] <= errors[order[: k + 1]].min()]
    axes.step(seconds[front], errors[front], where="post", color="black", lw=0.8, ls="--")
    axes.set_xscale("log")
    axes.margins(y=0.08)
    axes.set_xlabel("seconds of a fit, geometric mean over the tables")
    axes.set_ylabel("error over the smallest of each table, geometric mean")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130, bbox_inches="tight")
    plt.close(figure)
