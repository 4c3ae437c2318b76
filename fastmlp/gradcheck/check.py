"""``check_gradients``: of a net, or of any function."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from .. import backends
from ..arguments import real_array
from ..data import Data, check_data
from ..engine import Engine
from ..kernels.table import FIRST_LOSS, Column, Hyper, Op, Scalar
from ..model import Sequential
from ..plan import Plan
from ..threads import available_cores
from .diagnosis import Context, Stage, distance, find_pattern, locate, only_penalty_is_wrong
from .numeric import STEP, Flags, Indices, NumericGradient, Vector, numeric_gradient
from .report import Entry, GradientReport, Kink, LayerResult, TensorResult

_WORST = 5


@dataclass(frozen=True)
class _Tensor:
    """Where a tensor lies in the flat vectors, and what could be wrong with it."""

    layer: str
    name: str
    entries: Indices  # positions in the flat vector, in the tensor's shape
    context: Context
    l1_at_zero: Vector  # the factor where a penalized weight is 0, else 0


@overload
def check_gradients(
    model: Sequential, x: ArrayLike, y: ArrayLike, *, step: int = 0, tolerance: float = 1e-7
) -> GradientReport: ...


@overload
def check_gradients(
    model: Callable[[Any], float],
    x: Callable[[Any], ArrayLike] | ArrayLike,
    y: ArrayLike,
    *,
    tolerance: float = 1e-7,
) -> GradientReport: ...


def check_gradients(
    model: Any, x: Any, y: Any, *, step: int = 0, tolerance: float = 1e-7
) -> GradientReport:
    """Compare the analytic gradient with a numeric one, for every single parameter.

    ``check_gradients(model, x, y)`` checks a compiled net on a batch, in a float64 copy: its
    layers, activations, loss, penalties and dropout, whose mask is held.  The net is not changed.

    ``check_gradients(f, grad, x)`` checks your own function: ``f(x)`` returns a number,
    ``grad(x)`` an array like ``x`` (or pass that array itself).

    Parameters
    ----------
    model : Sequential, or function
    x, y : arrays
        One batch, as for ``fit``; or your gradient, and the point.
    step : int
        Whose dropout masks are used.
    tolerance : float
        The largest relative error ``|a - n| / (|a| + |n|)`` that passes, for every tensor.

    Returns
    -------
    GradientReport
        ``report.passed``, ``report.relative_error``, and more; ``print(report)`` shows all.

    Raises
    ------
    RuntimeError
        If the net is not compiled.
    TypeError, ValueError
        If an argument is not what it should be.
    """
    if not tolerance > 0:
        raise ValueError(f"tolerance: expected a positive number, got {tolerance!r}")
    if isinstance(model, Sequential):
        if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or step < 0:
            raise ValueError(f"step: expected a non-negative integer, got {step!r}")
        return _check_model(model, x, y, int(step), tolerance)
    if callable(model):
        return _check_function(model, x, y, tolerance)
    raise TypeError(f"model: expected a Sequential or a function, got {model!r}")


def _check_model(
    model: Sequential, x: ArrayLike, y: ArrayLike, step: int, tolerance: float
) -> GradientReport:
    started = time.perf_counter()
    plan, loss = model.checked_plan(x)
    data = check_data("{}", x, y, plan.input_shape, plan.outputs, loss, np.dtype(np.float64))
    engine = Engine(
        plan,
        backends.bind_of(model.backend, plan.python_layers),
        model.params.astype(np.float64),
        np.zeros(len(Hyper)),
    )
    with _weights_in(plan, engine.params):
        value, analytic = engine.loss_and_gradient(data, step)
        if not np.isfinite(value):
            raise ValueError(f"model: the loss is {value} on this batch, with nothing to check")
        numeric = _differentiate(engine, data, value, model.backend)
    tensors = _tensors_of(plan, engine.params, data.count)
    return _judge(analytic, numeric, tensors, value, tolerance, started, _operations_above(plan))


@contextmanager
def _weights_in(plan: Plan, params: Vector) -> Iterator[None]:
    """Let layers written in Python find their weights in another vector for a while."""
    originals = [(slot.layer.weights, slot.weight.name) for slot in plan.slots]
    kept = [weights[name] for weights, name in originals]
    try:
        for slot in plan.slots:
            slot.layer.weights[slot.weight.name] = slot.view(params)
        yield
    finally:
        for (weights, name), array in zip(originals, kept, strict=True):
            weights[name] = array


def _differentiate(engine: Engine, data: Data, value: float, backend: str) -> NumericGradient:
    """Differentiate the loss by every parameter; the workspace holds the batch's values."""
    plan, params = engine.plan, engine.params
    probe = backends.probe_of(backend, plan.python_layers)
    workspace = engine.workspace(data.count)
    rows = np.arange(data.count)
    l1 = _penalty_factors(plan, "l1")
    threads = 1 if plan.python_layers or backend == "numpy" else available_cores()

    def losses(indices: Indices, steps: Vector, keeps_branches: bool) -> tuple[Vector, Flags]:
        found, crossed = np.empty((indices.size, 2)), np.empty(indices.size, np.bool_)

        def fill(part: slice) -> None:
            # A copy for each thread; but layers in Python look at the parameters themselves.
            own = params if threads == 1 else params.copy()
            probe(
                plan.table, plan.reals, own, workspace.values,
                np.empty_like(workspace.values), np.empty_like(workspace.deltas), data.labels,
                data.targets, rows, indices[part], steps[part], keeps_branches, found[part],
                crossed[part],
            )  # fmt: skip

        bounds = np.linspace(0, indices.size, threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, map(slice, bounds[:-1], bounds[1:])))
        # |w| has its kink at 0 alone, where its slope is defined to be 0; elsewhere the slope is
        # that of the side where w is, even if a step leads across.
        w = params[indices, None]
        moved = w + steps[:, None] * np.array([1.0, -1.0])
        found += l1[indices, None] * (np.sign(w) * moved - np.abs(moved))
        return found, crossed

    steps = _first_steps(plan, workspace.values, data.count)
    return numeric_gradient(losses, params, steps, value, has_hidden_kinks=bool(plan.python_layers))


