"""Whether what an engine is given fits together: looked at before a kernel trusts it.

Kernels follow the table's offsets without looking.  A table that does not fit the parameters or the
workspace would let them read and write memory that is not the net's.  So each backend's ``bind``
checks the net once, and each call that it prepares checks its batches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .contract import (
    FIRST_LOSS,
    FORMS,
    MOMENTS,
    TAKE_LABELS,
    Activation,
    Batches,
    Coding,
    Column,
    Constraint,
    Course,
    Factor,
    Loss,
    Memory,
    Metric,
    Mode,
    Net,
    Noise,
    Number,
    Op,
    Scalar,
    Spread,
    Team,
    Telemetry,
    Tensor,
    Total,
    Trial,
    fields_of,
)

Array = np.ndarray[Any, Any]

# For each operation, in the order of their numbers.
_FORMS = [FORMS[op] for op in Op]
_SAME_WIDTH = np.array([form.same_width for form in _FORMS])
_READS_COLUMNS = np.array([form.reads_columns for form in _FORMS])
_READS_OTHER = np.array([form.reads_other for form in _FORMS])
_RUNNING = np.array([form.running for form in _FORMS])
_WEIGHTS = np.array([form.weights for form in _FORMS])
_HAS_WEIGHTS = _WEIGHTS != ""
_ARRAYS = {
    group: tuple(field.name for field in fields_of(group) if field.axes)
    for group in (Net, Memory, Batches, Course, Trial)
}
_KINDS = {
    Op.ACTIVATION: Activation,
    Op.DROPOUT: Noise,
    Op.LAYER_NORMALIZATION: Spread,
    Op.COLUMNS: Coding,
    Op.MIXED_ACTIVATION: Activation,
    Op.LOSS: Loss,
    Op.METRIC: Metric,
    Op.LOSS_VALUE: Loss,
}
_SCRATCH = np.array([form.scratch for form in _FORMS])
_MOMENTS = {int(rule): moments for rule, moments in MOMENTS.items()}
_NUMBERS = len(Number)
_INT64, _FLOAT64 = np.dtype(np.int64), np.dtype(np.float64)
_MOST_MEMBERS = 2**20  # of an ensemble: times outputs, it is far from 2**63
_TOTALS, _FIELDS = len(Total), len(Telemetry)


@dataclass(frozen=True)
class Bounds:
    """What the batches of a checked net must fit."""

    rows: int  # of the table
    capacity: int  # samples in the workspace
    features: int  # of a sample
    outputs: int  # values of a prediction
    totals: int  # of all metrics
    has_loss: bool
    takes_labels: bool  # instead of targets
    classes: int  # outputs that the loss reads
    members: int  # of an ensemble; a batch has its samples once for each
    params: int
    has_gradient: bool
    dtype: np.dtype[Any]


# What was found right, by all that this depends on: nets that differ only in their weights have the
# same tables, and to look at them takes longer than to train a small net for an epoch.
_found_right: dict[Any, Bounds] = {}
_KEPT = 256


def _misfit(argument: str, expected: str, got: object) -> ValueError:
    return ValueError(f"{argument}: expected {expected}, got {got}")


def _require(argument: str, right: bool, expected: str, got: object) -> None:
    if not right:
        raise _misfit(argument, expected, got)


def _require_array(argument: str, array: Array, dtype: np.dtype[Any], shape: tuple) -> None:
    # Said only if it is wrong: the names of two dtypes take longer than a step of a small net.
    if array.dtype != dtype or array.shape != shape:
        raise _misfit(argument, f"{dtype} {shape}", f"{array.dtype} {array.shape}")


def _require_tables(names: str, table: Array, reals: Array, columns: int, scalars: int) -> None:
    """Raise ValueError unless a table of integers and one of reals have the same rows."""
    name, name_of_reals = names.split()
    if table.dtype != np.int64 or table.ndim != 2 or table.shape[1] != columns:
        raise _misfit(name, f"int64 (rows, {columns})", f"{table.dtype} {table.shape}")
    _require_array(name_of_reals, reals, _FLOAT64, (len(table), scalars))


def check_tensors(net: Net) -> None:
    """Raise ValueError if a tensor reaches beyond the parameters, or a row has others."""
    _require_tables("tensors factors", net.tensors, net.factors, len(Tensor), len(Factor))
    start, size = net.tensors[:, Tensor.START], net.tensors[:, Tensor.SIZE]
    parameters = net.params.size
    inside = (start >= 0) & (start <= parameters) & (size >= 0) & (size <= parameters - start)
    within = f"within the {parameters} parameters"
    _require("tensors", bool(inside.all()), within, net.tensors[~inside].tolist())
    _check_constraints(net.tensors, size)
    first, stop = net.table[:, Column.FIRST_TENSOR], net.table[:, Column.STOP_TENSOR]
    inside = (first >= 0) & (first <= stop) & (stop <= len(net.tensors))
    got = np.flatnonzero(~inside).tolist()
    _require("table", not got, f"tensors within the {len(net.tensors)}", f"others in rows {got}")


def _check_constraints(tensors: Array, size: Array) -> None:
    """Raise ValueError if a constraint is none that exists, or its groups are not a tensor."""
    kind, group, stride = (tensors[:, c] for c in (Tensor.CONSTRAINT, Tensor.GROUP, Tensor.STRIDE))
    known = (kind >= 0) & (kind < len(Constraint))
    _require("tensors", bool(known.all()), "a known constraint", kind[~known])
    whole = (group >= 1) & (stride >= 1) & (group <= size) & (stride <= size)
    whole[whole] = size[whole] % (group[whole] * stride[whole]) == 0
    right = (kind == Constraint.NONE) | whole
    _require("tensors", bool(right.all()), "constraints on whole groups", tensors[~right].tolist())


def check_table(net: Net, *, runs_python: bool) -> None:
    """Raise ValueError if a row reaches beyond the workspace, the parameters or the statistics.

    Parameters
    ----------
    net : Net
    runs_python : bool
        Whether the engine can run CUSTOM rows.
    """
    table = net.table
    _require_tables("table reals", table, net.reals, len(Column), len(Scalar))
    _require("table", len(table) > 0, "rows", "none")
    # Each number by itself first, so that no sum or product below can overflow.
    _check_numbers(table, runs_python)
    _check_buffers(table)
    _check_columns(table)
    _check_weights(net)
    _check_judges(table[:, Column.OP], table[:, Column.INPUTS])
    _check_totals(net)


def _require_of(ops: Array, rows: Array, right: Array, what: str) -> None:
    """Raise ValueError if one of some rows of a table, whose operations are ``ops``, is wrong."""
    wrong = np.flatnonzero(rows & ~right)
    if wrong.size:
        r = int(wrong[0])
        name = Op(ops[r]).name if 0 <= ops[r] < len(Op) else int(ops[r])
        raise ValueError(f"table: row {r} ({name}): expected {what}")


def _inputs_of(table: Array) -> Array:
    """Return where each row reads its input; the INPUT row has none, and its X is another thing."""
    x = table[:, Column.X].copy()
    x[0] = 0
    return x


def _check_numbers(table: Array, runs_python: bool) -> None:
    """Raise ValueError if a row's operation, kind, place or width is none of those that exist."""
    ops, end = table[:, Column.OP], table[0, Column.X]
    inputs, outputs, y = (table[:, c] for c in (Column.INPUTS, Column.OUTPUTS, Column.Y))
    require = partial(_require_of, ops)
    everything = np.ones(len(table), np.bool_)
    first = np.arange(len(table)) == 0
    require(everything, (ops >= 0) & (ops < len(Op)), "a known operation")
    require(everything, (ops == Op.INPUT) == first, "INPUT, as the first row and nowhere else")
    require(everything, (ops != Op.CUSTOM) | runs_python, "no layer written in Python")
    places = ("inputs", inputs), ("outputs", outputs), ("X", _inputs_of(table)), ("Y", y)
    for what, values in places:
        require(everything, (values >= 0) & (values <= end), f"{what} from 0 to {end}")
    require(~first, inputs > 0, "inputs")
    require(ops < FIRST_LOSS, outputs > 0, "outputs")
    require(_SAME_WIDTH[ops], inputs == outputs, "as many outputs as inputs")
    kinds = table[:, Column.KIND]
    python = np.isin(ops, (Op.LOSS, Op.LOSS_VALUE)) & (kinds == Loss.PYTHON)
    require(python, everything & runs_python, "no loss written in Python")
    python = (ops == Op.METRIC) & (kinds == Metric.PYTHON)
    require(python, everything & runs_python, "no metric written in Python")
    for op, known in _KINDS.items():
        what = f"a known {known.__name__.lower()}"
        require(ops == op, (kinds >= 0) & (kinds < len(known)), what)


