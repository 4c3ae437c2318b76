"""Why a net does not learn, in words, from its numbers.

The courses are those of the experiments (``experiments/course.py``), and the gradient and signal
ratios those that ``experiments/q1/causes.py`` tries as predictors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..experiments.course import LEARNED, LOST, NEVER, Yardstick
from ..experiments.nets import Outcome
from ..experiments.probe import Probe
from .data import Problem

VANISHED = 0.05  # of the output layer's gradient norm
EXPLODED = 100.0
LARGE_UPDATE = 0.1  # of a layer's weights, in one step
SMALL_UPDATE = 1e-6
MANY_DEAD = 0.25
CEILING = 1.0  # what accuracies are held against where no other net is known
GAP = 0.1  # of accuracy between train and test


@dataclass
class Course:
    """What is known of a training so far.

    Attributes
    ----------
    figures : dict of lists
        By epoch, as in a History.
    divergence : str
        Where it came apart, or empty.
    """

    figures: dict[str, list[float]] = field(default_factory=dict)
    divergence: str = ""

    def add(self, logs: dict[str, float]) -> None:
        """Add an epoch's figures."""
        for name, value in logs.items():
            self.figures.setdefault(name, []).append(value)

    @property
    def epochs(self) -> int:
        return len(self.figures.get("loss", ()))


def diagnose(problem: Problem, course: Course, layers: Sequence[dict[str, Any]]) -> list[str]:
    """Return what is to be said of a net, the most important first."""
    if course.divergence:
        return [f"It came apart. {course.divergence}", *_updates(layers)[:1]]
    if not course.epochs:
        return []
    learns, said = _course(problem, course)
    causes = [] if learns else [*_gradients(layers), *_signal(layers)]
    found = [said, *causes, *_units(layers, learns), *_updates(layers)]
    if learns:
        found += _overfitting(course)
    if not learns and len(found) == 1:
        found.append(
            "Its gradients reach the first layer, and its units are alive: give it more epochs, or "
            "another learning rate."
        )
    return found


def _course(problem: Problem, course: Course) -> tuple[bool, str]:
    """Return whether it learns, and what is to be said of that."""
    losses = course.figures["val_loss"]
    if not problem.classes:
        share = 1 - losses[-1] / float(np.mean(np.square(problem.test[1])))
        said = f"It explains {max(share, 0):.0%} of the test targets' variance."
        return share > 0.01, said if share > 0.01 else "It has not learned: it does no better on "\
            "the test set than a constant."  # fmt: skip
    mark = Yardstick.of(problem.chance, len(problem.test[1]), len(problem.train[1]), CEILING)
    accuracies = course.figures["val_accuracy"]
    told = mark.course(Outcome(course.figures, "", {}))
    last = f"{accuracies[-1]:.3f}"
    if told == NEVER:
        return False, (
            f"It has not learned: its test accuracy, {last}, was never above {mark.threshold:.3f}, "
            f"which guessing (the most frequent class: {mark.chance:.3f}) exceeds once in a "
            "million tests."
        )
    if told == LOST:
        best = int(np.argmax(accuracies))
        return False, (
            f"It learned and lost it: its test accuracy was {accuracies[best]:.3f} after epoch "
            f"{best + 1} and is {last} now. A lower rate keeps what most such nets have learned."
        )
    if told == LEARNED:
        return True, f"It learns: its test accuracy is {last}; guessing has {mark.chance:.3f}."
    return True, (
        f"It knows something, but little yet: its test accuracy is {last}; guessing has "
        f"{mark.chance:.3f}."
    )


def _gradients(layers: Sequence[dict[str, Any]]) -> list[str]:
    """Say where the gradient vanishes, or grows."""
    norms = [layer.get("gradient_norm") for layer in layers]
    if len(norms) < 2 or any(norm is None for norm in norms):
        return []
    known = [float(norm) for norm in norms if norm is not None]
    if not any(known):
        return ["The gradient of every layer is 0: no step changes anything."]
    ratio = Probe(known, [1.0]).gradient_ratio
    with np.errstate(all="ignore"):
        falls = np.divide(known[:-1], known[1:])
    where = int(np.nanargmin(falls)) if np.isfinite(falls).any() else 0
    if ratio < VANISHED:
        return [
            f"The gradient vanishes on its way down: the first layer's norm is {ratio:.1g} times "
            f"the output layer's. It shrinks most from {layers[where + 1]['name']} "
            f"({known[where + 1]:.1g}) to {layers[where]['name']} ({known[where]:.1g}). Fewer "
            "layers, another activation or initialization, residual connections or normalization "
            "may help."
        ]
    if ratio > EXPLODED:
        return [
            f"The gradient grows on its way down: the first layer's norm is {ratio:.1g} times the "
            "output layer's. Smaller first weights, a lower rate or normalization may help."
        ]
    return []


def _signal(layers: Sequence[dict[str, Any]]) -> list[str]:
    """Say where the signal gets lost on its way up."""
    spreads = [(layer["name"], layer["std"]) for layer in layers if layer.get("std") is not None]
    if len(spreads) < 2:
        return []
    ratio = Probe([1.0], [spread for _, spread in spreads]).signal_ratio
    if ratio >= VANISHED:
        return []
    return [
        f"The signal is lost on its way up: the outputs of {spreads[-1][0]} vary {ratio:.1g} times "
        f"as much as those of {spreads[0][0]}, so that the layers above see the same in every "
        "sample."
    ]


def _units(layers: Sequence[dict[str, Any]], learns: bool) -> list[str]:
    """Say which layers have units that no sample of the batch moves."""
    dead = [(layer["name"], layer["dead"]) for layer in layers if layer.get("dead")]
    if not dead or (learns and max(share for _, share in dead) < MANY_DEAD):
        return []
    listed = ", ".join(f"{share:.0%} of {name}" for name, share in dead)
    return [f"Units are dead, with a slope below 0.01 on a whole batch: {listed}."]


def _updates(layers: Sequence[dict[str, Any]]) -> list[str]:
    """Say whether steps are too large, or next to nothing."""
    ratios = [
        (layer["name"], layer["update_ratio"])
        for layer in layers
        if layer.get("update_ratio") is not None
    ]
    if not ratios:
        return []
    name, largest = max(ratios, key=lambda pair: pair[1])
    if largest > LARGE_UPDATE:
        return [
            f"One step changes {name} by {largest:.0%} of its weights' norm: the rate is high for "
            "this net."
        ]
    if largest < SMALL_UPDATE:
        return [
            f"One step changes no layer by more than {largest:.1g} of its weights' norm: the rate "
            "is low, or the gradient small."
        ]
    return []


def _overfitting(course: Course) -> list[str]:
    """Say whether the test set is left behind."""
    losses = course.figures["val_loss"]
    best = int(np.argmin(losses))
    found = []
    gap = course.figures.get("accuracy", [0.0])[-1] - course.figures.get("val_accuracy", [0.0])[-1]
    if len(losses) - best > 5 and losses[-1] > 1.05 * losses[best] > 0:
        found.append(
            f"Its test loss is {losses[-1]:.3g}; it was lowest after epoch {best + 1}, "
            f"{losses[best]:.3g}. Since then it overfits: stop there, or regularize."
        )
    elif gap > GAP:
        found.append(f"It is right in {gap:.0%} more of the training than of the test samples.")
    return found
