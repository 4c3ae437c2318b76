"""The curves of a history, drawn by matplotlib."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import items
from .lookup import by_name

if TYPE_CHECKING:
    from ..history import History


def plot(history: "History", metrics: Sequence[str] | None, axes: Any) -> Any:
    """Draw the curves of a history; see :meth:`History.plot`."""
    known = {name.removeprefix("val_"): name for name in history.history}
    if not known:
        raise ValueError("history: it has no epoch yet")
    wanted = list(known) if metrics is None else items("metrics", "names", metrics)
    names = [by_name("metrics", name, {own: own for own in known}) for name in wanted]
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as reason:
        raise ModuleNotFoundError(
            "plot: matplotlib is not installed: pip install 'fastmlp[plot]' gets it",
            name="matplotlib",
        ) from reason
    if axes is None:
        width = 4.5 * len(names)
        _, axes = plt.subplots(1, len(names), figsize=(width, 3.5), layout="constrained")
    axes = np.atleast_1d(axes)
    if len(axes) != len(names):
        raise ValueError(f"axes: expected {len(names)}, one for each metric, got {len(axes)}")
    for name, own in zip(names, axes, strict=True):
        _draw(history, name, own)
    return axes


def _draw(history: "History", name: str, axes: Any) -> None:
    """Draw the curve of a figure, and that of the validation."""
    epochs = np.array(history.epoch) + 1
    for label, key in (("training", name), ("validation", f"val_{name}")):
        if key not in history.history:
            continue
        values = np.array(history.history[key])
        there = np.isfinite(values)  # a figure that an epoch does not have leaves no gap
        marker = "o" if there.sum() < 30 else None
        axes.plot(epochs[there], values[there], label=label, marker=marker, markersize=3)
    axes.set_xlabel("epoch")
    axes.set_title(name)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()