def _first_steps(plan: Plan, values: Vector, n: int) -> Vector:
    """Return a step for each parameter that moves what it feeds by the same small amount.

    A weight's step is divided by the largest value that the weight is multiplied with.  Half of
    the usual step: through 14 layers of tanh even a small move bends.
    """
    step = STEP / 2
    capacity = values.size // plan.features
    steps = np.full(plan.size, step)
    for row, reals in zip(plan.table, plan.reals, strict=True):
        if row[Column.OP] != Op.DENSE:
            continue
        inputs, outputs, start = row[Column.INPUTS], row[Column.OUTPUTS], row[Column.WEIGHTS]
        x = values[row[Column.X] * capacity :][: inputs * n]
        x = x.reshape(n, inputs).T if row[Column.ROWS] else x.reshape(inputs, n)
        largest = np.abs(reals[Scalar.SCALE] * x).max(axis=1)
        largest[largest == 0] = 1
        steps[start : start + inputs * outputs] = np.tile(step / largest, outputs)
    return steps


def _penalty_factors(plan: Plan, name: str) -> Vector:
    """Return ``l1`` or ``l2`` of every parameter."""
    factors = np.zeros(plan.size)
    for slot in plan.slots:
        if slot.weight.regularizer is not None:
            slot.view(factors)[...] = getattr(slot.weight.regularizer, name)
    return factors


def _tensors_of(plan: Plan, params: Vector, batch_size: int) -> list[_Tensor]:
    tensors = []
    positions = np.arange(plan.size)
    l1 = _penalty_factors(plan, "l1")
    gradients = {
        "L1": l1 * np.sign(params),
        "L2": 2 * _penalty_factors(plan, "l2") * params,
    }
    for slot in plan.slots:
        entries = slot.view(positions)
        context = Context(batch_size, {name: g[entries] for name, g in gradients.items()})
        name = f"{slot.layer.name}/{slot.weight.name}"
        at_zero = np.where(params == 0, l1, 0.0)[entries]
        tensors.append(_Tensor(slot.layer.name, name, entries, context, at_zero))
    return tensors


def _operations_above(plan: Plan) -> dict[str, list[str]]:
    """Return what lies between each layer with parameters and the next one, or the loss."""
    above: dict[str, list[str]] = {}
    current: list[str] = []
    for row, label in zip(plan.table, plan.labels, strict=True):
        if row[Column.OP] == Op.PENALTY:
            continue
        if row[Column.OP] in (Op.DENSE, Op.CUSTOM) and row[Column.SIZE]:
            current = above[label] = []
        else:
            current.append(label)
        if row[Column.OP] >= FIRST_LOSS:
            break
    return above


