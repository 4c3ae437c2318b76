"""Losses and metrics of one's own, in Python."""

import numpy as np
import pytest

from fastmlp import Sequential, check_gradients, layers, load_model, losses, metrics
from fastmlp.layers import Dense
from tests.backends import ALL

from .nets import Scale, data, flat, net, targets

X, LABELS = data(41)
Y = targets(41)
WEIGHTS = np.random.default_rng(3).random(41)
each = pytest.mark.parametrize("backend", ALL)


class Squares(losses.Loss):
    """The mean squared error, in Python."""

    def call(self, y_true, y_pred):
        return ((y_pred - y_true) ** 2).mean(axis=1)

    def gradient(self, y_true, y_pred):
        return 2 * (y_pred - y_true) / y_true.shape[1]


class Power(losses.Loss):
    """A power of errors, which is an argument."""

    name = "power"

    def __init__(self, exponent=4, reduction="sum_over_batch_size"):
        super().__init__(reduction=reduction)
        self.exponent = exponent

    def call(self, y_true, y_pred):
        return ((y_pred - y_true) ** self.exponent).mean(axis=1)

    def gradient(self, y_true, y_pred):
        return self.exponent * (y_pred - y_true) ** (self.exponent - 1) / y_true.shape[1]


class Wrong(Squares):
    """A gradient that is wrong by a factor."""

    def gradient(self, y_true, y_pred):
        return super().gradient(y_true, y_pred) / 2


class OfLabels(losses.Loss):
    """Cross-entropy of logits, with labels."""

    sparse = True

    def call(self, y_true, y_pred):
        assert y_true.dtype == np.int64
        return np.log(np.exp(y_pred).sum(axis=1)) - y_pred[np.arange(len(y_true)), y_true]

    def gradient(self, y_true, y_pred):
        p = np.exp(y_pred) / np.exp(y_pred).sum(axis=1, keepdims=True)
        return p - np.eye(y_pred.shape[1])[y_true]


class Worst(metrics.Metric):
    """The largest error of all, and how many batches there were."""

    better = "min"

    def reset_state(self):
        self.worst, self.seen = 0.0, 0

    def update_state(self, y_true, y_pred, sample_weight=None):
        errors = np.abs(y_true - y_pred).max(axis=1)
        self.worst = max(
            self.worst, (errors * (1 if sample_weight is None else sample_weight)).max()
        )
        self.seen += 1

    def result(self):
        return self.worst


def sizes(y_true, y_pred):
    return np.abs(y_true - y_pred)


@each
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_a_loss_in_python_trains_like_the_one_in_the_kernels(reduction, backend):
    chosen = [Squares(reduction=reduction), losses.MeanSquaredError(reduction=reduction)]
    models = [
        net(Dense(7, "tanh"), loss=loss, last="tanh", metrics=["mse"], backend=backend)
        for loss in chosen
    ]
    rate = 0.01 if reduction == "sum" else 0.1
    for model in models:
        model.optimizer.learning_rate = rate
    histories = [model.fit(X, Y, 8, 3, 0, sample_weight=WEIGHTS).history for model in models]
    for name, values in histories[0].items():
        assert values == pytest.approx(histories[1][name], rel=1e-10)
    np.testing.assert_allclose(flat(models[0]), flat(models[1]), rtol=1e-9)
    assert models[0].evaluate(X, Y) == pytest.approx(models[1].evaluate(X, Y), rel=1e-10)


@each
def test_labels_are_integers(backend):
    models = [
        net(Dense(7, "tanh"), loss=loss, last=None, backend=backend)
        for loss in (OfLabels(), losses.SparseCategoricalCrossentropy(from_logits=True))
    ]
    first, second = (model.fit(X, LABELS, 8, 2, 0).history for model in models)
    assert first["loss"] == pytest.approx(second["loss"], rel=1e-10)
    assert first["accuracy"] == second["accuracy"]


@each
def test_its_gradient_is_checked(backend):
    model = net(Dense(7, "tanh"), loss=Power(), last=None, metrics=(), backend=backend)
    report = check_gradients(model, X, Y, sample_weight=WEIGHTS, tolerance=1e-8)
    assert report.passed, report
    wrong = net(Dense(7, "tanh"), loss=Wrong(), last=None, metrics=(), backend=backend)
    assert check_gradients(wrong, X, Y).verdict == "failed"


def test_it_goes_with_a_layer_in_python_and_with_saving(tmp_path):
    model = net(Dense(7, "tanh"), Scale(), loss=Power(6), last="tanh", metrics=())
    model.fit(X, Y, 8, 1, 0)
    custom = {"Power": Power, "Scale": Scale, "Worst": Worst}
    plain = net(Dense(7, "tanh"), loss=Power(6), last="tanh", metrics=[Worst()])
    plain.fit(X, Y, 8, 1, 0)
    plain.save(tmp_path / "net.safetensors")
    loaded = load_model(tmp_path / "net.safetensors", custom)
    assert loaded.loss.exponent == 6
    assert loaded.evaluate(X, Y) == plain.evaluate(X, Y)


