"""Points where the loss has a slope on either side: which analytic value is right there."""

import numpy as np

from .numeric import NumericGradient
from .report import Kink
from .slopes import Vector
from .subject import Tensor


def kinks_of(
    analytic: Vector, numeric: NumericGradient, tensors: list[Tensor], tolerance: float
) -> list[Kink]:
    """Return the entries at a kink, tensor by tensor, each with its verdict."""
    kinks: list[Kink] = []
    for tensor in tensors:
        at_kink = numeric.at_kink[tensor.entries]
        kinks += [
            _of_function(analytic, numeric, tensor, tuple(index), tolerance)
            for index in np.argwhere(at_kink)
        ]
        kinks += [
            _of_penalty(analytic, numeric, tensor, tuple(index), tolerance)
            for index in np.argwhere((tensor.l1_at_zero != 0) & ~at_kink)
        ]
    return kinks


def _of_function(
    analytic: Vector,
    numeric: NumericGradient,
    tensor: Tensor,
    index: tuple[int, ...],
    tolerance: float,
) -> Kink:
    position = tensor.entries[index]
    a, left, right = (float(v[position]) for v in (analytic, numeric.left, numeric.right))
    passed = _agree(a, numeric.kept[position], numeric.noise[position], tolerance)
    if numeric.has_hidden_kinks:
        # One-sided differences over a small step: rounding and curvature, generously.
        margin = 100 * numeric.side_noise[position] + 1e-5 * (abs(left) + abs(right))
        passed |= bool(min(left, right) - margin <= a <= max(left, right) + margin)
    cause = "bend" if numeric.has_hidden_kinks else "activation"
    return Kink(cause, tensor.name, tuple(map(int, index)), a, left, right, passed)


def _of_penalty(
    analytic: Vector,
    numeric: NumericGradient,
    tensor: Tensor,
    index: tuple[int, ...],
    tolerance: float,
) -> Kink:
    position = tensor.entries[index]
    a, n = float(analytic[position]), float(numeric.values[position])
    l1 = float(tensor.l1_at_zero[index])
    passed = _agree(a, n, numeric.noise[position], tolerance)
    return Kink("L1", tensor.name, tuple(map(int, index)), a, n - l1, n + l1, passed)


def _agree(a: float, n: float, noise: float, tolerance: float) -> bool:
    return bool(np.isfinite(a) and abs(a - n) <= tolerance * (abs(a) + abs(n)) + noise)
