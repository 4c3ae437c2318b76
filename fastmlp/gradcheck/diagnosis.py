"""What kind of wrong is it?  Patterns that tell how an analytic gradient went astray."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_CLOSE = 1e-5  # relative: a pattern either fits nearly exactly or is not there


@dataclass(frozen=True)
class Context:
    """What is known about a tensor beside its two gradients.

    Attributes
    ----------
    batch_size : int
    penalties : dict of arrays
        The gradients of its penalties by name ("L1", "L2"), in the tensor's shape.
    """

    batch_size: int = 1
    penalties: dict[str, Array] = field(default_factory=dict)


def distance(a: Array, b: Array) -> float:
    """Return ``|a - b| / (|a| + |b|)`` in Euclidean norms; 0 if both are 0."""
    total = float(np.linalg.norm(a) + np.linalg.norm(b))
    return float(np.linalg.norm(a - b)) / total if total else 0.0


def find_pattern(analytic: Array, numeric: Array, context: Context) -> str:
    """Say in words how ``analytic`` differs from ``numeric``, both in the tensor's shape."""
    a, n = analytic, numeric
    norm_a, norm_n = float(np.linalg.norm(a)), float(np.linalg.norm(n))
    if not np.isfinite(norm_a):
        return "not finite: the analytic gradient holds NaN or infinity"
    if norm_a == 0:
        return "zero: the analytic gradient is 0 where the numeric one is not"
    if norm_n == 0:
        return "spurious: the analytic gradient should be 0"
    for name, other in _candidates(n, context):
        if distance(a, other) < _CLOSE:
            return name
    scale = float(np.vdot(a, n) / np.vdot(n, n))
    if scale and distance(a, scale * n) < _CLOSE:
        return _name_of_scale(scale, context.batch_size)
    if norm_a < 1e-6 * norm_n:
        return f"vanishing: the analytic gradient is {norm_n / norm_a:.1e} times too small"
    units = _silent_units(a, n)
    if units:
        return f"partly zero: the gradient of {units} of {a.shape[-1]} units is 0"
    cosine = float(np.vdot(a, n)) / (norm_a * norm_n)
    return f"no simple pattern: cosine {cosine:.3f}, norms' ratio {norm_a / norm_n:.3g}"


def _candidates(n: Array, context: Context) -> list[tuple[str, Array]]:
    """Return wrong gradients that one would get by a common mistake, each with its name."""
    found: list[tuple[str, Array]] = []
    if n.ndim == 2 and min(n.shape) > 1:
        found.append(("transposed", n.T.reshape(n.shape)))
        if n.shape[0] != n.shape[1]:
            found.append(("transposed", n.reshape(n.shape[::-1]).T))
    found.append(("sign: the analytic gradient is the negative of the numeric one", -n))
    everything = sum(context.penalties.values(), np.zeros_like(n))
    named = {"penalty": everything, **context.penalties}
    for name, penalty in named.items():
        if np.any(penalty):
            found.append((f"missing term: the gradient of the {name}", n - penalty))
            found.append((f"scale: the gradient of the {name} comes in half", n - penalty / 2))
            found.append((f"scale: the gradient of the {name} counts twice", n + penalty))
            found.append((f"sign: the gradient of the {name} is subtracted", n - 2 * penalty))
            found.append(
                (
                    f"scale: the gradient of the {name} is divided by the batch size",
                    n - penalty * (1 - 1 / context.batch_size),
                )
            )
    return found


def _name_of_scale(scale: float, batch_size: int) -> str:
    if batch_size > 1 and np.isclose(scale, batch_size, rtol=1e-4):
        return f"missing batch mean: {batch_size} times too large, the batch's sum"
    if batch_size > 1 and np.isclose(scale, 1 / batch_size, rtol=1e-4):
        return f"scale: {batch_size} times too small, as if divided by the batch size twice"
    if scale < 0:
        return f"sign: {scale:.6g} times the numeric one"
    return f"scale: {scale:.6g} times the numeric one"


def _silent_units(a: Array, n: Array) -> int:
    """Count the units (last axis) whose analytic gradient alone is 0."""
    axes = tuple(range(a.ndim - 1))
    silent = np.all(a == 0, axis=axes) & np.any(np.abs(n) > 1e-9 * np.abs(n).max(), axis=axes)
    return int(silent.sum())


def explain_reading(relative_error: float) -> str:
    """Say what a value of ``|a - n| / (|a| + |n|)`` means.

    Parameters
    ----------
    relative_error : float in [0, 1]

    Raises
    ------
    ValueError
        If it is out of its range.
    """
    r = relative_error
    if not 0 <= r <= 1:
        raise ValueError(f"relative_error: expected a number in [0, 1], got {r!r}")
    if r <= 1e-7:
        return "the two gradients agree"
    if r <= 1e-4:
        return (
            "nearly: the numeric gradient may be inexact (a step too large or too small, float32, "
            "a kink inside the step), or a small term is missing"
        )
    if r < 0.9:
        return f"wrong: if one is a multiple of the other, its factor is {(1 + r) / (1 - r):.4g}"
    if r == 1:
        return (
            "one of the two is exactly 0 (an analytic gradient never filled in, a step so small "
            "that the loss does not change), or they have opposite signs"
        )
    if r < 0.999:
        return (
            "the two have next to nothing in common: opposite signs, other weights, another "
            f"batch, or one is {(1 + r) / (1 - r):.1f} times the other"
        )
    return (
        f"one of the two is some {2 / (1 - r):.0e} times larger than the other (it was divided "
        "by a step that is not the one taken, or rounding noise over a tiny step is compared with "
        "a gradient), or they have opposite signs"
    )


def locate(names: list[str], wrong: list[bool], kernels_wrong_alone: str) -> str:
    """Say where the fault is likely to be.

    Parameters
    ----------
    names : list of str
        The layers with parameters, from input to output.
    wrong : list of bool
        Which of them have a wrong gradient.
    kernels_wrong_alone : str
        Which tensors of the topmost wrong layer are wrong, in words.
    """
    if not any(wrong):
        return ""
    top = max(i for i, is_wrong in enumerate(wrong) if is_wrong)
    below = wrong[:top]
    if not below or not any(below):
        return (
            f"in {names[top]}, {kernels_wrong_alone}: what it hands down to the layers below is "
            "right, so look at how it computes its own gradient"
        )
    if top == len(names) - 1:
        return (
            f"from {names[top]} downwards: look at the loss, the activation of {names[top]}, or "
            f"how {names[top]} receives its gradient"
        )
    return (
        f"from {names[top]} downwards, while {names[top + 1]} is right: look at the activation of "
        f"{names[top]}, and at what {names[top + 1]} hands down"
    )
