"""A table, or batches, that do not fit the memory are refused before a kernel follows them."""

import numpy as np
import pytest

from fastmlp import backends, check_gradients, layers, regularizers
from fastmlp.kernels.contract import (
    FORMS,
    Batches,
    Column,
    Course,
    Factor,
    Memory,
    Mode,
    Net,
    Number,
    Op,
    Rule,
    Scalar,
    Team,
    Telemetry,
    Tensor,
    Trial,
)
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


def net_of(plan, **changed):
    """The first argument of ``bind``, all fitting but for what is changed."""
    params, numbers = np.zeros(plan.size), np.zeros(len(Number))
    fitting = Net(
        plan.table.copy(), plan.reals.copy(), plan.tensors.copy(), plan.factors.copy(),
        plan.thresholds.copy(), params, np.zeros(plan.size), params[:0],
        np.zeros(plan.running_size), int(Rule.DESCENT), numbers,
    )  # fmt: skip
    return fitting._replace(**changed)


def memory_of(plan, **changed):
    """Its second argument."""
    return Memory(*(np.zeros(plan.features * CAPACITY) for _ in range(2)))._replace(**changed)


ALONE = Team(0, 1, np.zeros(32, np.int64))


def groups(plan, **changed):
    """The arguments of what ``bind`` returns, all fitting but for what is changed."""
    batches = Batches(
        samples=np.ones((SAMPLES, 6)).view(np.uint8),
        labels=np.arange(SAMPLES) % 4,
        targets=np.empty((0, 0)),
        weights=np.empty(0),
        order=np.arange(SAMPLES),
        size=2,
        first=0,
        stop=3,
    )
    course = Course(
        mode=int(Mode.TRAIN),
        first_step=0,
        rates=np.full(3, 0.1),
        totals=np.zeros(plan.totals),
        outputs=np.empty((0, plan.outputs)),
        telemetry=np.empty((0, 0, len(Telemetry))),
        telemetry_every=0,
        before=np.empty(0),
    )
    of_batches = {name: changed.pop(name) for name in Batches._fields if name in changed}
    return batches._replace(**of_batches), course._replace(**changed), ALONE


def bind(backend):
    return backends.bind_of(backend, {})


@each
def test_what_fits_is_taken(backend):
    plan = plan_of(backend)
    fitting = net_of(plan)
    assert bind(backend)(fitting, memory_of(plan))(*groups(plan))() == 3
    assert fitting.gradient.any() or fitting.params.any()


COLUMNS = [
    Column.OP, Column.KIND, Column.INPUTS, Column.OUTPUTS, Column.X, Column.Y, Column.WEIGHTS,
    Column.BIAS, Column.SIZE, Column.X_ROWS, Column.OTHER, Column.RUNNING,
    Column.FIRST_TENSOR, Column.STOP_TENSOR, Column.TOTALS, Column.THRESHOLDS, Column.LEVELS,
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
        return bool(form.weights)
    if column == Column.OTHER:
        return form.reads_other
    if column in (Column.TOTALS, Column.THRESHOLDS, Column.LEVELS):
        return op == Op.METRIC
    if column == Column.RUNNING:
        return form.running > 0
    if column in (Column.SIZE, Column.FIRST_TENSOR, Column.STOP_TENSOR):
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
            table = plan.table.copy()
            table[r, column] = wrong
            with pytest.raises(ValueError, match=r"^(table|values): (row \d+|expected)"):
                bind(backend)(net_of(plan, table=table), memory_of(plan))


ENDS = [Column.X, Column.Y, Column.WEIGHTS, Column.OTHER, Column.RUNNING]


@pytest.mark.parametrize("column", ENDS, ids=lambda c: c.name)
@each
def test_one_beyond_the_end_is_refused(backend, column):
    plan = plan_of(backend)
    for r in range(1, len(plan.table)):
        table = plan.table.copy()
        row = table[r]
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
            bind(backend)(net_of(plan, table=table), memory_of(plan))


@each
def test_tensors_that_lead_out_of_the_parameters_are_refused(backend):
    plan = plan_of(backend)
    for column in (Tensor.START, Tensor.SIZE, Tensor.CONSTRAINT):
        for wrong in (-FAR, -1, plan.size + 1, FAR):
            tensors = plan.tensors.copy()
            tensors[-1, column] = wrong
            with pytest.raises(ValueError, match=r"^tensors: expected (within the \d+|a known)"):
                bind(backend)(net_of(plan, tensors=tensors), memory_of(plan))
    for column in (Tensor.GROUP, Tensor.STRIDE):
        for wrong in (-FAR, -1, 0, plan.size + 1, FAR):
            tensors = plan.tensors.copy()
            tensors[-1, [Tensor.CONSTRAINT, Tensor.GROUP, Tensor.STRIDE]] = 2, 1, 1
            tensors[-1, column] = wrong
            with pytest.raises(ValueError, match="^tensors: expected constraints on whole groups"):
                bind(backend)(net_of(plan, tensors=tensors), memory_of(plan))
    with pytest.raises(ValueError, match="^factors: expected"):
        bind(backend)(net_of(plan, factors=np.zeros((1, len(Factor)))), memory_of(plan))


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
        table = plan.table.copy()
        table[r, column] = wrong
        with pytest.raises(ValueError, match=rf"^table: row {r} \(BATCH_NORMALIZATION\): expected"):
            bind(backend)(net_of(plan, table=table), memory_of(plan))
    for running in (np.zeros(39), np.zeros(0)):
        with pytest.raises(ValueError, match=rf"^table: row {r} .* expected statistics within"):
            bind(backend)(net_of(plan, running=running), memory_of(plan))


@each
def test_memory_that_is_too_small_is_refused(backend):
    plan = plan_of(backend)
    fitting, memory = net_of(plan), memory_of(plan)
    for name in ("params", "gradient"):
        small = fitting._replace(**{name: getattr(fitting, name)[:-1]})
        with pytest.raises(ValueError, match="^gradient: expected"):
            bind(backend)(small, memory)
    for name in Memory._fields:
        small = memory._replace(**{name: getattr(memory, name)[:-1]})
        with pytest.raises(ValueError, match="^deltas: expected"):
            bind(backend)(fitting, small)
    small = net_of(plan, params=np.zeros(plan.size - 1), gradient=np.zeros(plan.size - 1))
    with pytest.raises(ValueError, match=r"^table: row \d+ .*within the \d+ parameters"):
        bind(backend)(small, memory)
    with pytest.raises(ValueError, match="^moments: expected"):
        bind(backend)(net_of(plan, moments=np.zeros(plan.size - 1)), memory)


@each
def test_dtypes_do_not_mix(backend):
    plan = plan_of(backend)
    wrong = {"gradient": np.zeros(plan.size, np.float32)}
    with pytest.raises(ValueError, match="^gradient: expected"):
        bind(backend)(net_of(plan, **wrong), memory_of(plan))
    for name in Memory._fields:
        wrong = {name: np.zeros(plan.features * CAPACITY, np.float32)}
        with pytest.raises(ValueError, match=rf"^{name}: expected"):
            bind(backend)(net_of(plan), memory_of(plan, **wrong))


@each
def test_only_contiguous_memory_is_taken(backend):
    plan = plan_of(backend)
    values = np.zeros(2 * plan.features * CAPACITY)[::2]
    with pytest.raises(ValueError, match="^values: expected an array that is C-contiguous"):
        bind(backend)(net_of(plan), memory_of(plan, values=values))
    samples = np.ones((SAMPLES, 12)).view(np.uint8)[:, ::2]
    with pytest.raises(ValueError, match="^samples: expected an array that is C-contiguous"):
        bind(backend)(net_of(plan), memory_of(plan))(*groups(plan, samples=samples))


BATCHES = {
    "samples": [np.ones((SAMPLES, 5), np.uint8), np.ones((SAMPLES, 49), np.uint8)],
    "labels": [np.arange(SAMPLES - 1) % 4, np.empty(0, np.int64)],
    "weights": [np.ones(SAMPLES - 1), np.ones(SAMPLES, np.float32)],
    "size": [0, -1],
    "stop": [4, -1, FAR],
    "first": [-1],
    "totals": [np.zeros(3)],
    "telemetry_every": [1],
    "order": [
        np.arange(100) % SAMPLES,
        np.arange(SAMPLES, dtype=np.int32),
        np.arange(1, SAMPLES + 1),
        np.arange(-1, SAMPLES - 1),
    ],
}


@pytest.mark.parametrize("argument", BATCHES)
@each
def test_batches_that_do_not_fit_are_refused(backend, argument):
    plan = plan_of(backend)
    prepare = bind(backend)(net_of(plan), memory_of(plan))
    for wrong in BATCHES[argument]:
        changed = {argument: wrong}
        if argument == "order" and wrong.size > CAPACITY:
            changed |= {"size": 50, "stop": 2}
        with pytest.raises(ValueError, match=r"^\w+: expected"):
            prepare(*groups(plan, **changed))


@each
def test_outputs_have_room_for_all(backend):
    plan = plan_of(backend)
    prepare = bind(backend)(net_of(plan), memory_of(plan))
    for shape in [(SAMPLES - 1, plan.outputs), (SAMPLES, plan.outputs - 1), (0, plan.outputs)]:
        with pytest.raises(ValueError, match="^outputs: expected"):
            prepare(*groups(plan, mode=int(Mode.PREDICT), outputs=np.empty(shape)))


@each
def test_targets_go_with_their_loss(backend):
    model = net(loss="mse", last=None, metrics=(), backend=backend)
    plan = model._ready_engine().plan
    prepare = bind(backend)(net_of(plan), memory_of(plan))
    # Labels alone would be read as if they were targets.
    with pytest.raises(ValueError, match="^targets: expected"):
        prepare(*groups(plan))


@each
def test_a_layer_in_python_needs_the_walk(backend):
    plan = plan_of(backend)
    table = plan.table.copy()
    table[table[:, Column.OP] == Op.DROPOUT, Column.OP] = Op.CUSTOM
    custom = net_of(plan, table=table)
    if backend == "numpy":
        assert bind(backend)(custom, memory_of(plan))
    else:
        with pytest.raises(ValueError, match=r"\(CUSTOM\): expected no layer written in Python"):
            bind(backend)(custom, memory_of(plan))


@each
def test_the_gradient_check_probes_only_parameters_that_a_row_owns(backend):
    plan = plan_of(backend)
    probe = backends.probe_of(backend, {})
    memory = memory_of(plan)
    batch, *_ = groups(plan, order=np.arange(2))
    for index in (-1, plan.size):
        trial = Trial(
            memory.values.copy(), np.array([index]), np.zeros(1), 0, np.zeros((1, 2)),
            np.zeros(1, np.uint8),
        )  # fmt: skip
        with pytest.raises(ValueError, match="^indices: expected parameters that a row owns"):
            probe(net_of(plan), memory, batch, trial)
    x, y = data(SAMPLES)
    assert check_gradients(net(backend=backend), x, y).passed


@each
def test_metrics_have_room_and_thresholds_of_their_own(backend):
    model = net(last="sigmoid", loss="bce", metrics=["precision", "f1_score"], backend=backend)
    plan = model._ready_engine().plan
    assert bind(backend)(net_of(plan), memory_of(plan))
    of_class = plan.reals.copy()
    rows = np.flatnonzero(plan.table[:, Column.OP] == Op.METRIC)
    of_class[rows[0], Scalar.BETA] = 4
    fewer = plan.table.copy()
    fewer[rows[1], Column.TOTALS] -= 1
    for changed in ({"thresholds": np.empty(0)}, {"reals": of_class}, {"table": fewer}):
        with pytest.raises(ValueError, match=r"^table: row \d+ \(METRIC\): expected"):
            bind(backend)(net_of(plan, **changed), memory_of(plan))
