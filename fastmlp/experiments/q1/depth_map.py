"""The map: at which depths an activation never learns, and at which it loses what it learned."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Rectangle

from .. import style
from ..course import LEARNED, LOST, NEVER, SLOW
from ..intervals import Share
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, Statement, count, depths, ranges, table
from . import cells, claims
from .cells import Cell

# The two ways to ask: which share of a cell, and what its nets do.
SHARES: dict[str, Callable[[Cell], Share]] = {
    NEVER: lambda cell: cell.never,
    "failed": lambda cell: cell.failed,
}
_LABELS = {NEVER: "share that never learned", "failed": "share that failed"}
_VERBS = {NEVER: "never learns", "failed": "fails (never learns, or learns and loses it)"}


@dataclass(frozen=True)
class Border:
    """At which depths more than half of an activation's nets do something.

    ``above`` and ``below`` are the depths whose intervals lie above and below one half.
    """

    activation: str
    what: str
    shares: dict[int, Share]

    def _side(self, side: int) -> list[int]:
        return [depth for depth, share in self.shares.items() if share.side == side]

    @property
    def above(self) -> list[int]:
        return self._side(1)

    @property
    def below(self) -> list[int]:
        return self._side(-1)

    @property
    def undecided(self) -> list[int]:
        return self._side(0)


def nets(lab: Lab, activation: str) -> list[Net]:
    """Return the nets of seed 0, by depth."""
    found = [claims.net(lab.settings, activation, d) for d in claims.depths(lab.settings)]
    asked = claims.depth(lab.settings, activation)
    if asked not in claims.depths(lab.settings):
        found.append(claims.net(lab.settings, activation, asked))
    return sorted(found, key=lambda net: net.depth)


def train(lab: Lab) -> None:
    for activation in claims.activations(lab.settings):
        title = f"Map of {style.NAMES[activation]}"
        with lab.console.status(f"{title}: a net of each depth, watched"):
            lab.observe(nets(lab, activation))
        cells.train(lab, title, nets(lab, activation), claims.looks(lab.settings))
    lab.fix_ceiling()


def of(lab: Lab, activation: str) -> dict[int, Cell]:
    """Return an activation's cells by depth: those trained so far."""
    found = [cells.cell(lab, net, lab.looked.get(net, 0)) for net in nets(lab, activation)]
    return {cell.net.depth: cell for cell in found if cell is not None}


def trained(lab: Lab) -> list[str]:
    return [name for name in claims.activations(lab.settings) if of(lab, name)]


def border(lab: Lab, activation: str, what: str) -> Border:
    shares = {depth: SHARES[what](cell) for depth, cell in of(lab, activation).items()}
    return Border(activation, what, shares)


def anything_learned(lab: Lab) -> bool:
    """Tell whether any net of the map knew something at any time."""
    return any(
        cell.never.count < cell.never.total
        for name in trained(lab)
        for cell in of(lab, name).values()
    )


def statements(lab: Lab) -> list[Statement]:
    if not trained(lab):
        return []
    if not anything_learned(lab):
        return [_nothing(lab)]
    return [
        _sentence(border(lab, name, what), claims.steps(lab))
        for name in trained(lab)
        for what in SHARES
    ]


def _nothing(lab: Lab) -> Statement:
    mark = lab.yardstick
    total = sum(cell.never.total for name in trained(lab) for cell in of(lab, name).values())
    text = (
        f"**Nothing can be concluded about depth:** none of the {total} nets of the map was ever "
        f"above {mark.threshold:.3f}, what guessing (the most frequent class: {mark.chance:.3f}) "
        "exceeds once in a million tests; nets with one hidden layer did not learn either, so that "
        "the data, the learning rate, the number of steps or the number of test samples must "
        "change before depth can show."
        if mark.threshold < 1
        else f"**Nothing can be concluded:** with {len(lab.dataset.test[1])} test samples and "
        f"{mark.chance:.3f} of them in one class, even a perfect net could not be told from "
        "guessing."
    )
    quantities = {"nets": total, "threshold": mark.threshold, "chance": mark.chance}
    return Statement("nothing learned", text, quantities)


