"""Cells: nets alike but for their seed, as many as it takes to decide what becomes of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..course import COURSES, LOST, NEVER
from ..intervals import Share
from ..lab import Lab
from ..nets import Net


@dataclass(frozen=True)
class Cell:
    """What became of nets that differ in nothing but their seed.

    Attributes
    ----------
    net : Net
        The one of seed 0.
    nets : list of Net
    courses : dict of str to int
        How many took each course.
    accuracy : float
        Their mean test accuracy at the end.
    """

    net: Net
    nets: list[Net]
    courses: dict[str, int]
    accuracy: float

    @property
    def never(self) -> Share:
        return Share(self.courses[NEVER], len(self.nets))

    @property
    def lost(self) -> Share:
        return Share(self.courses[LOST], len(self.nets))

    @property
    def failed(self) -> Share:
        """Those that know nothing, or next to nothing of what they knew, at the end."""
        return Share(self.courses[NEVER] + self.courses[LOST], len(self.nets))

    @property
    def learned(self) -> Share:
        return Share(len(self.nets) - self.failed.count, len(self.nets))

    @property
    def decided(self) -> bool:
        return self.never.side != 0 and self.failed.side != 0


def cell(lab: Lab, net: Net, most: int) -> Cell | None:
    """Return the cell of a net, of up to ``most`` seeds, or None if none of it was trained."""
    nets = lab.done(replace(net, seed=seed) for seed in range(most))
    if not nets:
        return None
    counts = Counter(map(lab.course, nets))
    accuracy = float(np.mean([lab.test_accuracy(one) for one in nets]))
    return Cell(net, nets, {course: counts[course] for course in COURSES}, accuracy)


def train(lab: Lab, title: str, nets: Sequence[Net], looks: Sequence[int]) -> None:
    """Train cells, and look at their first steps; more nets of each as long as nothing is decided.

    ``lab.looked`` gets the number of seeds of each.
    """
    open_cells = list(nets)
    for seeds in looks:
        lab.looked |= dict.fromkeys(open_cells, seeds)
        todo = [replace(net, seed=s) for net in open_cells for s in range(seeds)]
        lab.train(title, todo, probed=True)
        found = [(net, cell(lab, net, seeds)) for net in open_cells]
        open_cells = [net for net, one in found if one is not None and not one.decided]
