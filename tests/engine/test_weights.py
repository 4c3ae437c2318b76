"""Weights of samples and of classes: Keras' meaning, in all that looks at right answers."""

import numpy as np
import pytest

from fastmlp import check_gradients, load_model, losses, metrics
from fastmlp.layers import Dense, Dropout
from tests.backends import ALL

from .nets import LOGITS, Scale, data, flat, net, targets

X, LABELS = data(41)
ONE_HOT = np.eye(4)[LABELS]
WEIGHTS = np.random.default_rng(5).random(41)
WEIGHTS[::7] = 0
each = pytest.mark.parametrize("backend", ALL)

# The loss, the last activation, right answers, and the loss of each sample.
CASES = {
    "labels": (
        "sparse_categorical_crossentropy", "softmax", LABELS,
        lambda p: -np.log(p[np.arange(41), LABELS]),
    ),
    "distributions": (
        "categorical_crossentropy", "softmax", ONE_HOT,
        lambda p: -(ONE_HOT * np.log(p)).sum(axis=1),
    ),
    "questions": (
        "binary_crossentropy", "sigmoid", ONE_HOT,
        lambda p: -np.where(ONE_HOT == 1, np.log(p), np.log(1 - p)).mean(axis=1),
    ),
    "squares": ("mse", "tanh", targets(41), lambda p: ((p - targets(41)) ** 2).mean(axis=1)),
    "sizes": ("mae", "tanh", targets(41), lambda p: np.abs(p - targets(41)).mean(axis=1)),
}  # fmt: skip


@each
@pytest.mark.parametrize("case", CASES)
def test_the_loss_is_the_weighted_sum_over_the_number_of_samples(case, backend):
    loss, last, y, of_samples = CASES[case]
    model = net(Dense(7, "tanh"), loss=loss, last=last, metrics=(), backend=backend)
    expected = (of_samples(model.predict(X)) * WEIGHTS).sum() / 41
    assert model.evaluate(X, y, 16, sample_weight=WEIGHTS) == pytest.approx(expected, rel=1e-12)
    found, _ = model.loss_and_gradient(X, y, sample_weight=WEIGHTS[:, None])
    assert found == pytest.approx(expected, rel=1e-12)
    assert model.test_on_batch(X, y, WEIGHTS) == pytest.approx(expected, rel=1e-12)


@each
@pytest.mark.parametrize("case", CASES)
def test_its_gradient_is_checked(case, backend):
    loss, last, y, _ = CASES[case]
    model = net(Dense(7, "tanh"), loss=loss, last=last, metrics=(), backend=backend)
    report = check_gradients(model, X, y, sample_weight=WEIGHTS - 0.2, tolerance=1e-8)
    assert report.passed, report


@each
def test_a_sample_of_weight_two_is_a_sample_seen_twice(backend):
    twice = np.concatenate([X, X[:9]]), np.concatenate([LABELS, LABELS[:9]])
    weights = np.where(np.arange(41) < 9, 2.0, 1.0)
    # A mean over the samples, in a batch of all: the second net's is over 50, not 41.
    for name in ("sum", "mean_with_sample_weight"):
        loss = losses.SparseCategoricalCrossentropy(from_logits=True, reduction=name)
        models = [net(Dense(7, "tanh"), loss=loss, last=None, backend=backend) for _ in range(2)]
        for _ in range(3):
            first = models[0].train_on_batch(X, LABELS, sample_weight=weights)[0]
            second = models[1].train_on_batch(*twice)[0]
            assert first == pytest.approx(second, rel=1e-12)
        np.testing.assert_allclose(flat(models[0]), flat(models[1]), rtol=1e-12)


@each
@pytest.mark.parametrize("reduction", ["sum", "mean_with_sample_weight"])
def test_a_reduction_is_of_each_batch(reduction, backend):
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
    model = net(Dense(7, "tanh"), loss=loss, last=None, metrics=(), backend=backend)
    plain = net(Dense(7, "tanh"), loss=LOGITS, last=None, metrics=(), backend=backend)
    total = 0.0
    for part in (slice(0, 16), slice(16, 32), slice(32, 41)):
        batch = X[part], LABELS[part], WEIGHTS[part]
        count = len(batch[0])
        divisor = 1 if reduction == "sum" else batch[2].sum()
        total += plain.test_on_batch(*batch) * count / divisor * count
    found = model.evaluate(X, LABELS, 16, sample_weight=WEIGHTS)
    assert found == pytest.approx(total / 41, rel=1e-12)
    assert check_gradients(model, X, LABELS, sample_weight=WEIGHTS, tolerance=1e-8).passed


