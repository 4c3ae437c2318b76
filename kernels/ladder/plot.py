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
LOOKS = {  # colour, marker, whether labels stand to the right
    "forward": ("#0072B2", "o", False),
    "update": ("#D55E00", "s", True),
    "sigmoid": ("#009E73", "^", True),
}
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
        figure = Figure(figsize=(10, 7.2), layout="constrained")
        axes = figure.add_subplot()
        _draw_roofs(axes, next(iter(found.values()))[1])
        for name, (ladder, _, rates) in found.items():
            _draw_ladder(axes, name, ladder, rates)
        large = statistics.median(peers["large"])
        label = f"NumPy's BLAS, 1024 x 1024 x 1024: {large:.0f} GFLOP/s"
        axes.axhline(large, color=DARK, linestyle=":", linewidth=1, label=label)
        axes.plot([], [], color=DARK, marker="o", mfc="white", ls="", label="rejected")
        figure.legend(loc="outside lower center", ncols=2)
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
        axes.text(
            1.06 * low, 1.13 * low * speed, f"{place}: {speed:.0f} GB/s", color=GREY,
            rotation=np.degrees(np.arctan(speed)), rotation_mode="anchor",
            transform_rotates_text=True,
        )  # fmt: skip
    for flops, what in (
        (limits.peak, "vectors, the peak"),
        (fma_peak(lanes=1) / 1e9, "one number at a time"),
        (fma_peak(lanes=1, chains=1) / 1e9, "one number, and each sum waits for the last"),
    ):
        axes.axhline(flops, color=GREY, linewidth=1.2)
        axes.annotate(
            f"{what}: {flops:.3g} GFLOP/s", (high, flops), color=GREY, ha="right",
            xytext=(0, 4), textcoords="offset points",
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(1.2, 160))
    axes.set_xlabel("FLOP for each byte that comes into registers")
    axes.set_ylabel("GFLOP/s, one core, float32")


def _draw_ladder(axes: Axes, name: str, ladder: Ladder, rates: list[list[float]]) -> None:
    colour, marker, to_the_right = LOOKS[name]
    points = {
        step: (step.flops / step.loads, step.flops * statistics.median(own))
        for step, own in zip(ladder.steps, rates, strict=True)
        if not step.c_source
    }
    kept = [point for step, point in points.items() if not step.rejected]
    axes.plot(*zip(*kept, strict=True), color=colour, marker=marker, label=ladder.title)
    labels: dict[tuple[float, float], str] = {}
    for step, point in points.items():
        if step.rejected:
            axes.plot(*point, color=colour, marker=marker, mfc="white")
        text = step.name.replace("_", " ")
        near = next((other for other in labels if np.allclose(point, other, rtol=0.1)), None)
        if near is None:
            labels[point] = text
        else:
            labels[near] += f", {text}"
    for point, text in labels.items():
        axes.annotate(
            text, point, color=colour, fontsize=9, textcoords="offset points",
            xytext=(8, -9) if to_the_right else (-8, 4), ha="left" if to_the_right else "right",
        )  # fmt: skip