def _check_buffers(table: Array) -> None:
    """Raise ValueError if a row reaches beyond the workspace."""
    ops, end = table[:, Column.OP], table[0, Column.X]
    inputs, outputs, y = (table[:, c] for c in (Column.INPUTS, Column.OUTPUTS, Column.Y))
    require = partial(_require_of, ops)
    everything = np.ones(len(table), np.bool_)
    beyond = _SCRATCH[ops, 0] * outputs + _SCRATCH[ops, 1]
    within = f"within the workspace of {end}"
    require(everything, _inputs_of(table) + inputs <= end, f"X {within}")
    place = table[:, Column.PLACE]
    shared = _READS_COLUMNS[ops] | (ops == Op.ACTIVITY) | (ops == Op.GROUPED_DENSE)
    require(everything, (place >= 0) & (place <= shared * end), "a place in Y, if it is shared")
    require(everything, y + place + outputs + beyond <= end, f"Y {within}")
    other, x_rows = table[:, Column.OTHER], table[:, Column.X_ROWS]
    require(_READS_OTHER[ops], (other >= 0) & (other <= end - outputs), f"OTHER {within}")
    inside = (x_rows == -1) | ((x_rows >= 0) & (x_rows <= end - inputs))
    require(ops == Op.DENSE, inside, f"X_ROWS {within}")


