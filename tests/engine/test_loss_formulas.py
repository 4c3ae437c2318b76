"""Each loss is Keras' formula, and its gradient is checked."""

import numpy as np
import pytest

from fastmlp import check_gradients, losses
from fastmlp.layers import Dense
from tests.backends import ALL

from .nets import data, net, targets

X, LABELS = data(41)
EPSILON = 1e-7
ONE_HOT = np.eye(4)[LABELS]
NUMBERS = targets(41)
SIZES = np.abs(NUMBERS) + 0.1
SHARES = np.random.default_rng(2).dirichlet(np.ones(4), 41)
YES = (NUMBERS > 0) * 1.0
WITHOUT_NUMBA = [backend for backend in ALL if "numba" not in str(backend)]
each = pytest.mark.parametrize("backend", ALL)


def unit(values):
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), EPSILON)


def crossentropy(t, p, smoothing=0.0):
    t = t * (1 - smoothing) + smoothing / 4
    return -(t * np.log(p)).sum(axis=1)


def binary(t, p, smoothing=0.0):
    t = t * (1 - smoothing) + smoothing / 2
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def binary_focal(t, p, gamma=2.0, alpha=None, smoothing=0.0):
    entropy = binary(t, p, smoothing)
    t = t * (1 - smoothing) + smoothing / 2
    factor = 1 if alpha is None else t * alpha + (1 - t) * (1 - alpha)
    return (factor * (1 - (t * p + (1 - t) * (1 - p))) ** gamma * entropy).mean(axis=1)


def focal(t, p, alpha=0.25, gamma=2.0, smoothing=0.0):
    t = t * (1 - smoothing) + smoothing / 4
    return (-alpha * t * (1 - p) ** gamma * np.log(p)).sum(axis=1)


def logarithms(t, y):
    return (np.log(np.maximum(y, EPSILON) + 1) - np.log(np.maximum(t, EPSILON) + 1)) ** 2


def divergence(t, p):
    t, p = np.clip(t, EPSILON, 1), np.clip(p, EPSILON, 1)
    return (t * np.log(t / p)).sum(axis=1)


def categorical_hinge(t, y):
    return np.maximum(((1 - t) * y).max(axis=1) - (t * y).sum(axis=1) + 1, 0)


# name: the loss, the last activation, right answers, and Keras' formula for each sample.
CASES = {
    "mape": ("mape", "tanh", NUMBERS,
             lambda t, y: 100 * np.abs((t - y) / np.maximum(np.abs(t), EPSILON)).mean(axis=1)),
    "msle": ("msle", "softplus", SIZES, lambda t, y: logarithms(t, y).mean(axis=1)),
    "msle of less than 0": ("msle", None, NUMBERS, lambda t, y: logarithms(t, y).mean(axis=1)),
    "log-cosh": ("log_cosh", None, 3 * NUMBERS,
                 lambda t, y: np.log(np.cosh(y - t)).mean(axis=1)),
    "poisson": ("poisson", "softplus", np.floor(3 * SIZES),
                lambda t, y: (y - t * np.log(y + EPSILON)).mean(axis=1)),
    "hinge": ("hinge", None, 2 * YES - 1, lambda t, y: np.maximum(1 - t * y, 0).mean(axis=1)),
    "hinge of 0 and 1": (
        "hinge", "tanh", YES, lambda t, y: np.maximum(1 - (2 * t - 1) * y, 0).mean(axis=1)),
    "squared hinge": ("squared_hinge", None, YES,
                      lambda t, y: (np.maximum(1 - (2 * t - 1) * y, 0) ** 2).mean(axis=1)),
    "categorical hinge": ("categorical_hinge", None, ONE_HOT, categorical_hinge),
    "kl": ("kl_divergence", "softmax", SHARES, divergence),
    "kl of sigmoids": ("kld", "sigmoid", ONE_HOT, divergence),
    "cosine": ("cosine_similarity", None, NUMBERS,
               lambda t, y: -(unit(t) * unit(y)).sum(axis=1)),
    "median": ("quantile", None, NUMBERS, lambda t, y: np.abs(t - y).mean(axis=1) / 2),
    "quantile": (losses.Quantile(0.9), "tanh", NUMBERS,
                 lambda t, y: np.maximum(0.9 * (t - y), 0.1 * (y - t)).mean(axis=1)),
    "smooth classes": (losses.CategoricalCrossentropy(label_smoothing=0.2), "softmax", ONE_HOT,
                       lambda t, p: crossentropy(t, p, 0.2)),
    "smooth questions": (losses.BinaryCrossentropy(label_smoothing=0.2), "sigmoid", YES,
                         lambda t, p: binary(t, p, 0.2).mean(axis=1)),
    "binary focal": ("binary_focal_crossentropy", "sigmoid", YES, binary_focal),
    "balanced focal": (losses.BinaryFocalCrossentropy(True, 0.3, 1.5, label_smoothing=0.1),
                       "sigmoid", YES, lambda t, p: binary_focal(t, p, 1.5, 0.3, 0.1)),
    "focal": ("categorical_focal_crossentropy", "softmax", ONE_HOT, focal),
    "smooth focal": (losses.CategoricalFocalCrossentropy(0.5, 0.5, label_smoothing=0.1), "softmax",
                     ONE_HOT, lambda t, p: focal(t, p, 0.5, 0.5, 0.1)),
}  # fmt: skip


