"""What the experiments look at, measured inside the loop."""

import numpy as np

from ..contract import SATURATED_SLOPE, Telemetry
from .activations import activation_backward


def record_values(y, out):
    out[Telemetry.MEAN] = np.mean(y, dtype=np.float64)
    out[Telemetry.STD] = np.std(y, dtype=np.float64)


def record_slopes(kind, alpha, x, y, n, rows, scratch, out):
    activation_backward(kind, alpha, x, y, np.ones_like(x), scratch)
    flat = np.abs(scratch) < SATURATED_SLOPE
    by_unit = flat.reshape(n, -1).T if rows else flat.reshape(-1, n)
    out[Telemetry.SATURATED] = flat.mean()
    out[Telemetry.DEAD] = by_unit.all(axis=1).mean()


def record_step(before, after, gradient, out):
    before, after, gradient = (v.astype(np.float64) for v in (before, after, gradient))
    out[Telemetry.GRADIENT_NORM] = np.linalg.norm(gradient)
    with np.errstate(divide="ignore", invalid="ignore"):
        out[Telemetry.UPDATE_RATIO] = np.linalg.norm(after - before) / np.linalg.norm(before)