def _sentence(it: Border, steps: int) -> Statement:
    above, below, undecided = it.above, it.below, it.undecided
    parts = []
    if above:
        parts.append(f"more than half of the nets at {depths(above)}")
    if below:
        parts.append(f"fewer than half at {ranges(below)}")
    if undecided:
        fewest = min(it.shares[depth].total for depth in undecided)
        most = max(it.shares[depth].total for depth in undecided)
        seeds = str(most) if fewest == most else f"{fewest} to {most}"
        plural = "" if most == 1 else "s"
        parts.append(f"undecided with {seeds} seed{plural} at {ranges(undecided)}")
    between = ""
    if above and below and max(below) < min(above):
        lower, upper = max(below), min(above)
        at = f"{it.shares[lower]} at {lower}, {it.shares[upper]} at {upper}"
        between = f" The border lies between {lower} and {upper} layers ({at})."
    elif above and below:
        between = " There is no single border: the share does not only grow with depth."
    elif above and not undecided:
        between = " One hidden layer is enough for that, so depth is not what makes the difference."
    elif not above and not undecided:
        between = f" No depth up to {max(it.shares)} reaches one half."
    text = (
        f"**{style.NAMES[it.activation]} {_VERBS[it.what]}** within {count(steps, 'step')}: "
        f"{'; '.join(parts)}.{between}"
    )
    quantities = {
        "activation": it.activation, "what": it.what, "steps": steps,
        "above": above, "below": below, "undecided": undecided,
        "shares": {str(d): [share.count, share.total] for d, share in it.shares.items()},
    }  # fmt: skip
    return Statement("border", text, quantities)


def describe(lab: Lab) -> Section | None:
    found = trained(lab)
    if not found:
        return None
    mark = lab.yardstick
    said = statements(lab)
    listed = "\n".join(f"- {statement.text}" for statement in said)
    looks = claims.looks(lab.settings)
    net = claims.net(lab.settings, found[0], 1)
    seeds = (
        f"{looks[0]} seeds, and {', '.join(map(str, looks[1:]))} where fewer do not decide"
        if looks[1:]
        else f"{looks[0]} seeds" if looks[0] > 1 else "1 seed"
    )  # fmt: skip
    text = (
        f"Nets of {count(net.width, 'unit')} a layer, batches of {net.batch_size}, SGD at a "
        f"learning rate of {net.learning_rate:g}, {count(net.epochs, 'epoch')} "
        f"({count(claims.steps(lab), 'step')}), "
        f"initialization {net.initializer}{_extras(net)}. Each depth has {seeds}. What becomes of "
        "a net is told from its course. It *never learned* if no epoch's test accuracy, nor the "
        f"first epoch's training accuracy, is above {mark.threshold:.4f}: the most frequent "
        f"class has {mark.chance:.4f}, and guessing exceeds the former once in a million tests. "
        "It *learned and lost* if it was above, and at the end less than half of its best lead "
        "over chance is left. It *learned* if it ends more than halfway from chance to the best "
        f"that any net of the map reached ({mark.ceiling:.4f}); else it is *learning slowly*. "
        "Brackets are 95 % Wilson intervals; a verdict needs one that lies wholly on one side of "
        "one half. (A cell that is looked at several times errs somewhat more often than once in "
        f"20.)\n\n{listed}\n\nNever learned + learned and lost, of all nets, and mean test "
        f"accuracy:\n\n{_table(lab)}"
    )
    if any(0 < c.failed.count < c.failed.total for a in found for c in of(lab, a).values()):
        text += (
            "\n\nWhere only some nets of a depth fail, rounding has a say in which: on another "
            "machine or backend the counts may differ by a few."
        )
    caption = (
        "What became of the nets by depth. Above: the share that never learned, and the share "
        "that failed (that, or learned and lost), with 95 % Wilson intervals; the dashed line "
        "is one half. Below: each net's course; the number is how many nets a cell has. A red "
        "frame marks the depth that the course report names."
    )
    figure = Figure("depth_map", caption, lambda: draw(lab))
    return Section("The map: how deep is too deep", text, [figure], said)


def _extras(net: Net) -> str:
    named = ((n, getattr(net, n)) for n in ("momentum", "l1", "l2", "dropout"))
    return "".join(f", {name} {value:g}" for name, value in named if value)


