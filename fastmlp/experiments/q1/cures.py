"""The cures: what brings the failed nets back to learning."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from matplotlib.figure import Figure as Drawing

from .. import style
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, table
from . import claims, depth_map

WORKS = 0.8
FAILS = 0.2

Verdict = Literal["works", "sometimes", "does not"]

# Which initialization was derived for which: Glorot & Bengio (2010), He et al. (2015).
MATCHED = {"sigmoid": "glorot_uniform", "tanh": "glorot_uniform", "relu": "he_normal"}

INITIALIZATIONS = {
    "glorot_uniform": "Glorot initialization",
    "he_normal": "He initialization",
    "lecun_normal": "LeCun initialization",
}


@dataclass(frozen=True)
class Cure:
    """One thing to change about a net; ``kind`` groups cures of one idea."""

    kind: str
    name: str
    apply: Callable[[Net], Net]

    def changes(self, net: Net) -> bool:
        return self.apply(net) != net


def _activation(name: str) -> Cure:
    return Cure("activation", style.NAMES[name], lambda net: replace(net, activation=name))


def _initialization(name: str, title: str) -> Cure:
    return Cure("initialization", title, lambda net: replace(net, initializer=name))


def _rate(divisor: int) -> Cure:
    return Cure(
        "learning rate",
        f"learning rate / {divisor}",
        lambda net: replace(net, learning_rate=net.learning_rate / divisor),
    )


def _units(factor: float, title: str) -> Cure:
    return Cure("units", title, lambda net: replace(net, width=max(1, round(factor * net.width))))


CURES = (
    *map(_activation, ("relu", "leaky_relu", "elu", "selu", "gelu")),
    *(_initialization(name, title) for name, title in INITIALIZATIONS.items()),
    Cure(
        "activation and initialization",
        "SELU with LeCun",
        lambda net: replace(net, activation="selu", initializer="lecun_normal"),
    ),
    Cure(
        "initialization and learning rate",
        "matched initialization, rate / 10",
        lambda net: replace(
            net,
            initializer=MATCHED[net.activation],
            learning_rate=net.learning_rate / 10,
        ),
    ),
    _rate(4),
    _rate(20),
    Cure("depth", "half the layers", lambda net: replace(net, depth=max(1, net.depth // 2))),
    _units(0.5, "half the units"),
    _units(4, "4 times the units"),
    Cure("momentum", "momentum 0.9", lambda net: replace(net, momentum=0.9)),
    Cure(
        "momentum",
        "momentum 0.9, rate / 10",
        lambda net: replace(net, momentum=0.9, learning_rate=net.learning_rate / 10),
    ),
)


@dataclass(frozen=True)
class Case:
    """The nets of one activation that failed, at one depth; ``asked`` is the reported depth."""

    activation: str
    depth: int
    asked: int
    failed: list[Net]


@dataclass(frozen=True)
class Trial:
    """A cure tried on the failed nets of a case."""

    case: Case
    cure: Cure
    learned: int
    tried: int
    accuracy: float

    @property
    def verdict(self) -> Verdict:
        share = self.learned / self.tried
        return "works" if share >= WORKS else "does not" if share <= FAILS else "sometimes"


def cases(lab: Lab) -> list[Case]:
    """Return the failed nets: at the reported depth if half of them fail there, else at the onset.

    An activation of which too few nets fail at any depth needs no cure.
    """
    found = []
    for border in depth_map.borders(lab):
        asked = claims.DEPTHS[border.activation]
        fails_there = 2 * border.stuck.get(asked, 0) >= border.trained.get(asked, 1)
        depth = asked if fails_there else border.onset
        if depth is None:
            continue
        nets = [net for net in depth_map.nets(lab, border.activation) if net.depth == depth]
        failed = [net for net in lab.done(nets) if lab.is_stuck(net)]
        found.append(Case(border.activation, depth, asked, failed))
    return found


def train(lab: Lab) -> None:
    for case in cases(lab):
        lab.train(
            f"Cures for {style.NAMES[case.activation]}",
            [cure.apply(net) for cure in CURES for net in case.failed if cure.changes(net)],
        )


def trials(lab: Lab, case: Case) -> list[Trial]:
    """Return the cures of a case that have been tried so far."""
    found = []
    for cure in CURES:
        done = lab.done(cure.apply(net) for net in case.failed if cure.changes(net))
        if done:
            learned = sum(not lab.is_stuck(net) for net in done)
            accuracy = float(np.mean([lab.test_accuracy(net) for net in done]))
            found.append(Trial(case, cure, learned, len(done), accuracy))
    return found


def describe(lab: Lab) -> Section | None:
    found = {case.activation: trials(lab, case) for case in cases(lab)}
    found = {activation: tried for activation, tried in found.items() if tried}
    if not found:
        return None
    names = [cure.name for cure in CURES]
    cells = {
        (activation, trial.cure.name): f"{trial.learned}/{trial.tried}, {trial.accuracy:.2f}"
        for activation, tried in found.items()
        for trial in tried
    }
    patients = [tried[0].case for tried in found.values()]
    before = [
        f"0/{len(case.failed)}, {np.mean([lab.test_accuracy(n) for n in case.failed]):.2f}"
        for case in patients
    ]
    rows = [[name, *(cells.get((activation, name), "-") for activation in found)] for name in names]
    columns = [f"{style.NAMES[case.activation]}, {case.depth} layers" for case in patients]
    text = (
        "Each cure changes one thing about the nets that failed, and keeps all else, seeds "
        "included. A cell gives the nets that learn, of those tried, and their mean test "
        f"accuracy.\n\n{table(['cure', *columns], [['before', *before], *rows])}"
    )
    elsewhere = [case for case in patients if case.depth != case.asked]
    if elsewhere:
        moved = ", ".join(
            f"{style.NAMES[case.activation]} at {case.depth} layers instead of {case.asked}"
            for case in elsewhere
        )
        text += (
            "\n\nWhere fewer than half of the nets fail at the reported depth, the cures are "
            f"tried at the depth at which they do: {moved}."
        )
    caption = (
        "Test accuracy of the failed nets before (grey) and after each cure; "
        f"a cure works if at least {WORKS:.0%} of them learn, and does not if at most {FAILS:.0%} "
        "do."
    )
    return Section("The cures", text, [Figure("cures", caption, lambda: draw(lab))])


def results(lab: Lab) -> list[dict[str, object]]:
    return [
        {
            "activation": case.activation,
            "depth": case.depth,
            "cure": trial.cure.name,
            "learned": trial.learned,
            "tried": trial.tried,
            "mean_test_accuracy": trial.accuracy,
            "verdict": trial.verdict,
        }
        for case in cases(lab)
        for trial in trials(lab, case)
    ]


_COLOURS = {"works": style.GREEN, "sometimes": style.ORANGE, "does not": style.RED}
_MARKERS = {"works": "o", "sometimes": "D", "does not": "X"}


def draw(lab: Lab) -> Drawing:
    found = [case for case in cases(lab) if trials(lab, case)]
    figure, axes = style.subplots(
        1, len(found), 2.0 + 3.0 * len(found), 5.6, sharex=True, sharey=True
    )
    names = [cure.name for cure in CURES]
    for axis, case in zip(axes[0], found, strict=True):
        before = [lab.test_accuracy(net) for net in case.failed]
        for trial in trials(lab, case):
            place = names.index(trial.cure.name)
            nets = lab.done(trial.cure.apply(net) for net in case.failed)
            after = [lab.test_accuracy(net) for net in nets]
            colour = _COLOURS[trial.verdict]
            axis.plot([np.mean(before), np.mean(after)], [place] * 2, color=colour, linewidth=1)
            axis.plot(before, [place] * len(before), "|", color=style.GREY, markersize=9)
            axis.plot(
                after, [place] * len(after), _MARKERS[trial.verdict], color=colour, markersize=6,
                alpha=0.75, markeredgewidth=0,
            )  # fmt: skip
        axis.set_title(f"{style.NAMES[case.activation]}, {case.depth} layers")
        axis.set_xlim(0, 1)
        axis.set_xlabel("test accuracy")
    axes[0][0].set_yticks(range(len(names)), names)
    axes[0][0].invert_yaxis()
    handles = [
        axes[0][0].plot([], [], _MARKERS[v], color=c, label=f"{v}")[0] for v, c in _COLOURS.items()
    ]
    handles.append(axes[0][0].plot([], [], "|", color=style.GREY, markersize=9, label="before")[0])
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure
