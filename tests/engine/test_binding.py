"""A table, or batches, that do not fit the memory are refused before a kernel follows them."""

import numpy as np
import pytest

from fastmlp import backends, check_gradients, layers, regularizers
from fastmlp.kernels.contract import FORMS, Column, Mode, Number, Op, Rule, Telemetry
from tests.backends import ALL

from .nets import data, net

each = pytest.mark.parametrize("backend", ALL)
SAMPLES, CAPACITY = 5, 16
FAR = 2**62  # twice this is no int64


def plan_of(backend):
    model = net(
        layers.Dense(20, "tanh", kernel_regularizer=regularizers.L2(0.1)),
        layers.Dropout(0.5),
        layers.Rescaling(2.0),
        layers.Residual([layers.Dense(20), layers.BatchNormalization()]),
        layers.Dense(5, "relu"),
        backend=backend,
    )
    return model._ready_engine().plan


def memory(plan, backend):
    """The arguments of ``bind``, all fitting."""
    params, gradient = np.zeros(plan.size), np.zeros(plan.size)
    rule, numbers = int(Rule.DESCENT), np.zeros(len(Number))
    values, deltas = (np.zeros(plan.features * CAPACITY) for _ in range(2))
    table, reals = plan.table.copy(), plan.reals.copy()
    running = np.zeros(plan.running_size)
    return [table, reals, params, gradient, params[:0], rule, numbers, values, deltas, running]


def batches(plan):
    """The arguments of what ``bind`` returns, all fitting."""
    return {
        "mode": int(Mode.TRAIN),
        "samples": np.ones((SAMPLES, 6)).view(np.uint8),
        "labels": np.arange(SAMPLES) % 4,
        "targets": np.empty((0, 0)),
        "order": np.arange(SAMPLES),
        "batch_size": 2,
        "first": 0,
        "last": 3,
        "first_step": 0,
        "rates": np.full(3, 0.1),
        "totals": np.zeros(plan.totals),
        "outputs": np.empty((0, plan.outputs)),
        "telemetry": np.empty((0, 0, len(Telemetry))),
        "telemetry_every": 0,
        "before": np.empty(0),
        "thread": 0,
        "threads": 1,
        "barrier": np.zeros(32, np.int64),
    }


def bind(backend):
    return backends.bind_of(backend, {})


@each
def test_what_fits_is_taken(backend):
    plan = plan_of(backend)
    arguments = memory(plan, backend)
    assert bind(backend)(*arguments)(*batches(plan).values())() == 3
    assert arguments[3].any() or arguments[2].any()


COLUMNS = [
    Column.OP, Column.KIND, Column.INPUTS, Column.OUTPUTS, Column.X, Column.Y, Column.WEIGHTS,
    Column.BIAS, Column.SIZE, Column.X_ROWS, Column.OTHER, Column.RUNNING,
]  # fmt: skip


def is_read(row, column):
    """Whether any engine looks at this number of this row."""
    op, form = row[Column.OP], FORMS[row[Column.OP]]
    if column == Column.KIND:
        return op == Op.ACTIVATION
    if column == Column.X_ROWS:
        return op == Op.DENSE
    if column == Column.BIAS:
        return bool(form.weights)
    if column == Column.WEIGHTS:
        return bool(form.weights) or op == Op.PENALTY
    if column == Column.OTHER:
        return form.reads_other
    if column == Column.RUNNING:
        return form.running > 0
    if column == Column.SIZE:
        return True
    return op != Op.INPUT or column in (Column.OP, Column.OUTPUTS, Column.Y)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
@each
def test_each_number_that_leads_out_of_memory_is_refused(backend, column):
    plan = plan_of(backend)
    rows = [r for r, row in enumerate(plan.table) if is_read(row, column)]
    assert rows
    for r in rows:
        for wrong in (-FAR, -2, plan.features * plan.size, FAR):
            arguments = memory(plan, backend)
            arguments[0][r, column] = wrong
            with pytest.raises(ValueError, match=r"^(table|values): (row \d+|expected)"):
                bind(backend)(*arguments)


ENDS = [Column.X, Column.Y, Column.WEIGHTS, Column.OTHER, Column.RUNNING]


@pytest.mark.parametrize("column", ENDS, ids=lambda c: c.name)
@each
def test_one_beyond_the_end_is_refused(backend, column):
    plan = plan_of(backend)
    for r in range(1, len(plan.table)):
        arguments = memory(plan, backend)
        row = arguments[0][r]
        if not is_read(row, column):
            continue
        width = row[Column.OUTPUTS] if column == Column.Y else row[Column.INPUTS]
        end = plan.features - width
        if column == Column.WEIGHTS:
            end = plan.size - row[Column.SIZE]
        elif column == Column.RUNNING:
            end = plan.running_size - 2 * width
        row[column] = end + 1
        with pytest.raises(ValueError, match=rf"^table: row {r} "):
            bind(backend)(*arguments)


