"""The figures of question 1 to be looked into: hover, tick activations, slide, click on a cell."""

from collections.abc import Callable, Iterable, Sequence

from ...pages.charts import (
    Chart,
    Control,
    Key,
    Panel,
    Row,
    Spec,
    axis,
    colours,
    dashes,
    level,
    powers,
    shapes,
    tooltip,
)
from .. import style
from ..course import COURSES, LEARNED, LOST, NEVER, SLOW
from ..lab import Lab
from ..nets import Net
from ..report import count
from . import causes, claims, cures, depth_map, gradients, maps, patients
from .cells import Cell

COURSE_COLOURS = {NEVER: "ink", LOST: "red", SLOW: "yellow", LEARNED: "green"}
COURSE_SHAPES = {NEVER: "circle", LOST: "cross", SLOW: "triangle-up", LEARNED: "square"}
_COURSE_KEY = [Key(c, COURSE_COLOURS[c], COURSE_SHAPES[c]) for c in COURSES]
_OUTLINE = {"stroke": "var(--ink)", "strokeWidth": 0.4}
_ACCURACY: Spec = {"scale": {"domain": [0, 1]}, "axis": {"tickCount": 5}}


def _scale_of(figure: str) -> Spec:
    return {"scale": {"nice": 4}} if figure == "loss" else _ACCURACY


def map_chart(lab: Lab) -> Chart:
    """Return the map: what becomes of nets by depth, and the curves of the cell that is chosen."""
    names = depth_map.trained(lab)
    cells = {name: depth_map.of(lab, name) for name in names}
    depths = sorted({depth for row in cells.values() for depth in row})
    shown = [style.NAMES[name] for name in names]
    start = claims.depth(lab.settings, names[0])
    controls = [
        Control("activation", "curves of", shown, shown[0]),
        Control("depth", "hidden layers", depths, start if start in depths else depths[0]),
    ]
    key = [
        *(Key(course, COURSE_COLOURS[course], "square") for course in COURSES),
        Key("the depth that the course report names", "red", "frame"),
        Key("95 % interval of the share that failed", "ink", "line"),
    ]
    panels = [
        Panel(style.NAMES[name], _map_spec(claims.DEPTHS.get(name)), _map_rows(name, cells[name]),
              group=style.NAMES[name], height=190)
        for name in names
    ]  # fmt: skip
    curves = [row for name in names for row in _curve_rows(lab, cells[name].values())]
    for title, field in (("Test loss of the chosen cell's nets", "loss"),
                         ("Their test accuracy", "accuracy")):  # fmt: skip
        chance = lab.entropy if field == "loss" else lab.chance
        panels.append(Panel(title, _cell_spec(field, chance), curves if field == "loss" else
                            _without(curves, "loss"), height=190))  # fmt: skip
    caption = (
        "What became of the nets by depth: the share of each course, and the 95 % Wilson interval "
        "of the share that failed (never learned, or learned and lost). A click on a column, or "
        "the list and the slider, choose the cell whose nets' curves are below; the dotted line "
        "is chance."
    )
    return Chart(panels, controls, key, groups="activation", caption=caption)


def _without(rows: Iterable[Row], *names: str) -> list[Row]:
    return [{k: v for k, v in row.items() if k not in names} for row in rows]


def _map_rows(name: str, cells: dict[int, Cell]) -> list[Row]:
    return [
        {
            "activation": style.NAMES[name], "depth": depth, "course": course,
            "nets": cell.courses[course], "of": len(cell.nets),
            "failed": str(cell.failed), "low": cell.failed.interval[0],
            "high": cell.failed.interval[1], "accuracy": cell.accuracy,
            "order": COURSES.index(course),
        }
        for depth, cell in cells.items()
        for course in COURSES
    ]  # fmt: skip


