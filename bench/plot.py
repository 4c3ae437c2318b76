"""The picture: who takes how much longer, by work and by width of the net."""

from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, NullLocator

from bench.report import LABELS, cores_text

COLORS = {
    "PyTorch eager": "#d1495b",
    "torch.compile (model)": "#f0a35e",
    "torch.compile (steps)": "#b5651d",
    "JAX": "#2e86ab",
    "scikit-learn": "#7a9e7e",
}
BASE = "#222222"
TIMES = (0.5, 1, 2, 5, 10, 20, 50, 100)


def color_of(name: str) -> str:
    return next(color for start, color in COLORS.items() if name.startswith(start))


def plot(results: dict, path: Path) -> None:
    figure, (works, widths) = plt.subplots(
        1, 2, figsize=(11, 4.6), width_ratios=(1.25, 1), layout="constrained"
    )
    _plot_works(works, results)
    _plot_widths(widths, results["rows"]["crossover"])
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _plot_works(axes: plt.Axes, results: dict) -> None:
    rows = {key: row for key, row in results["rows"].items() if key in LABELS}
    for y, row in enumerate(rows.values()):
        axes.axhline(y, color="0.9", zorder=0)
        for entry in row["entries"]:
            if entry["name"].startswith("fastmlp"):
                continue
            ratio = entry["ratio"]
            axes.errorbar(
                ratio["median"], y,
                xerr=[[ratio["median"] - ratio["low"]], [ratio["high"] - ratio["median"]]],
                fmt="o", color=color_of(entry["name"]), markersize=7,
            )  # fmt: skip
    axes.axvline(1, color=BASE)
    labels = [f"{LABELS[key]}\n{cores_text(row['cores'])}" for key, row in rows.items()]
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    _times_axis(axes.xaxis)
    axes.set_title("Time over fastmlp's", loc="left", fontsize=10)
    for name, color in COLORS.items():
        axes.plot([], [], "o", color=color, label=name)
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
        axes.plot(
            [p["width"] for p in points], [p["ratio"]["median"] for p in points],
            "-" if batch_size == smallest else "--", marker="o", markersize=4,
            color=color_of(name), label=f"{name}, batch {batch_size}",
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
