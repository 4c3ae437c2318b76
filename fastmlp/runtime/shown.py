"""Which metrics a net shows, and how each counts samples."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..metrics import Metric


class Shown(NamedTuple):
    """A metric of a net, and whether its samples count by their weights."""

    metric: "Metric"
    is_weighted: bool


def as_shown(metrics: "Sequence[Metric]", weighted: "Sequence[Metric]") -> tuple[Shown, ...]:
    """Return a net's metrics in the order in which they are shown."""
    return (*[Shown(m, False) for m in metrics], *[Shown(m, True) for m in weighted])