def _map_spec(claimed: int | None) -> Spec:
    across = axis("depth", "hidden layers", "ordinal", axis={"labelOverlap": True})
    bars = {
        "transform": [{"filter": "datum.nets > 0"}],
        "mark": {"type": "bar", "cursor": "pointer", "width": {"band": 0.88}},
        "params": [{"name": "picked", "select": {
            "type": "point", "fields": ["activation", "depth"], "on": "click", "clear": False}}],
        "encoding": {
            "x": across,
            "y": axis("nets", "share of nets", stack="normalize", axis={"format": "%"}),
            "color": colours("course", COURSE_COLOURS),
            "order": {"field": "order"},
            "strokeWidth": {"condition": {
                "test": "datum.depth === depth && datum.activation === activation", "value": 2},
                "value": 0},
            "stroke": {"value": "var(--blue)"},
            "tooltip": tooltip(("depth", "hidden layers"), ("course", "course"), ("nets", "nets"),
                               ("of", "of"), ("failed", "failed, 95 % interval"),
                               ("accuracy", "mean test accuracy")),
        },
    }  # fmt: skip
    one = [{"filter": "datum.order === 0"}]
    interval = {
        "transform": one,
        "mark": {"type": "rule", "strokeWidth": 2, "color": "var(--paper)", "aria": False},
        "encoding": {"x": across, "y": axis("low", "share of nets"), "y2": {"field": "high"}},
    }
    frame = {
        "transform": [*one, {"filter": f"datum.depth === {claimed or 0}"}],
        "mark": {"type": "bar", "fill": None, "stroke": "var(--red)", "strokeWidth": 2.5,
                 "aria": False, "width": {"band": 1}},
        "encoding": {"x": across, "y": {"datum": 0}, "y2": {"datum": 1}},
    }  # fmt: skip
    ink = {**interval, "mark": {**interval["mark"], "strokeWidth": 1.2, "color": "var(--ink)"}}  # type: ignore[dict-item]
    halo = {**interval, "mark": {**interval["mark"], "strokeWidth": 4}}  # type: ignore[dict-item]
    return {"layer": [bars, halo, ink, frame]}


def _curve_rows(lab: Lab, cells: Iterable[Cell]) -> list[Row]:
    return [
        {
            "activation": style.NAMES[net.activation], "depth": net.depth, "seed": net.seed,
            "course": lab.course(net), "epoch": epoch, "loss": loss, "accuracy": accuracy,
        }
        for cell in cells
        for net in cell.nets
        for epoch, (loss, accuracy) in enumerate(
            zip(*(lab.outcomes[net].of_data(f"val_{n}") for n in ("loss", "accuracy")),
                strict=True), 1)
    ]  # fmt: skip


def _cell_spec(field: str, chance: float) -> Spec:
    lines = {
        "transform": [
            {"filter": "datum.activation === activation && datum.depth === depth"},
        ],
        "mark": {"type": "line", "point": {"size": 36, "filled": True}, "strokeWidth": 1.2,
                 "opacity": 0.85},
        "encoding": {
            "x": axis("epoch", "epoch", axis={"tickMinStep": 1, "format": "d"}),
            "y": axis(field, "loss (nats)" if field == "loss" else "accuracy",
                      **_scale_of(field)),
            "color": colours("course", COURSE_COLOURS),
            "detail": {"field": "seed"},
            "tooltip": tooltip(("seed", "seed"), ("epoch", "epoch"), (field, field),
                               ("course", "course")),
        },
    }  # fmt: skip
    return {"layer": [level(chance), lines]}


def curves_chart(lab: Lab) -> Chart:
    """Return loss and accuracy of the patients."""
    panels = []
    for net in (n for n in patients.nets(lab) if n in lab.outcomes):
        name = f"{style.NAMES[net.activation]}, {count(net.depth, 'layer')}"
        for figure, chance in (("loss", lab.entropy), ("accuracy", lab.chance)):
            of_data = lab.outcomes[net].of_data
            rows = [
                {"set": which, "epoch": epoch, figure: value}
                for which, prefix in (("train", ""), ("test", "val_"))
                for epoch, value in enumerate(of_data(prefix + figure), 1)
            ]
            panels.append(Panel(f"{name}: {figure}", train_test_spec(figure, chance), rows,
                                style.NAMES[net.activation], height=150))  # fmt: skip
    return Chart(panels, key=TRAIN_TEST_KEY, groups="activation")


TRAIN_TEST = {"train": "blue", "test": "orange"}
TRAIN_TEST_KEY = [
    Key("train", "blue", "line"),
    Key("test", "orange", "dashed"),
    Key("chance", "muted", "dotted"),
]


def train_test_spec(figure: str, chance: float) -> Spec:
    """Return lines of train and test figures by epoch, over the line of chance."""
    lines = {
        "mark": {"type": "line", "point": {"size": 36, "filled": True}},
        "encoding": {
            "x": axis("epoch", "epoch", axis={"tickMinStep": 1, "format": "d"}),
            "y": axis(figure, "loss (nats)" if figure == "loss" else figure,
                      **_scale_of(figure)),
            "color": colours("set", TRAIN_TEST),
            "strokeDash": dashes("set", {"train": [1, 0], "test": [6, 3]}),
            "tooltip": tooltip(("set", "set"), ("epoch", "epoch"), (figure, figure)),
        },
    }  # fmt: skip
    return {"layer": [level(chance), lines]}


