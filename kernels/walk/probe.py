"""What ``numba.probe`` does, on the layer-by-layer path: for NumPy and for custom layers."""

from collections.abc import Mapping
from types import ModuleType

import numpy as np

from ..contract import (
    FIRST_LOSS,
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
    Trial,
)
from .rows import Array, PythonLayer, Walk

_BENT_AT_0 = (
    Activation.RELU, Activation.LEAKY_RELU, Activation.ELU, Activation.SELU, Activation.JUMP,
)  # fmt: skip


def _owner_of(walk: Walk, index: int) -> int:
    for r, row in enumerate(walk.table):
        start = row[Column.WEIGHTS]
        if walk.has_weights(r) and start <= index < start + row[Column.SIZE]:
            return r
    raise IndexError(index)


def _penalties_on(walk: Walk, index: int) -> float:
    net = walk.net
    for t in range(len(walk.tensors)):
        place = walk.place(t)
        if place.start <= index < place.stop:
            l1, l2 = net.factors[t, Factor.L1], net.factors[t, Factor.L2]
            return float(walk.kernels.penalty(l1, l2, net.params[index : index + 1]))
    return 0.0


def _pieces_of(kind: int, alpha: float | Array, x: Array) -> Array:
    """Return how many kinks of an activation lie below each x: which piece of it x is on.

    At a kink, that is the piece whose slope backpropagation takes.
    """
    match kind:
        case _ if kind in _BENT_AT_0:
            pieces = np.where(x > 0, 1, 0)
        case Activation.HARD_SIGMOID | Activation.HARD_SILU:
            pieces = np.where(x > -3, 1, 0) + (x >= 3)
        case Activation.HARD_TANH | Activation.SPARSE_SIGMOID:
            pieces = np.where(x > -1, 1, 0) + (x >= 1)
        case Activation.HARD_SHRINK | Activation.SOFT_SHRINK:
            pieces = np.where(x >= -alpha, 1, 0) + (x > alpha)
        case Activation.CLIPPED_RELU:
            pieces = np.where(x > 0, 1, 0) + (x >= alpha)
        case Activation.THRESHOLD:
            pieces = np.where(x > alpha, 1, 0)
        case Activation.MINIMUM:
            pieces = np.where(x >= alpha, 1, 0)
        case _:
            pieces = np.zeros(x.shape, int)
    return pieces


def _on_pieces(kind: int, alpha: float | Array, pieces: Array, x: Array) -> Array:
    """Return the formulas of the pieces, also for x beyond them."""
    zero = 0 * x
    match kind:
        case Activation.RELU | Activation.THRESHOLD:
            formulas = [zero, x]
        case Activation.LEAKY_RELU:
            formulas = [alpha * x, x]
        case Activation.ELU:
            formulas = [alpha * np.expm1(x), x]
        case Activation.SELU:
            formulas = [SELU_SCALE * SELU_ALPHA * np.expm1(x), SELU_SCALE * x]
        case Activation.HARD_SIGMOID:
            formulas = [zero, x / 6 + 0.5, zero + 1]
        case Activation.HARD_SILU:
            formulas = [zero, x * (x / 6 + 0.5), x]
        case Activation.HARD_TANH:
            formulas = [zero - 1, x, zero + 1]
        case Activation.SPARSE_SIGMOID:
            formulas = [zero, (x + 1) / 2, zero + 1]
        case Activation.HARD_SHRINK:
            formulas = [x, zero, x]
        case Activation.SOFT_SHRINK:
            formulas = [x + alpha, zero, x - alpha]
        case Activation.CLIPPED_RELU:
            formulas = [zero, x, zero + alpha]
        case Activation.MINIMUM:
            formulas = [x, zero + alpha]
        case _:  # Activation.JUMP
            formulas = [x, x + alpha]
    return np.choose(pieces, formulas)


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
    loss_index = next(r for r, row in enumerate(walk.table) if row[Column.OP] >= FIRST_LOSS)
    last_owner = -1
    for k, (index, step) in enumerate(zip(trial.indices, trial.steps, strict=True)):
        owner = _owner_of(walk, index)
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
    row = walk.table[r]
    y = walk.forward_row(r, n, 0, Phase.REPLAY)
    kind, alpha = row[Column.KIND], walk.net.reals[r, Scalar.ALPHA]
    weights = walk.own(row, walk.net.params)[:, None]
    if row[Column.OP] == Op.PRELU:
        kind, alpha = Activation.LEAKY_RELU, weights
    elif row[Column.OP] not in (Op.ACTIVATION, Op.MIXED_ACTIVATION):
        return
    x, _ = walk.ends(walk.memory.values, row, n)
    x_before, _ = before.ends(before.memory.values, row, n)
    pieces = _pieces_of(kind, alpha, x_before)
    crossed = pieces != _pieces_of(kind, alpha, x)
    trial.crossed[k] |= crossed.any()
    if trial.keeps_branches and crossed.any():
        kept = _on_pieces(kind, alpha, pieces, x)
        if row[Column.OP] == Op.MIXED_ACTIVATION:
            kept = x + weights * (x - kept)
        y[crossed] = kept[crossed]