def _check_columns(table: Array) -> None:
    """Raise ValueError if a row reads columns that its input has not, or not so many."""
    ops, kinds = table[:, Column.OP], table[:, Column.KIND]
    inputs, outputs = table[:, Column.INPUTS], table[:, Column.OUTPUTS]
    first, count = table[:, Column.FIRST], table[:, Column.COLUMNS]
    require = partial(_require_of, ops)
    reads = _READS_COLUMNS[ops]
    require(reads, table[:, Column.ROWS] == 1, "an input of (n, features)")
    inside = (first >= 0) & (first < inputs) & (count >= 1) & (count <= inputs - first)
    require(reads, inside, "columns that its input has")
    width = np.maximum(count, 1)
    alike = (kinds == Coding.PASS) | (kinds == Coding.ONE_HOT)
    of_each = (ops == Op.EMBEDDING) | ((ops == Op.COLUMNS) & alike)
    require(of_each, outputs % width == 0, "as many outputs for each column")
    same_place = table[:, Column.X] == table[:, Column.Y]
    require(ops == Op.ACTIVITY, same_place, "a Y that is its X")


def _check_weights(net: Net) -> None:
    """Raise ValueError if a row reaches beyond the parameters or the statistics."""
    table, parameters, statistics = net.table, net.params.size, net.running.size
    ops = table[:, Column.OP]
    inputs, outputs = table[:, Column.INPUTS], table[:, Column.OUTPUTS]
    start, size, bias = (table[:, c] for c in (Column.WEIGHTS, Column.SIZE, Column.BIAS))
    members = table[:, Column.MEMBERS]
    require = partial(_require_of, ops)
    own = _HAS_WEIGHTS[ops]
    within = f"within the {parameters} parameters"
    require(~own, size == 0, "no weights")
    require(own, (start >= 0) & (start <= parameters), f"weights {within}")
    require(own, (size >= 0) & (size <= parameters - start), f"weights {within}")
    matrix, vectors = (_WEIGHTS[ops] == form for form in ("matrix", "vectors"))
    width = np.maximum(outputs, 1)
    require(matrix, inputs <= (parameters - start) // width, f"weights {within}")
    inside = (bias == -1) | ((bias >= 0) & (bias <= parameters - outputs))
    require(own, inside, f"a bias {within}")
    _check_members(ops, members)
    units = outputs * np.where(vectors, members, 1)
    last = (bias == -1) | (bias == start + size - units)
    require(vectors, last, "a bias at the end of its weights")
    width = np.maximum(units, 1)
    right = (size % width == 0) & (size // width <= 1 + (bias >= 0))
    require(vectors, right, "one weight an output, of each member, beside a bias, at most")
    width = np.maximum(outputs // np.maximum(table[:, Column.COLUMNS], 1), 1)
    rows = _WEIGHTS[ops] == "rows"
    require(rows, (size > 0) & (size % width == 0), "rows of weights for each category")
    _check_blocks(table, parameters)
    running, length = table[:, Column.RUNNING], _RUNNING[ops] * outputs
    inside = (running >= 0) & (running <= statistics - length)
    require(length > 0, inside, f"statistics within the {statistics} running ones")


def _check_blocks(table: Array, parameters: int) -> None:
    """Raise ValueError if a row with a matrix for each group has not as many weights as that is."""
    ops, inputs, outputs, groups, start, size, bias = (
        table[:, c]
        for c in (
            Column.OP, Column.INPUTS, Column.OUTPUTS, Column.GROUPS, Column.WEIGHTS, Column.SIZE,
            Column.BIAS,
        )
    )  # fmt: skip
    require, blocks = partial(_require_of, ops), _WEIGHTS[ops] == "blocks"
    require(blocks, (groups >= 1) & (groups <= outputs), "a number of groups")
    count = np.maximum(groups, 1)
    even = (inputs % count == 0) & (outputs % count == 0)
    require(blocks, even, "groups of as many inputs and outputs each")
    of_each = inputs // count
    within = f"within the {parameters} parameters"
    inside = of_each <= (parameters - start) // np.maximum(outputs, 1)
    require(blocks, inside, f"weights {within}")
    beside = np.where(bias >= 0, outputs, 0)
    last = (bias == -1) | (bias == start + size - outputs)
    require(blocks, last, "a bias at the end of its weights")
    right = size - beside == np.where(inside, of_each, 0) * outputs
    require(blocks, right, "a matrix of weights for each group, and a bias at most")


def _check_members(ops: Array, members: Array) -> None:
    """Raise ValueError unless all rows with members have as many."""
    require = partial(_require_of, ops)
    alone = (_WEIGHTS[ops] == "vectors") & (ops != Op.SCALE)
    require(alone, members == 1, "one member")
    require(ops == Op.SCALE, (members >= 1) & (members <= _MOST_MEMBERS), "a number of members")
    several = (ops == Op.SCALE) & (members > 1)
    same = members == members[several].max(initial=1)
    require(several, same, "as many members as others have")


def _check_judges(ops: Array, inputs: Array) -> None:
    """Raise ValueError unless one loss comes before all metrics, and nothing but what it skips."""
    judges = np.flatnonzero(ops >= FIRST_LOSS)
    if not judges.size:
        return
    others = ops[judges[0] :][ops[judges[0] :] < FIRST_LOSS]
    right = (
        ops[judges[0]] == Op.LOSS
        and np.count_nonzero(ops == Op.LOSS) == 1
        and np.isin(others, (Op.SOFTMAX, Op.ACTIVATION)).all()
        and others.size <= 1
    )
    _require("table", right, "a loss, and behind it metrics and a softmax", ops[judges[0] :])
    widths = inputs[judges]
    right = (widths == widths[0]).all()
    _require("table", right, "a loss and metrics that read as many outputs", widths)


def _check_totals(net: Net) -> None:
    """Raise ValueError if a metric has other thresholds than there are, or not its totals."""
    table, known = net.table, net.thresholds.size
    right = net.thresholds.dtype == np.float64 and net.thresholds.ndim == 1
    _require("thresholds", right, "float64, one axis", net.thresholds.dtype)
    ops, kinds, outputs = (table[:, c] for c in (Column.OP, Column.KIND, Column.INPUTS))
    start, levels, totals = (table[:, c] for c in (Column.THRESHOLDS, Column.LEVELS, Column.TOTALS))
    require = partial(_require_of, ops)
    is_metric = ops == Op.METRIC
    inside = (start >= 0) & (levels >= 0) & (start <= known) & (levels <= known - start)
    require(is_metric, inside, f"thresholds among {known}")
    counts = is_metric & (kinds == Metric.CONFUSION)
    require(counts, net.reals[:, Scalar.BETA] < outputs, "a class that there is")
    wanted = np.ones(len(table), np.int64)
    by_output = np.where(net.reals[:, Scalar.GAMMA] != 0, outputs, 1)
    wanted[counts] = (2 * (np.where(counts, levels, 0) + 1) * by_output)[counts]
    of_outputs = np.isin(kinds, (Metric.YES, Metric.SQUARES))
    wanted[of_outputs] = 3 * outputs[of_outputs]
    enough = (totals == wanted) | ((kinds == Metric.PYTHON) & (totals >= 1) & (totals <= 2))
    require(is_metric, enough, "as many totals as it adds to")
    require(ops == Op.LOSS_VALUE, totals == 1, "one total")


def check_net(net: Net, memory: Memory, *, runs_python: bool) -> Bounds:
    """Return what batches must fit.

    Raises
    ------
    ValueError
        If the table does not fit the parameters or the workspace, or their shapes or dtypes differ.
    """
    dtype, size = net.params.dtype, net.params.size
    _require("params", dtype in (np.float32, np.float64), "float32 or float64", dtype)
    gradient = net.gradient
    if gradient.dtype != dtype or gradient.shape not in ((0,), (size,)):
        got = f"{gradient.dtype} {gradient.shape}"
        raise _misfit("gradient", f"{dtype} ({size},), or empty", got)
    if net.rule not in _MOMENTS:
        raise _misfit("rule", f"one of {list(_MOMENTS)}", net.rule)
    vectors = {"params": net.params, "values": memory.values, "deltas": memory.deltas}
    for name, vector in {**vectors, "running": net.running}.items():
        if vector.dtype != dtype or vector.ndim != 1:
            raise _misfit(name, f"{dtype}, one axis", f"{vector.dtype} {vector.shape}")
    values, deltas = memory.values, memory.deltas
    if deltas.shape != values.shape:
        raise _misfit("deltas", f"shape {values.shape}", deltas.shape)
    _require_array("numbers", net.numbers, _FLOAT64, (_NUMBERS,))
    moments = _MOMENTS[net.rule] + (net.numbers[Number.USE_EMA] != 0)
    _require_array("moments", net.moments, dtype, (moments * size,))
    _require_contiguous(net, _ARRAYS[Net])
    _require_contiguous(memory, _ARRAYS[Memory])
    return _checked_tables(net, values, runs_python)


def _checked_tables(net: Net, values: Array, runs_python: bool) -> Bounds:
    """Return what batches must fit; equal tables are looked at once, however many nets have them.

    What they contain is compared, and all else that the checks and the bounds follow from.
    """
    read = (net.table, net.reals, net.tensors, net.thresholds)
    sizes = (net.params.size, net.gradient.size, net.running.size, values.size)
    factors = (net.factors.dtype, net.factors.shape)
    key = (*((a.dtype, a.shape, a.tobytes()) for a in read), sizes, factors, net.params.dtype,
           runs_python)  # fmt: skip
    bounds = _found_right.get(key)
    if bounds is None:
        check_table(net, runs_python=runs_python)
        check_tensors(net)
        bounds = _bounds(net, values)
        if len(_found_right) >= _KEPT:
            _found_right.clear()
        _found_right[key] = bounds
    return bounds


def _require_contiguous(group: Any, names: tuple[str, ...]) -> None:
    """Raise ValueError unless these arrays of a group are C-contiguous, as kernels take them."""
    for name in names:
        array = getattr(group, name)
        if not array.flags.c_contiguous:
            raise _misfit(name, "an array that is C-contiguous", f"strides {array.strides}")


def check_order(order: Array, count: int) -> None:
    """Raise ValueError if an order, int64, leads out of ``count`` samples."""
    # Seen without a sign, numbers below 0 are large: one look at them instead of two.
    if order.size and order.view(np.uint64).max() >= count:
        raise _misfit("order", f"samples from 0 to {count - 1}", order)


def _bounds(net: Net, values: Array) -> Bounds:
    ops, end = net.table[:, Column.OP], int(net.table[0, Column.X])
    _require("values", values.size >= end, f"room for a sample, {end}", values.size)
    kinds, judges = net.table[:, Column.KIND], np.flatnonzero(ops >= FIRST_LOSS)
    members = int(net.table[ops == Op.SCALE, Column.MEMBERS].max(initial=1))
    _require("values", values.size // end >= members, f"room for {members} members", values.size)
    shown = np.flatnonzero(ops < FIRST_LOSS)[-1]
    return Bounds(
        rows=len(net.table),
        capacity=values.size // end,
        features=int(net.table[0, Column.OUTPUTS]),
        outputs=int(net.table[shown, Column.OUTPUTS]),
        totals=int(net.table[judges[1:], Column.TOTALS].sum()),
        has_loss=judges.size > 0,
        takes_labels=all(kinds[r] in TAKE_LABELS[Op(ops[r])] for r in judges),
        classes=int(net.table[judges[0], Column.INPUTS]) if judges.size else 0,
        members=members,
        params=net.params.size,
        has_gradient=net.gradient.size == net.params.size,
        dtype=net.params.dtype,
    )


def check_right_answers(bounds: Bounds, count: int, batches: Batches) -> None:
    """Raise ValueError unless ``count`` samples have the labels or targets that the loss wants.

    And unless each has a weight, or none.
    """
    if batches.weights.size:
        _require_array("weights", batches.weights, bounds.dtype, (count,))
    else:
        _require_array("weights", batches.weights, bounds.dtype, (0,))
    labels = batches.labels
    if bounds.takes_labels and labels.size:
        _require_array("labels", labels, _INT64, (count,))
    else:
        _require_array("targets", batches.targets, bounds.dtype, (count, bounds.classes))
        _require("labels", labels.size == 0, "none beside targets", labels.shape)


def check_batches(bounds: Bounds, batches: Batches, course: Course) -> None:
    """Raise ValueError if the batches of a call do not fit the net."""
    samples = batches.samples
    bytes_per_sample = bounds.features * bounds.dtype.itemsize
    right = samples.ndim == 2 and samples.shape[1] in (bounds.features, bytes_per_sample)
    if not right or samples.dtype != np.uint8:
        expected = f"uint8 (count, {bounds.features} or {bytes_per_sample})"
        raise _misfit("samples", expected, f"{samples.dtype} {samples.shape}")
    order, size, first, stop = batches.order, batches.size, batches.first, batches.stop
    _require("order", order.dtype == _INT64 and order.ndim == 1, "int64, one axis", order.dtype)
    _require("size", size >= 1, "a positive integer", size)
    n = min(size, order.size)
    if n > bounds.capacity:
        raise _misfit("size", f"at most {bounds.capacity}, the workspace's", n)
    if n % bounds.members or order.size % bounds.members:
        raise _misfit("order", f"each sample of a batch {bounds.members} times", order.size)
    if not 0 <= first <= stop <= -(-order.size // size):
        raise _misfit("stop", f"0 <= first <= stop <= {-(-order.size // size)}", stop)
    _require_contiguous(batches, _ARRAYS[Batches])
    _require_contiguous(course, _ARRAYS[Course])
    check_order(order[first * size : stop * size], len(samples))
    if course.mode in (Mode.PREDICT, Mode.SAMPLE):
        _require_array("outputs", course.outputs, bounds.dtype, (order.size, bounds.outputs))
        return
    _require("table", bounds.has_loss, "a loss", "none")
    check_right_answers(bounds, len(samples), batches)
    _check_course(bounds, first, stop, course)


def _check_course(bounds: Bounds, first: int, stop: int, course: Course) -> None:
    """Raise ValueError if what is kept of batches that learn, or are evaluated, does not fit."""
    mode, every = course.mode, course.telemetry_every
    totals = 0 if mode == Mode.GRADIENT else bounds.totals
    _require_array("totals", course.totals, _FLOAT64, (_TOTALS + totals,))
    _require("gradient", mode == Mode.EVALUATE or bounds.has_gradient, "room for it", "none")
    if mode == Mode.TRAIN:
        _require_array("rates", course.rates, _FLOAT64, (stop - first,))
    if mode == Mode.TRAIN and every > 0 and stop > first:
        _require_array("before", course.before, bounds.dtype, (bounds.params,))
        telemetry = course.telemetry
        shape = ((stop - 1) // every + 1, bounds.rows, _FIELDS)
        right = telemetry.shape[0] >= shape[0] and telemetry.shape[1:] == shape[1:]
        if not right or telemetry.dtype != np.float64:
            raise _misfit("telemetry", f"float64 {shape}", f"{telemetry.dtype} {telemetry.shape}")


Bind = Callable[[Net, Memory], Callable[[Batches, Course, Team], Any]]
Probe = Callable[[Net, Memory, Batches, Trial], None]


def checked(bind: Bind, *, runs_python: bool = False) -> Bind:
    """Return a ``bind`` that refuses what does not fit, and so does what it prepares."""

    def checked_bind(net: Net, memory: Memory) -> Callable[[Batches, Course, Team], Any]:
        bounds = check_net(net, memory, runs_python=runs_python)
        prepare = bind(net, memory)

        def checked_prepare(batches: Batches, course: Course, team: Team) -> Any:
            check_batches(bounds, batches, course)
            return prepare(batches, course, team)

        return checked_prepare

    return checked_bind


def checked_probe(probe: Probe, *, runs_python: bool = False) -> Probe:
    """Return a ``probe`` that refuses what does not fit."""

    def run(net: Net, memory: Memory, batches: Batches, trial: Trial) -> None:
        bounds = check_net(net, memory, runs_python=runs_python)
        shape = memory.values.shape
        _require("moved", trial.moved.shape == shape, f"shape {shape}", trial.moved.shape)
        _require("table", bounds.has_loss, "a loss", "none")
        rows = batches.order
        _require_array("order", rows, _INT64, (rows.size,))
        _require("order", rows.size <= bounds.capacity, f"at most {bounds.capacity}", rows.size)
        _require("order", rows.size % bounds.members == 0, "each sample for all", rows.size)
        count = max(len(batches.labels), len(batches.targets))
        check_right_answers(bounds, count, batches)
        check_order(rows, count)
        own = net.table[_HAS_WEIGHTS[net.table[:, Column.OP]]]
        starts, sizes = own[:, Column.WEIGHTS, None], own[:, Column.SIZE, None]
        owned = ((trial.indices >= starts) & (trial.indices < starts + sizes)).any(axis=0)
        _require("indices", owned.all(), "parameters that a row owns", trial.indices[~owned])
        count = trial.indices.size
        _require_array("steps", trial.steps, _FLOAT64, (count,))
        _require_array("losses", trial.losses, _FLOAT64, (count, 2))
        _require_array("crossed", trial.crossed, np.dtype(np.uint8), (count,))
        _require_contiguous(batches, _ARRAYS[Batches])
        _require_contiguous(trial, _ARRAYS[Trial])
        probe(net, memory, batches, trial)

    return run