def _table(lab: Lab) -> str:
    found = {name: of(lab, name) for name in trained(lab)}
    depths = sorted({depth for row in found.values() for depth in row})
    return table(
        ["hidden layers", *(style.NAMES[name] for name in found)],
        [[depth, *(_text(row.get(depth)) for row in found.values())] for depth in depths],
    )


def _text(cell: Cell | None) -> str:
    if cell is None:
        return ""
    never, lost = cell.never, cell.lost
    return f"{never.count} + {lost.count} of {never.total}, {cell.accuracy:.2f}"


def results(lab: Lab) -> list[dict[str, object]]:
    return [
        {
            "activation": name,
            "depth": depth,
            "nets": len(cell.nets),
            "courses": cell.courses,
            "never_interval": cell.never.interval,
            "failed_interval": cell.failed.interval,
            "mean_test_accuracy": cell.accuracy,
        }
        for name in trained(lab)
        for depth, cell in of(lab, name).items()
    ]


def draw(lab: Lab) -> Drawing:
    found = {name: of(lab, name) for name in trained(lab)}
    figure, axes = style.subplots(
        2, len(found), max(5.0, 3.6 * len(found)), 5.0, sharex=True, sharey="row",
        height_ratios=(1, 1),
    )  # fmt: skip
    depths = sorted({depth for row in found.values() for depth in row})
    places = {depth: place for place, depth in enumerate(depths, 1)}
    for column, (name, row) in enumerate(found.items()):
        above, below = axes[0][column], axes[1][column]
        above.set_title(style.NAMES[name])
        above.axhline(0.5, color=style.GREY, linestyle="--", linewidth=1)
        for what, colour, marker, shift in (
            ("failed", style.ORANGE, "s", 0.13), (NEVER, style.BLUE, "o", -0.13),
        ):  # fmt: skip
            _draw_shares(above, what, row, places, (colour, marker, shift))
        _draw_courses(below, row, places)
        claim = claims.DEPTHS.get(name)
        if claim in places and claim in row:
            frame = Rectangle(
                (places[claim] - 0.5, 0), 1, 1, fill=False, edgecolor=style.RED, linewidth=2.5,
                clip_on=False, zorder=4, label="the depth that the course report names",
            )  # fmt: skip
            below.add_patch(frame)
        style.ticks_at(below, places)
        below.set_xlabel("hidden layers")
        below.set_xlim(0.4, len(depths) + 0.6)
    axes[0][0].set_ylabel("share of nets")
    axes[0][0].set_ylim(-0.03, 1.03)
    axes[1][0].set_ylim(0, 1)
    axes[1][0].set_ylabel("nets (above: how many)")
    axes[1][0].set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    style.legend_below(figure, [axes[0][0], *axes[1]])
    return figure


def _draw_shares(axis, what, row, places, look) -> None:  # type: ignore[no-untyped-def]
    colour, marker, shift = look
    shares = {places[depth]: SHARES[what](cell) for depth, cell in row.items()}
    at = np.array(list(shares)) + shift
    value = np.array([share.count / share.total for share in shares.values()])
    low, high = np.array([share.interval for share in shares.values()]).T
    axis.errorbar(
        at, value, np.clip([value - low, high - value], 0, 1), fmt=marker, color=colour,
        markersize=4, linewidth=1, label=_LABELS[what],
    )  # fmt: skip


COLOURS = {NEVER: style.BLACK, LOST: style.RED, SLOW: style.YELLOW, LEARNED: style.GREEN}
HATCHES = {NEVER: "", LOST: "////", SLOW: "....", LEARNED: ""}


def _draw_courses(axis, row, places) -> None:  # type: ignore[no-untyped-def]
    at = [places[depth] for depth in row]
    bottom = np.zeros(len(at))
    for course, colour in COLOURS.items():
        share = np.array([cell.courses[course] / len(cell.nets) for cell in row.values()])
        axis.bar(
            at, share, 0.86, bottom, color=colour, hatch=HATCHES[course], edgecolor="white",
            linewidth=0, label=course,
        )  # fmt: skip
        bottom += share
    for place, cell in zip(at, row.values(), strict=True):
        axis.text(
            place, 1.02, len(cell.nets), ha="center", va="bottom", fontsize=7, color=style.GREY
        )
    axis.grid(False)