# Of the moments, colours and shapes.
_MOMENT_LOOKS = (
    ("blue", "circle"), ("orange", "square"), ("green", "triangle-up"), ("pink", "diamond"),
    ("red", "cross"),
)  # fmt: skip


def gradients_chart(lab: Lab) -> Chart:
    """Return the gradient norm of each layer, at the first step and by epoch, at any depth."""
    names = [name for name in depth_map.trained(lab) if gradients.watched(lab, name)]
    nets = {name: gradients.watched(lab, name) for name in names}
    found = {net: gradients.moments(lab, net) for name in names for net in nets[name]}
    labels = list(dict.fromkeys(label for some in found.values() for label, _ in some))
    shown = [*labels[:4], *labels[-1:]] if len(labels) > 5 else labels
    looks = dict(zip(shown, _MOMENT_LOOKS, strict=False))
    depths = sorted({net.depth for net in found})
    start = claims.depth(lab.settings, names[0]) if names else 1
    values = [float(norm) for some in found.values() for _, norms in some for norm in norms]
    up = powers("norm", "gradient norm", values)
    panels = [
        Panel(
            style.NAMES[name],
            _gradient_spec(looks, up),
            [
                {"depth": net.depth, "layer": place, "name": layer, "moment": label,
                 "norm": float(norm), "seed": net.seed, "course": lab.course(net)}
                for net in nets[name]
                for label, norms in found[net] if label in looks
                for place, (layer, norm) in enumerate(
                    zip(lab.observations[net].layers, norms, strict=True), 1)
            ],
            style.NAMES[name],
            height=220,
        )
        for name in names
    ]  # fmt: skip
    slider = Control("depth", "hidden layers", depths, start if start in depths else depths[0])
    caption = (
        "Gradient norm of each layer, from the input (1) to the output layer, at the first step "
        "and as the median of an epoch: of one net (seed 0) at the depth that the slider says. A "
        "layer whose gradient is 0 has no point."
    )
    key = [Key(label, colour, shape) for label, (colour, shape) in looks.items()]
    return Chart(panels, [slider], key, groups="activation", caption=caption)


def _gradient_spec(looks: dict[str, tuple[str, str]], up: Spec) -> Spec:
    return {
        "transform": [{"filter": "datum.depth === depth && datum.norm > 0"}],
        "mark": {"type": "line", "point": {"size": 40, "filled": True}},
        "encoding": {
            "x": axis("layer", "layer, from the input", axis={"tickMinStep": 1, "format": "d"}),
            "y": up,
            "color": colours("moment", {label: colour for label, (colour, _) in looks.items()}),
            "shape": shapes("moment", {label: shape for label, (_, shape) in looks.items()}),
            "tooltip": tooltip(("name", "layer"), ("moment", "when"), ("norm", "gradient norm"),
                               ("seed", "seed"), ("course", "course of the net")),
        },
    }  # fmt: skip


def causes_chart(lab: Lab) -> Chart:
    """Return every net of the map: its gradient ratio at step 1, and where it ended."""
    panels = []
    names = depth_map.trained(lab)
    across = powers(
        "ratio",
        "gradient, first layer / output layer",
        [p.gradient_ratio for net, p in lab.probes.items() if net.activation in names],
    )
    for name in names:
        nets = [net for net in causes.map_nets(lab, name) if net in lab.probes]
        rows = [
            {
                "depth": net.depth, "seed": net.seed, "course": lab.course(net),
                "ratio": lab.probes[net].gradient_ratio, "accuracy": lab.test_accuracy(net),
            }
            for net in nets
        ]  # fmt: skip
        spec: Spec = {
            "layer": [
                level(lab.chance),
                {
                    "transform": [{"filter": "datum.ratio > 0"}],
                    "mark": {"type": "point", "opacity": 0.8, **_OUTLINE, "filled": True},
                    "encoding": {
                        "x": across,
                        "y": axis("accuracy", "test accuracy at the end", **_ACCURACY),
                        "color": colours("course", COURSE_COLOURS),
                        "shape": shapes("course", COURSE_SHAPES),
                        "tooltip": tooltip(("depth", "hidden layers"), ("seed", "seed"),
                                           ("course", "course"), ("ratio", "gradient ratio"),
                                           ("accuracy", "test accuracy")),
                    },
                },
            ]
        }  # fmt: skip
        panels.append(Panel(style.NAMES[name], spec, rows, style.NAMES[name], height=230))
    caption = (
        "Every net of the map: its gradient ratio at step 1, and its test accuracy at the end; the "
        "dotted line is chance. Nets with a ratio of 0 are in the table alone."
    )
    return Chart(panels, key=_COURSE_KEY, groups="activation", caption=caption)


