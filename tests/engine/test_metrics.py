"""Metrics: any number of them, over all samples, and nothing is learned from them."""

import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, layers, losses, metrics
from fastmlp.layers import Dense, Dropout
from tests.backends import ALL

from .nets import LOGITS, Scale, data, flat, net, targets

X, LABELS = data(41)
ONE_HOT = np.eye(4)[LABELS]
QUESTIONS = (targets(41) > 0).astype(float)
FROM_LOGITS = losses.BinaryCrossentropy(from_logits=True)
SPARSE, DENSE = "sparse_categorical_crossentropy", "categorical_crossentropy"
each = pytest.mark.parametrize("backend", ALL)


def right(outputs, answers):
    return np.mean(outputs.argmax(axis=1) == answers)


def yes_or_no(outputs, targets):
    return np.mean((outputs > 0.5) == targets)


def on_the_right_side_of_0(outputs, targets):
    return np.mean((outputs > 0) == targets)


def sizes(outputs, targets):
    return np.mean(np.abs(outputs - targets))


def squares(outputs, targets):
    return np.mean((outputs - targets) ** 2)


# name: the loss, the last activation, right answers, and what the metric should be
METRICS = {
    "accuracy of labels": ("accuracy", SPARSE, "softmax", LABELS, right),
    "accuracy of one-hot targets": ("acc", DENSE, "softmax", ONE_HOT, right),
    "accuracy of logits": ("accuracy", LOGITS, None, LABELS, right),
    "accuracy of squares": ("acc", "mse", "softmax", ONE_HOT, right),
    "sparse accuracy": ("sparse_categorical_accuracy", SPARSE, "softmax", LABELS, right),
    "categorical accuracy": ("categorical_accuracy", DENSE, "softmax", ONE_HOT, right),
    "squares of probabilities": ("mse", DENSE, "softmax", ONE_HOT, squares),
    "squares of logits": (
        "mse", losses.CategoricalCrossentropy(from_logits=True), None, ONE_HOT, squares
    ),
    "sizes of probabilities": ("mae", DENSE, "softmax", ONE_HOT, sizes),
    "sizes beside squares": ("mean_absolute_error", "mse", "tanh", targets(41), sizes),
    "one question": ("accuracy", "bce", "sigmoid", QUESTIONS[:, :1], yes_or_no),
    "one question's logit": ("acc", FROM_LOGITS, None, QUESTIONS[:, :1], on_the_right_side_of_0),
    "many questions": ("binary_accuracy", "bce", "sigmoid", QUESTIONS, yes_or_no),
    "many questions' logits": ("binary_accuracy", FROM_LOGITS, None, QUESTIONS, yes_or_no),
    "the largest of many": ("accuracy", "bce", "sigmoid", ONE_HOT, right),
    "questions and sizes": ("mae", "bce", "sigmoid", QUESTIONS, sizes),
    "yes or no beside squares": ("binary_accuracy", "mse", "sigmoid", QUESTIONS, yes_or_no),
    "squares beside squares": ("mse", "mse", "tanh", targets(41), squares),
}  # fmt: skip


def expected(outputs, y, figure):
    classes = figure is right and y.ndim == 2
    return figure(outputs, y.argmax(axis=1) if classes else y)


@each
@pytest.mark.parametrize("case", METRICS)
def test_is_the_mean_over_the_samples(case, backend):
    name, loss, last, y, figure = METRICS[case]
    classes = y.shape[1] if y.ndim == 2 else 4
    model = net(
        Dense(7, "tanh"), loss=loss, last=last, metrics=[name], backend=backend, classes=classes
    )
    found = model.evaluate(X, y, 16, return_dict=True)
    assert list(found) == ["loss", name]
    assert found[name] == pytest.approx(expected(model.predict(X), y, figure), rel=1e-12)


