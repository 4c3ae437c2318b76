"""What ``numba.probe`` does, on the layer-by-layer path: for NumPy and for custom layers."""

from collections.abc import Mapping
from types import ModuleType

import numpy as np

from ..contract import (
    FIRST_LOSS,
    FORMS,
    SELU_ALPHA,
    SELU_SCALE,
    Activation,
    Batches,
    Column,
    Factor,
    Memory,
    Net,
    Op,
    Phase,
    Scalar,
    Tensor,
    Trial,
)
from .rows import Array, PythonLayer, Walk

_HAS_KINK = (Activation.RELU, Activation.LEAKY_RELU, Activation.ELU, Activation.SELU)


def _owner_of(table: Array, index: int) -> int:
    for r, row in enumerate(table):
        start = row[Column.WEIGHTS]
        owns = bool(FORMS[row[Column.OP]].weights)
        if owns and start <= index < start + row[Column.SIZE]:
            return r
    raise IndexError(index)


def _penalties_on(walk: Walk, index: int) -> float:
    net = walk.net
    for t, (start, size) in enumerate(net.tensors[:, [Tensor.START, Tensor.SIZE]]):
        if start <= index < start + size:
            l1, l2 = net.factors[t, Factor.L1], net.factors[t, Factor.L2]
            return float(walk.kernels.penalty(l1, l2, net.params[index : index + 1]))
    return 0.0


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
    net: Net,
    memory: Memory,
    batches: Batches,
    trial: Trial,
) -> None:
    """Do what ``numba.probe.probe`` does, a row at a time."""
    before = Walk(kernels, python_layers, net, memory)
    walk = Walk(kernels, python_layers, net, Memory(trial.moved, memory.deltas))
    rows, n = batches.order, batches.order.size
    loss_index = next(r for r, row in enumerate(net.table) if row[Column.OP] >= FIRST_LOSS)
    last_owner = -1
    for k, (index, step) in enumerate(zip(trial.indices, trial.steps, strict=True)):
        owner = _owner_of(net.table, index)
        if owner != last_owner:
            trial.moved[:] = memory.values
            last_owner = owner
        original = net.params[index]
        trial.crossed[k] = 0
        for side, sign in enumerate((1, -1)):
            net.params[index] = original + sign * step
            for r in range(owner, loss_index):
                _forward_row(walk, before, r, n, trial, k)
            loss = walk.loss_row(loss_index, rows, batches, learns=False)
            loss += walk.activity(range(1, loss_index), n)
            trial.losses[k, side] = loss / n + _penalties_on(walk, index)
        net.params[index] = original


def _forward_row(walk: Walk, before: Walk, r: int, n: int, trial: Trial, k: int) -> None:
    """Run a row forward, and note if the step has moved an input of it across a kink."""
    row = walk.net.table[r]
    y = walk.forward_row(r, n, 0, Phase.REPLAY)
    if row[Column.OP] != Op.ACTIVATION or row[Column.KIND] not in _HAS_KINK:
        return
    x, _ = walk.ends(walk.memory.values, row, n)
    x_before, _ = before.ends(before.memory.values, row, n)
    other_side = (x > 0) != (x_before > 0)
    trial.crossed[k] |= other_side.any()
    if trial.keeps_branches:
        alpha = walk.net.reals[r, Scalar.ALPHA]
        y[other_side] = _branch(row[Column.KIND], alpha, x_before[other_side], x[other_side])
