"""Losses and metrics of arrays that come from elsewhere: what they refuse, and own ones."""

import copy

import numpy as np
import pytest

from fastmlp import Sequential, layers, losses, metrics

X = np.zeros((3, 2))


class Fourth(losses.Loss):
    def call(self, y_true, y_pred):
        return ((y_pred - y_true) ** 4).mean(axis=1)

    def gradient(self, y_true, y_pred):
        return 2 * (y_pred - y_true) ** 3


def test_shapes_of_losses():
    mse = losses.mean_squared_error
    assert mse([0, 1], [1, 1]) == 0.5  # one sample
    assert mse([0, 1], [[1], [1]]).tolist() == [1, 0]
    assert mse(X, X.astype(np.float32)).dtype == np.float32
    assert losses.sparse_categorical_crossentropy([[0], [1], [0]], X + 0.5).shape == (3,)
    assert Fourth()(X, X + 2) == 16
    assert Fourth(reduction="sum")(X, X + 2, sample_weight=[1, 0, 2]) == 48
    assert losses.MeanSquaredError()(X, X + 1, sample_weight=2.0) == 2
    assert losses.MeanSquaredError()(X, X + 1, sample_weight=[[1], [2], [3]]) == 2


def test_what_losses_refuse():
    for wrong, text in [
        ((X, X[:2]), r"^y_true: expected shape \(2, 2\), got \(3, 2\)"),
        ((X[:, 0], X), r"^y_true: expected shape \(3, 2\), got \(3,\)"),
        ((X, X[:0]), "^y_pred: expected outputs"),
        ((1, 1), "^y_pred: expected outputs"),
    ]:
        with pytest.raises(ValueError, match=text):
            losses.mean_squared_error(*wrong)
    with pytest.raises(ValueError, match="^y_true: expected labels from 0 to 1"):
        losses.sparse_categorical_crossentropy([0, 1, 2], X + 0.5)
    with pytest.raises(ValueError, match="^y_true: expected -1 and 1"):
        losses.hinge(X + 3, X)
    with pytest.raises(ValueError, match="^sample_weight: expected one for each loss"):
        losses.MeanSquaredError()(X, X, sample_weight=[1, 2])
    with pytest.raises(TypeError, match="^y_pred"):
        losses.mean_squared_error(X, "a")
    with pytest.raises(AttributeError, match="write a subclass of losses.Loss"):
        _ = losses.Dice
    with pytest.raises(AttributeError, match="write a subclass of metrics.Metric"):
        _ = metrics.MeanIoU


def test_a_net_is_compiled_with_a_function():
    model = Sequential([layers.Input(2), layers.Dense(1)])
    model.compile("sgd", losses.log_cosh, metrics=[losses.mean_squared_error])
    assert model.loss == losses.LogCosh()
    with pytest.raises(TypeError, match="is a function, which has no gradient"):
        model.compile("sgd", lambda y_true, y_pred: 0)


class Worst(metrics.Metric):
    def reset_state(self):
        self._set(worst=0.0)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self._set(worst=max(self.worst, abs(y_pred - y_true).max()))

    def result(self):
        return self.worst


def test_metrics():
    accuracy = metrics.BinaryAccuracy()
    assert accuracy([[1], [0]], [[0.7], [0.8]]) == 0.5
    accuracy.update_state([1, 1], [0.7, 0.8])
    assert accuracy.result() == 0.75
    assert accuracy == metrics.BinaryAccuracy()
    other = copy.deepcopy(accuracy)
    other.reset_state()
    assert (accuracy.result(), other.result()) == (0.75, 0)
    mean = metrics.MeanMetricWrapper(lambda y_true, y_pred: abs(y_true - y_pred))
    mean.update_state(X, X + 2, sample_weight=[1, 0, 1])
    assert mean.result() == 2
    worst = Worst()
    worst.reset_state()
    assert worst(X, X - 3) == 3


def test_what_metrics_refuse():
    with pytest.raises(ValueError, match="^y_true: expected an entry for each of 3 samples"):
        metrics.Accuracy()(X[:2], X)
    with pytest.raises(ValueError, match=r"^sample_weight: expected shape \(3,\)"):
        metrics.Accuracy()(X, X, [1, 2])
    with pytest.raises(ValueError, match="needs at least two outputs"):
        metrics.CategoricalAccuracy()(X[:, :1], X[:, :1])
    precision = metrics.F1Score()
    precision.update_state(X, X)
    with pytest.raises(ValueError, match="^y_pred: expected as many outputs as in the batches"):
        precision.update_state(X[:, :1], X[:, :1])

    class Nothing(metrics.Metric):
        pass

    for use in (Nothing().result, Nothing().reset_state, lambda: Nothing()(X, X)):
        with pytest.raises(NotImplementedError, match=r"^Nothing\.\w+ is missing"):
            use()


@pytest.mark.parametrize("backend", ["numpy", "cython"])
def test_how_a_net_is_run(backend):
    model = Sequential([layers.Input(2), layers.Dense(1)], backend=backend)
    compiled = backend != "numpy"
    for right in (
        {"run_eagerly": False}, {"run_eagerly": not compiled}, {"jit_compile": compiled},
        {"jit_compile": "auto"}, {"steps_per_execution": "auto"}, {"steps_per_execution": 1},
    ):  # fmt: skip
        model.compile("adam", "mse", **right)
    model.compile(loss="mse")
    assert type(model.optimizer).__name__ == "RMSprop"
    for wrong, text in [
        ({"run_eagerly": 1}, "^run_eagerly: expected True or False"),
        ({"jit_compile": not compiled}, f"^jit_compile: expected {compiled} for the backend"),
        ({"jit_compile": "yes"}, "^jit_compile"),
        ({"steps_per_execution": 10}, "^steps_per_execution: expected 1"),
        ({"steps_per_execution": True}, "^steps_per_execution: expected 1"),
        ({"loss_weights": [2.0]}, "^loss_weights: expected None"),
        *([({"run_eagerly": True}, "^run_eagerly: expected False")] * compiled),
    ]:
        with pytest.raises((TypeError, ValueError), match=text):
            model.compile("sgd", "mse", **wrong)
    with pytest.raises(ValueError, match=r"Metrics are given by name: metrics=\[...\]$"):
        model.compile("sgd", "mse", ["accuracy"])
    assert type(model.optimizer).__name__ == "RMSprop"


def test_dropout_has_kerass_places():
    for kind in (layers.Dropout, layers.AlphaDropout):
        assert kind(0.5, None, 7).seed == 7
        with pytest.raises(ValueError, match="^noise_shape: expected None"):
            kind(0.5, 7)