@each
def test_several_keep_their_order_and_their_names(backend):
    # Those that read probabilities come behind those that do not, in the plan.
    chosen = ["mse", "acc", metrics.CategoricalAccuracy("mine"), metrics.MeanSquaredError()]
    names = ["mse", "acc", "mine", "mean_squared_error"]
    model = net(Dense(7, "tanh"), loss=DENSE, metrics=chosen, backend=backend)
    validation = X[:9], ONE_HOT[:9]
    history = model.fit(X, ONE_HOT, 16, 2, 0, validation_data=validation).history
    assert list(history) == ["loss", *names, "val_loss", *(f"val_{name}" for name in names)]
    outputs = model.predict(X[:9])
    assert history["val_mine"][-1] == history["val_acc"][-1] == right(outputs, LABELS[:9])
    assert history["val_mse"][-1] == history["val_mean_squared_error"][-1]
    assert history["val_mse"][-1] == pytest.approx(squares(outputs, ONE_HOT[:9]), rel=1e-12)
    figures = [history[f"val_{name}"][-1] for name in names]
    assert model.evaluate(*validation)[1:] == pytest.approx(figures, rel=1e-12)


@each
@pytest.mark.parametrize("loss", [DENSE, "mse"])
def test_in_training_they_are_means_before_each_step(loss, backend):
    one_batch = net(Dense(7, "tanh"), loss=loss, metrics=["mse", "acc"], backend=backend)
    before = one_batch.evaluate(X, ONE_HOT, return_dict=True)
    history = one_batch.fit(X, ONE_HOT, len(X), 1, 0).history
    assert {name: value for name, (value,) in history.items()} == pytest.approx(before, rel=1e-12)


@each
@pytest.mark.parametrize("middle", [lambda: Dropout(0.3), Scale], ids=["dropout", "python"])
def test_training_is_the_same_without_them(middle, backend):
    models = [
        net(Dense(7, "tanh"), middle(), loss=DENSE, metrics=chosen, backend=backend)
        for chosen in ([], ["accuracy"], ["mse", "accuracy", "categorical_accuracy"])
    ]
    for model in models:
        model.fit(X, ONE_HOT, 8, 2, 0, telemetry=Telemetry(every=2))
        np.testing.assert_array_equal(flat(model), flat(models[0]))
        np.testing.assert_array_equal(model.predict(X), models[0].predict(X))
        gradients = [m.loss_and_gradient(X, ONE_HOT)[1] for m in (model, models[0])]
        for own, others in zip(*gradients, strict=True):
            np.testing.assert_array_equal(own, others)


def test_one_that_is_not_finite_stops_nothing():
    loss = losses.CategoricalCrossentropy(from_logits=True)
    model = net(Dense(7, "tanh"), loss=loss, metrics=["mse"], dtype="float64", last=None)
    model.set_weights([w * 1e200 for w in model.get_weights()])
    with np.errstate(all="ignore"):
        loss, square = model.evaluate(X, ONE_HOT)
    assert np.isfinite(loss)
    assert square == np.inf


REFUSED = {
    "labels wanted": ("sparse_categorical_accuracy", DENSE, "compares with integer labels, and"),
    "targets wanted": ("categorical_accuracy", SPARSE, r"compares with targets \(n, outputs\)"),
    "yes or no of labels": (
        "binary_accuracy",
        SPARSE,
        r"compares with targets \(n, outputs\), and the loss 's",
    ),
    "squares of labels": ("mse", SPARSE, r"compares with targets \(n, outputs\), and the loss 's"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_go_with_the_loss_is_refused(case):
    name, loss, message = REFUSED[case]
    with pytest.raises(ValueError, match=f"^metrics: '{name}' {message}"):
        net(loss=loss, metrics=[name])
    unbuilt = Sequential([layers.Dense(4, "softmax")])
    unbuilt.compile("sgd", loss, metrics=[name])
    with pytest.raises(ValueError, match=f"^metrics: '{name}' {message}"):
        unbuilt.fit(X, LABELS, verbose=0)
    assert not unbuilt.built
