"""The causes: what the first step foretells, and what a lower rate would have kept."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import NullLocator

from .. import style
from ..course import LEARNED, LOST, NEVER, SLOW
from ..intervals import Auc, Share
from ..lab import Lab, Observation
from ..nets import Net
from ..probe import Probe
from ..report import Figure, Section, Statement, count, depths, listing
from . import claims, depth_map, gradients

# What is tried as a predictor of never learning: each is small where a net will not learn.
PREDICTORS: dict[str, Callable[[Probe], float]] = {
    "gradient ratio": lambda probe: probe.gradient_ratio,
    "signal ratio": lambda probe: probe.signal_ratio,
}

COOLED = (4.0, 10.0)
WATCHED = 3  # nets of each kind and activation
COOLED_NETS = 20
QUICK_COOLED_NETS = 6


def map_nets(lab: Lab, activation: str) -> list[Net]:
    return [net for cell in depth_map.of(lab, activation).values() for net in cell.nets]


def fallen(lab: Lab, activation: str) -> list[Net]:
    """Return the map's nets that learned and lost it after at least one epoch."""
    lost = [net for net in map_nets(lab, activation) if lab.course(net) == LOST]
    return [net for net in lost if lab.yardstick.fell(lab.outcomes[net]) > 0]


def cooled(lab: Lab, net: Net, divisor: float) -> Net:
    """Return a net that fell, with its rate lowered when the epoch begins in which it fell."""
    epoch = lab.yardstick.fell(lab.outcomes[net])
    return replace(net, cool_after=epoch, cool_by=divisor)


def train(lab: Lab) -> None:
    most = QUICK_COOLED_NETS if lab.settings.quick else COOLED_NETS
    activations = depth_map.trained(lab)
    for name in activations:
        lab.train(
            f"{style.NAMES[name]} with its rate lowered",
            [cooled(lab, net, by) for by in COOLED for net in fallen(lab, name)[:most]],
        )
    with lab.console.status("Watching nets that fall, and their like"):
        pairs = [pair for name in activations for pair in _watched_pairs(lab, name)]
        lab.observe(net for pair in pairs for net in pair)


def _watched_pairs(lab: Lab, activation: str) -> list[tuple[Net, Net]]:
    """Return nets that fell, each with one that did not, of the depth nearest to its own."""
    healthy = [net for net in map_nets(lab, activation) if lab.course(net) == LEARNED]
    pairs: list[tuple[Net, Net]] = []
    for net in fallen(lab, activation):
        free = [other for other in healthy if all(other != used for _, used in pairs)]
        if free and len(pairs) < WATCHED:
            pairs.append((net, min(free, key=lambda other: abs(other.depth - net.depth))))
    return pairs


@dataclass(frozen=True)
class Prediction:
    """How well a figure of the first step foretells which nets never learn.

    ``auc`` is over an activation's nets of all depths, ``depth`` that of depth alone, and
    ``within`` that over pairs of nets of the same depth, of which there are ``pairs``. ``even`` is
    over as many nets at each depth: the map has more where it is hard to decide. It is None if
    those are all nets, or of one sort.
    """

    activation: str
    figure: str
    auc: Auc
    depth: Auc
    within: float | None
    pairs: int
    even: Auc | None


def predictions(lab: Lab) -> list[Prediction]:
    found = []
    for name in depth_map.trained(lab):
        nets = [net for net in map_nets(lab, name) if net in lab.probes]
        never = [net for net in nets if lab.course(net) == NEVER]
        other = [net for net in nets if lab.course(net) != NEVER]
        for figure, value in PREDICTORS.items():
            measured = {net: value(lab.probes[net]) for net in nets}
            auc = Auc.of([measured[net] for net in other], [measured[net] for net in never])
            depth = Auc.of([-net.depth for net in other], [-net.depth for net in never])
            if auc is None or depth is None:
                continue
            same = [(measured[a], measured[b]) for a in other for b in never if a.depth == b.depth]
            wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in same]
            within = float(np.mean(wins)) if wins else None
            first = claims.looks(lab.settings)[0]
            even = Auc.of(
                [measured[net] for net in other if net.seed < first],
                [measured[net] for net in never if net.seed < first],
            )
            if all(net.seed < first for net in nets):
                even = None
            found.append(Prediction(name, figure, auc, depth, within, len(same), even))
    return found


def _prediction(it: Prediction) -> Statement:
    low, high = it.auc.interval
    verdict = (
        "tells which nets never learn"
        if low > 0.5
        else "is larger in nets that never learn"
        if high < 0.5
        else "cannot be said to tell which never learn"
    )
    if low > 0.5 and it.auc.value <= it.depth.value:
        verdict += ", but no better than depth alone"
    same = (
        f" Among nets of the same depth, where depth cannot help, it is {it.within:.3f} "
        f"({it.pairs} pairs)."
        if it.within is not None
        else " No depth has both kinds of nets, so that it cannot be told from depth itself."
    )
    if it.even is not None:
        same += f" With as many nets at each depth, it is {it.even} over all of these."
    text = (
        f"**{style.NAMES[it.activation]}: the {it.figure} at step 1 {verdict}:** AUC {it.auc} "
        f"({it.auc.second} that never learn, {it.auc.first} others); depth alone has "
        f"{it.depth.value:.3f}.{same}"
    )
    quantities = {
        "activation": it.activation, "figure": it.figure, "auc": it.auc.value,
        "interval": [low, high], "never": it.auc.second, "others": it.auc.first,
        "depth_auc": it.depth.value, "within": it.within, "pairs": it.pairs,
    }  # fmt: skip
    return Statement("prediction", text, quantities)


