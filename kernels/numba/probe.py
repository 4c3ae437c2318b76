"""The loss after a small step of one parameter, for many parameters: numeric gradients.

A parameter of a dense layer changes one unit's output, and what lies above it.  So the samples
are gathered once, the layers below are left as they are, and of the layer itself one row of the
product is computed anew, by the same kernel: for 784 inputs and 13 units a thirteenth of the
work.
"""

import math

from ..contract import (
    FIRST_LOSS,
    PROBE,
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
    Team,
    Tensor,
    Trial,
)
from .dense import dense_forward, dense_forward_rows
from .jit import exact, for_groups, view
from .late import call
from .needs import Compiled, CompiledNet
from .penalties import penalty
from .rows import activity, forward_row, is_penalized, layer_bias, layer_weights, loss_row
from .views import matrix, vector


@view
def owner_of(table, index):
    """Return the row that the parameter belongs to."""
    r = 1
    while not 0 <= index - table[r, Column.WEIGHTS] < table[r, Column.SIZE]:
        r += 1
    return r


@exact
def copy(source, start, stop, target):
    # Not target[:] = source: in case the two overlap, Numba would copy twice.
    for i in range(start, stop):
        target[i] = source[i]


@exact
def unit_forward(row, reals, unit, net, values, capacity, n):
    """Compute one unit of a DENSE row."""
    inputs, at_x = row[Column.INPUTS], row[Column.X] * capacity
    y = matrix(values, row[Column.Y] * capacity + unit * n, 1, n)
    weights = layer_weights(row, net.params, unit, unit + 1)
    bias = layer_bias(row, net.params, unit, unit + 1)
    if row[Column.ROWS]:
        scale = values.dtype.type(reals[Scalar.SCALE])
        x = matrix(values, at_x, n, inputs)
        call(dense_forward_rows, net.code, (x, weights, bias, scale, y))
    else:
        x = matrix(values, at_x, inputs, n)
        call(dense_forward, net.code, (x, weights, bias, y))


@exact
def owner_forward(row, reals, unit, net, values, capacity, n, alone):
    """Compute what a parameter of this row changes: one unit of a DENSE row, or all of another."""
    if row[Column.OP] == Op.DENSE:
        unit_forward(row, reals, unit, net, values, capacity, n)
    else:
        forward_row(row, reals, net, values, capacity, n, 0, Phase.REPLAY, alone)


@exact
def piece_of(kind, alpha, x):
    """Return how many kinks of an activation lie below x: which piece of it x is on.

    At a kink, that is the piece whose slope backpropagation takes.
    """
    piece = 0
    if Activation.RELU <= kind <= Activation.SELU or kind == Activation.JUMP:
        piece = int(x > 0)
    elif kind in (Activation.HARD_SIGMOID, Activation.HARD_SILU):
        piece = int(x > -3) + int(x >= 3)
    elif kind in (Activation.HARD_TANH, Activation.SPARSE_SIGMOID):
        piece = int(x > -1) + int(x >= 1)
    elif kind in (Activation.HARD_SHRINK, Activation.SOFT_SHRINK):
        piece = int(x >= -alpha) + int(x > alpha)
    elif kind == Activation.CLIPPED_RELU:
        piece = int(x > 0) + int(x >= alpha)
    elif kind == Activation.THRESHOLD:
        piece = int(x > alpha)
    elif kind == Activation.MINIMUM:
        piece = int(x >= alpha)
    return piece


