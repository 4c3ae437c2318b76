"""The roofline: rates over arithmetic intensity, under the limits that were measured."""

import functools
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

from .machine import core, cpu
from .measure import Limits
from .roofline import fma_peak, places
from .step import Ladder, Step

# Okabe & Ito (2008): told apart also by the colour-blind.
LOOKS = {  # colour and marker
    "forward": ("#0072B2", "o"),
    "update": ("#D55E00", "s"),
    "sigmoid": ("#009E73", "^"),
}
GREY, DARK = "#8A8A8A", "#333333"

SETTINGS: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}

MARKER = 6  # pixels from a marker's middle to its edge, and a little more
HALO = [withStroke(linewidth=2.5, foreground="white")]  # keeps lines out of letters
PLACES = [  # of a label beside its point, in points: the first is taken at which it hides nothing
    (8, -9), (-8, 4), (8, 4), (-8, -10), (8, -20), (-8, 16), (8, 16), (-8, -21), (8, 28),
    (-8, 28), (8, -32), (-8, -33), (60, 4), (-60, 4), (60, -20), (-60, -20),
]  # fmt: skip

Found = dict[str, tuple[Ladder, Limits, list[list[float]]]]


@dataclass(frozen=True)
class Roofs:
    """The lines that are drawn: bytes and FLOP a nanosecond, each under its name."""

    slopes: dict[str, float]
    levels: dict[str, float]

    @classmethod
    def measured(cls, limits: Limits) -> "Roofs":
        """Measure what the ladders' own limits don't hold."""
        first, *further = places()
        slopes = {first.name: limits.cache}
        slopes |= {place.name: place.bandwidth() / 1e9 for place in further}
        levels = {
            "vectors, the peak": limits.peak,
            "one number at a time": fma_peak(lanes=1) / 1e9,
            "one number, and each sum waits for the last": fma_peak(lanes=1, chains=1) / 1e9,
        }
        return cls(slopes, levels)


def draw_roofline(
    path: Path, found: Found, peers: dict[str, list[float]], roofs: Roofs | None = None
) -> None:
    """Draw the measured ladders into a PNG file."""
    figure = roofline_figure(found, peers, roofs)
    with mpl.rc_context(SETTINGS):
        figure.savefig(path, dpi=180, format="png")


def roofline_figure(
    found: Found, peers: dict[str, list[float]], roofs: Roofs | None = None
) -> Figure:
    """Draw the measured ladders; the roofs are measured now unless they are given."""
    limits = functools.reduce(Limits.or_higher, (limits for _, limits, _ in found.values()))
    roofs = roofs or Roofs.measured(limits)
    points = {name: _points(ladder, rates) for name, (ladder, _, rates) in found.items()}
    large = statistics.median(peers["large"])
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(8, 6.8), layout="constrained")
        axes = figure.add_subplot()
        _set_axes(axes, [point for own in points.values() for point in own.values()], roofs, large)
        for name, (ladder, _, _) in found.items():
            _draw_ladder(axes, name, ladder, points[name])
        label = f"NumPy's BLAS, 1024 x 1024 x 1024: {large:.0f} GFLOP/s"
        axes.axhline(large, color=DARK, linestyle=":", linewidth=1, label=label)
        axes.plot([], [], color=DARK, marker="o", mfc="white", ls="", label="rejected")
        axes.set_title(f"{cpu()}, {core()}", loc="left", fontsize=10)
        figure.legend(loc="outside lower center", ncols=2, fontsize=9)
        figure.draw_without_rendering()  # where things are is known only now
        taken = _draw_roofs(axes, roofs)
        taken += [_around(axes, point) for own in points.values() for point in own.values()]
        for name, own in points.items():
            taken = _label_points(axes, LOOKS[name][0], own, taken)
    return figure


def _points(ladder: Ladder, rates: list[list[float]]) -> dict[Step, tuple[float, float]]:
    return {
        step: (step.flops / step.loads, step.flops * statistics.median(own))
        for step, own in zip(ladder.steps, rates, strict=True)
        if not step.c_source
    }


