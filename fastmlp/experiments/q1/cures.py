"""The cures: what brings the failed nets back to learning, against doing nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure as Drawing

from .. import style
from ..course import LEARNED, LOST, NEVER, SLOW
from ..intervals import Share, difference
from ..lab import Lab
from ..nets import Net
from ..report import Figure, Section, Statement, count, listing, table
from . import claims, depth_map

# Which initialization was derived for which: Glorot & Bengio (2010), He et al. (2015),
# Klambauer et al. (2017).
MATCHED = {"sigmoid": "glorot_uniform", "tanh": "glorot_uniform", "selu": "lecun_normal"}

LOOKS = (5, 10, 20)
QUICK_LOOKS = (4,)
CONTROLS = 12
QUICK_CONTROLS = 6
NEW_SEEDS = 1000  # from here on, no net of the map has them


def matched(activation: str) -> str:
    return MATCHED.get(activation, "he_normal")


@dataclass(frozen=True)
class Cure:
    """What is changed about a net."""

    name: str
    apply: Callable[[Net], Net]

    def changes(self, net: Net) -> int:
        """Return how many things about the net it changes: none if the net has it already."""
        after = self.apply(net)
        return sum(getattr(after, name) != value for name, value in vars(net).items())


def _with(name: str, **changes: object) -> Cure:
    return Cure(name, lambda net: replace(net, **changes))  # type: ignore[arg-type]


def _slower(net: Net, divisor: float) -> Net:
    return replace(net, learning_rate=net.learning_rate / divisor)


def _wider(factor: float) -> Callable[[Net], Net]:
    return lambda net: replace(net, width=max(1, round(factor * net.width)))


# A cure is a row: what can be built joins by one more.
CURES = (
    *(_with(style.NAMES[n], activation=n) for n in ("relu", "leaky_relu", "elu", "selu", "gelu")),
    _with("Glorot initialization", initializer="glorot_uniform"),
    _with("He initialization", initializer="he_normal"),
    _with("LeCun initialization", initializer="lecun_normal"),
    Cure("learning rate / 4", lambda net: _slower(net, 4)),
    Cure("learning rate / 20", lambda net: _slower(net, 20)),
    Cure("half the layers", lambda net: replace(net, depth=max(1, net.depth // 2))),
    Cure("half the units", _wider(0.5)),
    Cure("4 times the units", _wider(4)),
    _with("momentum 0.9", momentum=0.9),
    _with("batch normalization", normalized=True),
    Cure("residual connections", lambda net: replace(net, residual=net.depth > 1)),
    _with("SELU with LeCun", activation="selu", initializer="lecun_normal"),
    Cure(
        "matched initialization, rate / 10",
        lambda net: _slower(replace(net, initializer=matched(net.activation)), 10),
    ),
    # Its steps have the size of the rate, whatever the gradient's: a rate of SGD is none for it.
    _with("Adam, rate 0.001", optimizer="adam", learning_rate=1e-3, momentum=0.0),
    Cure("momentum 0.9, rate / 10", lambda net: _slower(replace(net, momentum=0.9), 10)),
)


@dataclass(frozen=True)
class Case:
    """The nets of one activation that failed, at one depth."""

    activation: str
    depth: int
    failed: tuple[Net, ...]

    @property
    def controls(self) -> list[Net]:
        """The same nets from new seeds, nothing else changed."""
        return [replace(self.failed[0], seed=NEW_SEEDS + n) for n in range(CONTROLS)]


@dataclass(frozen=True)
class Trial:
    """A cure tried on failed nets of a case, against the control arm."""

    case: Case
    name: str
    changed: int
    learned: Share
    control: Share
    accuracy: float

    @property
    def gain(self) -> tuple[float, float]:
        """The interval of the share that learns with the cure minus that of the control."""
        return difference(self.learned, self.control)

    @property
    def verdict(self) -> str:
        """What the intervals decide, of both the share and its gain over the control."""
        if self.learned.side < 0:
            return "fails in most"
        if self.gain[0] > 0:
            return "works in most" if self.learned.side > 0 else "helps"
        return "undecided"


VERDICTS = ("works in most", "helps", "fails in most", "undecided")


def cases(lab: Lab) -> list[Case]:
    """Return the failed nets: at the depth asked for if most fail there, else where most do.

    An activation of which most nets fail at no depth needs no cure, and one that does not learn
    with a single layer either has no depth at which a cure of depth could show.
    """
    if not depth_map.anything_learned(lab):
        return []
    found = []
    for name in depth_map.trained(lab):
        above = depth_map.border(lab, name, "failed").above
        asked = claims.depth(lab.settings, name)
        if above:
            depth = asked if asked in above else above[0]
            nets = depth_map.of(lab, name)[depth].nets
            bad = [net for net in nets if lab.course(net) in (NEVER, LOST)]
            found.append(Case(name, depth, tuple(bad)))
    return found


def _looks(lab: Lab) -> tuple[int, ...]:
    return QUICK_LOOKS if lab.settings.quick else LOOKS


def _controls(lab: Lab) -> int:
    return QUICK_CONTROLS if lab.settings.quick else CONTROLS


def train(lab: Lab) -> None:
    for case in cases(lab):
        title = f"Cures for {style.NAMES[case.activation]}"
        lab.train(f"{title}: control arm", case.controls[: _controls(lab)])
        cures = [cure for cure in CURES if cure.changes(case.failed[0])]
        for look in _looks(lab):
            nets = case.failed[:look]
            lab.train(title, [cure.apply(net) for cure in cures for net in nets])
            open_names = {trial.name for trial in trials(lab, case) if trial.verdict == "undecided"}
            cures = [cure for cure in cures if cure.name in open_names]


def _learned(lab: Lab, nets: list[Net]) -> Share:
    return Share(sum(lab.course(net) in (LEARNED, SLOW) for net in nets), len(nets))


def cured(lab: Lab, case: Case, cure: Cure) -> list[Net]:
    """Return the nets that have been trained with a cure."""
    most = _looks(lab)[-1]
    return lab.done(cure.apply(net) for net in case.failed[:most] if cure.changes(net))


def trials(lab: Lab, case: Case) -> list[Trial]:
    """Return the cures of a case that have been tried so far."""
    controls = lab.done(case.controls)
    if len(controls) < _controls(lab):  # interrupted: without them there is nothing to compare with
        return []
    control = _learned(lab, controls)
    found = []
    for cure in CURES:
        done = cured(lab, case, cure)
        if done:
            accuracy = float(np.mean([lab.test_accuracy(net) for net in done]))
            changed = cure.changes(case.failed[0])
            found.append(Trial(case, cure.name, changed, _learned(lab, done), control, accuracy))
    return found


def _summary(case: Case, tried: list[Trial]) -> Statement:
    by_verdict = {verdict: [t for t in tried if t.verdict == verdict] for verdict in VERDICTS}
    parts = [
        f"{verdict.capitalize()}: {listing([_named(trial) for trial in some])}"
        for verdict, some in by_verdict.items()
        if some
    ]
    works = len(by_verdict["works in most"])
    text = (
        f"**{style.NAMES[case.activation]} with {count(case.depth, 'hidden layer')}: {works} of "
        f"{count(len(tried), 'cure')} work in most nets.** A new seed alone makes "
        f"{tried[0].control} learn. {'. '.join(parts)}."
    )
    quantities = {
        "activation": case.activation, "depth": case.depth,
        "control": [tried[0].control.count, tried[0].control.total],
        "cures": [
            {
                "cure": t.name, "changed": t.changed, "learned": t.learned.count,
                "tried": t.learned.total, "verdict": t.verdict,
            }
            for t in tried
        ],
    }  # fmt: skip
    return Statement("cures", text, quantities)


def _named(trial: Trial) -> str:
    two = f", changes {trial.changed} things" if trial.changed > 1 else ""
    return f"{trial.name} ({trial.learned.count} of {trial.learned.total}{two})"


def statements(lab: Lab) -> list[Statement]:
    found = [(case, trials(lab, case)) for case in cases(lab)]
    return [_summary(case, tried) for case, tried in found if tried]


def describe(lab: Lab) -> Section | None:
    said = statements(lab)
    found = {case: trials(lab, case) for case in _tried(lab)}
    if not said:
        return None
    rows = []
    for cure in CURES:
        cells = [next((t for t in tried if t.name == cure.name), None) for tried in found.values()]
        if any(cells):
            several = max(trial.changed for trial in cells if trial is not None)
            name = f"{cure.name} ({several} changes)" if several > 1 else cure.name
            rows.append([name, *(_text(trial) for trial in cells)])
    controls = [tried[0].control for tried in found.values()]
    columns = [f"{style.NAMES[case.activation]}, {case.depth}" for case in found]
    listed = "\n".join(f"- {statement.text}" for statement in said)
    text = (
        "Each cure is applied to nets that failed (never learned, or learned and lost), with all "
        "else, seeds included, unchanged; those that change more than one thing are labelled. The "
        "control arm has the same nets from new seeds and nothing changed: what it reaches is "
        "luck. A cell gives the nets that know something at the end, of those tried, and the 95 % "
        "interval of the difference to the control arm. A cure *works in most* if the interval of "
        "its share lies above one half and that of the difference above 0; it *helps* if only the "
        "latter does; it *fails in most* if the former lies below one half. Cures that are "
        f"undecided get more nets, if there are any.\n\n{listed}\n\n"
        f"{table(['cure', *columns], [['new seed alone', *controls], *rows])}"
    )
    caption = (
        "Test accuracy of each net after a cure, by what became of it; grey ticks: the control "
        "arm's nets (a new seed, nothing changed). (2): the cure changes two things at once."
    )
    return Section("The cures", text, [Figure("cures", caption, lambda: draw(lab))], said)


def _tried(lab: Lab) -> list[Case]:
    return [case for case in cases(lab) if trials(lab, case)]


def _text(trial: Trial | None) -> str:
    if trial is None:
        return "-"
    low, high = trial.gain
    share = trial.learned
    return f"{share.count}/{share.total} [{low:+.2f}, {high:+.2f}] {trial.verdict}"


def results(lab: Lab) -> list[dict[str, object]]:
    return [
        {
            "activation": case.activation,
            "depth": case.depth,
            "cure": trial.name,
            "changed": trial.changed,
            "learned": trial.learned.count,
            "tried": trial.learned.total,
            "control": [trial.control.count, trial.control.total],
            "gain_interval": trial.gain,
            "mean_test_accuracy": trial.accuracy,
            "verdict": trial.verdict,
        }
        for case in cases(lab)
        for trial in trials(lab, case)
    ]


_MARKERS = {NEVER: "o", LOST: "X", SLOW: "^", LEARNED: "s"}


def draw(lab: Lab) -> Drawing:
    found = _tried(lab)
    figure, axes = style.subplots(
        1, len(found), 2.4 + 2.9 * len(found), 5.8, sharex=True, sharey=True
    )
    names = [cure.name for cure in CURES]
    for axis, case in zip(axes[0], found, strict=True):
        control = [lab.test_accuracy(net) for net in lab.done(case.controls)]
        axis.plot(
            control, [-1] * len(control), "|", color=style.GREY, markersize=9, label="control arm"
        )
        points = [(p, net) for p, cure in enumerate(CURES) for net in cured(lab, case, cure)]
        for course, marker in _MARKERS.items():
            some = [(place, net) for place, net in points if lab.course(net) == course]
            axis.plot(
                [lab.test_accuracy(net) for _, net in some], [place for place, _ in some], marker,
                markersize=5.5, alpha=0.8, color=depth_map.COLOURS[course], linestyle="",
                markeredgecolor=style.BLACK, markeredgewidth=0.4, label=course,
            )  # fmt: skip
        axis.axvline(lab.chance, color=style.GREY, linestyle=":", linewidth=1)
        axis.set_title(f"{style.NAMES[case.activation]}, {count(case.depth, 'layer')}")
        axis.set_xlim(0, 1)
        axis.set_xlabel("test accuracy")
    several = {t.name: t.changed for case in found for t in trials(lab, case) if t.changed > 1}
    labels = [f"{name} ({several[name]})" if name in several else name for name in names]
    axes[0][0].set_yticks(range(-1, len(names)), ["control: new seed", *labels])
    axes[0][0].invert_yaxis()
    style.legend_below(figure, [axes[0][0]])
    return figure
