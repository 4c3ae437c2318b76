"""Bags of nets: out-of-bag scores, uncertainty, and what each member is."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score, r2_score

from fastmlp.sklearn import (
    BaggingMLPClassifier,
    BaggingMLPRegressor,
    MLPClassifier,
    MLPRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (150, 2))
Y = np.sin(3 * X[:, 0]) + 0.1 * RNG.standard_normal(150)
IRIS, SPECIES = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]


def small(kind, **options):
    return kind(hidden_layer_sizes=(8,), max_iter=60, learning_rate_init=0.05, **options)


def test_each_member_is_what_it_would_be_alone():
    bag = BaggingMLPRegressor(small(MLPRegressor), 3, random_state=5).fit(X, Y)
    for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True):
        alone = clone(member).fit(X[rows], Y[rows])
        np.testing.assert_array_equal(alone.net_.params, member.net_.params)
    assert len({member.net_.seed for member in bag.estimators_}) == 3


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_bits_do_not_depend_on_the_threads(jobs):
    first = BaggingMLPClassifier(small(MLPClassifier), 4, oob_score=True, random_state=1)
    second = clone(first).set_params(n_jobs=jobs)
    first.fit(IRIS, NAMES)
    second.fit(IRIS, NAMES)
    np.testing.assert_array_equal(first.predict_proba(IRIS), second.predict_proba(IRIS))
    np.testing.assert_array_equal(first.oob_decision_function_, second.oob_decision_function_)


def test_out_of_bag_classes():
    bag = BaggingMLPClassifier(small(MLPClassifier), 5, oob_score=True, random_state=0)
    bag.fit(IRIS, NAMES)
    found = bag.oob_decision_function_
    for sample in range(0, 150, 7):
        outside = [
            member
            for member, rows in zip(bag.estimators_, bag.estimators_samples_, strict=True)
            if sample not in rows
        ]
        if not outside:
            assert np.isnan(found[sample]).all()
            continue
        mean = np.mean([m.predict_proba(IRIS[sample : sample + 1])[0] for m in outside], axis=0)
        np.testing.assert_allclose(found[sample], mean, rtol=1e-6)
    seen = np.isfinite(found[:, 0])
    score = accuracy_score(NAMES[seen], bag.classes_[found[seen].argmax(axis=1)])
    assert bag.oob_score_ == score > 0.9
    assert 0 < (~seen).sum() < 40


def test_out_of_bag_numbers():
    bag = BaggingMLPRegressor(
        small(MLPRegressor), 20, max_samples=0.5, bootstrap=False, oob_score=True, random_state=0
    ).fit(X, Y)
    assert {len(np.unique(rows)) for rows in bag.estimators_samples_} == {75}
    assert np.isfinite(bag.oob_prediction_).all()
    assert bag.oob_score_ == r2_score(Y, bag.oob_prediction_) > 0.5


def test_a_class_that_is_in_no_bag_of_a_member():
    y = np.where(np.arange(150) < 2, "rare", "often")
    bag = BaggingMLPClassifier(small(MLPClassifier), 6, max_samples=20, random_state=0).fit(X, y)
    assert bag.predict_proba(X).shape == (150, 2)
    assert list(bag.classes_) == ["often", "rare"]


def test_uncertainty_of_numbers_grows_away_from_the_samples():
    bag = BaggingMLPRegressor(small(MLPRegressor), 8, random_state=0).fit(X, Y)
    mean, std = bag.predict(X, return_std=True)
    np.testing.assert_array_equal(mean, bag.predict(X))
    each = np.array([member.predict(X) for member in bag.estimators_])
    np.testing.assert_allclose(std, each.std(axis=0), rtol=1e-6)
    _, far = bag.predict(X * 10, return_std=True)
    assert far.mean() > 3 * std.mean()


def test_uncertainty_of_classes_has_two_parts():
    y = np.where(X[:, 0] > 0, RNG.integers(0, 2, 150), 0)  # to the right nobody can know
    bag = BaggingMLPClassifier(small(MLPClassifier), 8, random_state=0).fit(X, y)
    found = bag.predict_uncertainty(X)
    p = bag.predict_proba(X)
    np.testing.assert_allclose(found.total, -(p * np.log(p)).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found.total, found.data + found.model, rtol=1e-5)
    right = X[:, 0] > 0.3
    assert found.data[right].mean() > 2 * found.data[X[:, 0] < -0.3].mean()
    assert (found.model >= 0).all()


def test_several_labels_a_sample():
    y = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(int)
    bag = BaggingMLPClassifier(small(MLPClassifier), 4, oob_score=True, random_state=0).fit(X, y)
    assert bag.predict(X).shape == (150, 2)
    assert bag.predict_uncertainty(X).total.shape == (150,)
    assert bag.oob_score_ > 0.8


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_estimators": 0}, ValueError, "n_estimators: expected a positive integer"),
        ({"max_samples": 0.0}, ValueError, "max_samples: expected a share"),
        ({"max_samples": 1.5}, ValueError, "max_samples: expected a share"),
        ({"max_samples": 151}, ValueError, "max_samples: expected 1 to 150 samples"),
        ({"bootstrap": 1}, TypeError, "bootstrap: expected True or False"),
        ({"bootstrap": False, "oob_score": True}, ValueError, "oob_score: with all samples"),
        ({"estimator": MLPRegressor()}, TypeError, "estimator: expected a fastmlp.sklearn.MLPC"),
        ({"estimator": MLPClassifier(warm_start=True)}, ValueError, "estimator: warm_start=True"),
        ({"estimator": MLPClassifier(max_iter=0)}, ValueError, "max_iter: expected a positive"),
    ],
)
def test_what_is_refused(options, error, message):
    bag = BaggingMLPClassifier(**options)
    with pytest.raises(error, match=f"^{message}"):
        bag.fit(IRIS, NAMES)
    assert not hasattr(bag, "estimators_")
