"""Layers, optimizers and the like that cannot be made, and those that do not fit together."""

import numpy as np
import pytest

from fastmlp import (
    Sequential,
    activations,
    backends,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from fastmlp.layers import Activation, Dense, Dropout, Flatten, Input, Rescaling

NAN, INF = float("nan"), float("inf")
HUGE, MONSTER = 10**400, 10**5000  # no float is so large, and Python does not print the second

ARGUMENTS = [
    *[(lambda v=v: Dense(v), ValueError, "units: expected a positive integer")
      for v in (0, -1, 2.0, True, "3", None, 2**62 + 1, HUGE, MONSTER, np.bool_(1))],
    (lambda: Dense(3, "rellu"), ValueError, "activation: 'rellu' is unknown.* Did you mean 'relu'"),
    (lambda: Dense(3, 5), TypeError, "activation: expected one of .*got 5"),
    (lambda: Dense(3, kernel_initializer="he"), ValueError, "kernel_initializer: 'he' is unknown"),
    (lambda: Dense(3, bias_initializer=0), TypeError, "bias_initializer: expected one of"),
    (lambda: Dense(3, kernel_regularizer="l3"), ValueError, "kernel_regularizer: 'l3' is unknown"),
    (lambda: Dense(3, bias_regularizer=0.1), TypeError, "bias_regularizer: expected one of"),
    (lambda: Dense(3, name=7), TypeError, "name: expected a string, got 7"),
    *[(lambda v=v: Dropout(v), ValueError, "rate: expected a number in")
      for v in (1.0, 1, -0.1, NAN, INF, True, "0.5", None, HUGE, np.float32(1))],
    *[(lambda v=v: Dropout(0.5, seed=v), ValueError, "seed: expected a non-negative integer")
      for v in (-1, 0.5, True, "1", -HUGE, np.int64(-1))],
    *[(lambda v=v: Rescaling(v), ValueError, "scale: expected a finite number")
      for v in (NAN, INF, "1", None, True, HUGE, MONSTER, np.float32("inf"))],
    (lambda: Rescaling(1.0, NAN), ValueError, "offset: expected a finite number"),
    (lambda: Input(()), ValueError, r"^shape: expected a tuple of positive integers, got \(\)"),
    (lambda: Input((3, 0)), ValueError, r"^shape\[1\]: expected a positive integer, got 0"),
    *[(lambda v=v: Input(v), ValueError, r"^shape\[0\]: expected a positive integer")
      for v in ((0,), (-1,), (2.5,), (None,), "ab", None, True, (2**63,), HUGE, MONSTER)],
    (lambda: Activation("softmix"), ValueError, "activation: 'softmix' is unknown"),
    *[(lambda v=v: activations.LeakyReLU(v), ValueError, "negative_slope: expected a finite number")
      for v in (NAN, "x", None, HUGE, True)],
    (lambda: activations.leaky_relu("x"), TypeError, "^x: expected real numbers"),
    (lambda: activations.leaky_relu(1.0, "x"), ValueError, "^negative_slope: expected a finite"),
    (lambda: Dense(3, activations.leaky_relu(-1.0)), TypeError, r"activations.LeakyReLU\(neg"),
    (lambda: Dense(3, activations.LeakyReLU), TypeError, "^activation: expected one of"),
    (lambda: Dense(3, use_bias=1), TypeError, "^use_bias: expected True or False, got 1"),
    *[(lambda v=v: optimizers.SGD(0.1, 0.9, v), TypeError, "^nesterov: expected True or False")
      for v in (None, 1, "yes")],
    (lambda: losses.SparseCategoricalCrossentropy("yes"), TypeError, "^from_logits: expected"),
    *[(lambda v=v: losses.Huber(v), ValueError, "^delta: expected a positive number, got")
      for v in (0, -1.0, NAN, INF, "1", True)],
    (losses.Loss, TypeError, "^loss: expected one of the classes of fastmlp.losses"),
    (metrics.Metric, TypeError, "^metrics: expected a class of fastmlp.metrics"),
    (lambda: metrics.MeanSquaredError(5), TypeError, "^name: expected a string, got 5"),
    *[(lambda v=v: metrics.BinaryAccuracy(threshold=v), ValueError, "^threshold: expected a fin")
      for v in (NAN, INF, None, "0.5")],
    *[(lambda v=v: metrics.MeanSquaredError(v), ValueError, "^name: expected none that the hist")
      for v in ("loss", "val_loss", "data_loss")],
    (lambda: losses.BinaryCrossentropy(1), TypeError, "^from_logits: expected True or False"),
    *[(lambda v=v: losses.get(v), ValueError, f"^loss: '{v}' is unknown; expected [^?]*$")
      for v in ("tversky", "circle", "dice")],
    (lambda: activations.ELU(INF), ValueError, "alpha: expected a finite number"),
    *[(lambda v=v: optimizers.SGD(v), ValueError, "learning_rate: expected a finite number")
      for v in (-0.1, NAN, INF, "0.1", None, 1j, True, HUGE, np.float64(-1), np.bool_(1))],
    *[(lambda v=v: optimizers.SGD(0.1, v), ValueError, "momentum: expected a number in")
      for v in (1.0, -0.1, NAN, "0.9", None, False, HUGE)],
    (lambda: optimizers.SGD(0.1, nesterov=True), ValueError, "nesterov: .*needs a momentum"),
    *[(lambda v=v: regularizers.L1(v), ValueError, "l1: expected a finite number")
      for v in (-1, NAN, INF, "1", True, HUGE, MONSTER)],
    (lambda: regularizers.L2(-0.1), ValueError, "l2: expected a finite number"),
    (lambda: Sequential(seed=-1), ValueError, "seed: expected a non-negative integer"),
    (lambda: Sequential(seed=1.5), ValueError, "seed: expected a non-negative integer"),
    (lambda: Sequential(dtype="float16"), ValueError, "dtype: 'float16' is unknown"),
    (lambda: Sequential(dtype=np.float32), TypeError, "dtype: expected one of"),
    (lambda: Sequential(backend="cuda"), ValueError, "backend: 'cuda' is unknown"),
    (lambda: backends.use("nunba"), ValueError, "name: 'nunba' is unknown.*'numba'"),
    (lambda: Sequential([Dense(3), 5]), TypeError, r"layers\[1\]: expected a Layer, got 5"),
    (lambda: Sequential([Dense]), TypeError, r"layers\[0\]: expected a Layer"),
    *[(lambda v=v: Sequential(v), TypeError, "^layers: expected a list of layers, got")
      for v in (None, 5, Dense(3), "dense")],
    (lambda: Sequential([Dense(3), Input((2,))]), ValueError, r"layers\[1\]: an Input can only be"),
    (lambda: Sequential([Dense(3, name="a"), Dense(3, name="a")]), ValueError, "is named 'a'"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), ARGUMENTS)
def test_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def misfits():
    return {
        "image into dense": (
            [Input((3, 4)), Dense(2)],
            r"layers\[1\] \('dense'\): .*\(features,\), got \(3, 4\); put a Flatten",
        ),
        "image into softmax": (
            [Input((3, 4)), Activation("softmax")],
            r"layers\[1\] \('activation'\): softmax expects .*got \(3, 4\); put a Flatten",
        ),
        "later": (
            [Input((3, 4)), Activation("relu"), Rescaling(2.0), Dense(2, name="mine")],
            r"layers\[3\] \('mine'\)",
        ),
    }


@pytest.mark.parametrize("case", misfits())
def test_layers_that_do_not_fit_together(case):
    stack, message = misfits()[case]
    with pytest.raises(ValueError, match=message):
        Sequential(stack)
    for layer in stack:
        assert layer.weights == {}  # free to be used in another net


def test_a_layer_that_is_refused_leaves_the_net_as_it_was():
    model = Sequential([Input((3, 4)), Activation("relu")], seed=0)
    names, shape = [layer.name for layer in model.layers], model.predict(np.ones((1, 3, 4))).shape
    for bad, error in [(Dense(2), ValueError), (5, TypeError), (Input((2,)), ValueError)]:
        with pytest.raises(error):
            model.add(bad)
        assert [layer.name for layer in model.layers] == names
        assert model.predict(np.ones((1, 3, 4))).shape == shape
    model.add(Flatten())
    model.add(Dense(2))
    assert model.count_params() == 26


def test_a_layer_belongs_to_one_net_and_one_place():
    shared = Dense(3)
    first = Sequential([Input((2,)), shared])
    with pytest.raises(ValueError, match="already part of a net"):
        Sequential([Input((2,)), shared])
    with pytest.raises(ValueError, match="already part of a net"):
        first.add(shared)
    twice = Dense(3)
    with pytest.raises(ValueError, match=r"layers\[1\]: .*already part of a net"):
        Sequential([twice, twice])
    early, late = Sequential([twice]), Sequential([twice])
    outputs = early.predict(np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"layers\[0\]: .*already part of a net"):
        late.predict(np.ones((1, 2)))
    np.testing.assert_array_equal(early.predict(np.ones((1, 2))), outputs)


def test_samples_of_another_shape_than_the_input_says():
    model = Sequential([Input((2, 3)), Flatten(), layers.Dense(2)])
    with pytest.raises(ValueError, match=r"x: expected shape \(samples, 2, 3\), got \(5, 6\)"):
        model.predict(np.zeros((5, 6)))


def test_a_net_without_layers():
    with pytest.raises(ValueError, match="layers: the net has none"):
        Sequential().predict(np.zeros((5, 6)))


def test_numbers_of_an_optimizer_are_checked_when_they_are_used():
    model = Sequential([Input((2,)), Dense(3, "softmax")], seed=0)
    optimizer = optimizers.SGD(0.1)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    optimizer.learning_rate = -1.0
    before = model.params.copy()
    with pytest.raises(ValueError, match="learning_rate: expected a finite number .*, got -1"):
        model.fit(np.zeros((4, 2)), [0, 1, 2, 0], verbose=0)
    np.testing.assert_array_equal(model.params, before)
