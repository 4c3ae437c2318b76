"""The roofline: rates over arithmetic intensity, under the limits that were measured."""

import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .measure import Limits
from .roofline import bandwidth, fma_peak
from .step import Ladder

# Okabe & Ito (2008): told apart also by the colour-blind.
COLOURS = {"forward": "#0072B2", "update": "#D55E00", "sigmoid": "#009E73"}
MARKERS = {"forward": "o", "update": "s", "sigmoid": "^"}
GREY, DARK = "#8A8A8A", "#333333"

SETTINGS: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}

MEMORY = 256 * 1024 * 1024  # bytes, more than caches hold

Found = dict[str, tuple[Ladder, Limits, list[list[float]]]]


def draw_roofline(path: Path, found: Found, peers: dict[str, list[float]]) -> None:
    """Draw the measured ladders into a PNG file."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(10, 6.2), layout="constrained")
        axes = figure.add_subplot()
        _draw_roofs(axes, next(iter(found.values()))[1])
        for name, (ladder, _, rates) in found.items():
            _draw_ladder(axes, name, ladder, rates)
        large = statistics.median(peers["large"])
        axes.plot(
            [], [], color=DARK, linestyle=":", label=f"NumPy's BLAS, 1024³: {large:.0f} GFLOP/s"
        )
        axes.axhline(large, color=DARK, linestyle=":", linewidth=1)
        axes.legend(loc="lower right")
        figure.savefig(path, dpi=120, format="png")


def _draw_roofs(axes: Axes, limits: Limits) -> None:
    low, high = 0.1, 20.0
    intensity = np.geomspace(low, high, 200)
    roofs = {
        "first cache": limits.cache,
        "second cache": limits.home,
        "memory": bandwidth(MEMORY) / 1e9,
    }
    for place, speed in roofs.items():
        axes.plot(intensity, np.minimum(limits.peak, speed * intensity), color=GREY, linewidth=1.2)
        axes.annotate(
            f"{place}, {speed:.0f} GB/s", (low * 1.05, low * 1.05 * speed), color=GREY,
            rotation=40, rotation_mode="anchor", xytext=(0, 4), textcoords="offset points",
        )  # fmt: skip
    for flops, what in (
        (limits.peak, "vectors, the peak"),
        (fma_peak(lanes=1) / 1e9, "no vectors"),
        (fma_peak(lanes=1, chains=1) / 1e9, "no vectors, each waiting for the last"),
    ):
        axes.axhline(flops, color=GREY, linewidth=1.2)
        axes.annotate(
            f"{what}: {flops:.3g} GFLOP/s", (high, flops), color=GREY, ha="right",
            xytext=(0, 4), textcoords="offset points",
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(1, 200))
    axes.set_xlabel("FLOP for each byte that comes into registers")
    axes.set_ylabel("GFLOP/s, one core, float32")


def _draw_ladder(axes: Axes, name: str, ladder: Ladder, rates: list[list[float]]) -> None:
    colour = COLOURS[name]
    x = [ladder.flops / step.loads for step in ladder.steps]
    y = [ladder.flops * statistics.median(own) for own in rates]
    kept = [not step.rejected for step in ladder.steps]
    axes.plot(
        [v for v, keep in zip(x, kept, strict=True) if keep],
        [v for v, keep in zip(y, kept, strict=True) if keep],
        color=colour, marker=MARKERS[name], linewidth=1.5, label=ladder.title,
    )  # fmt: skip
    for step, own_x, own_y in zip(ladder.steps, x, y, strict=True):
        if step.rejected:
            axes.plot(own_x, own_y, color=colour, marker=MARKERS[name], markerfacecolor="white")
        axes.annotate(
            step.name.replace("_", " "), (own_x, own_y), color=colour, fontsize=9,
            xytext=(7, -4), textcoords="offset points",
        )  # fmt: skip