def model_of(case, **options):
    loss, last, _, _ = CASES[case]
    return net(Dense(7, "tanh"), loss=loss, last=last, metrics=(), **options)


@each
@pytest.mark.parametrize("case", CASES)
def test_it_is_keras_formula(case, backend):
    model, (_, _, y, formula) = model_of(case, backend=backend), CASES[case]
    of_samples = formula(y, model.predict(X))
    assert model.evaluate(X, y, 16) == pytest.approx(of_samples.mean(), rel=1e-10)
    weights = np.random.default_rng(1).random(41)
    expected = (of_samples * weights).mean()
    assert model.evaluate(X, y, 16, sample_weight=weights) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("backend", WITHOUT_NUMBA)  # its kernels are held to the reference
@pytest.mark.parametrize("case", CASES)
def test_its_gradient_is_checked(case, backend):
    report = check_gradients(model_of(case, backend=backend), X, CASES[case][2], tolerance=1e-8)
    assert report.passed, report


@pytest.mark.parametrize("case", CASES)
def test_training_makes_it_smaller(case):
    model = model_of(case, dtype="float32", optimizer="adam")
    first, *_, last = model.fit(X, CASES[case][2], 8, 60, 0).history["loss"]
    assert last < first


def test_what_the_arguments_may_be():
    for make, message in [
        (lambda: losses.Quantile(0), "^quantile: expected a number between 0 and 1, got 0$"),
        (lambda: losses.Quantile(1.0), "^quantile: expected a number between"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2), "^label_smoothing: expected a numb"),
        (lambda: losses.BinaryFocalCrossentropy(alpha=-1), "^alpha: expected a number that is not"),
        (lambda: losses.CategoricalFocalCrossentropy(gamma="a"), "^gamma: expected a number"),
        (lambda: losses.BinaryFocalCrossentropy(1), "^apply_class_balancing: expected True or"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            make()


def test_what_right_answers_may_be():
    for loss, y, message in [
        ("hinge", NUMBERS, r"^y: expected -1 and 1, or 0 and 1, got"),
        ("squared_hinge", YES - 1, r"^y: expected -1 and 1, or 0 and 1, got"),
        ("poisson", NUMBERS, r"^y: expected numbers from 0 on, got"),
        ("kld", NUMBERS, r"^y: expected numbers from 0 to 1, got"),
        ("categorical_focal_crossentropy", YES, r"^y: expected probabilities that sum to 1"),
    ]:
        last = "softmax" if "categorical" in loss else "sigmoid"
        model = net(loss=loss, last=last, metrics=())
        with pytest.raises(ValueError, match=message):
            model.fit(X, y, verbose=0)
        assert model.steps_trained == 0


def test_names_are_keras():
    for name in ("BCE", "KLD", "MAPE", "MeanSquaredError", "huber", "msle"):
        assert isinstance(losses.get(name), losses.Loss)
    assert losses.get(losses.Poisson) == losses.Poisson()
    assert losses.get("kld").name == "kl_divergence"
