"""scikit-learn's own checks of an estimator."""

import pytest
from sklearn.utils.estimator_checks import check_estimator

from fastmlp.sklearn import (
    BaggingMLPClassifier,
    BaggingMLPRegressor,
    MLPClassifier,
    MLPRegressor,
    RealMLPClassifier,
    RealMLPRegressor,
)

# scikit-learn skips it where a classifier has no decision_function; its own MLP has none either.
SKIPPED = {"check_classifiers_multilabel_output_format_decision_function"}
SMALL = {"max_iter": 25, "learning_rate_init": 0.01}
SMALLER = {"max_iter": 25, "learning_rate_init": 0.05, "hidden_layer_sizes": (8,)}
TABULAR = {"max_iter": 30, "hidden_layer_sizes": (16,)}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(
    ("estimator", "checks"),
    [
        (MLPClassifier(**SMALL), 67),
        (MLPRegressor(**SMALL), 60),
        (BaggingMLPClassifier(MLPClassifier(**SMALLER), 2, n_jobs=1), 58),
        (BaggingMLPRegressor(MLPRegressor(**SMALLER), 2, n_jobs=1), 52),
        (RealMLPClassifier("td-s", **TABULAR), 54),
        (RealMLPRegressor("td-s", **TABULAR), 51),
    ],
    ids=lambda given: type(given).__name__ if not isinstance(given, int) else str(given),
)
def test_all_of_them_pass(estimator, checks, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # else one check is skipped
    results = check_estimator(estimator, on_fail=None)
    unusual = {
        result["check_name"]: f"{result['status']}: {result['exception']}"
        for result in results
        if result["status"] != "passed" and result["check_name"] not in SKIPPED
    }
    passed = sum(result["status"] == "passed" for result in results)
    assert not unusual
    assert not any(result["expected_to_fail"] for result in results)
    assert passed >= checks
    print(f"{type(estimator).__name__}: {passed} of {len(results)} checks passed")  # noqa: T201


def test_the_checks_can_fail():
    class Forgetful(MLPRegressor):
        def predict(self, X):  # noqa: N803
            self.net_ = self.net_.__copy__()
            return super().predict(X)

    results = check_estimator(Forgetful(max_iter=2), on_fail=None, on_skip=None)
    failed = {result["check_name"] for result in results if result["status"] == "failed"}
    assert "check_dict_unchanged" in failed
