"""In the same order, on the same data: the weights that scikit-learn's nets have."""

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp.sklearn import MLPClassifier, MLPRegressor
from tests.backends import ALL

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).standard_normal((60, 5))
NUMBERS = X[:, 0] ** 2 - X[:, 1]
TARGETS = {
    "binary": (MLPClassifier, (NUMBERS > 0.5).astype(int)),
    "classes": (MLPClassifier, np.digitize(NUMBERS, [0, 1])),
    "labels": (MLPClassifier, np.stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 1], 1).astype(int)),
    "number": (MLPRegressor, NUMBERS),
    "numbers": (MLPRegressor, np.stack([NUMBERS, X[:, 2], X[:, 3] ** 2], 1)),
}


def both(target, **options):
    """Fit scikit-learn's estimator and ours."""
    kind, y = TARGETS[target]
    theirs = getattr(neural_network, kind.__name__)
    settings = {"hidden_layer_sizes": (7, 4), "random_state": 3, "max_iter": 6, "alpha": 0.3}
    settings |= {"shuffle": False, "batch_size": 20} | options
    ours_only = {"backend": settings.pop("backend", "auto")}
    return theirs(**settings).fit(X, y), kind(**settings, **ours_only).fit(X, y)


def assert_alike(theirs, ours, rtol=1e-9, atol=1e-12):
    for name in ("coefs_", "intercepts_"):
        for expected, found in zip(getattr(theirs, name), getattr(ours, name), strict=True):
            np.testing.assert_allclose(found, expected, rtol, atol)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    predict = "predict_proba" if hasattr(theirs, "predict_proba") else "predict"
    np.testing.assert_allclose(getattr(ours, predict)(X), getattr(theirs, predict)(X), rtol, atol)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh", "identity"])
def test_sgd(target, activation):
    theirs, ours = both(target, solver="sgd", activation=activation, learning_rate_init=0.05)
    assert_alike(theirs, ours)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_, rel=1e-9)


@pytest.mark.parametrize("backend", ALL)
def test_every_backend(backend):
    assert_alike(*both("classes", solver="sgd", backend=backend))


@pytest.mark.parametrize("target", TARGETS)
def test_adam(target):
    """scikit-learn adds its epsilon before the correction of the means, fastmlp behind."""
    theirs, ours = both(target, epsilon=1e-30, activation="tanh")
    assert_alike(theirs, ours, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)


def test_a_warm_start_of_adam():
    theirs, ours = both("classes", epsilon=1e-30, warm_start=True)
    _, y = TARGETS["classes"]
    assert_alike(theirs.fit(X, y), ours.fit(X, y), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("target", ["binary", "classes", "labels", "number"])
def test_lbfgs(target):
    theirs, ours = both(target, solver="lbfgs", activation="tanh")
    assert_alike(theirs, ours, rtol=1e-6, atol=1e-8)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-6)
    assert not hasattr(ours, "loss_curve_")


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": 0.5},
        {"momentum": 0.0},
        {"nesterovs_momentum": False},
        {"learning_rate": "invscaling", "power_t": 0.3},
        {"learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 2, "max_iter": 40},
        {"tol": 0.1, "n_iter_no_change": 2, "max_iter": 40},
        {"n_iter_no_change": np.inf, "tol": 1.0},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": 6},
        {"batch_size": "auto"},
    ],
)
def test_options_of_sgd(options):
    theirs, ours = both("classes", solver="sgd", learning_rate_init=0.05, **options)
    assert_alike(theirs, ours)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)


def test_float32_stays_float32():
    y = TARGETS["classes"][1]
    settings = {"solver": "sgd", "shuffle": False, "random_state": 0, "max_iter": 4}
    theirs = neural_network.MLPClassifier(**settings).fit(X.astype(np.float32), y)
    ours = MLPClassifier(**settings).fit(X.astype(np.float32), y)
    assert ours.coefs_[0].dtype == ours.predict_proba(X).dtype == np.float32
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-4, atol=1e-6)


def test_an_epoch_limit_is_warned_of():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
        MLPClassifier(max_iter=2).fit(X, TARGETS["binary"][1])


@pytest.mark.parametrize("load", [load_digits, load_breast_cancer, load_diabetes])
def test_test_scores_are_as_good(load):
    x, y = load(return_X_y=True)
    parts = train_test_split(x, y, random_state=0)
    name = "MLPRegressor" if load is load_diabetes else "MLPClassifier"
    scores = {}
    for module, kind in (("theirs", getattr(neural_network, name)), ("ours", globals()[name])):
        found = []
        for seed in range(3):
            net = kind(
                hidden_layer_sizes=(32,), max_iter=60, learning_rate_init=0.01, random_state=seed
            )
            pipeline = make_pipeline(StandardScaler(), net).fit(parts[0], parts[2])
            found.append(pipeline.score(parts[1], parts[3]))
        scores[module] = np.mean(found)
    margin = 0.08 if load is load_diabetes else 0.02
    assert scores["ours"] > scores["theirs"] - margin