def _check_function(
    function: Callable[[Any], float], gradient: Any, x: ArrayLike, tolerance: float
) -> GradientReport:
    started = time.perf_counter()
    point = real_array("x", x).astype(np.float64)
    if not point.size or not np.isfinite(point).all():
        raise ValueError(f"x: expected finite numbers, at least one, got {x!r}")
    given = gradient(point.copy()) if callable(gradient) else gradient
    analytic = real_array("grad", given).astype(np.float64)
    if analytic.shape != point.shape:
        raise ValueError(f"grad: expected shape {point.shape} like x, got {analytic.shape}")

    def value_at(flat: Vector) -> float:
        value = real_array("f", function(flat.reshape(point.shape).copy()))
        if value.size != 1:
            raise ValueError(f"f: expected a single number, got shape {value.shape}")
        return float(value.reshape(()))

    flat = point.ravel()
    here = value_at(flat)
    if not np.isfinite(here):
        raise ValueError(f"f: expected a finite number at x, got {here}")

    def losses(indices: Indices, steps: Vector, keeps_branches: bool) -> tuple[Vector, Flags]:
        found = np.full((indices.size, 2), here)
        for k, (index, step) in enumerate(zip(indices, steps, strict=True)):
            if step == 0:
                continue
            for side, sign in enumerate((1, -1)):
                moved = flat.copy()
                moved[index] += sign * step
                found[k, side] = value_at(moved)
        return found, np.zeros(indices.size, np.bool_)

    steps = STEP * np.maximum(1.0, np.abs(flat))
    numeric = numeric_gradient(losses, flat, steps, here, has_hidden_kinks=True)
    entries = np.arange(flat.size).reshape(point.shape)
    tensor = _Tensor("x", "x", entries, Context(), np.zeros(point.shape))
    return _judge(analytic.ravel(), numeric, [tensor], here, tolerance, started, None)


def _judge(
    analytic: Vector,
    numeric: NumericGradient,
    tensors: list[_Tensor],
    loss: float,
    tolerance: float,
    started: float,
    above: dict[str, list[str]] | None,
) -> GradientReport:
    """Compare; ``above`` names what follows each layer, and is None for a function."""
    smooth = ~numeric.at_kink
    kinks = _kinks_of(analytic, numeric, tensors, tolerance)
    results = [_judge_tensor(analytic, numeric, tensor, kinks, tolerance) for tensor in tensors]
    layers = []
    for name in dict.fromkeys(tensor.layer for tensor in tensors):
        own = [t.entries.ravel() for t in tensors if t.layer == name]
        entries = np.concatenate(own)
        entries = entries[smooth[entries]]
        layers.append(
            LayerResult(
                name,
                distance(analytic[entries], numeric.values[entries]),
                all(r.passed for r, t in zip(results, tensors, strict=True) if t.layer == name),
            )
        )
    if above is None:
        location = _wrong_entries(analytic, numeric, results[0], kinks, tolerance)
    else:
        location = locate(_stages_of(analytic, numeric, results, tensors, tolerance, above))
    return GradientReport(
        relative_error=distance(analytic[smooth], numeric.values[smooth]),
        passed=all(layer.passed for layer in layers),
        tolerance=tolerance,
        layers=layers,
        tensors=results,
        worst=_worst_of(analytic, numeric, tensors),
        kinks=kinks,
        location=location,
        parameters=analytic.size,
        evaluations=numeric.evaluations,
        loss=loss,
        seconds=time.perf_counter() - started,
    )


def _stages_of(
    analytic: Vector,
    numeric: NumericGradient,
    results: list[TensorResult],
    tensors: list[_Tensor],
    tolerance: float,
    above: dict[str, list[str]],
) -> list[Stage]:
    wrong: dict[str, list[str]] = {layer: [] for layer in above}
    gets_right_gradient = dict.fromkeys(above, False)
    for tensor, result in zip(tensors, results, strict=True):
        if not result.passed:
            wrong[tensor.layer].append(result.name.removeprefix(f"{tensor.layer}/"))
        # A gradient that is 0 anyway tells nothing; one that lacks just its penalty tells all.
        a, n = analytic[tensor.entries], numeric.values[tensor.entries]
        gets_right_gradient[tensor.layer] |= (
            result.relative_error <= tolerance and result.numeric_norm > result.resolution
        ) or only_penalty_is_wrong(a, n, tensor.context)
    return [Stage(layer, wrong[layer], gets_right_gradient[layer], above[layer]) for layer in above]


