"""scikit-learn's tests of its multilayer perceptrons, from the installed package, on ours.

Their file is executed with our estimators in the place of theirs, and its tests become those of
this module, but for the few that are left out below.
"""

import importlib.util
import inspect
import itertools
from types import ModuleType
from unittest import mock

import numpy as np
import pytest
from scipy.special import expit
from sklearn import neural_network

from fastmlp.runtime.threads import threads_limited
from fastmlp.sklearn import MLPClassifier, MLPRegressor

# From the name of a test that is left out to what it fails by, and why it need not pass.
LEFT_OUT = {
    "test_fit": (
        "property 'coefs_' of 'MLPClassifier' object has no setter",
        "puts weights and private gradients (_coef_grads) and velocities (_coef_velocity) into an "
        "estimator that was not fitted; test_a_worked_out_example has its numbers",
    ),
    "test_gradient": (
        "no attribute '_loss_grad_lbfgs'",
        "calls the private _loss_grad_lbfgs; test_same_as_scikit_learn.py compares the weights "
        "that L-BFGS finds by these gradients, and tests/gradcheck checks ours numerically",
    ),
    "test_learning_rate_warmstart": (
        "no attribute '_optimizer'",
        "reads the private _optimizer; test_learning_rates_of_a_warm_start reads net_.optimizer",
    ),
    "test_adaptive_learning_rate": (
        "no attribute '_optimizer'",
        "reads the private _optimizer; test_an_adaptive_rate_becomes_small reads net_.optimizer",
    ),
    "test_mlp_partial_fit_after_fit": (
        "DID NOT RAISE ValueError",
        "wants partial_fit refused with early_stopping, which works here; see test_going_on.py",
    ),
}


def _with_our_estimators() -> ModuleType:
    """Return scikit-learn's test module: its decorators have seen our estimators alone."""
    spec = importlib.util.find_spec("sklearn.neural_network.tests.test_mlp")
    module = importlib.util.module_from_spec(spec)
    ours = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}
    with mock.patch.multiple(neural_network, **ours):
        spec.loader.exec_module(module)
    return module


THEIRS = {
    name: value
    for name, value in vars(_with_our_estimators()).items()
    if name.startswith("test_") and inspect.isfunction(value)
}
globals().update({name: test for name, test in THEIRS.items() if name not in LEFT_OUT})

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def _the_same_each_time():
    """Seed those that draw from NumPy's global state; and one thread is enough for small nets."""
    np.random.seed(0)  # noqa: NPY002
    with threads_limited(1):
        yield


@pytest.fixture
def global_random_seed():
    return 42


def calls_of(test):
    """Return the arguments of each call that pytest would make of a test."""
    marks = [mark.args for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    for values in itertools.product(*(values for _, values in marks)):
        yield dict(zip((name for name, _ in marks), values, strict=True))


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_would_fail(name):
    message, _reason = LEFT_OUT[name]
    for arguments in calls_of(THEIRS[name]):
        with pytest.raises((AttributeError, pytest.fail.Exception), match=message):
            THEIRS[name](**arguments)


def test_all_others_run_on_our_estimators():
    scope = next(iter(THEIRS.values())).__globals__
    assert scope["MLPClassifier"] is MLPClassifier
    assert scope["MLPRegressor"] is MLPRegressor
    run = [THEIRS[name] for name in THEIRS if name not in LEFT_OUT]
    assert all(globals()[test.__name__] is test for test in run)
    assert len(run) >= 36
    cases = sum(len(list(calls_of(test))) for test in run)
    print(f"{len(run)} of scikit-learn's {len(THEIRS)} tests ran, {cases} cases")  # noqa: T201


def test_a_worked_out_example():
    """An epoch of SGD on one sample, from the weights in scikit-learn's test_fit."""
    options = {"hidden_layer_sizes": 2, "activation": "logistic", "alpha": 0.1, "momentum": 0}
    net = MLPClassifier(**options, solver="sgd", learning_rate_init=0.1)
    x, y = np.array([[0.6, 0.8, 0.7]]), [0]
    net.partial_fit(x, y, classes=[0, 1])
    w1, b1 = np.array([[0.1, 0.2], [0.3, 0.1], [0.5, 0]]), np.array([0.1, 0.1])
    w2, b2 = np.array([[0.1], [0.2]]), np.array([1.0])
    places = [*net.coefs_, *net.intercepts_]
    for place, values in zip(places, (w1, w2, b1, b2), strict=True):
        place[...] = values
    net.partial_fit(x, y)
    hidden = expit(x @ w1 + b1)
    d2 = expit(hidden @ w2 + b2) - y
    d1 = d2 @ w2.T * hidden * (1 - hidden)
    slopes = (x.T @ d1 + 0.1 * w1, hidden.T @ d2 + 0.1 * w2, d1[0], d2[0])
    for place, values, slope in zip(places, (w1, w2, b1, b2), slopes, strict=True):
        np.testing.assert_allclose(place, values - 0.1 * slope, rtol=1e-12)
    assert net.predict_proba(x)[0, 1] == pytest.approx(0.739, abs=1e-3)


@pytest.mark.parametrize("learning_rate", ["invscaling", "constant"])
def test_learning_rates_of_a_warm_start(learning_rate):
    net = MLPClassifier(
        4, solver="sgd", learning_rate=learning_rate, max_iter=1, power_t=0.25, warm_start=True
    )
    for samples_before in (0, 4, 8):
        net.fit([[3, 2], [1, 6], [5, 6], [-2, -4]], [1, 1, 1, 0])
        factor = (samples_before + 1) ** 0.25 if learning_rate == "invscaling" else 1
        assert net.net_.optimizer.learning_rate == pytest.approx(0.001 / factor, rel=1e-12)


def test_an_adaptive_rate_becomes_small():
    net = MLPClassifier(tol=0.5, max_iter=3000, solver="sgd", learning_rate="adaptive")
    net.fit([[3, 2], [1, 6]], [1, 0])
    assert net.max_iter > net.n_iter_
    assert net.net_.optimizer.learning_rate < 1e-6
