"""What is seen of a net while it trains, as numbers that JSON takes."""

import base64
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import Sequential, Telemetry
from ..kernels.contract import Telemetry as Field
from ..layers.base import Layer
from ..runtime.data import check_samples
from ..runtime.tensors import Array
from .data import Problem

PROBED = 64  # samples whose activations are looked at
MOST_VALUES = 4096  # of a histogram
BINS = 24
GRID = 48  # points along each side of the plane
REACH = 1.7  # the plane goes from -REACH to REACH
MOST_IMAGES = 16
_RECORDS = 100  # at most so many batches between two records of a layer


class Latest(Telemetry):
    """Telemetry that keeps its last record alone: a page may train for hours."""

    def add(self, layer: Layer, rows: list[str], steps: range, records: Array) -> None:
        """Keep the last record."""
        super().add(layer, rows, steps[-1:], records[-1:])
        del self._parts[:-1]


def short(value: float) -> float | None:
    """Return a number to five digits, or None if it is not finite."""
    return float(f"{value:.5g}") if math.isfinite(value) else None


class Measure:
    """Looks at one net.

    Parameters
    ----------
    model : Sequential
    problem : Problem
    depth : int
        How many hidden layers it has.
    batches : int
        Of an epoch.

    Attributes
    ----------
    telemetry : Latest
        To be passed to ``fit``.
    """

    def __init__(self, model: Sequential, problem: Problem, depth: int, batches: int) -> None:
        self.telemetry = Latest(min(_RECORDS, batches))
        self._model, self._problem, self._depth = model, problem, depth
        self._before = self._first_kernel().copy()
        self._places: list[tuple[int, str, int, int]] = []
        plan, _ = model.checked_plan(problem.train[0][:1])
        probed = problem.train[0][:PROBED]
        self._samples = check_samples("x", probed, plan.input_shape, model.dtype)
        side = np.linspace(-REACH, REACH, GRID, dtype=np.float32)
        self._grid = np.stack(np.meshgrid(side, side[::-1]), axis=-1).reshape(-1, 2)

    def layers(self) -> list[dict[str, Any]]:
        """Return the figures of each layer at the last recorded step, the output layer's last."""
        telemetry = self.telemetry
        found: list[dict[str, Any]] = [{"name": self._name(n)} for n in range(self._depth + 1)]
        if not telemetry.steps:
            return found
        record = telemetry.records[-1]
        if not self._places:
            self._places = list(self._found_in(telemetry.rows))
        for number, name, place, figure in self._places:
            found[number][name] = short(float(record[place, figure]))
        return found

    def _found_in(self, rows: Sequence[str]) -> Iterator[tuple[int, str, int, int]]:
        """Yield the layers' numbers, the figures' names, and where in a record they are."""
        for place, row in enumerate(rows):
            number = _number_of(row)
            if number is None or number > self._depth:
                continue
            for name, bearers in _BEARERS.items():
                belongs = name in _OF_WEIGHTS if "/" not in row else name in _OF_OUTPUTS
                if belongs and row.startswith(bearers):
                    yield number, name, place, Field[name.upper()]

    def change(self) -> float | None:
        """Return how far the first layer's weights are from where they began, over their norm."""
        with np.errstate(all="ignore"):
            return short(_norm(self._first_kernel() - self._before) / _norm(self._before))

    def histograms(self) -> list[dict[str, Any]]:
        """Return how each hidden layer's activations are spread over some samples."""
        found = []
        activations = self._model._ready_engine().activations(self._samples)
        for label, values in activations.items():
            number = _number_of(label)
            if number is None or number >= self._depth or not np.isfinite(values).all():
                continue
            values = values.ravel()[:: -(-values.size // MOST_VALUES)]
            low, high = float(values.min()), float(values.max())
            bins = (values - low) * (BINS / (high - low) if high > low else 0)
            counts = np.bincount(np.minimum(bins.astype(np.int64), BINS - 1), minlength=BINS)
            found.append({
                "name": self._name(number), "low": short(low), "high": short(high),
                "counts": counts.tolist(),
            })  # fmt: skip
        return found

    def boundary(self) -> dict[str, Any] | None:
        """Return the class of each point of the plane, with its probability, as bytes."""
        if not self._problem.is_plane:
            return None
        outputs = self._model.predict(self._grid, verbose=0)
        if not np.isfinite(outputs).all():
            return None
        classes, sure = outputs.argmax(axis=1), outputs.max(axis=1)
        packed = (classes * 50 + np.clip(49 * sure, 0, 49)).astype(np.uint8)
        return {"side": GRID, "reach": REACH, "data": _coded(packed)}

    def images(self) -> dict[str, Any] | None:
        """Return the weights of the first layer's units as images, scaled to bytes."""
        if self._problem.picture is None:
            return None
        height, width = self._problem.picture
        kernel = self._first_kernel().T[:MOST_IMAGES].astype(np.float64)
        largest = float(np.abs(kernel).max())
        if not math.isfinite(largest):
            return None
        scaled = np.round(kernel / (largest or 1.0) * 127 + 128).astype(np.uint8)
        return {
            "units": len(kernel), "height": height, "width": width,
            "largest": short(largest), "data": _coded(scaled),
        }  # fmt: skip

    def _first_kernel(self) -> Array:
        return next(weight for weight in self._model.weights if weight.ndim == 2)

    def _name(self, number: int) -> str:
        return "output layer" if number == self._depth else f"layer {number + 1}"


_OF_WEIGHTS = ("gradient_norm", "update_ratio")
_OF_OUTPUTS = ("std", "saturated", "dead")
_BEARERS = {
    "gradient_norm": ("dense",), "update_ratio": ("dense",), "std": ("dense", "activation"),
    "saturated": ("dense", "activation"), "dead": ("dense", "activation"),
}  # fmt: skip


def _number_of(row: str) -> int | None:
    """Return the number of the hidden layer that a row of the plan belongs to, from 0."""
    match = re.fullmatch(r"(?:dense|activation)(?:_(\d+))?(?:/.*)?", row)
    return None if match is None else int(match[1] or 0)


def _norm(values: Array) -> float:
    """Return the Euclidean norm, without BLAS, which would wake its threads for it."""
    return math.sqrt(float(np.square(values).sum(dtype=np.float64)))


def _coded(data: NDArray[np.uint8]) -> str:
    return base64.b64encode(data.tobytes()).decode("ascii")
