"""What ``compiled.probe`` does, on the layer-by-layer path: for NumPy and for custom layers."""

from collections.abc import Mapping
from types import ModuleType

import numpy as np

from .contract import (
    FIRST_LOSS,
    FORMS,
    SELU_ALPHA,
    SELU_SCALE,
    Activation,
    Column,
    Op,
    Phase,
    Rule,
    Scalar,
)
from .walk import Array, PythonLayer, Walk

_HAS_KINK = (Activation.RELU, Activation.LEAKY_RELU, Activation.ELU, Activation.SELU)


def _owner_of(table: Array, index: int) -> int:
    for r, row in enumerate(table):
        start = row[Column.WEIGHTS]
        owns = bool(FORMS[row[Column.OP]].weights)
        if owns and start <= index < start + row[Column.SIZE]:
            return r
    raise IndexError(index)


def _penalties_on(walk: Walk, r: int, index: int) -> float:
    total = 0.0
    for p in walk.penalties(r):
        start = walk.table[p, Column.WEIGHTS]
        if start <= index < start + walk.table[p, Column.SIZE]:
            l1, l2 = walk.reals[p, Scalar.L1], walk.reals[p, Scalar.L2]
            total += walk.kernels.penalty(l1, l2, walk.params[index : index + 1])
    return total


def _branch(kind: int, alpha: float, x_before: Array, x: Array) -> Array:
    """Return the activation of ``x`` by the formula for the side of 0 where ``x_before`` is."""
    match kind:
        case Activation.RELU:
            below, scale = 0 * x, 1.0
        case Activation.LEAKY_RELU:
            below, scale = alpha * x, 1.0
        case Activation.ELU:
            below, scale = alpha * np.expm1(x), 1.0
        case _:
            below, scale = SELU_SCALE * SELU_ALPHA * np.expm1(x), SELU_SCALE
    branch: Array = np.where(x_before > 0, scale * x, below)
    return branch


def probe(
    kernels: ModuleType,
    python_layers: Mapping[int, PythonLayer],
    table: Array,
    reals: Array,
    params: Array,
    values: Array,
    trial: Array,
    deltas: Array,
    labels: Array,
    targets: Array,
    rows: Array,
    indices: Array,
    steps: Array,
    keeps_branches: bool,
    losses: Array,
    crossed: Array,
) -> None:
    """Do what ``compiled.probe.probe`` does, a row at a time."""
    none = params[:0]
    nothing = none, none, Rule.DESCENT, none
    before, walk = (
        Walk(kernels, python_layers, table, reals, params, *nothing, memory, deltas, none)
        for memory in (values, trial)
    )
    n = rows.size
    loss_index = next(r for r, row in enumerate(table) if row[Column.OP] >= FIRST_LOSS)
    last_owner = -1
    for k, (index, step) in enumerate(zip(indices, steps, strict=True)):
        owner = _owner_of(table, index)
        if owner != last_owner:
            trial[:] = values
            last_owner = owner
        original = params[index]
        crossed[k] = False
        for side, sign in enumerate((1, -1)):
            params[index] = original + sign * step
            for r in range(owner, loss_index):
                row = table[r]
                y = walk.forward(r, n, 0, Phase.REPLAY)
                if row[Column.OP] == Op.ACTIVATION and row[Column.KIND] in _HAS_KINK:
                    x, _ = walk.ends(trial, row, n)
                    x_before, _ = before.ends(values, row, n)
                    other_side = (x > 0) != (x_before > 0)
                    crossed[k] |= bool(other_side.any())
                    if keeps_branches:
                        alpha = reals[r, Scalar.ALPHA]
                        y[other_side] = _branch(
                            row[Column.KIND], alpha, x_before[other_side], x[other_side]
                        )
            loss = walk.loss(loss_index, rows, labels, targets)
            losses[k, side] = loss / n + _penalties_on(walk, owner, index)
        params[index] = original