@each
@pytest.mark.parametrize("middle", [lambda: Dropout(0.3), Scale], ids=["dropout", "python"])
def test_weights_of_one_give_the_same_bits_as_none(middle, backend):
    def trained(**options):
        model = net(
            Dense(7, "tanh"), middle(), backend=backend, dtype="float32",
        )  # fmt: skip
        model.compile("adam", "sparse_categorical_crossentropy", None, ["acc"], ["acc"])
        history = model.fit(X, LABELS, 8, 2, 0, **options).history
        return model, history

    plain, expected = trained(validation_split=0.3)
    assert expected["acc"] == expected["weighted_acc"]
    for options in [{"sample_weight": np.ones(41)}, {"class_weight": {0: 1, 3: 1.0}}]:
        model, history = trained(validation_split=0.3, **options)
        assert history == expected
        np.testing.assert_array_equal(flat(model), flat(plain))
    _, history = trained(validation_data=(X, LABELS, np.ones(41, int)))
    assert history == trained(validation_data=(X, LABELS))[1]


@each
def test_weights_are_those_of_their_samples_in_any_order(backend):
    """Shuffled and in batches, a sample of weight 0 teaches nothing, as if it were another."""
    model, other = (net(Dense(7, "tanh"), backend=backend, metrics=()) for _ in range(2))
    weights = (np.arange(41) % 3 != 0) * 1.0
    wrong = np.where(weights == 0, (LABELS + 1) % 4, LABELS)
    model.fit(X, LABELS, 8, 2, 0, sample_weight=weights)
    other.fit(X, wrong, 8, 2, 0, sample_weight=weights)
    np.testing.assert_array_equal(flat(model), flat(other))


@each
def test_weighted_metrics_are_over_the_sum_of_the_weights(backend):
    model = net(Dense(7, "tanh"), backend=backend, loss="categorical_crossentropy", metrics=())
    model.compile("sgd", "categorical_crossentropy", None, ["acc", "mse"], ["mse", "acc"])
    figures = model.evaluate(X, ONE_HOT, 16, sample_weight=WEIGHTS, return_dict=True)
    assert list(figures) == ["loss", "acc", "mse", "weighted_mse", "weighted_acc"]
    outputs = model.predict(X)
    right, squares = outputs.argmax(axis=1) == LABELS, ((outputs - ONE_HOT) ** 2).mean(axis=1)
    for name, values in (("acc", right), ("mse", squares)):
        assert figures[name] == pytest.approx(values.mean(), rel=1e-12)
        expected = np.average(values, weights=WEIGHTS)
        assert figures[f"weighted_{name}"] == pytest.approx(expected, rel=1e-12)
    history = model.fit(
        X, ONE_HOT, 16, 1, 0, validation_data=(X, ONE_HOT, WEIGHTS), sample_weight=0 * WEIGHTS
    ).history
    assert history["weighted_acc"] == [0.0]
    assert history["val_weighted_acc"][0] == pytest.approx(figures["weighted_acc"], rel=1e-12)
    names = [f"{kind}{name}" for kind in ("", "val_") for name in figures]
    assert list(history) == names


@each
@pytest.mark.parametrize(
    ("loss", "last", "y"),
    [
        ("sparse_categorical_crossentropy", "softmax", LABELS),
        ("categorical_crossentropy", "softmax", ONE_HOT),
        ("binary_crossentropy", "sigmoid", (LABELS > 1) * 1),
    ],
)
def test_a_class_weighs_what_each_of_its_samples_does(loss, last, y, backend):
    by_class = {0: 0.5, 1: 3} if y.ndim == 1 and y.max() == 1 else {0: 0.5, 2: 3}
    answers = y.argmax(axis=1) if y.ndim == 2 else y
    weights = np.array([by_class.get(int(answer), 1.0) for answer in answers])
    outputs = 1 if last == "sigmoid" else 4
    models = [
        net(Dense(7, "tanh"), loss=loss, last=last, classes=outputs, backend=backend)
        for _ in range(2)
    ]
    histories = [
        models[0].fit(X, y, 8, 2, 0, class_weight=by_class).history,
        models[1].fit(X, y, 8, 2, 0, sample_weight=weights).history,
    ]
    assert histories[0] == histories[1]
    np.testing.assert_array_equal(flat(models[0]), flat(models[1]))
    first = models[0].train_on_batch(X, y, class_weight=by_class)
    assert first == models[1].train_on_batch(X, y, weights)