def test_what_a_loss_in_python_may_return():
    class Sum(Squares):
        def call(self, y_true, y_pred):
            return super().call(y_true, y_pred).sum()

    class Flat(Squares):
        def gradient(self, y_true, y_pred):
            return np.zeros(len(y_true))

    class Writes(Squares):
        def call(self, y_true, y_pred):
            y_pred[...] = 0

    for loss, message in [
        (Sum(), r"\.call: expected a loss for each sample of shape \(8,\), got \(\)"),
        (Flat(), r"\.gradient: expected the slopes of losses of shape \(8, 4\), got \(8,\)"),
        (Writes(), "read-only"),
    ]:
        model = net(Dense(7, "tanh"), loss=loss, last=None, metrics=())
        before = flat(model)
        with pytest.raises(ValueError, match=message):
            model.fit(X, Y, 8, 1, 0)
        np.testing.assert_array_equal(flat(model), before)


def test_evaluation_asks_for_no_gradient():
    class NoSlopes(Squares):
        def gradient(self, y_true, y_pred):
            raise AssertionError

    model = net(Dense(7, "tanh"), loss=NoSlopes(), last=None, metrics=())
    plain = net(Dense(7, "tanh"), loss="mse", last=None, metrics=())
    assert model.evaluate(X, Y) == pytest.approx(plain.evaluate(X, Y), rel=1e-12)


def test_what_is_no_loss_is_refused():
    class Half(losses.Loss):
        def call(self, y_true, y_pred):
            return y_pred.sum(axis=1)

    with pytest.raises(TypeError, match=r"^loss: .* Half has no gradient$"):
        Half()
    with pytest.raises(TypeError, match=r"^loss: .* Loss has no call$"):
        losses.Loss()
    model = Sequential([layers.Input(3), Dense(2)])
    with pytest.raises(TypeError, match=r"^loss: .* is a function, which has no gradient"):
        model.compile("sgd", sizes)


@each
def test_metrics_in_python(backend):
    worst = Worst()
    model = net(Dense(7, "tanh"), loss="mse", last="tanh", metrics=(), backend=backend)
    model.compile(
        "sgd", "mse", metrics=[worst, sizes, "mae"], weighted_metrics=[Worst("weighted"), sizes]
    )
    figures = model.evaluate(X, Y, 16, sample_weight=WEIGHTS, return_dict=True)
    assert list(figures) == ["loss", "worst", "sizes", "mae", "weighted", "weighted_sizes"]
    assert worst.seen == 3
    errors = np.abs(model.predict(X) - Y)
    assert figures["worst"] == pytest.approx(errors.max())
    assert figures["weighted"] == pytest.approx((errors.max(axis=1) * WEIGHTS).max())
    assert figures["sizes"] == pytest.approx(errors.mean())
    assert figures["mae"] == pytest.approx(errors.mean())
    expected = np.average(errors.mean(axis=1), weights=WEIGHTS)
    assert figures["weighted_sizes"] == pytest.approx(expected)
    history = model.fit(X, Y, 16, 2, 0, validation_data=(X, Y)).history
    assert history["val_worst"][-1] == pytest.approx(
        model.evaluate(X, Y, return_dict=True)["worst"]
    )
    assert worst.seen == 1


def test_a_metric_in_python_changes_no_training():
    models = [net(Dense(7, "tanh"), loss="mse", last="tanh", metrics=m) for m in ([], [Worst()])]
    for model in models:
        model.fit(X, Y, 8, 2, 0)
    np.testing.assert_allclose(flat(models[0]), flat(models[1]), rtol=1e-12)


def test_a_function_may_return_a_number_for_a_batch():
    def median(y_true, y_pred):
        return np.median(y_pred)

    model = net(Dense(7, "tanh"), loss="mse", last="tanh", metrics=[median])
    outputs = model.predict(X)
    expected = np.mean([np.median(outputs[i : i + 16]) for i in (0, 16, 32)])
    assert model.evaluate(X, Y, 16)[1] == pytest.approx(expected)


def test_what_is_no_metric_is_refused():
    class Half(metrics.Metric):
        def update_state(self, y_true, y_pred, sample_weight=None):
            pass

    class Text(Worst):
        def result(self):
            return "much"

    with pytest.raises(TypeError, match=r"^metrics: .* with result, reset_state; got Half$"):
        net(loss="mse", last=None, metrics=[Half()])
    with pytest.raises(TypeError, match=r"result: expected a number, got 'much'"):
        net(loss="mse", last=None, metrics=[Text()]).evaluate(X, Y)
    with pytest.raises(TypeError, match=r"expected a number for each of 41 samples, or one"):
        net(loss="mse", last=None, metrics=[lambda t, y: np.zeros(3)]).evaluate(X, Y)