def _decay(lab: Lab, activation: str) -> Statement | None:
    """Say by what the signal shrinks on its way up, at the depth looked at closely."""
    cell = depth_map.of(lab, activation).get(claims.depth(lab.settings, activation))
    probes = [lab.probes[net] for net in cell.nets if net in lab.probes] if cell else []
    if not probes or cell is None:
        return None
    signal = float(np.median([probe.signal_ratio for probe in probes]))
    gradient = float(np.median([probe.gradient_ratio for probe in probes]))
    text = (
        f"**{style.NAMES[activation]} with {depths([cell.net.depth])}, at step 1:** how much "
        f"outputs differ from sample to sample is, in the last hidden layer, {signal:.2g} times "
        f"what it is in the first; the first layer's gradient norm is {gradient:.2g} times the "
        f"output layer's ({'medians of ' if probes[1:] else ''}{count(len(probes), 'net')})."
    )
    quantities = {
        "activation": activation, "depth": cell.net.depth, "nets": len(probes),
        "signal_ratio": signal, "gradient_ratio": gradient,
    }  # fmt: skip
    return Statement("decay", text, quantities)


def _counterfactual(lab: Lab, activation: str) -> Statement | None:
    nets = fallen(lab, activation)
    arms: dict[float, Share] = {}
    for by in COOLED:
        done = lab.done(cooled(lab, net, by) for net in nets)
        kept = sum(lab.course(net) in (LEARNED, SLOW) for net in done)
        if done:
            arms[by] = Share(kept, len(done))
    if not arms:
        return None
    said = [f"divided by {by:g}, {share} kept it" for by, share in arms.items()]
    sides = [share.side for share in arms.values()]
    best = max(sides)
    title = (
        "a lower rate keeps what they learned"
        if best > 0
        else "a lower rate does not keep it in most"
        if all(side < 0 for side in sides)
        else "whether a lower rate keeps it in most is undecided"
    )
    text = (
        f"**{style.NAMES[activation]} nets that learned and lost: {title}.** The same nets, the "
        "same weights and batches up to the epoch in which they fell, and from there on with the "
        f"learning rate {listing(said)}; with the rate unchanged, none."
    )
    quantities = {
        "activation": activation,
        "arms": {f"{by:g}": [share.count, share.total] for by, share in arms.items()},
    }
    return Statement("counterfactual", text, quantities)


@dataclass(frozen=True)
class Flat:
    """Flat units (the slope of all outputs on a batch is below 0.01) when nets fell.

    ``fell`` are shares in nets that fell, at the end of the epoch in which they did; ``healthy``
    in nets that did not, at the end of the same epochs; ``outputs`` the shares of flat outputs.
    """

    fell: list[float]
    healthy: list[float]
    fell_outputs: list[float]
    healthy_outputs: list[float]


def flat(lab: Lab, activation: str) -> Flat | None:
    found = Flat([], [], [], [])
    for net, other in _watched_pairs(lab, activation):
        if net in lab.observations and other in lab.observations:
            epoch = lab.yardstick.fell(lab.outcomes[net])
            for one, units, outputs in (
                (net, found.fell, found.fell_outputs),
                (other, found.healthy, found.healthy_outputs),
            ):
                by_epoch = _flat_by_epoch(lab, one, lab.observations[one])
                units.append(by_epoch[epoch][0])
                outputs.append(by_epoch[epoch][1])
    return found if found.fell else None