def _set_axes(axes: Axes, points: list[tuple[float, float]], roofs: Roofs, large: float) -> None:
    """Make room for every point and every level, whatever the machine."""
    intensities = [intensity for intensity, _ in points]
    heights = [*(height for _, height in points), *roofs.levels.values(), large]
    axes.set(
        xscale="log", yscale="log",
        xlim=(min(intensities) / 2.5, 4 * max(intensities)),
        ylim=(min(heights) / 1.6, 1.8 * max(heights)),
    )  # fmt: skip
    axes.set_xlabel("FLOP for each byte that comes into registers")
    axes.set_ylabel("GFLOP/s, one core, float32")


def _draw_roofs(axes: Axes, roofs: Roofs) -> list[Bbox]:
    """Draw slopes and levels; return where their labels are."""
    (low, high), peak = axes.get_xlim(), max(roofs.levels.values())
    bottom = axes.get_ylim()[0]
    intensity = np.geomspace(low, high, 200)
    texts = []
    for place, speed in roofs.slopes.items():
        axes.plot(intensity, np.minimum(peak, speed * intensity), color=GREY, linewidth=1.2)
        start = 1.06 * max(low, bottom / speed)
        texts.append(axes.text(
            start, 1.1 * start * speed, f"{place}: {speed:.0f} GB/s", color=GREY, fontsize=9,
            rotation=np.degrees(np.arctan(speed)), rotation_mode="anchor",
            transform_rotates_text=True,
        ))  # fmt: skip
    for what, flops in roofs.levels.items():
        axes.axhline(flops, color=GREY, linewidth=1.2)
        texts.append(axes.annotate(
            f"{what}: {flops:.3g} GFLOP/s", (high, flops), color=GREY, ha="right", fontsize=9,
            xytext=(-2, 3), textcoords="offset points",
        ))  # fmt: skip
    return [text.get_window_extent() for text in texts]


def _draw_ladder(
    axes: Axes, name: str, ladder: Ladder, points: dict[Step, tuple[float, float]]
) -> None:
    colour, marker = LOOKS[name]
    kept = [point for step, point in points.items() if not step.rejected]
    axes.plot(*zip(*kept, strict=True), color=colour, marker=marker, label=ladder.title)
    for step, point in points.items():
        if step.rejected:
            axes.plot(*point, color=colour, marker=marker, mfc="white")


def _around(axes: Axes, point: tuple[float, float]) -> Bbox:
    """Return the pixels of a point's marker."""
    x, y = axes.transData.transform(point)
    return Bbox([[x - MARKER, y - MARKER], [x + MARKER, y + MARKER]])


def _label_points(
    axes: Axes, colour: str, points: dict[Step, tuple[float, float]], taken: list[Bbox]
) -> list[Bbox]:
    """Write the steps' names where they hide no other label; return all labels' places."""
    names: dict[tuple[float, float], str] = {}
    for step, point in points.items():
        text = step.name.replace("_", " ")
        near = next((other for other in names if np.allclose(point, other, rtol=0.1)), None)
        if near is None:
            names[point] = text
        else:
            names[near] += f", {text}"
    inside = axes.get_window_extent()
    for point, text in names.items():
        label = axes.annotate(
            text,
            point,
            color=colour,
            fontsize=9,
            textcoords="offset points",
            xytext=PLACES[0],
            path_effects=HALO,
        )
        for x, y in PLACES:
            label.set(position=(x, y), horizontalalignment="left" if x > 0 else "right")
            place = label.get_window_extent()
            hidden = any(place.overlaps(other) for other in taken)
            if (
                not hidden
                and inside.containsx(place.x0)
                and inside.containsx(place.x1)
                and (inside.containsy(place.y0) and inside.containsy(place.y1))
            ):
                break
        taken = [*taken, place]
    return taken
