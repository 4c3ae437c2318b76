"""What the experiments look at, measured inside the loop."""

import numpy as np

from ..contract import SATURATED_SLOPE, Telemetry
from .activations import activation_backward
from .updates import sgd_step


def record_values(y, out):
    out[Telemetry.MEAN] = np.mean(y, dtype=np.float64)
    out[Telemetry.STD] = np.std(y, dtype=np.float64)


def record_slopes(kind, alpha, x, y, n, rows, scratch, out):
    activation_backward(kind, alpha, x, y, np.ones_like(x), scratch)
    flat = np.abs(scratch) < SATURATED_SLOPE
    by_unit = flat.reshape(n, -1).T if rows else flat.reshape(-1, n)
    out[Telemetry.SATURATED] = flat.mean()
    out[Telemetry.DEAD] = by_unit.all(axis=1).mean()


def record_step(params, gradient, velocity, hyper, out):
    after = params.astype(np.float64)
    sgd_step(after, gradient.astype(np.float64), velocity.astype(np.float64), np.asarray(hyper))
    out[Telemetry.GRADIENT_NORM] = np.linalg.norm(gradient.astype(np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        out[Telemetry.UPDATE_RATIO] = np.linalg.norm(after - params) / np.linalg.norm(
            params.astype(np.float64)
        )
