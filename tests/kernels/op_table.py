"""Every kernel with inputs of any size, and how far its results may be from the exact ones.

A bound is in units of the dtype's epsilon, and at most as large as rounding can make the error:
a sum of k terms, in whatever order, is off by k roundings of the sum of the terms' absolute
values at most (Higham, 2002, section 4.2).
"""

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from fastmlp.kernels.contract import (
    MOMENTS,
    Activation,
    Coding,
    Constraint,
    Reduction,
    Rule,
    Spread,
    Telemetry,
)
from fastmlp.kernels.numba.jit import fast
from tests import backends

from . import inputs
from .inputs import normal, scratch, unset

JIT = not numba.config.DISABLE_JIT

# Without the compiler it is Numba's kernels that are another thing, and the others the same.
COMPILED = backends.COMPILED if JIT else ["numba"]
ALL = [*COMPILED, "numpy"]

FOLDERS = {"numba": "numba", "cython": "c", "numpy": "reference"}

# (outputs, inputs, samples): remainders of every kind for blocks of 4 and 5 and vectors of 8, 16.
SIZES = [(1, 1, 1), (2, 3, 1), (3, 7, 2), (5, 4, 8), (7, 33, 31)]
if JIT:
    SIZES += [(33, 2, 65), (65, 31, 3), (10, 65, 32), (31, 65, 33)]


def kernels(backend: str) -> Any:
    """Return a backend's module of kernels."""
    return importlib.import_module(f"fastmlp.kernels.{FOLDERS[backend]}")


@functools.cache
def kernel(backend: str, name: str) -> Callable[..., Any]:
    """Return a backend's kernel, to be called from Python.

    Those of Numba that are inlined into the engine are compiled like it, on their own.
    """
    function: Callable[..., Any] = getattr(kernels(backend), name)
    if JIT and backend == "numba" and name.startswith("dense_"):
        return fast(function.py_func)
    return function


@dataclass(frozen=True)
class Operation:
    """A kernel as it is tested.

    ``make(rng, dtype, m, k, n)`` returns its arguments, ``bound(*arguments)``, in float64, a
    bound for each result: for the arguments ``changed``, then for what is returned.
    """

    name: str
    make: Callable[..., tuple[Any, ...]]
    bound: Callable[..., tuple[Any, ...]]
    changed: tuple[int, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.note}".strip()

    def results(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Any]:
        returned = function(*arguments)
        return [arguments[i] for i in self.changed] + ([] if returned is None else [returned])