def _wrong_entries(
    analytic: Vector,
    numeric: NumericGradient,
    result: TensorResult,
    kinks: list[Kink],
    tolerance: float,
) -> str:
    if result.passed:
        return ""
    n = numeric.values
    wrong = ~(np.abs(analytic - n) <= tolerance * (np.abs(analytic) + np.abs(n)) + numeric.noise)
    wrong |= ~np.isfinite(analytic)
    wrong[numeric.at_kink] = [not kink.passed for kink in kinks]
    return f"in {wrong.sum()} of the {wrong.size} entries of {result.name}"


def _judge_tensor(
    analytic: Vector,
    numeric: NumericGradient,
    tensor: _Tensor,
    kinks: list[Kink],
    tolerance: float,
) -> TensorResult:
    a = analytic[tensor.entries]
    at_kink = numeric.at_kink[tensor.entries]
    n = np.where(at_kink, a, numeric.values[tensor.entries])
    smooth = ~at_kink
    error = distance(a[smooth], n[smooth])
    resolution = float(np.linalg.norm(numeric.noise[tensor.entries][smooth]))
    agrees = error <= tolerance or float(np.linalg.norm((a - n)[smooth])) <= resolution
    at_kinks = [kink for kink in kinks if kink.tensor == tensor.name]
    passed = agrees and all(kink.passed for kink in at_kinks)
    finding = "" if passed else "wrong at a kink"
    if not agrees:
        finding = find_pattern(a, n, tensor.context)
    return TensorResult(
        tensor.name, a.shape, error, float(np.linalg.norm(a[smooth])),
        float(np.linalg.norm(n[smooth])), resolution, len(at_kinks), passed, finding,
    )  # fmt: skip


def _kinks_of(
    analytic: Vector, numeric: NumericGradient, tensors: list[_Tensor], tolerance: float
) -> list[Kink]:
    def agrees(a: float, n: float, noise: float) -> bool:
        return bool(np.isfinite(a) and abs(a - n) <= tolerance * (abs(a) + abs(n)) + noise)

    kinks = []
    for tensor in tensors:
        for index in map(tuple, np.argwhere(numeric.at_kink[tensor.entries])):
            position = tensor.entries[index]
            a, left, right = analytic[position], numeric.left[position], numeric.right[position]
            passed = agrees(a, numeric.kept[position], numeric.noise[position])
            if numeric.has_hidden_kinks:
                # One-sided differences over the smallest step: rounding and curvature, generously.
                margin = 100 * numeric.side_noise[position] + 1e-5 * (abs(left) + abs(right))
                passed |= min(left, right) - margin <= a <= max(left, right) + margin
            cause = "bend" if numeric.has_hidden_kinks else "activation"
            where = tuple(map(int, index))
            kinks.append(
                Kink(cause, tensor.name, where, float(a), float(left), float(right), bool(passed))
            )
        for index in map(tuple, np.argwhere(tensor.l1_at_zero)):
            position = tensor.entries[index]
            if numeric.at_kink[position]:
                continue
            a, n, l1 = analytic[position], numeric.values[position], tensor.l1_at_zero[index]
            passed = agrees(a, n, numeric.noise[position])
            where = tuple(map(int, index))
            kinks.append(
                Kink("L1", tensor.name, where, float(a), float(n - l1), float(n + l1), passed)
            )
    return kinks


def _worst_of(analytic: Vector, numeric: NumericGradient, tensors: list[_Tensor]) -> list[Entry]:
    difference = np.where(numeric.at_kink, 0.0, np.abs(analytic - numeric.values))
    beyond = np.nan_to_num(difference - numeric.noise, nan=np.inf)
    worst = []
    for position in np.argsort(-beyond, kind="stable")[:_WORST]:
        for tensor in tensors:
            where = np.argwhere(tensor.entries == position)
            if where.size:
                a, n = float(analytic[position]), float(numeric.values[position])
                total = abs(a) + abs(n)
                worst.append(
                    Entry(
                        tensor.name, tuple(map(int, where[0])), a, n,
                        abs(a - n) / total if total else 0.0,
                    )
                )  # fmt: skip
    return worst
