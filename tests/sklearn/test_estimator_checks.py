"""scikit-learn's own checks of an estimator."""

import pytest
from sklearn.utils.estimator_checks import check_estimator

from fastmlp.sklearn import MLPClassifier, MLPRegressor, RealMLPClassifier, RealMLPRegressor

# What scikit-learn skips where an optional package or setting is missing, or a method is.
MAY_BE_SKIPPED = {
    "check_array_api_input",
    "check_classifier_data_not_an_array",
    "check_classifiers_multilabel_output_format_decision_function",
    "check_regressor_data_not_an_array",
}
SMALL = {"hidden_layer_sizes": (16, 16), "max_iter": 60}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(
    ("estimator", "checks"),
    [
        (MLPClassifier(), 64),
        (MLPRegressor(), 57),
        (RealMLPClassifier("td-s", **SMALL), 52),
        (RealMLPRegressor("td-s", **SMALL), 49),
    ],
)
def test_all_of_them_pass(estimator, checks):
    results = check_estimator(estimator, on_fail=None)
    unusual = {
        result["check_name"]: f"{result['status']}: {result['exception']}"
        for result in results
        if result["status"] != "passed" and result["check_name"] not in MAY_BE_SKIPPED
    }
    passed = sum(result["status"] == "passed" for result in results)
    assert not unusual
    assert passed >= checks
    assert len(results) - passed <= 3
    print(f"{type(estimator).__name__}: {passed} of {len(results)} checks passed")  # noqa: T201


def test_the_checks_can_fail():
    class Forgetful(MLPRegressor):
        def predict(self, X):  # noqa: N803
            self.net_ = self.net_.__copy__()
            return super().predict(X)

    results = check_estimator(Forgetful(max_iter=2), on_fail=None, on_skip=None)
    failed = {result["check_name"] for result in results if result["status"] == "failed"}
    assert "check_dict_unchanged" in failed