def cures_chart(lab: Lab) -> Chart:
    """Return the nets that were given each cure, and those of the control arm."""
    panels = []
    for case in cures.cases(lab):
        control = lab.done(case.controls)
        if not control:
            continue
        rows = [_cured(lab, "control: new seed", net) for net in control]
        for cure in cures.CURES:
            rows += [_cured(lab, cure.name, net) for net in cures.cured(lab, case, cure)]
        order = list(dict.fromkeys(row["cure"] for row in rows))
        title = f"{style.NAMES[case.activation]}, {count(case.depth, 'layer')}"
        panels.append(Panel(title, _cures_spec(order), rows, style.NAMES[case.activation],
                            height=24 * len(order)))  # fmt: skip
    caption = (
        "Test accuracy of each net at the end, after a cure, by what became of it; above, the "
        "control arm's nets (a new seed, nothing changed)."
    )
    return Chart(panels, key=_COURSE_KEY, groups="activation", caption=caption, least=300)


def _cured(lab: Lab, name: str, net: Net) -> Row:
    return {
        "cure": name, "seed": net.seed, "accuracy": lab.test_accuracy(net),
        "course": lab.course(net),
    }  # fmt: skip


def _cures_spec(order: Sequence[str]) -> Spec:
    return {
        "mark": {"type": "point", "opacity": 0.8, **_OUTLINE, "filled": True},
        "encoding": {
            "x": axis("accuracy", "test accuracy", scale={"domain": [0, 1]},
                      axis={"values": [0, 0.5, 1]}),
            "y": axis("cure", "", "nominal", sort=list(order),
                      axis={"grid": True, "labelLimit": 220, "title": None}),
            "color": colours("course", COURSE_COLOURS),
            "shape": shapes("course", COURSE_SHAPES),
            "tooltip": tooltip(("cure", "cure"), ("seed", "seed"), ("accuracy", "test accuracy"),
                               ("course", "course")),
        },
    }  # fmt: skip


def maps_chart(lab: Lab) -> Chart:
    """Return the other maps: accuracy and failures by depth and by one thing more."""
    panels = [
        Panel(
            f"{style.NAMES[plane.activation]}, {knob.name}",
            _plane_spec([maps.value_label(plane, value) for value in plane.values()]),
            [
                {"value": maps.value_label(plane, value), "depth": depth,
                 "accuracy": cell.accuracy, "failed": f"{cell.failed.count}/{cell.failed.total}",
                 "interval": str(cell.failed)}
                for (value, depth), cell in plane.cells.items()
            ],
            style.NAMES[plane.activation],
            height=120,
        )
        for knob in maps.KNOBS
        for plane in maps.planes(lab, knob)
    ]  # fmt: skip
    key = [
        Key("mean test accuracy, from 0 (dark) to 1 (light); 3/4: 3 of 4 nets fail; *: the value "
            "of the nets above", "ink", "ramp"),
    ]  # fmt: skip
    return Chart(panels, key=key, groups="activation")


def _plane_spec(values: Sequence[str]) -> Spec:
    place = {
        "x": axis("depth", "hidden layers", "ordinal"),
        "y": axis("value", "", "nominal", sort=list(values), axis={"title": None}),
    }
    return {
        "layer": [
            {
                "mark": {"type": "rect"},
                "encoding": {
                    **place,
                    "color": {"field": "accuracy", "type": "quantitative", "legend": None,
                              "scale": {"domain": [0, 1], "scheme": "viridis"}},
                    "tooltip": tooltip(("value", "value"), ("depth", "hidden layers"),
                                       ("accuracy", "mean test accuracy"),
                                       ("interval", "failed, 95 % interval")),
                },
            },
            {
                "mark": {"type": "text", "fontSize": 12, "aria": False, "tooltip": None},
                "encoding": {
                    **place,
                    "text": {"field": "failed"},
                    "color": {"condition": {"test": "datum.accuracy > 0.6", "value": "#000000"},
                              "value": "#ffffff"},
                },
            },
        ]
    }  # fmt: skip


# The interactive form of a figure, by the figure's name; others are shown as pictures.
CHARTS: dict[str, Callable[[Lab], Chart]] = {
    "depth_map": map_chart,
    "patients_curves": curves_chart,
    "patients_gradients": gradients_chart,
    "causes": causes_chart,
    "cures": cures_chart,
    "maps": maps_chart,
}
