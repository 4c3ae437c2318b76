"""The picture: who takes how much longer, by work and by width of the net."""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, NullLocator

from bench.machine import cores_text
from bench.report import LABELS

# Okabe & Ito's colours (2008), and a marker each: told apart also by the colour-blind, and in grey.
LOOKS = {
    "PyTorch eager (foreach)": ("#CC79A7", "X"),  # before those whose names begin like it
    "PyTorch eager": ("#D55E00", "o"),
    "torch.compile (model)": ("#E69F00", "s"),
    "torch.compile (steps)": ("#8C510A", "D"),
    "JAX": ("#0072B2", "^"),
    "scikit-learn": ("#009E73", "P"),
}
BASE = "#222222"
TIMES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def look_of(name: str) -> tuple[str, str]:
    """The colour and the marker of a peer."""
    return next(look for start, look in LOOKS.items() if name.startswith(start))


def plot(results: dict, path: Path) -> None:
    figure, (works, widths) = plt.subplots(
        1, 2, figsize=(9.5, 4.6), width_ratios=(1.25, 1), layout="constrained"
    )
    _plot_works(works, results)
    _plot_widths(widths, results["rows"]["crossover"])
    figure.savefig(path, dpi=170)
    plt.close(figure)


def _plot_works(axes: plt.Axes, results: dict) -> None:
    rows = {key: row for key, row in results["rows"].items() if key in LABELS}
    for y, row in enumerate(rows.values()):
        axes.axhline(y, color="0.9", zorder=0)
        for entry in row["entries"]:
            if entry["name"].startswith("fastmlp"):
                continue
            ratio = entry["ratio"]
            color, marker = look_of(entry["name"])
            axes.errorbar(
                ratio["median"], y,
                xerr=[[ratio["median"] - ratio["low"]], [ratio["high"] - ratio["median"]]],
                fmt=marker, color=color, markersize=7, markeredgecolor="white", markeredgewidth=0.6,
            )  # fmt: skip
    axes.axvline(1, color=BASE)
    labels = [f"{LABELS[key]}\n{cores_text(row['cores'])}" for key, row in rows.items()]
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    _times_axis(axes.xaxis)
    axes.set_title("Time over fastmlp's", loc="left", fontsize=10)
    for name, (color, marker) in LOOKS.items():
        axes.plot([], [], marker, color=color, label=name)
    axes.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.35, -0.07), ncol=3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _plot_widths(axes: plt.Axes, row: dict) -> None:
    lines: dict[tuple, list] = {}
    for point in row["points"]:
        if not point["name"].startswith("fastmlp"):
            lines.setdefault((point["name"], point["batch_size"]), []).append(point)
    smallest = min(batch_size for _, batch_size in lines)
    for (name, batch_size), points in lines.items():
        color, marker = look_of(name)
        filled = batch_size == smallest
        axes.plot(
            [p["width"] for p in points], [p["ratio"]["median"] for p in points],
            "-" if filled else "--", marker=marker, markersize=5, color=color,
            markerfacecolor=color if filled else "white", label=f"{name}, batch {batch_size}",
        )  # fmt: skip
    axes.axhline(1, color=BASE)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    _times_axis(axes.yaxis)
    ticks = sorted({p["width"] for p in row["points"]})
    axes.set_xticks(ticks, ticks)
    axes.set_xlabel("w")
    axes.set_title(
        f"784-w-w-10, {row['cores']} cores (below 1×: faster)",
        loc="left", fontsize=10,
    )  # fmt: skip
    axes.legend(fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _times_axis(axis) -> None:
    axis.set_major_locator(plt.FixedLocator(TIMES))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
