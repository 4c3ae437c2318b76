"""The estimators in scikit-learn's pipelines, searches and workers."""

import copy
import pickle
import threading

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from sklearn import neural_network
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import get_num_threads
from fastmlp.callbacks import Callback
from fastmlp.runtime.threads import threads_limited
from fastmlp.sklearn import MLPClassifier, MLPRegressor
from fastmlp.sklearn.workers import threads_here

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).standard_normal((80, 5))
Y = np.array(["a", "b", "c"])[np.digitize(X[:, 0], [0, 1])]


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


def test_copies_predict_and_go_on_alike():
    made = net(dropout=0.2).fit(X, Y)
    for twin in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert twin.predict_proba(X).tobytes() == made.predict_proba(X).tobytes()
        ahead = copy.deepcopy(made).partial_fit(X, Y)
        assert twin.partial_fit(X, Y).coefs_[0].tobytes() == ahead.coefs_[0].tobytes()


def test_searches_and_pipelines():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), net(max_iter=40, learning_rate_init=0.02)),
        {"mlpclassifier__alpha": [1e-4, 1.0], "mlpclassifier__hidden_layer_sizes": [4, (8, 8)]},
        cv=3,
    ).fit(X, Y)
    assert search.best_score_ > 0.7
    first = ColumnTransformer([("scaled", StandardScaler(), [0, 1])])
    first.set_output(transform="default")
    assert make_pipeline(first, net()).fit(X, Y).predict(X).shape == (80,)


def test_metaestimators():
    made = net(max_iter=100, learning_rate_init=0.02)
    calibrated = CalibratedClassifierCV(net(), cv=2).fit(X, Y)
    assert calibrated.predict_proba(X).shape == (80, 3)
    voting = VotingClassifier([("one", made), ("other", made)], voting="soft")
    assert voting.fit(X, Y).score(X, Y) > 0.8
    made.fit(X, Y)
    importances = permutation_importance(made, X, Y, random_state=0).importances_mean
    assert importances.argmax() == 0
    assert (
        partial_dependence(made, X, [0], response_method="predict_proba")["average"].shape[0] == 3
    )


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_have_the_same_scores(backend):
    expected = cross_val_score(net(hidden_layer_sizes=(64, 64)), X, Y, cv=4)
    with parallel_config(backend=backend):
        found = cross_val_score(net(hidden_layer_sizes=(64, 64)), X, Y, cv=4, n_jobs=2)
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
