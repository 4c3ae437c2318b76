"""Epochs between which a fit cannot end go into one call of the engine, and nothing changes."""

import numpy as np
import pytest

from fastmlp.callbacks import Callback
from fastmlp.runtime.engine import Engine
from fastmlp.sklearn import MLPClassifier, MLPRegressor

X = np.random.default_rng(0).standard_normal((90, 4))
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
SETTINGS = {
    "to the end": {"max_iter": 30},
    "no better by tol": {"max_iter": 200, "tol": 0.02},
    "never better": {"max_iter": 200, "tol": 10.0, "n_iter_no_change": 1},
    "no patience": {"max_iter": 60, "tol": 10.0, "n_iter_no_change": 7},
    "endless patience": {"max_iter": 40, "n_iter_no_change": np.inf},
    "an adaptive rate": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1,
                         "learning_rate_init": 0.01, "n_iter_no_change": 3},
    "a falling rate": {"solver": "sgd", "learning_rate": "invscaling", "max_iter": 20},
    "early stopping": {"early_stopping": True, "max_iter": 60},
    "in order": {"shuffle": False, "max_iter": 25},
}  # fmt: skip


def left(estimator):
    """All that a fit leaves."""
    names = (
        "n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "validation_scores_",
        "_no_improvement_count", "_reductions",
    )  # fmt: skip
    state, history = estimator.net_._state, estimator.net_.history
    return (
        *(repr(getattr(estimator, name)) for name in names), state.params.tobytes(),
        state.moments.tobytes(), state.steps, state.epochs, history.history, history.epoch,
        estimator.net_.optimizer.learning_rate,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", SETTINGS)
def test_they_are_those_that_a_callback_watches(name):
    options = {"random_state": 1, "batch_size": 40, **SETTINGS[name]}
    for make, y in ((MLPClassifier, LABELS), (MLPRegressor, X.sum(axis=1))):
        if make is MLPRegressor and name == "early stopping":
            continue
        alone = make(hidden_layer_sizes=(5,), warm_start=True, **options)
        watched = make(hidden_layer_sizes=(5,), warm_start=True, **options)
        for _ in range(2):
            alone.fit(X, y)
            watched.fit(X, y, callbacks=[Callback()])
            assert left(alone) == left(watched)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_there_are_as_many_as_patience_allows(monkeypatch):
    calls, train = [], Engine.train_epochs

    def counted(self, data, orders, *rest, **options):
        calls.append(len(orders))
        return train(self, data, orders, *rest, **options)

    monkeypatch.setattr(Engine, "train_epochs", counted)
    MLPClassifier((5,), random_state=0, max_iter=40).fit(X, LABELS)
    assert sum(calls) >= 39
    assert max(calls) == 11  # of 10 in a row none may be better


def test_weights_that_are_not_finite_end_a_call():
    regressor = MLPRegressor(
        hidden_layer_sizes=(5,), solver="sgd", learning_rate_init=1e150, random_state=0
    )
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        regressor.fit(X, X.sum(axis=1))
    assert len(regressor.loss_curve_) < 5
