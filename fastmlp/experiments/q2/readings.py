"""What a gradient check reads if it is made wrongly, on the report's own net."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import Sequential, backends
from ...gradcheck.reading import GUARD, guarded_norm, precedence_step
from ...kernels.contract import Total
from ...runtime.data import check_data
from ...runtime.engine import Engine
from ..lab import Lab
from ..report import Statement, table
from . import claims

REPORTED = 0.9999999999998282
TOLERANCE = 0.1  # the report's "1e-1"
SAMPLES = 32
STEP = 1e-7
FLOAT32_STEPS = (1e-6, 1e-7)
ALIKE = 10  # readings whose distance from 1 is within this factor of the reported one's

Vector = NDArray[np.floating]
Array = NDArray[Any]


@dataclass(frozen=True)
class Reading:
    """A way to make the check, the two norms, and how far from 1 it reads."""

    name: str
    analytic_norm: float
    numeric_norm: float
    below_one: float

    @property
    def alike(self) -> bool:
        reported = 1 - REPORTED
        return reported / ALIKE <= self.below_one <= reported * ALIKE


def measure(lab: Lab) -> list[Reading]:
    """Make the check in several ways on the plain net, before its training."""
    net = claims.net(lab, claims.PLAIN)
    x, y = (array[:SAMPLES] for array in lab.dataset.train)
    double = net.build(lab.dataset, lab.settings.backend, "float64")
    _, slots = double.loss_and_gradient(x, y)
    a = np.concatenate([slot.ravel() for slot in slots])
    single = net.build(lab.dataset, lab.settings.backend)
    with np.errstate(over="ignore", invalid="ignore"):
        right = _differences(double, x, y, STEP, np.float64)
        rough = {step: _differences(single, x, y, step, np.float32) for step in FLOAT32_STEPS}
    if not np.isfinite(np.concatenate([a, right, *rough.values()])).all():
        return []
    zeros = np.zeros_like(a)
    shuffled = np.random.default_rng(0).permutation(a)
    divisor = 2 * STEP
    return [
        _reading(f"(J+ - J-) / (2 eps), eps = {STEP:g}, float64: right", a, right / divisor),
        _reading(f"(J+ - J-) / 2 * eps, eps = {STEP:g}, float64", a, right / 2 * STEP),
        *(
            _reading(f"(J+ - J-) / (2 eps), eps = {step:g}, float32", a, raw / (2 * step))
            for step, raw in rough.items()
        ),
        *(
            _reading(f"(J+ - J-) / 2 * eps, eps = {step:g}, float32", a, raw / 2 * step)
            for step, raw in rough.items()
        ),
        _reading(f"a = 0, {GUARD:g} added to the denominator", zeros, right / divisor, GUARD),
        _reading("a = 0, nothing added", zeros, right / divisor),
        _reading("a with the wrong sign", -a, right / divisor),
        _reading("the entries of a in random order", shuffled, right / divisor),
        _reading("a = sum over the batch, not its mean", len(x) * a, right / divisor),
    ]


def _differences(
    model: Sequential, x: Array, y: Array, step: float, dtype: Callable[[float], np.floating]
) -> NDArray[np.float64]:
    """Return J(w + step) - J(w - step) for every parameter, each J rounded to the dtype.

    They are in the order of ``get_weights``.
    """
    params = model.params
    kept = params.copy()
    params[:] = np.arange(params.size)  # to see which entry is where
    order = np.concatenate([w.ravel() for w in model.get_weights()]).astype(np.int64)
    params[:] = kept
    found = np.empty(params.size)
    loss = _loss_of(model, x, y)
    for i, value in enumerate(kept):
        params[i] = value + dtype(step)
        up = dtype(loss())
        params[i] = value - dtype(step)
        down = dtype(loss())
        params[i] = value
        found[i] = float(up - down)
    return found[order]


def _loss_of(model: Sequential, x: Array, y: Array) -> Callable[[], float]:
    """Return what gives the loss with the parameters as they are: ``evaluate`` without its checks.

    It is asked tens of thousands of times, and they take longer than the net.
    """
    plan, loss = model.checked_plan(x)
    data = check_data("{}", x, y, plan.input_shape, plan.outputs, loss, model.dtype)
    bind = backends.bind_of(model.backend, plan.python_layers)
    in_python = backends.runs_python(model.backend, plan.python_layers)
    engine = Engine(plan, bind, model.params, np.empty(0, model.dtype), in_python)

    def value() -> float:
        totals = engine.evaluate(data)
        return float(totals[Total.LOSS] + totals[Total.PENALTY]) / data.count

    return value


def _reading(name: str, a: Vector, n: Vector, guard: float = 0.0) -> Reading:
    size_a, size_n = float(np.linalg.norm(a)), float(np.linalg.norm(n))
    total = size_a + size_n + guard
    # 1 - r without cancellation where r would round.
    below = (total - float(np.linalg.norm(a - n))) / total if total else 1.0
    return Reading(name, size_a, size_n, below)


def text(found: list[Reading]) -> str:
    rows = [
        [
            f"{r.name}", f"{r.analytic_norm:.3g}", f"{r.numeric_norm:.3g}",
            f"{1 - r.below_one:.16g}", f"{r.below_one:.1e}",
        ]
        for r in found
    ]  # fmt: skip
    return table(["how the check is made", "‖a‖", "‖n‖", "reading r", "1 - r"], rows)


def statements(found: list[Reading]) -> list[Statement]:
    """Say which ways of making the check read like the report's."""
    below = 1 - REPORTED
    said = [
        Statement(
            "tolerance",
            f"The report takes its reading, {REPORTED}, for one of 1e-1. It is 1e0 to twelve "
            "digits, the largest value that r can have, as by the triangle inequality "
            "‖a - n‖ ≤ ‖a‖ + ‖n‖. No tolerance below 1 passes it. And 1e-1 is no tolerance either: "
            f"it would pass a gradient that is {(1 + TOLERANCE) / (1 - TOLERANCE):.2f} times the "
            "right one.",
            {"reading": REPORTED, "tolerance": TOLERANCE},
        )
    ]
    if not found:
        said.append(
            Statement(
                "readings", "The net's loss is not finite here, so nothing could be reproduced.", {}
            )
        )
        return said
    alike = [r.name for r in found if r.alike]
    near = (
        f"Within a factor of {ALIKE} of the report's 1 - r = {below:.2e}, on this net: "
        f"{'; '.join(f'{r.name} ({r.below_one:.1e})' for r in found if r.alike)}."
        if alike
        else f"None of these is within a factor of {ALIKE} of the report's 1 - r = {below:.2e} on "
        "this net."
    )
    said.append(
        Statement(
            "readings",
            f"{near} The printed value itself would need, of operator precedence in exact "
            f"arithmetic, a step of {precedence_step(REPORTED):.2g} (n is then eps² times the "
            f"right one); of a gradient of zeros (never filled in, or cleared before it was read) "
            f"beside a guard of {GUARD:g}, ‖n‖ = {guarded_norm(REPORTED):.2g} (here it is "
            f"{found[0].numeric_norm:.2g}). Which of them it was cannot be told from the number: "
            "‖a‖ and ‖n‖, printed beside it, would tell.",
            {
                "alike": alike,
                "numeric_norm": found[0].numeric_norm,
                "step": precedence_step(REPORTED),
                "norm": guarded_norm(REPORTED),
            },
        )
    )
    unrelated = next(r for r in found if "random order" in r.name)
    said.append(
        Statement(
            "unrelated",
            "It does not mean that the two vectors have nothing to do with each other: the entries "
            f"of a in random order read {1 - unrelated.below_one:.2f} here.",
            {"reading": 1 - unrelated.below_one},
        )
    )
    return said
