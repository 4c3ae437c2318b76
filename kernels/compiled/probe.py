"""The loss after a small step of one parameter, for many parameters: numeric gradients.

A parameter of a dense layer changes one unit's output, and what lies above it.  So the samples
are gathered once, the layers below are left as they are, and of the layer itself one row of the
product is computed anew, by the same kernel: for 784 inputs and 13 units a thirteenth of the
work.
"""

import math

from ..contract import FIRST_LOSS, SELU_ALPHA, SELU_SCALE, Activation, Column, Op, Phase, Scalar
from .barrier import Team
from .dense import dense_forward, dense_forward_rows
from .engine import forward_row, layer_bias, layer_weights, loss_row
from .jit import exact, view
from .penalties import penalty
from .views import matrix, vector


@view
def owner_of(table, index):
    """Return the row that the parameter belongs to."""
    r = 1
    while not (
        table[r, Column.OP] != Op.PENALTY
        and table[r, Column.WEIGHTS] <= index < table[r, Column.WEIGHTS] + table[r, Column.SIZE]
    ):
        r += 1
    return r


@exact
def copy(source, start, stop, target):
    # Not target[:] = source: in case the two overlap, Numba would copy twice.
    for i in range(start, stop):
        target[i] = source[i]


@exact
def unit_forward(row, reals, unit, params, values, capacity, n):
    """Compute one unit of a DENSE row."""
    inputs, at_x = row[Column.INPUTS], row[Column.X] * capacity
    y = matrix(values, row[Column.Y] * capacity + unit * n, 1, n)
    weights = layer_weights(row, params, unit, unit + 1)
    bias = layer_bias(row, params, unit, unit + 1)
    if row[Column.ROWS]:
        scale = values.dtype.type(reals[Scalar.SCALE])
        dense_forward_rows(matrix(values, at_x, n, inputs), weights, bias, scale, y)
    else:
        dense_forward(matrix(values, at_x, inputs, n), weights, bias, y)


@exact
def owner_forward(row, reals, unit, params, values, capacity, n, alone):
    """Compute what a parameter of this row changes: one unit of a DENSE row, or all of another."""
    if row[Column.OP] == Op.DENSE:
        unit_forward(row, reals, unit, params, values, capacity, n)
    else:
        none = vector(params, 0, 0)
        forward_row(row, reals, params, none, values, capacity, n, 0, Phase.REPLAY, alone)


@exact
def crosses_kink(row, values, trial, capacity, n):
    """Tell whether an input of an activation with a kink at 0 is on its other side in ``trial``."""
    if row[Column.OP] != Op.ACTIVATION:
        return False
    kind = row[Column.KIND]
    if not Activation.RELU <= kind <= Activation.SELU:
        return False
    before = vector(values, row[Column.X] * capacity, row[Column.INPUTS] * n)
    after = vector(trial, row[Column.X] * capacity, row[Column.INPUTS] * n)
    crossed = 0
    for i in range(before.size):
        crossed += (before[i] > 0) != (after[i] > 0)
    return crossed > 0


@exact
def keep_to_branches(row, reals, values, trial, capacity, n):
    """Where an activation's input crossed its kink, go on with the formula of its old side."""
    kind, alpha = row[Column.KIND], reals[Scalar.ALPHA]
    before = vector(values, row[Column.X] * capacity, row[Column.INPUTS] * n)
    x = vector(trial, row[Column.X] * capacity, row[Column.INPUTS] * n)
    y = vector(trial, row[Column.Y] * capacity, row[Column.OUTPUTS] * n)
    scale = SELU_SCALE if kind == Activation.SELU else 1.0
    for i in range(x.size):
        if (before[i] > 0) == (x[i] > 0):
            continue
        if before[i] > 0:
            y[i] = scale * x[i]
        elif kind == Activation.RELU:
            y[i] = 0.0
        elif kind == Activation.LEAKY_RELU:
            y[i] = alpha * x[i]
        elif kind == Activation.ELU:
            y[i] = alpha * math.expm1(x[i])
        else:
            y[i] = scale * SELU_ALPHA * math.expm1(x[i])


@exact
def penalties_on(table, reals, r, index, params):
    """Return the penalties of row ``r``'s tensors on one parameter."""
    total = 0.0
    while table[r + 1, Column.OP] == Op.PENALTY:
        r += 1
        start = table[r, Column.WEIGHTS]
        if start <= index < start + table[r, Column.SIZE]:
            total += penalty(reals[r, Scalar.L1], reals[r, Scalar.L2], vector(params, index, 1))
    return total


@exact
def probe(
    table,
    reals,
    params,
    values,
    trial,
    deltas,
    labels,
    targets,
    rows,
    indices,
    steps,
    keeps_branches,
    losses,
    crossed,
):
    """Compute the batch's mean loss with one parameter at a time moved up and down.

    Parameters
    ----------
    table, reals, params : the plan; params are restored
    values : flat workspace, as the training-mode forward pass of the batch left it
    trial : flat workspace, changed
    deltas : flat workspace, changed
    labels, targets, rows : the batch
    indices : int64 (k,), of parameters
    steps : float64 (k,)
    keeps_branches : Boolean
        Whether an activation with a kink goes on as if it had none, on the side it started from.
    losses : float64 (k, 2), filled
        At ``+step`` and ``-step``, with the penalties on that parameter alone.
    crossed : Boolean (k,), filled
        Whether a step moved any activation's input across a kink.
    """
    capacity = values.size // table[0, Column.X]
    n = rows.size
    alone, none = Team(0, 1, indices[:0]), params[:0]
    loss_index = 0
    while table[loss_index, Column.OP] < FIRST_LOSS:
        loss_index += 1
    last_owner = -1
    for k in range(indices.size):
        index = indices[k]
        r = owner_of(table, index)
        if r != last_owner:
            copy(values, 0, values.size, trial)
            last_owner = r
        row = table[r]
        inputs, outputs = row[Column.INPUTS], row[Column.OUTPUTS]
        local = index - row[Column.WEIGHTS]
        unit = local // inputs if local < inputs * outputs else local - inputs * outputs
        original = params[index]
        crossed[k] = False
        for side in range(2):
            params[index] = original + steps[k] if side == 0 else original - steps[k]
            owner_forward(row, reals[r], unit, params, trial, capacity, n, alone)
            for above in range(r + 1, loss_index):
                forward_row(
                    table[above],
                    reals[above],
                    params,
                    none,
                    trial,
                    capacity,
                    n,
                    0,
                    Phase.REPLAY,
                    alone,
                )
                if crosses_kink(table[above], values, trial, capacity, n):
                    crossed[k] = True
                    if keeps_branches:
                        keep_to_branches(table[above], reals[above], values, trial, capacity, n)
            loss = loss_row(
                table[loss_index], reals[loss_index], trial, deltas, capacity, rows, labels, targets
            )
            losses[k, side] = loss / n + penalties_on(table, reals, r, index, params)
        params[index] = original
        start, size = row[Column.Y] * capacity, outputs * n
        if row[Column.OP] == Op.DENSE:
            start, size = start + unit * n, n
        copy(values, start, start + size, trial)
