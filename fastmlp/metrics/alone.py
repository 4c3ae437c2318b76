"""A metric outside of a net: what a batch of outputs adds to its totals, computed in NumPy."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..kernels.reference import metrics as reference
from ..losses import MeanSquaredError, SparseCategoricalCrossentropy
from ..runtime import targets
from ..runtime.arguments import real_array
from ..runtime.lowering import Builder
from ..runtime.plan import Plan
from ..runtime.tensors import Array

if TYPE_CHECKING:
    from .base import Metric, Totals


def checked_batch(
    y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Array, Array, Array]:
    """Return right answers, outputs (samples, outputs), and a weight for each sample.

    Raises
    ------
    TypeError, ValueError
        If they are no arrays of real numbers that belong together.
    """
    right, outputs = real_array("y_true", y_true), real_array("y_pred", y_pred)
    if not outputs.size or outputs.ndim == 0:
        raise ValueError(f"y_pred: expected outputs (samples, outputs), got shape {outputs.shape}")
    if right.shape[:1] != outputs.shape[:1]:
        raise ValueError(
            f"y_true: expected an entry for each of {len(outputs)} samples, got shape {right.shape}"
        )
    outputs = outputs.reshape(len(outputs), -1)
    weight = np.ones(len(outputs))
    if sample_weight is not None:
        given = real_array("sample_weight", sample_weight)
        if given.shape not in ((), (len(outputs),), (len(outputs), 1)):
            raise ValueError(f"sample_weight: expected shape ({len(outputs)},), got {given.shape}")
        weight *= given.reshape(-1)
    return right, outputs, weight


def totals_of(
    metric: "Metric", right: Array, outputs: Array, weight: Array, takes_labels: bool
) -> "Totals":
    """Return what a checked batch adds to the totals of a metric that has a kernel.

    Raises
    ------
    ValueError
        If the metric is none of such right answers or outputs.
    """
    plan = _plan_of(metric, outputs.shape[1], takes_labels)
    dtype = np.dtype(np.float64)
    labels, answers = _answers(right, outputs.shape[1], takes_labels)
    kind, reals, count = plan.last_metric
    totals = np.zeros(count)
    reference.metric(
        kind, np.ascontiguousarray(outputs.T.astype(dtype)), np.arange(len(outputs)),
        labels, answers, weight, reals, plan.thresholds, totals,
    )  # fmt: skip
    return totals


def of_each(metric: "Metric", y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return what a metric that is a mean makes of each sample.

    Raises
    ------
    TypeError, ValueError
        If arrays do not fit together, or are not what the metric compares.
    """
    right, outputs, _ = checked_batch(y_true, y_pred, None)
    takes_labels = bool(metric.takes_labels)
    plan = _plan_of(metric, outputs.shape[1], takes_labels)
    labels, answers = _answers(right, outputs.shape[1], takes_labels)
    x = np.ascontiguousarray(outputs.T.astype(np.float64))
    kind, reals, _ = plan.last_metric
    found: Array = reference.of_samples(kind, x, labels if takes_labels else answers.T, reals)
    return found


def _plan_of(metric: "Metric", width: int, takes_labels: bool) -> Plan:
    """Return a plan that ends in the row of a metric."""
    loss = SparseCategoricalCrossentropy(from_logits=True) if takes_labels else MeanSquaredError()
    builder = Builder((width,), 0)
    builder.end(builder.source)
    loss.lower(builder)
    metric.lower(builder, loss)
    return builder.finish()


def _answers(right: Array, width: int, takes_labels: bool) -> targets.Answers:
    """Return right answers, checked, as labels or as targets."""
    dtype = np.dtype(np.float64)
    if takes_labels:
        return targets.labels("y_true", right, width, dtype, "")
    return targets.targets("y_true", right, width, dtype)
