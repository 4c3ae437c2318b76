"""More maps: what the learning rate, the initialization and the width do to the border."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure as Drawing

from .. import style
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, Statement
from ..report import depths as depth_words
from . import cells, claims, depth_map
from .cells import Cell

SEEDS = 4
RELATIVE_DEPTHS = (0.5, 1.0, 1.5)  # of the depth where an activation fails
QUICK_RELATIVE_DEPTHS = (0.5, 1.0)
PLAIN_DEPTHS = (2, 4, 8, 16)  # of an activation that fails at no depth


@dataclass(frozen=True)
class Knob:
    """A field of the net, and the values it gets instead of a net's own."""

    field: str
    name: str
    values: Callable[[Net], tuple[object, ...]]

    def turned(self, net: Net) -> dict[object, Net]:
        """Return the net with each value, its own among them."""
        own = getattr(net, self.field)
        values = dict.fromkeys((*self.values(net), own))
        order = sorted(values) if isinstance(own, (int, float)) else list(values)
        return {value: replace(net, **{self.field: value}) for value in order}


KNOBS = (
    Knob(
        "learning_rate",
        "learning rate",
        lambda net: tuple(float(f"{net.learning_rate * f:.3g}") for f in (0.1, 3)),
    ),
    Knob("initializer", "initialization", lambda net: ("glorot_uniform", "he_normal")),
    Knob("width", "width", lambda net: (max(1, net.width // 2), 4 * net.width)),
)


def depths(lab: Lab, activation: str) -> list[int]:
    """Return depths around the one at which most of the activation's nets fail."""
    above = depth_map.border(lab, activation, "failed").above
    if not above:
        return list(PLAIN_DEPTHS[::2] if lab.settings.quick else PLAIN_DEPTHS)
    factors = QUICK_RELATIVE_DEPTHS if lab.settings.quick else RELATIVE_DEPTHS
    return sorted({max(1, round(above[0] * factor)) for factor in factors})


def seeds(lab: Lab) -> int:
    return min(SEEDS, claims.looks(lab.settings)[0])


def nets(lab: Lab, knob: Knob, activation: str) -> list[Net]:
    return [
        net
        for depth in depths(lab, activation)
        for net in knob.turned(claims.net(lab.settings, activation, depth)).values()
    ]


def train(lab: Lab) -> None:
    if not depth_map.anything_learned(lab):
        return
    for knob in KNOBS:
        some = [net for name in depth_map.trained(lab) for net in nets(lab, knob, name)]
        todo = [replace(net, seed=seed) for net in some for seed in range(seeds(lab))]
        lab.train(f"Map of {knob.name} and depth", todo)


@dataclass(frozen=True)
class Plane:
    """An activation's cells by the knob's value and depth."""

    activation: str
    knob: Knob
    own: object
    cells: dict[tuple[object, int], Cell]

    def values(self) -> list[object]:
        return list(dict.fromkeys(value for value, _ in self.cells))

    def depths(self) -> list[int]:
        return sorted({depth for _, depth in self.cells})

    def failed(self) -> dict[object, str]:
        """Return how many nets of all depths fail, by value, in words."""
        shares = {
            value: [cell.failed for (v, _), cell in self.cells.items() if v == value]
            for value in self.values()
        }
        return {
            value: f"{sum(s.count for s in some)} of {sum(s.total for s in some)}"
            for value, some in shares.items()
        }

    def against_own(self, value: object) -> tuple[list[int], list[int]]:
        """Return the depths at which the value learns and the net's own fails, and vice versa."""
        better, worse = [], []
        for depth in self.depths():
            this, own = self.cells.get((value, depth)), self.cells.get((self.own, depth))
            if this is None or own is None:
                continue
            if this.failed.side < 0 < own.failed.side:
                better.append(depth)
            if own.failed.side < 0 < this.failed.side:
                worse.append(depth)
        return better, worse


def planes(lab: Lab, knob: Knob) -> list[Plane]:
    found = []
    for name in depth_map.trained(lab):
        own = getattr(claims.net(lab.settings, name, 1), knob.field)
        grid = {}
        for net in nets(lab, knob, name):
            one = cells.cell(lab, net, seeds(lab))
            if one is not None:
                grid[getattr(net, knob.field), net.depth] = one
        todo = [replace(net, seed=s) for net in nets(lab, knob, name) for s in range(seeds(lab))]
        if len(lab.done(todo)) == len(todo):  # else it was interrupted
            values = knob.turned(claims.net(lab.settings, name, 1))
            ordered = {(v, d): grid[v, d] for v in values for d in depths(lab, name)
                       if (v, d) in grid}  # fmt: skip
            found.append(Plane(name, knob, own, ordered))
    return found


def _sentence(plane: Plane) -> Statement:
    name, own = plane.knob.name, _show(plane.own)
    parts, alike = [], []
    for value in plane.values():
        if value == plane.own:
            continue
        better, worse = plane.against_own(value)
        if better:
            parts.append(
                f"{_show(value)} learns at {depth_words(better, 'layer')}, where {own} fails"
            )
        if worse:
            parts.append(
                f"{_show(value)} fails at {depth_words(worse, 'layer')}, where {own} learns"
            )
        if not better and not worse:
            alike.append(_show(value))
    if alike:
        parts.append(f"with {', '.join(alike)} no depth is decided otherwise than with {own}")
    fails = ", ".join(f"{share} with {_show(value)}" for value, share in plane.failed().items())
    text = (
        f"**{style.NAMES[plane.activation]}, {name}** (against {own}): {'; '.join(parts)}. Over "
        f"these depths together, {fails} fail."
    )
    quantities = {
        "activation": plane.activation, "knob": plane.knob.field, "own": plane.own,
        "cells": [
            {"value": value, "depth": depth, "failed": cell.failed.count, "of": cell.failed.total}
            for (value, depth), cell in plane.cells.items()
        ],
    }  # fmt: skip
    return Statement("map", text, quantities)


def _show(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def statements(lab: Lab) -> list[Statement]:
    if not depth_map.anything_learned(lab):
        return []
    return [_sentence(plane) for knob in KNOBS for plane in planes(lab, knob)]


def describe(lab: Lab) -> Section | None:
    said = statements(lab)
    if not said:
        return None
    listed = "\n".join(f"- {statement.text}" for statement in said)
    most = seeds(lab)
    text = (
        "One thing about the nets is changed over the depths around the one at which an "
        f"activation fails. Each cell has {most} {'seed' if most == 1 else 'seeds'}; a cell "
        "*learns* or *fails* where the 95 % Wilson interval of the share that fails lies wholly "
        f"below or above one half, and only cells so decided are compared.\n\n{listed}"
    )
    caption = (
        "Nets that fail (never learned, or learned and lost) of all in a cell, by depth and by "
        "one other thing (*: the value of the nets above); the colour is the mean test accuracy."
    )
    return Section("More maps", text, [Figure("maps", caption, lambda: draw(lab))], said)


def results(lab: Lab) -> list[dict[str, object]]:
    if not depth_map.anything_learned(lab):
        return []
    return [
        {
            "knob": knob.field, "activation": plane.activation, "value": value, "depth": depth,
            "courses": cell.courses, "mean_test_accuracy": cell.accuracy,
        }
        for knob in KNOBS
        for plane in planes(lab, knob)
        for (value, depth), cell in plane.cells.items()
    ]  # fmt: skip


def draw(lab: Lab) -> Drawing:
    rows = [found for knob in KNOBS if (found := planes(lab, knob))]
    columns = max(map(len, rows))
    figure, axes, bar = style.subplots_and_bar(
        len(rows), columns, 1.2 + 3.2 * columns, 2.0 * len(rows) + 0.6
    )
    shown = None
    for row, found in zip(axes, rows, strict=True):
        for axis in row[len(found) :]:
            axis.set_visible(False)
        for axis, plane in zip(row, found, strict=False):
            values, levels = plane.values(), plane.depths()
            image = np.full((len(values), len(levels)), np.nan)
            for (value, depth), cell in plane.cells.items():
                place = values.index(value), levels.index(depth)
                image[place] = cell.accuracy
                axis.text(
                    place[1], place[0], f"{cell.failed.count}/{cell.failed.total}", ha="center",
                    va="center", fontsize=8, color="black" if cell.accuracy > 0.6 else "white",
                )  # fmt: skip
            shown = axis.imshow(image, cmap="viridis", vmin=0, vmax=1, aspect="auto")
            axis.set_xticks(range(len(levels)), [str(level) for level in levels])
            axis.set_yticks(range(len(values)), [value_label(plane, value) for value in values])
            axis.tick_params(length=0)
            axis.grid(False)
            axis.spines[:].set_visible(False)
        row[0].set_ylabel(found[0].knob.name)
    for axis, plane in zip(axes[0], rows[0], strict=False):
        axis.set_title(style.NAMES[plane.activation])
    for axis in axes[-1]:
        axis.set_xlabel("hidden layers")
    if shown is not None:
        figure.colorbar(shown, cax=bar, label="mean test accuracy")
    return figure


_SHORT = {"torch_default": "torch", "glorot_uniform": "Glorot", "he_normal": "He"}


def value_label(plane: Plane, value: object) -> str:
    shown = _SHORT.get(str(value), _show(value))
    return f"{shown} *" if value == plane.own else shown
