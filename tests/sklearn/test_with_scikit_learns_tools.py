"""The estimators in scikit-learn's pipelines, searches and workers."""

import copy
import pickle
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from joblib import Parallel, delayed, parallel_config
from sklearn import neural_network
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import get_num_threads
from fastmlp.callbacks import Callback
from fastmlp.runtime.threads import threads_limited
from fastmlp.sklearn import MLPClassifier, MLPRegressor, RealMLPClassifier, RealMLPRegressor
from fastmlp.sklearn.workers import threads_here

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).standard_normal((80, 5))
Y = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [0, 1])]


NETS = {
    "MLP": MLPClassifier((8,), learning_rate_init=0.03, max_iter=40, random_state=0),
    "RealMLP": RealMLPClassifier(
        "td-s", hidden_layer_sizes=(8,), max_iter=15, batch_size=16, random_state=0
    ),
}
each = pytest.mark.parametrize("estimator", NETS.values(), ids=NETS)


def net(**options):
    return MLPClassifier(**{"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 5} | options)


def test_arguments_are_stored_untouched():
    sizes, functions = [8, 4], ["relu", "mish"]
    made = MLPRegressor("huber", sizes, functions, delta=2)
    assert made.hidden_layer_sizes is sizes
    assert made.activation is functions
    assert made.get_params()["delta"] == 2
    twin = clone(made.set_params(alpha=3))
    assert twin.get_params() == made.get_params()
    assert "loss" not in MLPClassifier().get_params()


def test_scikit_learns_defaults_are_the_same():
    for kind in (MLPClassifier, MLPRegressor):
        theirs = getattr(neural_network, kind.__name__)().get_params()
        assert theirs.items() <= kind().get_params().items()


def test_copies_go_on_alike():
    made = net(dropout=0.2).fit(X, Y)
    for twin in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        ahead = copy.deepcopy(made).partial_fit(X, Y)
        assert twin.partial_fit(X, Y).coefs_[0].tobytes() == ahead.coefs_[0].tobytes()


@each
def test_clones_and_copies(estimator):
    made = clone(estimator).fit(X, Y)
    assert not hasattr(estimator, "classes_")
    assert clone(made).get_params() == made.get_params()
    for twin in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made), clone(made).fit(X, Y)):
        assert twin.predict_proba(X).tobytes() == made.predict_proba(X).tobytes()


@each
@pytest.mark.parametrize("kind", [GridSearchCV, HalvingGridSearchCV])
def test_searches(estimator, kind):
    options = {"random_state": 0, "min_resources": 40} if kind is HalvingGridSearchCV else {}
    grid = {"learning_rate_init": [1e-6, 0.05], "hidden_layer_sizes": [8, (8, 4)]}
    search = kind(estimator, grid, cv=2, **options).fit(X, Y)
    assert search.best_params_["learning_rate_init"] == 0.05
    assert search.score(X, Y) > 0.7


@each
def test_metaestimators(estimator):
    calibrated = CalibratedClassifierCV(estimator, cv=2).fit(X, Y)
    assert calibrated.predict_proba(X).shape == (80, 3)
    voting = VotingClassifier([("one", estimator), ("other", estimator)], voting="soft")
    assert voting.fit(X, Y).score(X, Y) > 0.7


@each
def test_inspection(estimator):
    made = clone(estimator).fit(X, Y)
    assert permutation_importance(made, X, Y, random_state=0).importances_mean.argmax() == 0
    options = {"response_method": "predict_proba", "grid_resolution": 10}
    shown = partial_dependence(made, X, [0], **options)["average"]
    assert shown.shape == (3, 10)
    assert shown[2, -1] > shown[2, 0]


@each
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_tables_go_through_pipelines(estimator, library):
    columns = ColumnTransformer(
        [("scaled", StandardScaler(), ["a", "b"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform=library)
    text = {"text": np.where(X[:, 0] > 0, "p", "q")} if estimator is NETS["RealMLP"] else {}
    data = dict(zip("cbade", X.T, strict=True)) | text
    table = {"pandas": pd, "polars": pl}[library].DataFrame(data)
    made = make_pipeline(columns, clone(estimator)).fit(table, Y)
    assert made[-1].feature_names_in_.tolist() == ["a", "b", "c", "d", "e", *text]
    assert made.score(table, Y) > 0.7
    with pytest.raises(ValueError, match="feature names"):
        made[-1].predict(table)


def test_answers_go_through_a_transformation():
    y = np.exp(X[:, 0])
    net = RealMLPRegressor("td-s", hidden_layer_sizes=(8,), max_iter=5, random_state=0)
    for regressor in (net, MLPRegressor(hidden_layer_sizes=(8,), max_iter=5, random_state=0)):
        logs = TransformedTargetRegressor(regressor, func=np.log, inverse_func=np.exp)
        expected = np.exp(clone(regressor).fit(X, X[:, 0]).predict(X))
        np.testing.assert_allclose(logs.fit(X, y).predict(X), expected, rtol=1e-6)


@each
def test_validation_data_are_routed_and_transformed(estimator):
    scale = StandardScaler().fit(X)
    alone = clone(estimator).fit(scale.transform(X), Y, X_val=scale.transform(X[:9]), y_val=Y[:9])
    with sklearn.config_context(enable_metadata_routing=True):
        net = clone(estimator).set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(StandardScaler(), net, transform_input=["X_val"])
        routed = pipeline.fit(X, Y, X_val=X[:9], y_val=Y[:9])[-1]
    scores = "validation_scores_" if hasattr(alone, "validation_scores_") else "validation_errors_"
    assert len(getattr(alone, scores))
    assert getattr(routed, scores) == getattr(alone, scores)


@each
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_have_the_same_scores(estimator, backend):
    expected = cross_val_score(estimator, X, Y, cv=3)
    with parallel_config(backend=backend):
        found = cross_val_score(estimator, X, Y, cv=3, n_jobs=2)
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_worker_takes_one_thread(backend):
    assert threads_here() is None
    assert Parallel(2, backend=backend)(delayed(threads_here)() for _ in range(3)) == [1] * 3


def test_a_limit_is_that_of_its_thread_alone():
    before = get_num_threads()
    seen = []
    with threads_limited(before + 3):
        assert get_num_threads() == before + 3
        with threads_limited(None):
            assert get_num_threads() == before + 3
        other = threading.Thread(target=lambda: seen.append(get_num_threads()))
        other.start()
        other.join()
    assert seen == [before]
    assert get_num_threads() == before


def test_n_threads_reaches_the_engine():
    class Count(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.threads = get_num_threads()

    count = Count()
    one = net(n_threads=3).fit(X, Y, callbacks=[count])
    assert count.threads == 3
    assert one.coefs_[0].tobytes() == net(n_threads=1).fit(X, Y).coefs_[0].tobytes()