OPERATIONS = [
    Operation("matmul_nn", *inputs.product(), (3,)),
    Operation("matmul_nn", *inputs.product(transpose_a=True), (3,), "with a transposed"),
    Operation("matmul_nt", *inputs.product(transpose_b=True), (3,)),
    Operation("dense_forward", *inputs.dense_forward(), (3,)),
    Operation("dense_forward", *inputs.dense_forward(bias=False), (3,), "without bias"),
    Operation("dense_forward_rows", *inputs.dense_forward(rows=True), (4,)),
    Operation(
        "dense_forward_rows", *inputs.dense_forward(rows=True, bias=False), (4,), "without bias"
    ),
    Operation(
        "dense_input_gradient",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m, k), normal(rng, dtype, m, n), normal(rng, dtype, k, n)
        ),
        lambda weights, dy, dx: inputs.magnitude_of_product(weights.T, dy, 1, 0),
        (2,),
    ),
    Operation("dense_weight_update", *inputs.dense_weights(update=True), (3,)),
    Operation("dense_weight_update_rows", *inputs.dense_weights(update=True, rows=True), (3,)),
    Operation("dense_weight_gradient", *inputs.dense_weights(), (2,)),
    Operation("dense_weight_gradient_rows", *inputs.dense_weights(rows=True), (3,)),
    Operation(
        "dense_bias_update",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m, n), dtype(-0.2), normal(rng, dtype, m)
        ),
        lambda dy, scale, bias: (np.abs(bias) + (dy.shape[1] + 2) * np.abs(dy).sum(axis=1),),
        (2,),
    ),
    Operation(
        "dense_bias_gradient",
        lambda rng, dtype, m, k, n: (normal(rng, dtype, m, n), normal(rng, dtype, m)),
        lambda dy, dbias: (dy.shape[1] * np.abs(dy).sum(axis=1),),
        (1,),
    ),
    Operation(
        "dense_bias_gradient",
        lambda rng, dtype, m, k, n: (normal(rng, dtype, m, n), normal(rng, dtype, 0)),
        lambda dy, dbias: (dbias,),
        (1,),
        "without bias",
    ),
    Operation(
        "softmax_forward",
        lambda rng, dtype, m, k, n: (4 * normal(rng, dtype, m, n), *scratch(dtype, m, n)),
        lambda x, scratch, y: inputs.softmax_bounds(x),
        (1, 2),
    ),
    Operation(
        "softmax_backward",
        lambda rng, dtype, m, k, n: (
            rng.dirichlet(np.ones(m), n).T.astype(dtype, order="C"), normal(rng, dtype, m, n),
            *scratch(dtype, m, n),
        ),
        lambda y, dy, scratch, dx: (
            (len(y) + 3) * y * (np.abs(dy) + (np.abs(dy) * y).sum(axis=0)),
        ),
        (3,),
    ),
    Operation(
        "log_softmax_forward",
        lambda rng, dtype, m, k, n: (4 * normal(rng, dtype, m, n), *scratch(dtype, m, n)),
        lambda x, scratch, y: inputs.log_softmax_bounds(x),
        (1, 2),
    ),
    Operation(
        "log_softmax_backward",
        lambda rng, dtype, m, k, n: (
            np.log(rng.dirichlet(np.ones(m), n)).T.astype(dtype, order="C"),
            normal(rng, dtype, m, n), *scratch(dtype, m, n),
        ),
        lambda y, dy, scratch, dx: (
            np.abs(dy) + (len(y) + 6 + np.abs(y)) * np.exp(y) * np.abs(dy).sum(axis=0),
        ),
        (3,),
    ),
    *(
        Operation("embedding_forward", inputs.embedding(output), lambda *_: (0,), (4,),
                  f"from output {output}")
        for output in (0, 3)
    ),
    *(
        Operation(
            f"embedding_{what}", inputs.embedding_weights(what, category),
            inputs.bound_embedding, (4 if what == "gradient" else 5,), f"from row {category}",
        )
        for what in ("gradient", "update") for category in (0, 2)
    ),
    *(
        Operation("columns_forward", inputs.columns(kind, output), lambda *_: (0,), (6,),
                  f"{kind.name} from output {output}")
        for kind in Coding for output in (0, 1)
    ),
    *(
        Operation("columns_forward", inputs.columns(Coding.PASS, output, 4), lambda *_: (0,), (6,),
                  f"PASS 4 times from output {output}")
        for output in (0, 3)
    ),
    Operation("batch_statistics", inputs.batch_statistics, inputs.bound_statistics, (1, 2)),
    Operation(
        "running_update",
        lambda rng, dtype, m, k, n: (0.9, normal(rng, dtype, m * k), normal(rng, dtype, m * k)),
        lambda momentum, batch, running: (4 * (np.abs(running) + np.abs(batch)),),
        (2,),
    ),
    *(
        Operation("batchnorm_forward", *inputs.batchnorm("forward", gamma, beta), (6,),
                  f"{'with' if gamma else 'without'} gamma {'with' if beta else 'without'} beta")
        for gamma in (True, False) for beta in (True, False)
    ),
    Operation("batchnorm_weight_gradient", *inputs.batchnorm("weights"), (5, 6)),
    *(
        Operation("batchnorm_input_gradient", *inputs.batchnorm("input", gamma), (8,),
                  f"{'with' if gamma else 'without'} gamma")
        for gamma in (True, False)
    ),
    *(
        Operation(
            "layernorm_forward", *inputs.layernorm("forward", kind, gamma), (5, 6),
            f"{kind.name} {'with' if gamma else 'without'} gamma and beta",
        )
        for kind in Spread for gamma in (True, False)
    ),
    Operation("layernorm_weight_gradient", *inputs.layernorm("weights"), (3, 4)),
    *(
        Operation(
            "layernorm_input_gradient", *inputs.layernorm("input", kind, gamma), (6,),
            f"{kind.name} {'with' if gamma else 'without'} gamma",
        )
        for kind in Spread for gamma in (True, False)
    ),
    *(
        Operation(
            "scale_forward",
            lambda rng, dtype, m, k, n, gamma=gamma, beta=beta: (
                normal(rng, dtype, m, n), normal(rng, dtype, m * gamma),
                normal(rng, dtype, m * beta), unset(dtype, m, n),
            ),
            lambda x, gamma, beta, y: (
                2 * (np.abs(x) * (np.abs(gamma)[:, None] if gamma.size else 1)
                     + (np.abs(beta)[:, None] if beta.size else 0)),
            ),
            (3,), f"{'with' if gamma else 'without'} gamma {'with' if beta else 'without'} beta",
        )
        for gamma in (1, 0) for beta in (1, 0)
    ),
    Operation(
        "scale_weight_gradient",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m, n), normal(rng, dtype, m, n), unset(dtype, m), unset(dtype, m)
        ),
        lambda x, dy, *_: (
            (n := x.shape[1]) * np.abs(x * dy).sum(axis=1) + 1e-30, n * np.abs(dy).sum(axis=1)
        ),
        (2, 3),
    ),
    Operation(
        "mix_forward",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m, n), normal(rng, dtype, m, n), normal(rng, dtype, m),
            unset(dtype, m, n),
        ),
        lambda x, other, weights, y: (
            2 * (np.abs(x) + np.abs(weights)[:, None] * (np.abs(x) + np.abs(other))),
        ),
        (3,),
    ),
    Operation(
        "mix_weight_gradient",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m, n), normal(rng, dtype, m, n), normal(rng, dtype, m, n),
            unset(dtype, m),
        ),
        lambda x, other, dy, _: (
            (x.shape[1] + 2) * (np.abs(dy) * (np.abs(x) + np.abs(other))).sum(axis=1),
        ),
        (3,),
    ),
    Operation(
        "prelu_forward",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m, n), normal(rng, dtype, m), unset(dtype, m, n)
        ),
        lambda x, slopes, y: (np.abs(x) * (1 + np.abs(slopes)[:, None]),), (2,),
    ),
    Operation(
        "prelu_weight_gradient",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m, n), normal(rng, dtype, m, n), unset(dtype, m)
        ),
        lambda x, dy, _: (x.shape[1] * np.abs(x * dy).sum(axis=1),), (2,),
    ),
    Operation(
        "prelu_input_gradient",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m, n), normal(rng, dtype, m), normal(rng, dtype, m, n),
            unset(dtype, m, n),
        ),
        lambda x, slopes, dy, dx: (np.abs(dy) * (1 + np.abs(slopes)[:, None]),), (3,),
    ),
    *(
        Operation(
            "loss", *inputs.crossentropy(labels, weighted, reduction), (8, 9),
            f"crossentropy of {'labels' if labels else 'targets'} {reduction.name} {weighted}",
        )
        for labels in (True, False)
        for weighted, reduction in [
            (False, Reduction.MEAN), (True, Reduction.MEAN), (False, Reduction.SUM),
            (True, Reduction.WEIGHTED_MEAN),
        ]
    ),
    *(
        Operation(
            "loss", inputs.loss(kind, weighted, **numbers), bound, (9,), f"{kind.name} {weighted}"
        )
        for kind, (numbers, bound) in inputs.LOSSES.items() for weighted in (False, True)
    ),
    *(
        Operation(
            "loss", inputs.make_loss(kind, right, outputs, **numbers), bound,
            (9,), f"{kind.name} {right.__name__} {numbers}",
        )
        for kind, right, outputs, numbers, bound in inputs.OTHER_LOSSES
    ),
    *(
        Operation(
            "metric", inputs.make_metric(kind, right, totals, **more),
            lambda *given: (64 * given[1].size,), (8,), f"{kind.name} {name}",
        )
        for name, kind, right, totals, more in inputs.METRICS
    ),
    *(
        Operation(
            "optimizer_step", inputs.optimizer(rule, evenly, **numbers), inputs.bound_optimizer,
            (6, *range(8, 8 + MOMENTS[rule])),
            f"{rule.name} {numbers} {'evenly' if evenly else ''}",
        )
        for rule, evenly, numbers in [
            (Rule.DESCENT, False, {}),
            *(
                (Rule.MOMENTUM, evenly, {"MOMENTUM": 0.9, "NESTEROV": nesterov})
                for evenly in (False, True) for nesterov in (0, 1)
            ),
            *(
                (Rule.ADAM, evenly,
                 {"BETA_1": 0.9, "BETA_2": 0.99, "EPSILON": 1e-3, "WEIGHT_DECAY": decay})
                for evenly in (False, True) for decay in (0, 0.1)
            ),
            *(
                (rule, evenly, inputs.NUMBERS | {"WEIGHT_DECAY": 0.1 * evenly})
                for rule in Rule if rule not in (Rule.DESCENT, Rule.MOMENTUM, Rule.ADAM)
                for evenly in (False, True)
            ),
        ]
    ),
    Operation(
        "average_step", inputs.average,
        lambda momentum, w, mean: (4 * (np.abs(w) + np.abs(np.nan_to_num(mean))),), (2,),
    ),
    *(
        Operation(
            "constrain", inputs.constrained(kind, axis),
            lambda *arguments: ((16 + arguments[-1].size / 4) * np.abs(arguments[-1]),), (8,),
            f"{kind.name} {axis}",
        )
        for kind, axis in [(Constraint.NON_NEGATIVE, 2), *((Constraint.NORM, i) for i in range(3))]
    ),
    Operation(
        "square_sum", lambda rng, dtype, m, k, n: (normal(rng, dtype, m * k),),
        lambda values: (4 * (values**2).sum(),),
    ),
    Operation(
        "clip_values", lambda rng, dtype, m, k, n: (dtype(0.7), normal(rng, dtype, m * k)),
        lambda limit, values: (np.zeros_like(values),), (1,),
    ),
    Operation(
        "penalty", inputs.make_penalty,
        lambda l1, l2, w: (w.size * (l1 * np.abs(w) + l2 * w**2).sum(),),
    ),
    Operation(
        "penalty_gradient",
        lambda rng, dtype, m, k, n: (
            dtype(0.01), dtype(0.003), 12_345, 2**33 + 5,
            inputs.make_penalty(rng, dtype, m, k, n)[2], normal(rng, dtype, m * k),
        ),
        lambda l1, l2, step, first, w, gradient: (
            np.abs(gradient) + 4 * (l1 + 2 * l2 * np.abs(w)),
        ),
        (5,),
    ),
    Operation(
        "penalty_update",
        lambda rng, dtype, m, k, n: (
            dtype(0.01), dtype(0.003), dtype(0.5), 2**40, 3,
            inputs.make_penalty(rng, dtype, m, k, n)[2],
        ),
        lambda l1, l2, rate, step, first, w: (
            np.abs(w) + 4 * rate * (l1 + 2 * l2 * np.abs(w)) * (w != 0),
        ),
        (5,),
    ),
    Operation(
        "activity_gradient",
        lambda rng, dtype, m, k, n: (
            dtype(0.01), dtype(0.003), inputs.make_penalty(rng, dtype, m, k, n)[2],
            normal(rng, dtype, m * k),
        ),
        lambda l1, l2, y, dy: (np.abs(dy) + 4 * (l1 + 2 * l2 * np.abs(y)),), (3,),
    ),
    *(
        Operation(
            "gather_bytes" if of_bytes else "gather_reals",
            lambda rng, dtype, m, k, n, of_bytes=of_bytes: (
                rng.integers(0, 256, (3 * n, k)).astype(np.uint8) if of_bytes
                else normal(rng, dtype, 3 * n, k),
                rng.integers(0, 3 * n, n), dtype(1 / 255), dtype(-0.5), unset(dtype, n, k),
            ),
            lambda data, rows, scale, offset, out: (
                2 * (np.abs(data[rows].astype(np.float64)) * scale + abs(offset)),
            ),
            (4,),
        )
        for of_bytes in (True, False)
    ),
    Operation(
        "rescale",
        lambda rng, dtype, m, k, n: (
            dtype(0.3), dtype(-2), normal(rng, dtype, m * n), unset(dtype, m * n)
        ),
        lambda scale, offset, x, y: (2 * (np.abs(x) * scale + abs(offset)),),
        (3,),
    ),
    Operation(
        "multiply",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m * n), normal(rng, dtype, m * n), unset(dtype, m * n)
        ),
        lambda x, mask, y: (np.abs(x * mask),),
        (2,),
    ),
    Operation(
        "add",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m * n), normal(rng, dtype, m * n), unset(dtype, m * n)
        ),
        lambda x, other, y: (np.abs(x) + np.abs(other),),
        (2,),
    ),
    Operation(
        "transpose",
        lambda rng, dtype, m, k, n: (normal(rng, dtype, n, m), unset(dtype, m, n)),
        lambda x, y: (0,),
        (1,),
    ),
    *(
        Operation(
            "dropout_mask", inputs.dropout(rate, key, step),
            lambda key, step, rate, mask: (1 / (1 - rate),), (3,), f"rate {rate} step {step}",
        )
        for rate, key, step in [(0.0, 1, 0), (0.25, 2**62 + 5, 7), (0.5, -3, 2**33), (0.99, 0, 1)]
    ),
    *(
        Operation(
            "normal_mask",
            lambda rng, dtype, m, k, n, key=key, step=step: (
                np.int64(key), step, 0.5, 2.0, unset(dtype, m * n)
            ),
            lambda key, step, mean, deviation, mask: (32.0,), (4,), f"step {step}",
        )
        for key, step in [(1, 0), (2**62 + 5, 2**33), (-3, 7)]
    ),
    Operation(
        "alpha_dropout",
        lambda rng, dtype, m, k, n: (
            dtype(0.8), dtype(0.3), dtype(-1.1), normal(rng, dtype, m * n),
            rng.integers(0, 2, m * n).astype(dtype), unset(dtype, m * n),
        ),
        lambda scale, offset, dropped, x, mask, y: (2 * (np.abs(x) + 2),), (5,),
    ),
    Operation(
        "record_values",
        lambda rng, dtype, m, k, n: (
            normal(rng, dtype, m * n) + dtype(3), np.full(len(Telemetry), np.nan)
        ),
        inputs.figures("record_values", Telemetry.MEAN, Telemetry.STD),
        (1,),
    ),
    *(
        Operation(
            "record_slopes", inputs.slopes(kind, rows), inputs.figures("record_slopes"), (7,),
            f"{kind.name} {'rows' if rows else 'columns'}",
        )
        for kind in (Activation.TANH, Activation.RELU)
        for rows in (0, 1)
    ),
    Operation(
        "record_step", inputs.record_step,
        inputs.figures("record_step", Telemetry.GRADIENT_NORM, Telemetry.UPDATE_RATIO), (3,),
    ),
]  # fmt: skip
