"""Whether what an engine is given fits together: looked at before a kernel trusts it.

Kernels follow the table's offsets without looking.  A table that does not fit the parameters or the
workspace would let them read and write memory that is not the net's.  So each backend's ``bind``
checks the net once, and each call that it prepares checks its batches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .contract import (
    FIRST_LOSS,
    FORMS,
    MOMENTS,
    TAKE_LABELS,
    Activation,
    Column,
    Loss,
    Metric,
    Mode,
    Number,
    Op,
    Rule,
    Scalar,
    Telemetry,
    Total,
)

Array = np.ndarray[Any, Any]

# For each operation, in the order of their numbers.
_FORMS = [FORMS[op] for op in Op]
_SAME_WIDTH = np.array([form.same_width for form in _FORMS])
_READS_OTHER = np.array([form.reads_other for form in _FORMS])
_RUNNING = np.array([form.running for form in _FORMS])
_WEIGHTS = np.array([form.weights for form in _FORMS])
_HAS_WEIGHTS = _WEIGHTS != ""
_KINDS = {
    Op.ACTIVATION: Activation, Op.LOSS: Loss, Op.METRIC: Metric, Op.LOSS_VALUE: Loss,
}  # fmt: skip
_SCRATCH = np.array([form.scratch for form in _FORMS])


@dataclass(frozen=True)
class Net:
    """What the batches of a checked net must fit."""

    rows: int  # of the table
    capacity: int  # samples in the workspace
    features: int  # of a sample
    outputs: int  # values of a prediction
    metrics: int
    has_loss: bool
    takes_labels: bool  # instead of targets
    classes: int  # outputs that the loss reads
    params: int
    has_gradient: bool
    dtype: np.dtype[Any]


def _misfit(argument: str, expected: str, got: object) -> ValueError:
    return ValueError(f"{argument}: expected {expected}, got {got}")


def _require(argument: str, right: bool, expected: str, got: object) -> None:
    if not right:
        raise _misfit(argument, expected, got)


def _require_array(argument: str, array: Array, dtype: np.dtype[Any], shape: tuple) -> None:
    # Said only if it is wrong: the names of two dtypes take longer than a step of a small net.
    if array.dtype != dtype or array.shape != shape:
        raise _misfit(argument, f"{dtype} {shape}", f"{array.dtype} {array.shape}")


def check_table(
    table: Array, reals: Array, parameters: int, statistics: int | None, runs_python: bool
) -> None:
    """Raise ValueError if a row reaches beyond the workspace, the parameters or the statistics.

    Parameters
    ----------
    table : int64 array (rows, columns)
    reals : float64 array (rows, scalars)
    parameters : int
        The length of the parameter vector.
    statistics : int, optional
        The length of the vector of running statistics; None if they are not looked at.
    runs_python : bool
        Whether the engine can run CUSTOM rows.
    """
    shape = (len(table), len(Column))
    right = table.dtype == np.int64 and table.shape == shape and len(table) > 0
    _require("table", right, f"int64 (rows, {len(Column)})", f"{table.dtype} {table.shape}")
    right = reals.dtype == np.float64 and reals.shape == (len(table), len(Scalar))
    _require(
        "reals", right, f"float64 ({len(table)}, {len(Scalar)})", f"{reals.dtype} {reals.shape}"
    )
    ops, end = table[:, Column.OP], table[0, Column.X]
    inputs, outputs, y = (table[:, c] for c in (Column.INPUTS, Column.OUTPUTS, Column.Y))
    x = table[:, Column.X].copy()
    x[0] = 0

    def require(rows: Array, right: Array, what: str) -> None:
        wrong = np.flatnonzero(rows & ~right)
        if wrong.size:
            r = int(wrong[0])
            name = Op(ops[r]).name if 0 <= ops[r] < len(Op) else int(ops[r])
            raise ValueError(f"table: row {r} ({name}): expected {what}")

    everything = np.ones(len(table), np.bool_)
    first = np.arange(len(table)) == 0
    losses = ops >= FIRST_LOSS
    # Each number by itself first, so that no sum or product below can overflow.
    require(everything, (ops >= 0) & (ops < len(Op)), "a known operation")
    require(everything, (ops == Op.INPUT) == first, "INPUT, as the first row and nowhere else")
    require(everything, (ops != Op.CUSTOM) | runs_python, "no layer written in Python")
    for what, values in (("inputs", inputs), ("outputs", outputs), ("X", x), ("Y", y)):
        require(everything, (values >= 0) & (values <= end), f"{what} from 0 to {end}")
    require(~first, inputs > 0, "inputs")
    require(~losses, outputs > 0, "outputs")
    require(_SAME_WIDTH[ops], inputs == outputs, "as many outputs as inputs")
    kinds = table[:, Column.KIND]
    for op, known in _KINDS.items():
        what = f"a known {known.__name__.lower()}"
        require(ops == op, (kinds >= 0) & (kinds < len(known)), what)
    beyond = _SCRATCH[ops, 0] * outputs + _SCRATCH[ops, 1]
    require(everything, x + inputs <= end, f"X within the workspace of {end}")
    require(everything, y + outputs + beyond <= end, f"Y within the workspace of {end}")
    other = table[:, Column.OTHER]
    inside = (other >= 0) & (other <= end - outputs)
    require(_READS_OTHER[ops], inside, f"OTHER within the workspace of {end}")
    x_rows, dense = table[:, Column.X_ROWS], ops == Op.DENSE
    inside = (x_rows == -1) | ((x_rows >= 0) & (x_rows <= end - inputs))
    require(dense, inside, f"X_ROWS within the workspace of {end}")

    start, size, bias = (table[:, c] for c in (Column.WEIGHTS, Column.SIZE, Column.BIAS))
    own = _HAS_WEIGHTS[ops] | (ops == Op.PENALTY)
    within = f"within the {parameters} parameters"
    require(~own, size == 0, "no weights")
    require(own, (start >= 0) & (start <= parameters), f"weights {within}")
    require(own, (size >= 0) & (size <= parameters - start), f"weights {within}")
    matrix, vectors = (_WEIGHTS[ops] == form for form in ("matrix", "vectors"))
    width = np.maximum(outputs, 1)
    require(matrix, inputs <= (parameters - start) // width, f"weights {within}")
    inside = (bias == -1) | ((bias >= 0) & (bias <= parameters - outputs))
    require(own, inside, f"a bias {within}")
    last = (bias == -1) | (bias == start + size - outputs)
    require(vectors, last, "a bias at the end of its weights")
    right = (size % width == 0) & (size // width <= 1 + (bias >= 0))
    require(vectors, right, "one weight an output beside a bias, at most")
    if statistics is not None:
        running, length = table[:, Column.RUNNING], _RUNNING[ops] * outputs
        inside = (running >= 0) & (running <= statistics - length)
        require(length > 0, inside, f"statistics within the {statistics} running ones")
    _check_judges(ops, inputs)


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


def check_net(
    table: Array,
    reals: Array,
    params: Array,
    gradient: Array,
    moments: Array,
    rule: int,
    numbers: Array,
    values: Array,
    deltas: Array,
    running: Array | None,
    *,
    runs_python: bool,
) -> Net:
    """Return what batches must fit; ``running`` is None where no running statistics are read.

    Raises
    ------
    ValueError
        If the table does not fit the parameters or the workspace, or their shapes or dtypes differ.
    """
    dtype, size = params.dtype, params.size
    _require("params", dtype in (np.float32, np.float64), "float32 or float64", dtype)
    right = gradient.dtype == dtype and gradient.shape in ((0,), (size,))
    got = f"{gradient.dtype} {gradient.shape}"
    _require("gradient", right, f"{dtype} ({size},), or empty", got)
    _require("rule", rule in set(Rule), f"one of {[r.value for r in Rule]}", rule)
    _require_array("moments", moments, dtype, (MOMENTS[Rule(rule)] * size,))
    vectors = {"params": params, "values": values, "deltas": deltas}
    if running is not None:
        vectors["running"] = running
    for name, vector in vectors.items():
        right = vector.dtype == dtype and vector.ndim == 1
        _require(name, right, f"{dtype}, one axis", f"{vector.dtype} {vector.shape}")
    _require("deltas", deltas.shape == values.shape, f"shape {values.shape}", deltas.shape)
    _require_array("numbers", numbers, np.dtype(np.float64), (len(Number),))
    check_table(table, reals, size, None if running is None else running.size, runs_python)
    end = int(table[0, Column.X])
    _require("values", values.size >= end, f"room for a sample, {end}", values.size)
    ops, kinds = table[:, Column.OP], table[:, Column.KIND]
    judges = np.flatnonzero(ops >= FIRST_LOSS)
    shown = np.flatnonzero((ops < FIRST_LOSS) & (ops != Op.PENALTY))[-1]
    return Net(
        rows=len(table),
        capacity=values.size // end,
        features=int(table[0, Column.OUTPUTS]),
        outputs=int(table[shown, Column.OUTPUTS]),
        metrics=max(judges.size - 1, 0),
        has_loss=judges.size > 0,
        takes_labels=all(kinds[r] in TAKE_LABELS[Op(ops[r])] for r in judges),
        classes=int(table[judges[0], Column.INPUTS]) if judges.size else 0,
        params=size,
        has_gradient=gradient.size == size,
        dtype=dtype,
    )


def check_right_answers(net: Net, count: int, labels: Array, targets: Array) -> None:
    """Raise ValueError unless ``count`` samples have the labels or targets that the loss wants."""
    if net.takes_labels and labels.size:
        _require_array("labels", labels, np.dtype(np.int64), (count,))
    else:
        _require_array("targets", targets, net.dtype, (count, net.classes))
        _require("labels", labels.size == 0, "none beside targets", labels.shape)


def check_batches(
    net: Net,
    mode: int,
    samples: Array,
    labels: Array,
    targets: Array,
    order: Array,
    batch_size: int,
    first: int,
    last: int,
    first_step: int,
    rates: Array,
    totals: Array,
    outputs: Array,
    telemetry: Array,
    telemetry_every: int,
    before: Array,
    *team: object,
) -> None:
    """Raise ValueError if the batches of a call, the arguments of ``run``, do not fit the net."""
    bytes_per_sample = net.features * net.dtype.itemsize
    right = samples.ndim == 2 and samples.shape[1] in (net.features, bytes_per_sample)
    if not right or samples.dtype != np.uint8:
        expected = f"uint8 (count, {net.features} or {bytes_per_sample})"
        raise _misfit("samples", expected, f"{samples.dtype} {samples.shape}")
    _require("batch_size", batch_size >= 1, "a positive integer", batch_size)
    n = min(batch_size, order.size)
    if n > net.capacity:
        raise _misfit("batch_size", f"at most {net.capacity}, the workspace's", n)
    batches = -(-order.size // batch_size)
    if not 0 <= first <= last <= batches:
        raise _misfit("last", f"0 <= first <= last <= {batches}", last)
    if mode == Mode.PREDICT:
        _require_array("outputs", outputs, net.dtype, (order.size, net.outputs))
        return
    _require("table", net.has_loss, "a loss", "none")
    check_right_answers(net, len(samples), labels, targets)
    metrics = 0 if mode == Mode.GRADIENT else net.metrics
    _require_array("totals", totals, np.dtype(np.float64), (len(Total) + metrics,))
    _require("gradient", mode == Mode.EVALUATE or net.has_gradient, "room for it", "none")
    if mode == Mode.TRAIN:
        _require_array("rates", rates, np.dtype(np.float64), (last - first,))
    if mode == Mode.TRAIN and telemetry_every > 0 and last > first:
        _require_array("before", before, net.dtype, (net.params,))
        shape = ((last - 1) // telemetry_every + 1, net.rows, len(Telemetry))
        right = telemetry.shape[0] >= shape[0] and telemetry.shape[1:] == shape[1:]
        _require("telemetry", right, f"shape {shape}", telemetry.shape)


def checked(bind: Callable[..., Any], *, runs_python: bool = False) -> Callable[..., Any]:
    """Return a ``bind`` that refuses what does not fit, and so does what it prepares."""

    def checked_bind(*memory: Array) -> Callable[..., Any]:
        net = check_net(*memory, runs_python=runs_python)
        prepare = bind(*memory)

        def checked_prepare(mode: int, *batches: Any) -> Any:
            check_batches(net, mode, *batches)
            return prepare(mode, *batches)

        return checked_prepare

    return checked_bind


def checked_probe(probe: Callable[..., None], *, runs_python: bool = False) -> Callable[..., None]:
    """Return a ``probe`` that refuses what does not fit."""

    def run(
        table: Array, reals: Array, params: Array, values: Array, trial: Array, deltas: Array,
        labels: Array, targets: Array, rows: Array, indices: Array, *rest: Any,
    ) -> None:  # fmt: skip
        none, numbers = params[:0], np.zeros(len(Number))
        net = check_net(
            table, reals, params, none, none, Rule.DESCENT, numbers, values, deltas, None,
            runs_python=runs_python,
        )  # fmt: skip
        _require("trial", trial.shape == values.shape, f"shape {values.shape}", trial.shape)
        _require("table", net.has_loss, "a loss", "none")
        _require("rows", rows.size <= net.capacity, f"at most {net.capacity}", rows.size)
        count = max(len(labels), len(targets))
        check_right_answers(net, count, labels, targets)
        right = rows.size == 0 or (rows.min() >= 0 and rows.max() < count)
        _require("rows", right, f"samples from 0 to {count - 1}", rows)
        own = table[_HAS_WEIGHTS[table[:, Column.OP]]]
        starts, sizes = own[:, Column.WEIGHTS, None], own[:, Column.SIZE, None]
        owned = ((indices >= starts) & (indices < starts + sizes)).any(axis=0)
        _require("indices", owned.all(), "parameters that a row owns", indices[~owned])
        probe(table, reals, params, values, trial, deltas, labels, targets, rows, indices, *rest)

    return run
