"""Nets that are trained one after the other in the memory of a stand-in, each as if alone."""

import numpy as np
import pytest

from fastmlp import Sequential, fit_many, layers, optimizers
from fastmlp.callbacks import Callback, LearningRateScheduler
from fastmlp.runtime.stand_in import StandIns
from tests.backends import COMPILED

X = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
Y = np.sin(X.sum(axis=1, keepdims=True))
KINDS = {
    "plain": lambda: ([], optimizers.Adam(0.01)),
    "another number": lambda: ([], optimizers.Adam(0.01, beta_1=0.8)),
    "another rate": lambda: ([], optimizers.Adam(0.02)),
    "another rule": lambda: ([], optimizers.SGD(0.01, momentum=0.9)),
    "decay": lambda: ([], optimizers.AdamW(0.01, weight_decay=0.1)),
    "masks": lambda: ([layers.Dropout(0.3)], optimizers.Adam(0.01)),
    "statistics": lambda: ([layers.BatchNormalization()], optimizers.Adam(0.01)),
    "penalty": lambda: ([layers.Dense(5, kernel_regularizer="l2")], optimizers.Adam(0.01)),
}


def net(kind, seed, backend="auto", units=9):
    inside, optimizer = KINDS[kind]()
    stack = [layers.Input((6,)), layers.Dense(units, "relu"), *inside, layers.Dense(1)]
    model = Sequential(stack, seed=seed, backend=backend)
    model.compile(optimizer, "mse")
    return model


def said(model):
    """All that a fit leaves."""
    state = model._state
    return (
        state.params.tobytes(), state.running.tobytes(), state.moments.tobytes(), state.steps,
        state.epochs, model.history.history, model.predict(X).tobytes(),
    )  # fmt: skip


@pytest.mark.parametrize("backend", COMPILED)
def test_nets_of_many_kinds_do_not_mix(backend):
    kinds = [*KINDS, "plain", *reversed(KINDS)]
    together = [net(kind, seed, backend) for seed, kind in enumerate(kinds)]
    alone = [net(kind, seed, backend) for seed, kind in enumerate(kinds)]
    for jobs in (1, 2):
        fit_many(together, X, Y, 16, 3, jobs=jobs)
        for model in alone:
            model.fit(X, Y, 16, 3, verbose=0)
        assert [said(model) for model in together] == [said(model) for model in alone]


def test_a_net_that_is_watched_has_its_weights_at_each_epoch():
    class Weights(Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.params.tobytes())

    both = []
    for many in (True, False):
        seen, models = [], [net("plain", 3), net("plain", 4)]
        callbacks = [[Weights(), LearningRateScheduler(lambda e, rate: rate / 2)] for _ in models]
        if many:
            fit_many(models, X, Y, 16, 3, 0, callbacks, jobs=1)
        else:
            for model, own in zip(models, callbacks, strict=True):
                model.fit(X, Y, 16, 3, 0, own)
        both.append((seen, [said(model) for model in models]))
    assert both[0] == both[1]
    assert len(set(both[0][0])) == 6


def test_nets_of_a_kind_share_one_in_memory_of_its_own():
    models = [net("plain", seed) for seed in range(3)] + [net("plain", 3, units=8)]
    fit_many(models, X, Y, 16, 1)
    engines, stand_ins = [model._ready_engine() for model in models], StandIns()
    one, other = stand_ins.of(engines[0]), stand_ins.of(engines[3])
    assert [stand_ins.of(engine) for engine in engines] == [one, one, one, other]
    assert not any(np.shares_memory(one.params, engine.params) for engine in engines)
    assert not any(np.shares_memory(one.plan.factors, engine.plan.factors) for engine in engines)
    assert all(engine.stand_ins is None for engine in engines)


def test_few_kinds_are_kept():
    stand_ins = StandIns()
    models = [net("plain", 0, units=units) for units in range(1, 12)]
    fit_many(models, X, Y, 16, 1)
    first = stand_ins.of(models[0]._ready_engine())
    for model in models:
        stand_ins.of(model._ready_engine())
    assert len(stand_ins._known) < len(models)
    assert stand_ins.of(models[0]._ready_engine()) is not first


def test_nets_whose_steps_would_be_worth_two_threads_have_one_each(monkeypatch):
    monkeypatch.setattr("fastmlp.runtime.threads._chosen", 2)
    monkeypatch.setattr("fastmlp.runtime.engine._WORTH_SHARING", 0)
    together, alone = ([net("plain", seed) for seed in range(4)] for _ in range(2))
    fit_many(together, X, Y, 16, 3, jobs=2)
    for model in alone:
        model.fit(X, Y, 16, 3, verbose=0)
    assert [said(model) for model in together] == [said(model) for model in alone]