def test_what_a_split_sets_apart_keeps_its_own_weights_and_none_of_its_class():
    model = net(metrics=())
    held, kept = slice(28, None), slice(28)
    history = model.fit(X, LABELS, 41, 1, 0, validation_split=0.3, sample_weight=WEIGHTS).history
    expected = model.evaluate(X[held], LABELS[held], sample_weight=WEIGHTS[held])
    assert history["val_loss"] == [expected]
    start = net(metrics=())
    expected = start.evaluate(X[kept], LABELS[kept], sample_weight=WEIGHTS[kept])
    assert history["loss"] == pytest.approx([expected], rel=1e-12)
    history = model.fit(X, LABELS, validation_split=0.3, class_weight={1: 9}, verbose=0).history
    assert history["val_loss"] == [model.evaluate(X[held], LABELS[held])]


REFUSED = {
    "too few": ({"sample_weight": WEIGHTS[:-1]}, r"^sample_weight: expected a weight for each"),
    "a table": ({"sample_weight": np.ones((41, 2))}, r"^sample_weight: .* got shape \(41, 2\)$"),
    "not finite": (
        {"sample_weight": np.where(WEIGHTS == 0, np.nan, 1)}, r"^sample_weight: expected finite",
    ),
    "both": (
        {"sample_weight": WEIGHTS, "class_weight": {}}, r"^class_weight: not together with sample",
    ),
    "no dict": ({"class_weight": [1, 2]}, r"^class_weight: expected a dict"),
    "no class": ({"class_weight": {4: 1}}, r"^class_weight: expected classes from 0 to 3, got 4$"),
    "no integer": ({"class_weight": {"a": 1}}, r"^class_weight: expected classes .* got 'a'$"),
    "no number": ({"class_weight": {1: None}}, r"^class_weight\[1\]: expected a finite number"),
    "a validation": (
        {"validation_data": (X, LABELS, WEIGHTS[1:])},
        r"^validation_data sample_weight: expected a weight for each of the 41",
    ),
    "four": ({"validation_data": (X,) * 4}, r"^validation_data: expected \(x, y\) or \(x, y, s"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_are_no_weights_is_refused(case):
    options, message = REFUSED[case]
    model = net()
    before = flat(model)
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(X, LABELS, verbose=0, **options)
    np.testing.assert_array_equal(flat(model), before)
    assert model.steps_trained == 0


def test_classes_of_other_answers_are_refused():
    model = net(loss="mse", last=None, classes=1, metrics=())
    with pytest.raises(ValueError, match=r"^class_weight: expected targets of two classes.*\[1\]"):
        model.fit(X, np.arange(41) * 1.0 + (np.arange(41) > 0), class_weight={1: 2}, verbose=0)


def test_a_function_has_no_weights_to_check():
    with pytest.raises(ValueError, match=r"^sample_weight: expected none for a function"):
        check_gradients(lambda x: x**2, lambda x: 2 * x, np.ones(1), sample_weight=[1])


def test_reductions_are_checked():
    with pytest.raises(ValueError, match=r"^reduction: 'none' is unknown; expected one of 'sum_ov"):
        losses.MeanSquaredError(reduction="none")
    assert losses.MeanSquaredError(reduction="sum").get_config() == {"reduction": "sum"}
    model = net(loss=losses.MeanSquaredError(reduction="sum"), last=None, metrics=["mse"])
    loss, figure = model.test_on_batch(X, targets(41))
    assert loss == pytest.approx(41 * figure, rel=1e-12)
    assert metrics.MeanSquaredError().name == "mean_squared_error"


def test_a_file_knows_which_metrics_are_weighted(tmp_path):
    model = net(Dense(7, "tanh"))
    model.compile("sgd", "sparse_categorical_crossentropy", None, ["acc"], ["acc"])
    model.save(tmp_path / "net.safetensors")
    loaded = load_model(tmp_path / "net.safetensors")
    options = {"sample_weight": WEIGHTS, "return_dict": True}
    assert loaded.evaluate(X, LABELS, **options) == model.evaluate(X, LABELS, **options)
