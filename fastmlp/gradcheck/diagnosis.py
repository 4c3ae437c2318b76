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
    largest = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    if 0 < largest < np.inf:  # squares of 1e200 overflow, those of 1e-200 vanish
        a, b = a / largest, b / largest
    total = float(np.linalg.norm(a) + np.linalg.norm(b))
    return float(np.linalg.norm(a - b)) / total if total else 0.0


def norm(a: Array) -> float:
    """Return the Euclidean norm, of entries of any size."""
    largest = float(np.abs(a).max(initial=0.0))
    return largest * float(np.linalg.norm(a / largest)) if 0 < largest < np.inf else largest


def find_pattern(analytic: Array, numeric: Array, context: Context) -> str:
    """Say in words how ``analytic`` differs from ``numeric``, both in the tensor's shape."""
    largest = max(norm(analytic), norm(numeric))
    if np.isfinite(largest) and largest and not 1e-100 < largest < 1e100:
        # Products of such numbers overflow or vanish.
        penalties = {name: penalty / largest for name, penalty in context.penalties.items()}
        context = Context(context.batch_size, penalties)
        analytic, numeric = analytic / largest, numeric / largest
    a, n = analytic, numeric
    norm_a, norm_n = norm(a), norm(n)
    if not np.isfinite(norm_a):
        return "not finite: the analytic gradient holds NaN or infinity"
    if not np.isfinite(norm_n):
        return "not finite: the loss is NaN or infinite near this point"
    if norm_a == 0:
        return "zero: the analytic gradient is 0 where the numeric one is not"
    if norm_n == 0:
        return "spurious: the analytic gradient should be 0"
    for name, other in _penalty_mistakes(n, context):
        if distance(a, other) < _CLOSE:
            return name
    pattern = _simple_pattern(a, n, context.batch_size)
    if pattern:
        return pattern
    penalty = sum(context.penalties.values(), np.zeros_like(n))
    if np.any(penalty):
        if distance(a, penalty) < _CLOSE:
            return "zero: all but the gradient of the penalty, which is right"
        pattern = _simple_pattern(a - penalty, n - penalty, context.batch_size)
        if pattern:
            return f"{pattern} (beside the penalty's gradient, which is right)"
    if norm_a < 1e-6 * norm_n:
        return f"vanishing: the analytic gradient is {norm_n / norm_a:.1e} times too small"
    units = _silent_units(a, n)
    if units:
        return f"partly zero: the gradient of {units} of {a.shape[-1]} units is 0"
    cosine = float(np.vdot(a, n)) / (norm_a * norm_n)
    return f"no simple pattern: cosine {cosine:.3f}, norms' ratio {norm_a / norm_n:.3g}"


def only_penalty_is_wrong(analytic: Array, numeric: Array, context: Context) -> bool:
    """Tell whether a common mistake in the penalties' part is all that is wrong."""
    return any(distance(analytic, n) < _CLOSE for _, n in _penalty_mistakes(numeric, context))


def _simple_pattern(a: Array, n: Array, batch_size: int) -> str:
    """Name the common mistake that makes ``a`` of ``n``, if there is one."""
    for name, other in _rearranged(n):
        if distance(a, other) < _CLOSE:
            return name
    norm_squared = float(np.vdot(n, n))
    scale = float(np.vdot(a, n)) / norm_squared if norm_squared else 0.0
    if scale and distance(a, scale * n) < _CLOSE:
        return _name_of_scale(scale, batch_size)
    return ""


def _rearranged(n: Array) -> list[tuple[str, Array]]:
    """Return the right gradient with its entries in wrong places."""
    found: list[tuple[str, Array]] = []
    if n.ndim == 2 and min(n.shape) > 1:
        found.append(("transposed", n.T.reshape(n.shape)))
        if n.shape[0] != n.shape[1]:
            found.append(("transposed", n.reshape(n.shape[::-1]).T))
    axes = ("inputs", "units") if n.ndim == 2 else ("units",) if n.ndim == 1 else ()
    for axis, name in enumerate(axes):
        if n.shape[axis] > 1:
            found.extend(
                (f"shifted: its {name} are off by one", np.roll(n, shift, axis))
                for shift in (1, -1)
            )
    return found


def _penalty_mistakes(n: Array, context: Context) -> list[tuple[str, Array]]:
    """Return gradients with a common mistake in the penalties' part, each with its name."""
    found: list[tuple[str, Array]] = []
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
    if np.isclose(scale, -1, rtol=1e-4):
        return "sign: the analytic gradient is the negative of the numeric one"
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


@dataclass(frozen=True)
class Stage:
    """A layer with parameters, as far as it matters where a fault is.

    Attributes
    ----------
    name : str
    wrong : list of str
        Its tensors with a wrong gradient.
    gets_right_gradient : bool
        Whether a tensor shows that the gradient that arrives at this layer is right.
    above : list of str
        The operations between this layer and the next one, or the loss.
    """

    name: str
    wrong: list[str]
    gets_right_gradient: bool
    above: list[str]


def locate(stages: list[Stage]) -> str:
    """Say where the fault is likely to be; ``stages`` go from input to output.

    Backpropagation goes from the loss down, so a fault on that way shows in everything below it;
    a fault in how a layer computes its own gradient shows nowhere else.  So if the gradient
    arrives rightly at a layer, it does at all layers above.
    """
    faulty = [i for i, stage in enumerate(stages) if stage.wrong]
    if not faulty:
        return ""
    lowest_right = min(
        (i for i, s in enumerate(stages) if s.gets_right_gradient), default=len(stages)
    )
    own = [i for i in faulty if i >= lowest_right]
    misled = [i for i in faulty if i < lowest_right]
    parts = []
    if own:
        tensors = [
            f"{stages[i].name}/{tensor}" for i in reversed(own) for tensor in stages[i].wrong
        ]
        parts.append(
            f"in {_listed(tensors)}: the gradient that arrives there is right, "
            "so look at how the layer computes its own"
        )
    if misled:
        parts.append(_on_the_way_down(stages, max(misled)))
    return "; and ".join(parts)


def _on_the_way_down(stages: list[Stage], top: int) -> str:
    stage = stages[top]
    suspects = [f"the backward pass of {name}" for name in reversed(stage.above)]
    where = f"from {stage.name} downwards" if top else f"in {_listed(stage.wrong)} of {stage.name}"
    if top + 1 < len(stages):
        where += f", while the gradient that arrives at {stages[top + 1].name} is right"
        suspects.insert(0, f"what {stages[top + 1].name} hands down")
    if top == 0:
        suspects.append(f"how {stage.name} computes its own gradient")
    return f"{where}: look at {_listed(suspects)}"


def _listed(items: list[str]) -> str:
    return ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else "".join(items)