@exact
def on_piece(kind, alpha, piece, x):
    """Return the formula of a piece, also for x beyond it."""
    outer, middle = float(piece // 2), piece == 1
    y = x
    if kind == Activation.ELU:
        y = x if piece else alpha * math.expm1(x)
    elif kind == Activation.SELU:
        y = SELU_SCALE * (x if piece else SELU_ALPHA * math.expm1(x))
    elif kind == Activation.LEAKY_RELU:
        y = x if piece else alpha * x
    elif kind in (Activation.RELU, Activation.THRESHOLD):
        y = x if piece else 0.0
    elif kind == Activation.HARD_SIGMOID:
        y = x / 6 + 0.5 if middle else outer
    elif kind == Activation.HARD_SILU:
        y = x * (x / 6 + 0.5) if middle else x * outer
    elif kind == Activation.HARD_TANH:
        y = x if middle else piece - 1.0
    elif kind == Activation.SPARSE_SIGMOID:
        y = (x + 1) / 2 if middle else outer
    elif kind == Activation.HARD_SHRINK:
        y = 0.0 if middle else x
    elif kind == Activation.SOFT_SHRINK:
        y = 0.0 if middle else x - alpha * (piece - 1)
    elif kind == Activation.CLIPPED_RELU:
        y = x if middle else alpha * outer
    elif kind == Activation.MINIMUM:
        y = alpha if piece else x
    elif kind == Activation.JUMP:
        y = x + alpha if piece else x
    return y


@exact
def crosses_kink(row, reals, net, values, trial, capacity, n, keeps):
    """Tell whether a step took an input of an activation across a kink.

    If it ``keeps`` them to their pieces, such inputs go on with the formula of the old one.
    """
    is_prelu = row[Column.OP] == Op.PRELU
    is_mixed = row[Column.OP] == Op.MIXED_ACTIVATION
    if row[Column.OP] != Op.ACTIVATION and not is_prelu and not is_mixed:
        return False
    kind = Activation.LEAKY_RELU if is_prelu else row[Column.KIND]
    alpha = reals[Scalar.ALPHA]
    before = vector(values, row[Column.X] * capacity, row[Column.INPUTS] * n)
    x = vector(trial, row[Column.X] * capacity, row[Column.INPUTS] * n)
    y = vector(trial, row[Column.Y] * capacity, row[Column.OUTPUTS] * n)
    crosses = False
    for i in range(x.size):
        if is_prelu:
            alpha = net.params[row[Column.WEIGHTS] + i // n]
        piece = piece_of(kind, alpha, before[i])
        if piece != piece_of(kind, alpha, x[i]):
            crosses = True
            if keeps:
                kept = on_piece(kind, alpha, piece, x[i])
                if is_mixed:
                    kept = x[i] + net.params[row[Column.WEIGHTS] + i // n] * (x[i] - kept)
                y[i] = kept
    return crosses


@exact
def penalties_on(net, index):
    """Return the penalties on one parameter."""
    for t in range(net.tensors.shape[0]):
        if 0 <= index - net.tensors[t, Tensor.START] < net.tensors[t, Tensor.SIZE]:
            if not is_penalized(net, t):
                break
            l1, l2 = net.factors[t, Factor.L1], net.factors[t, Factor.L2]
            return call(penalty, net.code, (l1, l2, vector(net.params, index, 1)))
    return 0.0


@exact
def loss_from(net, memory, batches, trial, r, loss_index, unit, k, alone):
    """Return the batch's loss with the parameters as they are, computed anew from row ``r`` up."""
    capacity, n = memory.values.size // net.table[0, Column.X], batches.order.size
    owner_forward(net.table[r], net.reals[r], unit, net, trial.moved, capacity, n, alone)
    for above in range(r + 1, loss_index):
        row, reals = net.table[above], net.reals[above]
        forward_row(row, reals, net, trial.moved, capacity, n, 0, Phase.REPLAY, alone)
        keeps = trial.keeps_branches != 0
        if crosses_kink(row, reals, net, memory.values, trial.moved, capacity, n, keeps):
            trial.crossed[k] = 1
    penalties = activity(net, trial.moved, loss_index, capacity, n)
    return penalties + loss_row(
        net.table[loss_index], net.reals[loss_index], net.code, trial.moved, memory.deltas,
        capacity, batches.order, batches,
    )  # fmt: skip


@exact
def probe_compiled(net, memory, batches, trial):
    capacity, n = memory.values.size // net.table[0, Column.X], batches.order.size
    alone = Team(0, 1, trial.indices[:0])
    loss_index = 0
    while net.table[loss_index, Column.OP] < FIRST_LOSS:
        loss_index += 1
    last_owner = -1
    for k in range(trial.indices.size):
        index = trial.indices[k]
        r = owner_of(net.table, index)
        if r != last_owner:
            copy(memory.values, 0, memory.values.size, trial.moved)
            last_owner = r
        row = net.table[r]
        inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
        local = index - row[Column.WEIGHTS]
        unit = local // inputs if local < inputs * outputs else local - inputs * outputs
        original = net.params[index]
        trial.crossed[k] = 0
        for side in range(2):
            step = trial.steps[k] if side == 0 else -trial.steps[k]
            net.params[index] = original + step
            loss = loss_from(net, memory, batches, trial, r, loss_index, unit, k, alone)
            trial.losses[k, side] = loss / n + penalties_on(net, index)
        net.params[index] = original
        start, size = row[Column.Y] * capacity + row[Column.PLACE] * n, outputs * n
        if row[Column.OP] == Op.DENSE:
            start, size = start + unit * n, n
        copy(memory.values, start, start + size, trial.moved)


def probe(net: Net, memory: Memory, batches: Batches, trial: Trial) -> None:
    """Compute the batch's mean loss with one parameter at a time moved up and down.

    The batch is all of ``batches.order``; its values, as the training-mode forward pass left them,
    are in ``memory``.  Fills ``trial.losses``, with the penalties on that parameter alone, and
    ``trial.crossed``; parameters are restored.
    """
    compiled = Compiled(net)
    compiled.compile_forward()
    ready = for_groups(probe_compiled, (CompiledNet, *PROBE[1:]), net.params.dtype)
    ready(compiled.net, memory, batches, trial)
