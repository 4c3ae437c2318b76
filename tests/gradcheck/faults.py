"""Faults to plant in backpropagation, each with what a gradient check should say about it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fastmlp import Sequential, layers, losses, regularizers
from fastmlp.kernels import reference
from fastmlp.kernels.contract import Column, Op
from fastmlp.kernels.walk.rows import Walk

BATCH = 8
UNITS = {"first": 6, "second": 5, "third": 4, "output": 3}
TENSORS = [f"{layer}/{tensor}" for layer in UNITS for tensor in ("kernel", "bias")]
KERNELS = [name for name in TENSORS if name.endswith("kernel")]
BIASES = [name for name in TENSORS if name.endswith("bias")]
PENALIZED = ["second/kernel", "output/kernel"]


def classifier():
    """3-6-5-4-3 with dropout and penalties, on the backend whose kernels can be replaced."""
    model = Sequential(
        [
            layers.Input((3,)),
            layers.Dense(6, "sigmoid", name="first"),
            layers.Dense(5, "tanh", name="second", kernel_regularizer=regularizers.L2(0.03)),
            layers.Dropout(0.3),
            layers.Dense(4, "softplus", name="third"),
            layers.Dense(
                3, "softmax", name="output", kernel_regularizer=regularizers.L1L2(0.02, 0.01)
            ),
        ],
        seed=0,
        dtype="float64",
        backend="numpy",
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def regressor():
    """The same layers without penalties and dropout, with a softmax under a squared error."""
    model = Sequential(
        [
            layers.Input((3,)),
            layers.Dense(6, "sigmoid", name="first"),
            layers.Dense(5, "tanh", name="second"),
            layers.Dense(4, "softplus", name="third"),
            layers.Dense(3, "softmax", name="output"),
        ],
        seed=0,
        dtype="float64",
        backend="numpy",
    )
    model.compile("sgd", losses.MeanSquaredError())
    return model


def batch(model, seed=0):
    rng = np.random.default_rng(seed)
    x, labels = rng.normal(size=(BATCH, 3)), rng.integers(0, 3, BATCH)
    return (x, labels) if model.loss.sparse else (x, rng.random((BATCH, 3)))


@dataclass(frozen=True)
class Fault:
    """``plant(monkeypatch)`` makes the tensors ``wrong``, and no others."""

    plant: Callable
    wrong: list[str]
    location: str  # a pattern
    findings: dict[str, str] = field(default_factory=dict)  # patterns, where one is claimed
    model: Callable = classifier


def after(name, change, units=None):
    """Let ``change`` spoil what the kernel ``name`` has computed, in the layer of that width."""

    def plant(monkeypatch):
        kernel = getattr(reference, name)

        def faulty(*arrays):
            value = kernel(*arrays)
            if units is None or len(arrays[-1]) == units:
                change(*arrays)
            return value

        monkeypatch.setattr(reference, name, faulty)

    return plant


def instead(name, kernel):
    return lambda monkeypatch: monkeypatch.setattr(reference, name, kernel)


def of_kernel(layer, change):
    """Spoil the gradient of one kernel, which is (units, inputs) here."""
    name = "dense_weight_gradient_rows" if layer == "first" else "dense_weight_gradient"
    return after(name, change, UNITS[layer])


def of_bias(layer, change):
    return after("dense_bias_gradient", change, UNITS[layer])


def of_activation(kind, slope):
    """Let the derivative of one activation be ``slope(x, y)``."""

    def change(row_kind, alpha, x, y, dy, dx):
        if row_kind == kind:
            dx[:] = dy * slope(x, y)

    return after("activation_backward", change)


def transpose(x, dy, dweights):
    dweights[:] = dweights.T.reshape(dweights.shape)


def use_first_sample_only(x, dy, dweights):
    dweights[:] = dy[:, :1] @ x[:, :1].T


def all_kernels_twice(monkeypatch):
    for layer in UNITS:
        of_kernel(layer, multiply_last(2))(monkeypatch)


def leave_as_in_an_earlier_batch(monkeypatch):
    earlier = []
    kernel = reference.dense_weight_gradient_rows

    def remember(x, dy, scale, dweights):
        kernel(x, dy, scale, dweights)
        earlier.append(dweights.copy())

    monkeypatch.setattr(reference, "dense_weight_gradient_rows", remember)
    model = classifier()
    model.loss_and_gradient(*batch(model, seed=1))

    def stale(x, dy, scale, dweights):
        dweights[:] = earlier[0]

    monkeypatch.setattr(reference, "dense_weight_gradient_rows", stale)


def forget_the_mask(monkeypatch):
    backward_row = Walk.backward_row

    def faulty(self, r, n):
        backward_row(self, r, n)
        if self.net.table[r, Column.OP] == Op.DROPOUT:
            (dx, dy) = self.ends(self.memory.deltas, self.net.table[r], n)
            dx[:] = dy

    monkeypatch.setattr(Walk, "backward_row", faulty)


def forget_the_one_hot(kind, reduction, logits, rows, labels, *rest):
    rest[-1][np.asarray(labels)[rows], np.arange(rows.size)] += 1 / rows.size


def no_batch_mean(kind, reduction, logits, rows, *rest):
    rest[-1][...] *= rows.size


def halve_the_penalty(l1, l2, step, first, weights, gradient):
    gradient += (l1 * np.sign(weights) + 2 * l2 * weights) / 2


def leave_out_l1(l1, l2, step, first, weights, gradient):
    gradient += 2 * l2 * weights


def penalty_over_batch(l1, l2, step, first, weights, gradient):
    gradient += (l1 * np.sign(weights) + 2 * l2 * weights) / BATCH


def subtract_the_penalty(l1, l2, step, first, weights, gradient):
    gradient -= l1 * np.sign(weights) + 2 * l2 * weights


def multiply_last(factor):
    def change(*arrays):
        arrays[-1][:] *= factor

    return change


def zero_last(*arrays):
    arrays[-1][:] = 0


def roll_units(*arrays):
    arrays[-1][:] = np.roll(arrays[-1], 1, axis=0)


def lose_a_unit(x, dy, dweights):
    dweights[2] = 0


def put_nan(dy, dbias):
    dbias[0] = np.nan


def diagonal_only(y, dy, scratch, dx):
    dx[:] = dy * y * (1 - y)


BESIDE = r" \(beside the penalty's gradient, which is right\)$"
OWN = "the gradient that arrives there is right, so look at how the layer computes its own$"


def everywhere(finding):
    """The finding at each tensor; where there is a penalty, at the data's part of it."""
    return {name: f"^{finding}" + (BESIDE if name in PENALIZED else "$") for name in TENSORS}


def listed(names):
    """As the report has them: from the top of the net down."""
    by_layer = sorted(names, key=lambda name: -list(UNITS).index(name.split("/")[0]))
    return " and ".join([", ".join(by_layer[:-1]), by_layer[-1]]) if names[1:] else names[0]


def own(*names):
    return f"^in {listed(names)}: {OWN}"


def down_from(layer, *suspects):
    return rf"^from {layer} downwards.*: look at {' and '.join(suspects)}$"


LOSS = "the backward pass of sparse_categorical_crossentropy"