def _flat_by_epoch(lab: Lab, net: Net, watched: Observation) -> list[tuple[float, float]]:
    """Return the shares of flat units and outputs at the last record of each epoch, if any."""
    if not len(watched.steps):  # it came apart at its first step
        return []
    steps = -(-len(lab.dataset.train[1]) // net.batch_size)
    ends = np.searchsorted(watched.steps, steps * np.arange(1, net.epochs + 1)) - 1
    return [(float(watched.dead[e].mean()), float(watched.saturated[e].mean())) for e in ends]


def _flat(lab: Lab, activation: str) -> Statement | None:
    found = flat(lab, activation)
    if found is None:
        return None
    a, b = float(np.mean(found.fell)), float(np.mean(found.healthy))
    c, d = float(np.mean(found.fell_outputs)), float(np.mean(found.healthy_outputs))
    lower = max(found.healthy) < min(found.fell)
    comparison = (
        "every one that fell has more of them than any healthy one"
        if lower
        else "the two overlap, so that flat units do not tell them apart here"
    )
    text = (
        f"**{style.NAMES[activation]}, flat units when nets fell:** {a:.0%} of the hidden units "
        f"are flat on a whole batch at the end of the epoch in which a net fell, {b:.0%} in nets "
        f"that learned, of the nearest depth, at the end of the same epoch ({len(found.fell)} of "
        f"each): {comparison}. Of single outputs {c:.0%} are flat, and {d:.0%}."
    )
    return Statement("flat units", text, {"activation": activation, **vars(found)})


def statements(lab: Lab) -> list[Statement]:
    if not depth_map.anything_learned(lab):
        return []
    names = depth_map.trained(lab)
    found = [
        *map(_prediction, predictions(lab)),
        *(_decay(lab, name) for name in names),
        *(_counterfactual(lab, name) for name in names),
        *(_flat(lab, name) for name in names),
    ]
    return [statement for statement in found if statement is not None]


def describe(lab: Lab) -> Section | None:
    said = statements(lab)
    if not said:
        return None
    listed = "\n".join(f"- {statement.text}" for statement in said)
    text = (
        "What a net looks like before it has learned anything is compared with what became of it. "
        "The *gradient ratio* is the first layer's gradient norm over the output layer's, on the "
        "first batch. The *signal ratio* is how much the outputs of the last hidden layer differ "
        "from sample to sample, over the same of the first. An AUC is the share of pairs, one "
        "net that never learns and one of the others, in which the former has the smaller figure: "
        "0.5 is guessing, 1 is perfect (95 % intervals by Newcombe's method). A figure that "
        "predicts need not be a cause. To lower the rate of a net that fell is an experiment: if "
        f"that changes its end, the rate was a cause.\n\n{listed}"
    )
    caption = (
        "Every net of the map: its gradient ratio at step 1, and its test accuracy at the end. "
        "Ratios of 0 are drawn at the left edge."
    )
    figures = (
        [Figure("causes", caption, lambda: draw(lab))]
        if any(net in lab.probes for name in depth_map.trained(lab) for net in map_nets(lab, name))
        else []
    )
    return Section("The causes", text, figures, said)


def results(lab: Lab) -> dict[str, object]:
    return {
        "first_steps": [
            {
                "activation": net.activation, "depth": net.depth, "seed": net.seed,
                "course": lab.course(net), "gradient": probe.gradient, "signal": probe.signal,
                "gradient_ratio": probe.gradient_ratio, "signal_ratio": probe.signal_ratio,
            }
            for net, probe in lab.probes.items()
            if net in lab.outcomes
        ],
        "gradients_by_depth": gradients.results(lab),
        "fell_in_epoch": [
            {
                "activation": net.activation, "depth": net.depth, "seed": net.seed,
                "epoch": lab.yardstick.fell(lab.outcomes[net]) + 1,
            }
            for name in depth_map.trained(lab)
            for net in fallen(lab, name)
        ],
        "watched": [
            {
                "activation": net.activation, "depth": net.depth, "seed": net.seed,
                "flat_units_and_outputs_by_epoch": _flat_by_epoch(lab, net, watched),
            }
            for net, watched in lab.observations.items()
        ],
    }  # fmt: skip


MARKERS = {NEVER: "o", LOST: "X", SLOW: "^", LEARNED: "s"}


def draw(lab: Lab) -> Drawing:
    names = [n for n in depth_map.trained(lab) if any(x in lab.probes for x in map_nets(lab, n))]
    figure, axes = style.subplots(
        1, len(names), max(5.0, 3.6 * len(names)), 3.6, sharex=True, sharey=True
    )
    aucs = {p.activation: p.auc for p in predictions(lab) if p.figure == "gradient ratio"}
    ratios = [lab.probes[n].gradient_ratio for name in names for n in map_nets(lab, name)
              if n in lab.probes]  # fmt: skip
    least = min((r for r in ratios if r > 0), default=1e-3) / 3
    for axis, name in zip(axes[0], names, strict=True):
        nets = [net for net in map_nets(lab, name) if net in lab.probes]
        for course, marker in MARKERS.items():
            some = [net for net in nets if lab.course(net) == course]
            x = [max(lab.probes[net].gradient_ratio, least) for net in some]
            y = [lab.test_accuracy(net) for net in some]
            axis.plot(
                x, y, marker, color=depth_map.COLOURS[course], markersize=4.5, alpha=0.8,
                markeredgecolor=style.BLACK, markeredgewidth=0.3, linestyle="", label=course,
            )  # fmt: skip
        axis.axhline(lab.chance, color=style.GREY, linestyle=":", linewidth=1)
        axis.set_xscale("log")
        axis.xaxis.set_minor_locator(NullLocator())
        auc = f"\nnever learned: AUC {aucs[name]}" if name in aucs else ""
        axis.set_title(f"{style.NAMES[name]}{auc}", fontsize=10)
        axis.set_xlabel("gradient, first layer / output layer")
    axes[0][0].set_ylim(0, 1)
    axes[0][0].set_ylabel("test accuracy at the end")
    style.legend_below(figure, [axes[0][0]])
    return figure
