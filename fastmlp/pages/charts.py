"""Interactive figures as data: panels of Vega-Lite, and the controls that they share."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
Spec = dict[str, Any]


@dataclass(frozen=True)
class Control:
    """A control of the page that sets a parameter of that name in all panels of its figure.

    Numbers become a slider, words a list to choose from.
    """

    name: str
    label: str
    values: Sequence[Any]
    start: Any


@dataclass(frozen=True)
class Key:
    """An entry of a figure's legend: a colour of the page's theme, and a shape or a dash."""

    label: str
    colour: str
    shape: str = "square"  # or another of report.js; "ramp" has colours of its own, viridis


@dataclass(frozen=True)
class Panel:
    """A view of its own.

    Attributes
    ----------
    title : str
    spec : dict
        Vega-Lite without data, width and title.  A selection named ``picked`` sets the controls
        that have the names of its fields.
    rows : sequence of dict
        The data, which the figure's table shows, too.
    group : str
        Panels of a group are shown or hidden together, by a box to tick.
    wide : bool
        Whether it has a row to itself.
    height : int
        In pixels.
    """

    title: str
    spec: Spec
    rows: Sequence[Row]
    group: str = ""
    wide: bool = False
    height: int = 180


@dataclass(frozen=True)
class Chart:
    """An interactive figure.

    Attributes
    ----------
    panels : sequence of Panel
    controls : sequence of Control
    key : sequence of Key
    groups : str
        What the panels' groups are, such as "activation".
    caption : str
        What it shows, in place of the picture's caption, where the two differ.
    least : int
        The least width of a panel, in pixels: on a narrow page there are fewer side by side.
    """

    panels: Sequence[Panel]
    controls: Sequence[Control] = ()
    key: Sequence[Key] = field(default_factory=tuple)
    groups: str = ""
    caption: str = ""
    least: int = 260

    def to_json(self) -> str:
        """Return what the page's script reads; safe inside of a script element."""
        content = {
            "panels": [
                {
                    "title": panel.title, "spec": panel.spec, "group": panel.group,
                    "wide": panel.wide, "height": panel.height, **_columns(panel.rows),
                }
                for panel in self.panels
            ],
            "controls": [
                {"name": c.name, "label": c.label, "values": list(c.values), "start": c.start}
                for c in self.controls
            ],
            "key": [{"label": k.label, "colour": k.colour, "shape": k.shape} for k in self.key],
            "groups": self.groups, "least": self.least,
        }  # fmt: skip
        return json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _columns(rows: Sequence[Row]) -> dict[str, Any]:
    """Return rows with the names of their columns written once."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {"columns": names, "rows": [[_short(row.get(name)) for name in names] for row in rows]}


def _short(value: Any) -> Any:
    """Return a value as JSON has it: numbers to five digits, and none that is not finite."""
    if isinstance(value, (list, tuple)):
        return [_short(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.5g}") if math.isfinite(value) else None
    return value


def axis(name: str, title: str, kind: str = "quantitative", **options: Any) -> Spec:
    """Return how a field is placed along an axis; ``scale`` and ``axis`` may be among options."""
    return {"field": name, "type": kind, "title": title, **options}


def powers(name: str, title: str, values: Iterable[float]) -> Spec:
    """Return a logarithmic axis that has room for all the values, with ticks at powers of ten."""
    positive = [math.log10(value) for value in values if 0 < value < math.inf] or [0.0]
    low = math.floor(min(positive))
    high = max(math.ceil(max(positive)), low + 1)
    step = -(-(high - low) // 6)
    ticks = [10.0**power for power in range(low, high + 1, step)]
    return axis(name, title, scale={"type": "log", "domain": [10.0**low, 10.0**high]},
                axis={"values": ticks, "format": ".0e"})  # fmt: skip


def tooltip(*fields: tuple[str, str]) -> list[Spec]:
    """Return what is shown of a mark under the mouse: fields, and what they are called."""
    return [{"field": name, "title": title} for name, title in fields]


def colours(name: str, colour_of: Mapping[str, str]) -> Spec:
    """Return the colour by a field; the legend is the page's own."""
    scale = {"domain": list(colour_of), "range": [f"var(--{c})" for c in colour_of.values()]}
    return {"field": name, "type": "nominal", "scale": scale, "legend": None}


def shapes(name: str, shape_of: Mapping[str, str]) -> Spec:
    """Return the shape by a field."""
    scale = {"domain": list(shape_of), "range": list(shape_of.values())}
    return {"field": name, "type": "nominal", "scale": scale, "legend": None}


def dashes(name: str, dash_of: Mapping[str, Sequence[int]]) -> Spec:
    """Return the dash of a line by a field."""
    scale = {"domain": list(dash_of), "range": [list(dash) for dash in dash_of.values()]}
    return {"field": name, "type": "nominal", "scale": scale, "legend": None}


def level(value: float, label: str = "") -> Spec:
    """Return a dotted line across a panel."""
    datum: Spec = {"value": value} | ({"": label} if label else {})
    return {
        "data": {"values": [datum]},
        "mark": {"type": "rule", "strokeDash": [2, 3], "color": "var(--muted)", "aria": False},
        "encoding": {"y": {"field": "value", "type": "quantitative"}},
    }
