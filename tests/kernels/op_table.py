"""Every kernel with inputs of any size, and how far its results may be from the exact ones.

A bound is in units of the dtype's epsilon, and at most as large as rounding can make the error:
a sum of k terms, in whatever order, is off by k roundings of the sum of the terms' absolute
values at most (Higham, 2002, section 4.2).
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from fastmlp.kernels import compiled, reference
from fastmlp.kernels.compiled.jit import fast
from fastmlp.kernels.table import Activation, Hyper, Telemetry

JIT = not numba.config.DISABLE_JIT

# (outputs, inputs, samples): remainders of every kind for blocks of 4 and 5 and vectors of 8, 16.
SIZES = [(1, 1, 1), (2, 3, 1), (3, 7, 2), (5, 4, 8), (7, 33, 31)]
if JIT:
    SIZES += [(33, 2, 65), (65, 31, 3), (10, 65, 32), (31, 65, 33)]

EXP = 4  # roundings that an exponential may cost


@functools.cache
def kernel(name: str) -> Callable[..., Any]:
    """Return a kernel of ``compiled``, to be called from Python.

    Those that are inlined into the engine are compiled like it, on their own.
    """
    function = getattr(compiled, name)
    return fast(function.py_func) if JIT and name.startswith("dense_") else function


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


def _normal(rng, dtype, *shape):
    return rng.standard_normal(shape).astype(dtype)


def _unset(dtype, *shape):
    """Return memory in which an entry that is never written will be found."""
    return np.full(shape, np.nan, dtype)


def _magnitude_of_product(a, b, scale, out):
    return (np.abs(out) + (a.shape[1] + 3) * abs(scale) * (np.abs(a) @ np.abs(b)),)


def _product(transpose_a=False, transpose_b=False):
    def make(rng, dtype, m, k, n):
        a = _normal(rng, dtype, k, m).T if transpose_a else _normal(rng, dtype, m, k)
        b = _normal(rng, dtype, n, k) if transpose_b else _normal(rng, dtype, k, n)
        return a, b, dtype(-0.7), _normal(rng, dtype, m, n)

    def bound(a, b, scale, out):
        return _magnitude_of_product(a, b.T if transpose_b else b, scale, out)

    return make, bound


def _dense_forward(rows=False, bias=True):
    def make(rng, dtype, m, k, n):
        x = _normal(rng, dtype, n, k) if rows else _normal(rng, dtype, k, n)
        own_bias = _normal(rng, dtype, m if bias else 0)
        return x, _normal(rng, dtype, m, k), own_bias, _normal(rng, dtype, m, n)

    def bound(x, weights, bias, y):
        return _magnitude_of_product(
            weights, x.T if rows else x, 1, bias[:, None] if bias.size else 0
        )

    return make, bound


def _dense_weights(rows=False, update=False):
    def make(rng, dtype, m, k, n):
        x = _normal(rng, dtype, n, k) if rows else _normal(rng, dtype, k, n)
        scale = (dtype(-0.3),) if update else ()
        return x, _normal(rng, dtype, m, n), *scale, _normal(rng, dtype, m, k)

    def bound(x, dy, *rest):
        scale, before = rest if update else (1, 0)
        return _magnitude_of_product(dy, x if rows else x.T, scale, before)

    return make, bound


def _softmax_bounds(x, share=1.0):
    """Bounds of the maximum, the inverse sum, and of probabilities times ``share``."""
    spread = x.max(axis=0) - x
    weights = np.exp(-spread)
    # exp turns the rounding of its argument, up to |argument| / 2 epsilon, into a relative one.
    roundings = (spread + EXP + len(x)).max(axis=0)
    inverse = 1 / weights.sum(axis=0)
    return np.stack([0 * inverse, roundings * inverse]), share * (roundings + 2) * weights * inverse


def _crossentropy(labels):
    def make(rng, dtype, m, k, n):
        classes = m + 1
        if labels:
            right = rng.integers(0, classes, 2 * n)
        else:
            right = rng.dirichlet(np.ones(classes), 2 * n).astype(dtype)
            right[0] = np.eye(classes)[0]
        rows = rng.permutation(2 * n)[:n]
        return 4 * _normal(rng, dtype, classes, n), rows, right, *_scratch(dtype, classes, n)

    def bound(logits, rows, right, scratch, dlogits):
        n = logits.shape[1]
        of_scratch, of_probabilities = _softmax_bounds(logits)
        per_sample = 4 * np.abs(logits).max(axis=0) + EXP + len(logits) + 2
        # A probability minus its target, both at most 1, is rounded once more.
        return of_scratch, (of_probabilities + 2) / n, per_sample.sum()

    return make, bound


def _scratch(dtype, features, n):
    return _unset(dtype, 2, n), _unset(dtype, features, n)


def _make_mse(rng, dtype, m, k, n):
    rows = rng.permutation(2 * n)[:n]
    targets = _normal(rng, dtype, 2 * n, m)
    return _normal(rng, dtype, m, n), rows, targets, _unset(dtype, m, n)


def _bound_mse(outputs, rows, targets, doutputs):
    sizes = np.abs(outputs) + np.abs(targets[rows].T)
    # Summed in float64, after a square of three roundings.
    return 4 * 2 * sizes / sizes.size, 4 * (sizes**2).sum() / len(outputs)


def _make_counting(labels):
    def make(rng, dtype, m, k, n):
        # Few different values, hence ties: the first maximum counts.
        outputs = rng.integers(0, 3, (m + 1, n)).astype(dtype)
        rows = rng.permutation(2 * n)[:n]
        right = rng.integers(0, m + 1, 2 * n)
        return outputs, rows, right if labels else np.eye(m + 1, dtype=dtype)[right]

    return make


def _make_penalty(rng, dtype, m, k, n):
    weights = _normal(rng, dtype, m * k)
    weights[::3] = 0
    return 0.01, 0.003, weights


def _sgd(momentum, nesterov):
    def make(rng, dtype, m, k, n):
        hyper = np.zeros(len(Hyper))
        hyper[Hyper.LEARNING_RATE], hyper[Hyper.MOMENTUM] = dtype(0.3), dtype(momentum)
        hyper[Hyper.NESTEROV] = nesterov
        size = m * k
        velocity = _normal(rng, dtype, size if momentum else 0)
        return _normal(rng, dtype, size), _normal(rng, dtype, size), velocity, hyper

    return make


def _bound_sgd(params, gradient, velocity, hyper):
    speed = np.abs(velocity) if velocity.size else 0
    return 4 * (np.abs(params) + np.abs(gradient) + speed), 4 * (np.abs(gradient) + speed)


def _record_step(momentum, nesterov):
    def make(rng, dtype, m, k, n):
        return *_sgd(momentum, nesterov)(rng, dtype, m, k, n), np.full(len(Telemetry), np.nan)

    return make


def _slopes(kind, rows):
    def make(rng, dtype, m, k, n):
        x = 3 * _normal(rng, dtype, m * n)
        x[: m * n // 2] -= dtype(20)
        y = np.empty_like(x)
        reference.activation_forward(kind, dtype(0.1), x, y)
        return kind, dtype(0.1), x, y, n, rows, np.empty_like(x), np.full(len(Telemetry), np.nan)

    return make


def _figures(*names):
    """Bounds for a record: of sums in float64, far below the epsilon of the data."""
    bounds = np.zeros(len(Telemetry))
    bounds[list(names)] = 64
    return lambda *arguments: (bounds,)


def _dropout(rate, key, step):
    def make(rng, dtype, m, k, n):
        return key, step, rate, _unset(dtype, m * n)

    return make


_NN, _NN_TRANSPOSED, _NT = _product(), _product(transpose_a=True), _product(transpose_b=True)

OPERATIONS = [
    Operation("matmul_nn", *_NN, (3,)),
    Operation("matmul_nn", *_NN_TRANSPOSED, (3,), "with a transposed"),
    Operation("matmul_nt", *_NT, (3,)),
    Operation("dense_forward", *_dense_forward(), (3,)),
    Operation("dense_forward", *_dense_forward(bias=False), (3,), "without bias"),
    Operation("dense_forward_rows", *_dense_forward(rows=True), (3,)),
    Operation("dense_forward_rows", *_dense_forward(rows=True, bias=False), (3,), "without bias"),
    Operation(
        "dense_input_gradient",
        lambda rng, dtype, m, k, n: (
            _normal(rng, dtype, m, k), _normal(rng, dtype, m, n), _normal(rng, dtype, k, n)
        ),
        lambda weights, dy, dx: _magnitude_of_product(weights.T, dy, 1, 0),
        (2,),
    ),
    Operation("dense_weight_update", *_dense_weights(update=True), (3,)),
    Operation("dense_weight_update_rows", *_dense_weights(rows=True, update=True), (3,)),
    Operation("dense_weight_gradient", *_dense_weights(), (2,)),
    Operation("dense_weight_gradient_rows", *_dense_weights(rows=True), (2,)),
    Operation(
        "dense_bias_update",
        lambda rng, dtype, m, k, n: (
            _normal(rng, dtype, m, n), dtype(-0.2), _normal(rng, dtype, m)
        ),
        lambda dy, scale, bias: (np.abs(bias) + (dy.shape[1] + 2) * np.abs(dy).sum(axis=1),),
        (2,),
    ),
    Operation(
        "dense_bias_gradient",
        lambda rng, dtype, m, k, n: (_normal(rng, dtype, m, n), _normal(rng, dtype, m)),
        lambda dy, dbias: (dy.shape[1] * np.abs(dy).sum(axis=1),),
        (1,),
    ),
    Operation(
        "dense_bias_gradient",
        lambda rng, dtype, m, k, n: (_normal(rng, dtype, m, n), _normal(rng, dtype, 0)),
        lambda dy, dbias: (dbias,),
        (1,),
        "without bias",
    ),
    Operation(
        "softmax_forward",
        lambda rng, dtype, m, k, n: (4 * _normal(rng, dtype, m, n), *_scratch(dtype, m, n)),
        lambda x, scratch, y: _softmax_bounds(x),
        (1, 2),
    ),
    Operation(
        "softmax_backward",
        lambda rng, dtype, m, k, n: (
            rng.dirichlet(np.ones(m), n).T.astype(dtype, order="C"), _normal(rng, dtype, m, n),
            *_scratch(dtype, m, n),
        ),
        lambda y, dy, scratch, dx: (
            (len(y) + 3) * y * (np.abs(dy) + (np.abs(dy) * y).sum(axis=0)),
        ),
        (3,),
    ),
    Operation("softmax_crossentropy_labels", *_crossentropy(labels=True), (3, 4)),
    Operation("softmax_crossentropy_targets", *_crossentropy(labels=False), (3, 4)),
    Operation("mean_squared_error", _make_mse, _bound_mse, (3,)),
    Operation("count_correct_labels", _make_counting(labels=True), lambda *_: (0,)),
    Operation("count_correct_targets", _make_counting(labels=False), lambda *_: (0,)),
    Operation(
        "sgd_step", _sgd(0.0, False), lambda *arguments: _bound_sgd(*arguments)[:1], (0,), "plain"
    ),
    Operation("sgd_step", _sgd(0.9, False), _bound_sgd, (0, 2), "with momentum"),
    Operation("sgd_step", _sgd(0.9, True), _bound_sgd, (0, 2), "with Nesterov's momentum"),
    Operation(
        "penalty", _make_penalty,
        lambda l1, l2, w: (w.size * (l1 * np.abs(w) + l2 * w**2).sum(),),
    ),
    Operation(
        "penalty_gradient",
        lambda rng, dtype, m, k, n: (
            dtype(0.01), dtype(0.003), _make_penalty(rng, dtype, m, k, n)[2],
            _normal(rng, dtype, m * k),
        ),
        lambda l1, l2, w, gradient: (np.abs(gradient) + 4 * (l1 + 2 * l2 * np.abs(w)),),
        (3,),
    ),
    Operation(
        "penalty_update",
        lambda rng, dtype, m, k, n: (
            dtype(0.01), dtype(0.003), dtype(0.5), _make_penalty(rng, dtype, m, k, n)[2]
        ),
        lambda l1, l2, rate, w: (np.abs(w) + 4 * rate * (l1 + 2 * l2 * np.abs(w)) * (w != 0),),
        (3,),
    ),
    *(
        Operation(
            "gather_bytes" if of_bytes else "gather_reals",
            lambda rng, dtype, m, k, n, of_bytes=of_bytes: (
                rng.integers(0, 256, (3 * n, k)).astype(np.uint8) if of_bytes
                else _normal(rng, dtype, 3 * n, k),
                rng.integers(0, 3 * n, n), dtype(1 / 255), dtype(-0.5), _unset(dtype, n, k),
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
            dtype(0.3), dtype(-2), _normal(rng, dtype, m * n), _unset(dtype, m * n)
        ),
        lambda scale, offset, x, y: (2 * (np.abs(x) * scale + abs(offset)),),
        (3,),
    ),
    Operation(
        "multiply",
        lambda rng, dtype, m, k, n: (
            _normal(rng, dtype, m * n), _normal(rng, dtype, m * n), _unset(dtype, m * n)
        ),
        lambda x, mask, y: (np.abs(x * mask),),
        (2,),
    ),
    Operation(
        "transpose",
        lambda rng, dtype, m, k, n: (_normal(rng, dtype, n, m), _unset(dtype, m, n)),
        lambda x, y: (0,),
        (1,),
    ),
    *(
        Operation(
            "dropout_mask", _dropout(rate, key, step),
            lambda key, step, rate, mask: (1 / (1 - rate),), (3,), f"rate {rate} step {step}",
        )
        for rate, key, step in [(0.0, 1, 0), (0.25, 2**62 + 5, 7), (0.5, -3, 2**33), (0.99, 0, 1)]
    ),
    Operation(
        "record_values",
        lambda rng, dtype, m, k, n: (
            _normal(rng, dtype, m * n) + dtype(3), np.full(len(Telemetry), np.nan)
        ),
        _figures(Telemetry.MEAN, Telemetry.STD),
        (1,),
    ),
    *(
        Operation(
            "record_slopes", _slopes(kind, rows), _figures(), (7,),
            f"{kind.name} {'rows' if rows else 'columns'}",
        )
        for kind in (Activation.TANH, Activation.RELU)
        for rows in (0, 1)
    ),
    *(
        Operation(
            "record_step", _record_step(momentum, nesterov),
            _figures(Telemetry.GRADIENT_NORM, Telemetry.UPDATE_RATIO), (4,),
            f"momentum {momentum}{' nesterov' if nesterov else ''}",
        )
        for momentum, nesterov in [(0.0, False), (0.9, False), (0.9, True)]
    ),
]  # fmt: skip
