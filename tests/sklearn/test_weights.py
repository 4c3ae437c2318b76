"""Samples and classes that count more than others."""

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.model_selection import GridSearchCV

from fastmlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 5))
NUMBERS = X[:, 0] ** 2 - X[:, 1]
Y = np.digitize(NUMBERS, [0, 1])
LABELS = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(int)
WEIGHTS = RNG.uniform(0, 2, 80)
SETTINGS = {"hidden_layer_sizes": (7, 4), "random_state": 3, "max_iter": 6, "alpha": 0.3}


def bits(net):
    return [weight.tobytes() for weight in net.net_.get_weights()]


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
@pytest.mark.parametrize(
    ("name", "y"),
    [("Classifier", Y), ("Classifier", Y > 0), ("Classifier", LABELS), ("Regressor", NUMBERS)],
)
def test_the_weights_are_scikit_learns(solver, name, y):
    options = SETTINGS | {"solver": solver, "shuffle": False, "batch_size": 80}
    options |= {"learning_rate_init": 0.05, "activation": "tanh"}
    theirs = getattr(neural_network, f"MLP{name}")(**options).fit(X, y, WEIGHTS)
    ours = {"Classifier": MLPClassifier, "Regressor": MLPRegressor}[name](**options)
    ours.fit(X, y, sample_weight=WEIGHTS)
    for expected, found in zip(theirs.coefs_, ours.coefs_, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-6)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_weights_of_1_are_no_weights(kind):
    one = kind(**SETTINGS).fit(X, Y)
    assert bits(kind(**SETTINGS).fit(X, Y, np.ones(80))) == bits(one)


def test_partial_fits_with_weights_are_a_fit():
    whole = MLPClassifier(**SETTINGS).fit(X, Y, WEIGHTS)
    parts = MLPClassifier(**SETTINGS)
    for _ in range(6):
        parts.partial_fit(X, Y, WEIGHTS, classes=[0, 1, 2])
    assert bits(parts) == bits(whole)


@pytest.mark.parametrize("y", [Y, Y > 0])
def test_a_balanced_class_weighs_as_much_as_any_other(y):
    counts = np.bincount(y.astype(int))
    given = dict(zip(np.unique(y), len(y) / (len(counts) * counts), strict=True))
    balanced = MLPClassifier(**SETTINGS, class_weight="balanced").fit(X, y)
    assert bits(balanced) == bits(MLPClassifier(**SETTINGS, class_weight=given).fit(X, y))
    weights = np.array([given[label] for label in y])
    assert bits(balanced) == bits(MLPClassifier(**SETTINGS).fit(X, y, weights))


def test_class_weights_multiply_those_of_samples():
    net = MLPClassifier(**SETTINGS, class_weight={1: 3.0}).fit(X, Y, WEIGHTS)
    both = np.where(Y == 1, 3, 1) * WEIGHTS
    assert bits(net) == bits(MLPClassifier(**SETTINGS).fit(X, Y, both))


def test_class_weights_of_several_labels():
    net = MLPClassifier(**SETTINGS, class_weight=[{0: 1, 1: 2}, {0: 1, 1: 5}]).fit(X, LABELS)
    both = np.where(LABELS[:, 0], 2, 1) * np.where(LABELS[:, 1], 5, 1)
    assert bits(net) == bits(MLPClassifier(**SETTINGS).fit(X, LABELS, both))


def test_a_class_that_weighs_more_is_found_more_often():
    few = np.where(np.arange(80) % 8 == 0, "rare", "often")
    found = [
        np.sum(MLPClassifier(random_state=0, class_weight=weight).fit(X, few).predict(X) == "rare")
        for weight in (None, {"rare": 100.0})
    ]
    assert found[0] < found[1]


def test_samples_that_are_set_apart_are_scored_with_their_weights():
    weights = np.where(Y == 2, 1e6, 1e-6)
    options = SETTINGS | {"early_stopping": True, "max_iter": 1, "validation_fraction": 0.5}
    net = MLPClassifier(**options).fit(X, Y, weights)
    assert net.validation_scores_[0] in (pytest.approx(0.0, abs=1e-6), pytest.approx(1.0, abs=0.3))
    plain = MLPClassifier(**options).fit(X, Y)
    assert plain.validation_scores_ != net.validation_scores_


def test_weights_are_routed():
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        net = MLPClassifier(**SETTINGS).set_fit_request(sample_weight=True)
        net.set_score_request(sample_weight=False)
        search = GridSearchCV(net, {"alpha": [0.1, 1.0]}, cv=2).fit(X, Y, sample_weight=WEIGHTS)
    best = MLPClassifier(**SETTINGS).set_params(**search.best_params_).fit(X, Y, WEIGHTS)
    assert bits(search.best_estimator_) == bits(best)


@pytest.mark.parametrize(
    ("options", "weights", "message"),
    [
        ({}, np.ones(79), "sample_weight"),
        ({}, -np.ones(80), "[Nn]egative"),
        ({}, np.zeros(80), "zero|0"),
        ({"class_weight": "heavy"}, None, "class_weight: expected a dict"),
        ({"class_weight": {7: 1.0}}, None, "class_weight: 7 is none of the classes"),
        ({"class_weight": {0: -1.0}}, None, r"class_weight\[0\]: "),
        ({"class_weight": {0: 0, 1: 0, 2: 0}}, None, "class_weight: expected a class"),
    ],
)
def test_wrong_weights_are_named(options, weights, message):
    with pytest.raises((TypeError, ValueError), match=message):
        MLPClassifier(**SETTINGS, **options).fit(X, Y, weights)


def test_balanced_classes_need_all_samples():
    net = MLPClassifier(**SETTINGS, class_weight="balanced")
    with pytest.raises(ValueError, match="class_weight: 'balanced' not with partial_fit"):
        net.partial_fit(X, Y, classes=[0, 1, 2])