@each
def test_vectors_of_weights_fit_together(backend):
    plan = plan_of(backend)
    r = plan.table[:, Column.OP].tolist().index(Op.BATCH_NORMALIZATION)
    start, bias = plan.table[r, Column.WEIGHTS], plan.table[r, Column.BIAS]
    assert bias == start + 20
    for column, wrong in [
        (Column.SIZE, 39), (Column.SIZE, 20), (Column.SIZE, 0), (Column.BIAS, -1),
        (Column.BIAS, start), (Column.BIAS, bias + 1), (Column.WEIGHTS, start - 1),
    ]:  # fmt: skip
        arguments = memory(plan, backend)
        arguments[0][r, column] = wrong
        with pytest.raises(ValueError, match=rf"^table: row {r} \(BATCH_NORMALIZATION\): expected"):
            bind(backend)(*arguments)
    for running in (np.zeros(39), np.zeros(0)):
        arguments = memory(plan, backend)
        arguments[-1] = running
        with pytest.raises(ValueError, match=rf"^table: row {r} .* expected statistics within"):
            bind(backend)(*arguments)


@each
def test_memory_that_is_too_small_is_refused(backend):
    plan = plan_of(backend)
    for place, argument in [(2, "gradient"), (3, "gradient"), (7, "deltas"), (8, "deltas")]:
        arguments = memory(plan, backend)
        arguments[place] = arguments[place][:-1]
        with pytest.raises(ValueError, match=rf"^{argument}: expected"):
            bind(backend)(*arguments)
    arguments = memory(plan, backend)
    arguments[2], arguments[3] = (vector[:-1] for vector in arguments[2:4])
    arguments[4] = arguments[2][:0]
    with pytest.raises(ValueError, match=r"^table: row \d+ .*within the \d+ parameters"):
        bind(backend)(*arguments)
    arguments = memory(plan, backend)
    arguments[4] = np.zeros(plan.size - 1)
    with pytest.raises(ValueError, match="^moments: expected"):
        bind(backend)(*arguments)


@each
def test_dtypes_do_not_mix(backend):
    plan = plan_of(backend)
    for place in (3, 7, 8):
        arguments = memory(plan, backend)
        arguments[place] = arguments[place].astype(np.float32)
        with pytest.raises(ValueError, match=r"^(gradient|values|deltas): expected"):
            bind(backend)(*arguments)


BATCHES = {
    "samples": [np.ones((SAMPLES, 5), np.uint8), np.ones((SAMPLES, 49), np.uint8)],
    "labels": [np.arange(SAMPLES - 1) % 4, np.empty(0, np.int64)],
    "batch_size": [0, -1],
    "last": [4, -1, FAR],
    "first": [-1],
    "totals": [np.zeros(3)],
    "telemetry_every": [1],
    "order": [np.arange(100) % SAMPLES],
}


@pytest.mark.parametrize("argument", BATCHES)
@each
def test_batches_that_do_not_fit_are_refused(backend, argument):
    plan = plan_of(backend)
    prepare = bind(backend)(*memory(plan, backend))
    for wrong in BATCHES[argument]:
        arguments = batches(plan) | {argument: wrong}
        if argument == "order":
            arguments["batch_size"] = 50
            arguments["last"] = 2
        with pytest.raises(ValueError, match=r"^\w+: expected"):
            prepare(*arguments.values())


@each
def test_outputs_have_room_for_all(backend):
    plan = plan_of(backend)
    prepare = bind(backend)(*memory(plan, backend))
    arguments = batches(plan) | {"mode": int(Mode.PREDICT)}
    for shape in [(SAMPLES - 1, plan.outputs), (SAMPLES, plan.outputs - 1), (0, plan.outputs)]:
        with pytest.raises(ValueError, match="^outputs: expected"):
            prepare(*(arguments | {"outputs": np.empty(shape)}).values())


@each
def test_targets_go_with_their_loss(backend):
    model = net(loss="mse", last=None, metrics=(), backend=backend)
    plan = model._ready_engine().plan
    prepare = bind(backend)(*memory(plan, backend))
    # Labels alone would be read as if they were targets.
    with pytest.raises(ValueError, match="^targets: expected"):
        prepare(*batches(plan).values())


@each
def test_a_layer_in_python_needs_the_walk(backend):
    plan = plan_of(backend)
    arguments = memory(plan, backend)
    row = arguments[0][:, Column.OP].tolist().index(Op.DROPOUT)
    arguments[0][row, Column.OP] = Op.CUSTOM
    if backend == "numpy":
        assert bind(backend)(*arguments)
    else:
        with pytest.raises(ValueError, match=r"\(CUSTOM\): expected no layer written in Python"):
            bind(backend)(*arguments)


@each
def test_the_gradient_check_probes_only_parameters_that_a_row_owns(backend):
    plan = plan_of(backend)
    probe = backends.probe_of(backend, {})
    table, reals, params, *_, values, deltas, _ = memory(plan, backend)
    for index in (-1, plan.size):
        with pytest.raises(ValueError, match="^indices: expected parameters that a row owns"):
            probe(
                table, reals, params, values, values.copy(), deltas, np.zeros(2, np.int64),
                np.empty((0, 0)), np.arange(2), np.array([index]), np.zeros(1), False,
                np.zeros((1, 2)), np.zeros(1, np.bool_),
            )  # fmt: skip
    x, y = data(SAMPLES)
    assert check_gradients(net(backend=backend), x, y).passed
