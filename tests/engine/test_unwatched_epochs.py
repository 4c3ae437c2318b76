"""Epochs that nobody watches go into one call of the engine, and nothing else changes."""

import numpy as np
import pytest

from fastmlp import DivergenceWarning, Sequential, fit_many, layers, optimizers
from fastmlp.callbacks import Callback
from fastmlp.runtime import pace
from fastmlp.runtime.engine import Engine
from tests.backends import ALL, COMPILED

X = np.random.default_rng(0).standard_normal((90, 8)).astype(np.float32)
Y = np.sin(X.sum(axis=1, keepdims=True))
OPTIMIZERS = {
    "adam": lambda: optimizers.Adam(0.01, use_ema=True),
    "descent": lambda: optimizers.SGD(0.01, weight_decay=1e-3),
    "a schedule": lambda: optimizers.Adam(lambda step: 0.01 / (1 + step)),
    "diverging in a later epoch": lambda: optimizers.SGD(30.0),
    "diverging at once": lambda: optimizers.SGD(1e30),
}


def net(optimizer, backend="auto"):
    inside = [layers.Dense(16, "relu"), layers.Dropout(0.2), layers.BatchNormalization()]
    model = Sequential([layers.Input((8,)), *inside, layers.Dense(1)], seed=3, backend=backend)
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def said(model):
    """All that a fit leaves."""
    history, state = model.history, model._state
    return (
        model.params.tobytes(), state.running.tobytes(), state.moments.tobytes(), state.steps,
        state.epochs, repr(history.history), history.epoch, repr(history.divergence),
        model._ready_engine().rate,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore::fastmlp.DivergenceWarning")
@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_they_are_those_that_are_watched(name, backend):
    alone, watched, one_of_many = (net(OPTIMIZERS[name](), backend) for _ in range(3))
    for _ in range(2):
        alone.fit(X, Y, 32, 7, verbose=0)
        watched.fit(X, Y, 32, 7, verbose=0, callbacks=[Callback()])
        fit_many([one_of_many], X, Y, 32, 7, verbose=0)
        assert said(alone) == said(watched) == said(one_of_many)


@pytest.fixture
def calls(monkeypatch):
    """How many epochs each call of the engine was given."""
    found, train = [], Engine.train_epochs

    def counted(self, data, orders, *rest, **options):
        found.append(len(orders))
        return train(self, data, orders, *rest, **options)

    monkeypatch.setattr(Engine, "train_epochs", counted)
    return found


@pytest.mark.parametrize("backend", COMPILED)
def test_many_go_into_one_call(backend, calls):
    model = net("adam", backend)
    model.fit(X, Y, 32, 10, verbose=0)
    assert sum(calls) in (9, 10)
    assert max(calls) >= 5


def test_epochs_that_take_several_calls_are_counted_once(monkeypatch, calls):
    monkeypatch.setattr(pace, "SECONDS_PER_CALL", 0)
    model = net("adam")
    model.fit(X, Y, 32, 4, verbose=0)
    assert not calls
    assert model.history.epoch == [0, 1, 2, 3]
    assert model.steps_trained == 4 * 3


@pytest.mark.parametrize(
    "options",
    [
        {"callbacks": [Callback()]}, {"verbose": 2}, {"validation_split": 0.2},
        {"steps_per_epoch": 2},
    ],
    ids=["callbacks", "verbose", "validation", "part of an epoch"],
)  # fmt: skip
def test_what_is_watched_goes_epoch_by_epoch(options, calls):
    net("adam").fit(X, Y, 32, 3, **{"verbose": 0} | options)
    assert not calls


@pytest.mark.parametrize("backend", COMPILED)
def test_weights_that_are_not_finite_end_it(backend):
    def rate(step):
        return 1e300 if step == 8 else 0.01  # the last step of the third epoch

    model = net(optimizers.SGD(rate), backend)
    with pytest.warns(DivergenceWarning, match="the weights are no longer finite at epoch 3"):
        model.fit(X, Y, 32, 7, verbose=0)
    assert (model.epochs_trained, model.steps_trained) == (3, 9)
    assert model.history.epoch == [0, 1, 2]


def test_ctrl_c_leaves_the_epochs_that_were_done(monkeypatch):
    train = Engine.train_epochs

    def interrupted(self, *arguments, **options):
        train(self, *arguments, **options)
        raise KeyboardInterrupt

    model, other = net("adam"), net("adam")
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "train_epochs", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y, 32, 10, verbose=0)
    done = model.epochs_trained
    assert done > 1
    assert model.history.epoch == list(range(done))
    other.fit(X, Y, 32, done, verbose=0)
    assert said(model) == said(other)
    model.fit(X, Y, 32, 2, verbose=0)
    other.fit(X, Y, 32, 2, verbose=0)
    assert said(model) == said(other)


@pytest.mark.parametrize("backend", ALL)
def test_what_does_not_fit_a_call_is_refused(backend):
    model = net("adam", backend)
    model.fit(X, Y, 32, 2, verbose=0)
    engine, data = model._ready_engine(), model._check_data("{}", X, Y)
    orders = np.tile(np.arange(90), (2, 1))
    totals = np.zeros((2, engine.plan.totals))
    orders[1, 5] = 90
    with pytest.raises(ValueError, match="order: expected samples from 0 to 89"):
        engine.train_epochs(data, orders, 32, first_step=0, totals=totals)
    assert not totals.any()
