"""Bad input is refused by name, before anything changes."""

import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, fit_many, layers, losses, optimizers
from tests.api.nets import small_data, small_net

X, Y = small_data(20)
HOLE = X.copy()
HOLE[3, 2] = np.nan
HUGE = X.astype(np.float64)
HUGE[5, 0] = 1e300


def one_wrong(label):
    y = Y.copy()
    y[7] = label
    return y


FIT = {
    "x of another width": ({"x": X[:, :3]}, ValueError, r"^x: expected shape \(samples, 4\)"),
    "x without samples": ({"x": X[:0], "y": Y[:0]}, ValueError, "^x: expected at least one sample"),
    "x of text": ({"x": X.astype(str)}, TypeError, "^x: expected real numbers"),
    "x of complex": ({"x": X.astype(complex)}, TypeError, "^x: expected real numbers"),
    "x with NaN": ({"x": HOLE}, ValueError, r"^x: expected finite.*nan at \[3, 2\]"),
    "x beyond float32": ({"x": HUGE}, ValueError, r"^x: .*fit float32.*at \[5, 0\]"),
    "x ragged": ({"x": [[1, 2], [3]]}, ValueError, "^x: cannot be made an array"),
    "y too short": ({"y": Y[:-1]}, ValueError, "^y: expected one entry for each"),
    "y too large": ({"y": one_wrong(3)}, ValueError, r"^y: .*0 to 2.*got 3 at \[7\]"),
    "y negative": ({"y": one_wrong(-1)}, ValueError, r"^y: .*got -1 at \[7\]"),
    "y not integer": ({"y": Y + 0.5}, TypeError, "^y: expected integer labels"),
    "y one-hot": ({"y": np.eye(3)[Y]}, ValueError, "^y: .*categorical_crossentropy"),
    "batch_size 0": ({"batch_size": 0}, ValueError, "^batch_size: expected a positive integer"),
    "batch_size 1.5": ({"batch_size": 1.5}, ValueError, "^batch_size: "),
    "batch_size True": ({"batch_size": True}, ValueError, "^batch_size: "),
    "epochs -1": ({"epochs": -1}, ValueError, "^epochs: expected a positive integer"),
    "verbose 3": ({"verbose": 3}, ValueError, "^verbose: expected 'auto', 0, 1 or 2"),
    "validation_split 1": ({"validation_split": 1.0}, ValueError, "^validation_split: "),
    "validation_split tiny": ({"validation_split": 0.99}, ValueError, "leaves nothing"),
    "both validations": (
        {"validation_split": 0.5, "validation_data": (X, Y)}, ValueError, "^validation_split: not",
    ),
    "validation_data alone": ({"validation_data": X}, ValueError, "^validation_data: "),
    "validation x": ({"validation_data": (HOLE, Y)}, ValueError, "^validation_data x: "),
    "validation y": ({"validation_data": (X, Y - 1)}, ValueError, "^validation_data y: "),
    "telemetry": ({"telemetry": 5}, TypeError, "^telemetry: expected a fastmlp.Telemetry"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIT)
def test_fit(name):
    arguments, error, message = FIT[name]
    model = small_net(backend="numpy")
    before = model.get_weights()
    with pytest.raises(error, match=message):
        model.fit(**{"x": X, "y": Y, "verbose": 0, **arguments})
    for old, new in zip(before, model.get_weights(), strict=True):
        assert old.tobytes() == new.tobytes()
    assert model.history is None
    assert model.epochs_trained == 0


@pytest.mark.parametrize("name", ["x of another width", "x with NaN", "y too large"])
def test_fit_many_trains_none_if_one_is_wrong(name):
    arguments, error, message = FIT[name]
    models = [small_net(backend="numpy") for _ in range(2)]
    before = [model.get_weights() for model in models]
    with pytest.raises(error, match=message):
        fit_many(models, **{"x": X, "y": Y, **arguments})
    for model, weights in zip(models, before, strict=True):
        assert all(map(np.array_equal, weights, model.get_weights()))


def test_fit_many_wants_different_nets_and_some_job():
    model = small_net(backend="numpy")
    with pytest.raises(ValueError, match="^models: the same net"):
        fit_many([model, model], X, Y)
    with pytest.raises(ValueError, match="^jobs: expected a positive integer"):
        fit_many([model], X, Y, jobs=0)


def dense(units=3, *args, **options):
    return layers.Dense(units, *args, **options)


MAKING = {
    "unknown activation": (lambda: dense(3, "rleu"), ValueError, "Did you mean 'relu'"),
    "unknown initializer": (
        lambda: dense(kernel_initializer="gloro_uniform"), ValueError, "^kernel_initializer: ",
    ),
    "unknown regularizer": (
        lambda: dense(kernel_regularizer="l3"), ValueError, "^kernel_regularizer: ",
    ),
    "no units": (lambda: dense(0), ValueError, "^units: expected a positive integer"),
    "half a unit": (lambda: dense(0.5), ValueError, "^units: "),
    "not a layer": (lambda: Sequential([3]), TypeError, r"^layers\[0\]: expected a Layer, got 3"),
    "input in the middle": (
        lambda: Sequential([dense(), layers.Input((3,))]), ValueError, r"^layers\[1\]: an Input",
    ),
    "the same layer twice": (
        lambda: Sequential([layer := dense(), layer]), ValueError, "already part of a net",
    ),
    "one name twice": (
        lambda: Sequential([dense(name="a"), dense(name="a")]), ValueError, "more than one",
    ),
    "dense on images": (
        lambda: Sequential([layers.Input((2, 2)), dense()]), ValueError, r"Flatten\(\)",
    ),
    "input of nothing": (lambda: layers.Input((0,)), ValueError, "shape"),
    "unknown dtype": (lambda: Sequential(dtype="float16"), ValueError, "^dtype: 'float16'"),
    "unknown backend": (lambda: Sequential(backend="gpu"), ValueError, "^backend: 'gpu'"),
    "negative seed": (lambda: Sequential(seed=-1), ValueError, "^seed: "),
    "learning rate 0": (lambda: optimizers.SGD(0.0), ValueError, "^learning_rate: "),
    "learning rate NaN": (lambda: optimizers.SGD(float("nan")), ValueError, "^learning_rate: "),
    "momentum 1": (lambda: optimizers.SGD(0.1, momentum=1.0), ValueError, "^momentum: "),
    "nesterov alone": (lambda: optimizers.SGD(nesterov=True), ValueError, "^nesterov: "),
    "telemetry never": (lambda: Telemetry(0), ValueError, "^every: "),
}  # fmt: skip


@pytest.mark.parametrize("name", MAKING)
def test_making(name):
    make, error, message = MAKING[name]
    with pytest.raises(error, match=message):
        make()


COMPILING = {
    "no loss": ({}, ValueError, "^loss: "),
    "unknown loss": ({"loss": "mse2"}, ValueError, "^loss: 'mse2' is unknown"),
    "unknown optimizer": (
        {"optimizer": "adan", "loss": "mean_squared_error"}, ValueError, "^optimizer: 'adan'",
    ),
    "metrics as a word": (
        {"loss": "mean_squared_error", "metrics": "accuracy"}, TypeError, "^metrics: expected",
    ),
    "unknown metric": (
        {"loss": "mean_squared_error", "metrics": ["f1"]}, ValueError, "^metrics: 'f1'",
    ),
    "logits after softmax": (
        {"loss": losses.SparseCategoricalCrossentropy(from_logits=True)}, ValueError, "softmax",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPILING)
def test_compiling_leaves_the_old_choice(name):
    arguments, error, message = COMPILING[name]
    model = small_net(backend="numpy")
    loss, optimizer = model.loss, model.optimizer
    with pytest.raises(error, match=message):
        model.compile(**arguments)
    assert model.loss is loss
    assert model.optimizer is optimizer


def test_what_needs_compile_says_so():
    model = Sequential([layers.Input((4,)), dense()], backend="numpy")
    for call in (model.fit, model.evaluate, model.loss_and_gradient):
        with pytest.raises(RuntimeError, match="call compile"):
            call(X, Y)


def test_weights_that_do_not_fit():
    model = small_net(backend="numpy")
    weights = model.get_weights()
    wrong = {
        "expected 4 arrays, got 3": weights[:3],
        r"weights\[0\] \(hidden/kernel\): expected shape \(4, 5\)": [weights[0].T, *weights[1:]],
        r"weights\[3\]: expected finite": [*weights[:3], np.full(3, np.nan)],
    }
    for message, given in wrong.items():
        with pytest.raises(ValueError, match=message):
            model.set_weights(given)
        assert all(map(np.array_equal, weights, model.get_weights()))


def test_predict_and_evaluate_check_their_data():
    model = small_net(backend="numpy")
    with pytest.raises(ValueError, match=r"^x: "):
        model.predict(HOLE)
    with pytest.raises(ValueError, match=r"^y: "):
        model.evaluate(X, Y + 1)
