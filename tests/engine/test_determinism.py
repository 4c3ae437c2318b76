"""The same seed gives the same bits, however the work is cut up."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp import Telemetry, fit_many, layers, optimizers, regularizers
from fastmlp.kernels.contract import Mode
from fastmlp.runtime import pace
from tests.backends import ALL, COMPILED

from .nets import data, net

EPOCHS, BATCH_SIZE = 4, 8


def make(seed=0, **options):
    return net(
        layers.Dense(33, "relu"), layers.Dropout(0.3), layers.Dense(17, "tanh"),
        optimizer=optimizers.SGD(0.05, 0.9), **{"seed": seed, "dtype": "float32", **options},
    )  # fmt: skip


def fitted(model, **options):
    x, y = data(101)
    model.fit(x, y, **{"batch_size": BATCH_SIZE, "epochs": EPOCHS, "verbose": 0, **options})
    return model


def digest(model):
    content = model.params.tobytes() + repr(model.history.history).encode()
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_twice_the_same(backend, dtype):
    first, second = (digest(fitted(make(backend=backend, dtype=dtype))) for _ in range(2))
    assert first == second


def test_another_seed_is_another_run():
    assert len({digest(fitted(make(seed))) for seed in range(5)}) == 5


def test_a_seed_is_drawn_and_kept_if_none_is_given():
    first, second = make(seed=None), make(seed=None)
    assert first.seed != second.seed
    assert digest(fitted(first)) == digest(fitted(make(first.seed)))


@pytest.mark.parametrize("backend", ALL)
def test_epochs_may_be_asked_for_one_at_a_time(backend):
    together, apart = make(backend=backend), make(backend=backend)
    fitted(together)
    for _ in range(EPOCHS):
        fitted(apart, epochs=1)
    np.testing.assert_array_equal(together.params, apart.params)
    assert apart.epochs_trained == EPOCHS
    assert apart.history.epoch == [0]


@pytest.mark.parametrize("steps", [1, 2, 5, 1000])
def test_how_many_steps_a_call_makes_does_not_matter(monkeypatch, steps):
    x, y = data(101)

    def results():
        model = make()
        return digest(fitted(model)), model.predict(x, batch_size=7), model.evaluate(x, y, 7)

    expected, outputs, figures = results()

    def calls(pace, batches):
        return ((first, min(first + steps, batches)) for first in range(0, batches, steps))

    monkeypatch.setattr(pace.Pace, "calls", calls)
    found, parts, sums = results()
    assert (found, sums) == (expected, figures)
    np.testing.assert_array_equal(parts, outputs)


def test_looking_at_the_net_does_not_matter():
    x, y = data(101)
    expected = digest(fitted(make()))
    model = make()
    model.predict(x)
    model.evaluate(x, y)
    model.loss_and_gradient(x, y)
    assert digest(fitted(model)) == expected


def many():
    models = [make(seed, dtype=dtype) for seed in range(3) for dtype in ("float32", "float64")]
    models.append(net(layers.Dense(3, "silu"), seed=9))
    return models


def test_nets_side_by_side_get_what_each_would_get_alone():
    x, y = data(101)
    alone = [digest(fitted(model, validation_data=(x, y))) for model in many()]
    for jobs in (1, 2, 5, None):
        models, done = many(), []
        histories = fit_many(
            models, x, y, BATCH_SIZE, EPOCHS, validation_data=(x, y), jobs=jobs,
            on_done=lambda index, history, done=done: done.append((index, history)),
        )  # fmt: skip
        assert [digest(model) for model in models] == alone
        assert all(model.history is h for model, h in zip(models, histories, strict=True))
        assert sorted(index for index, _ in done) == list(range(len(models)))
        assert all(history is histories[index] for index, history in done)


def everything(seed=0, **options):
    """Return a net with a row of every kind that a backend runs by itself."""
    l1_l2 = regularizers.L1L2(0.001, 0.002)
    return net(
        layers.Rescaling(0.5, 0.1), layers.Dense(33, "selu", kernel_regularizer=l1_l2),
        layers.Dropout(0.3), layers.Dense(17, "softmax"), layers.Rescaling(-2.0),
        layers.Dense(19, "tanh", use_bias=False, kernel_regularizer=l1_l2),
        **{"seed": seed, "dtype": "float32", **options},
    )  # fmt: skip


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("optimizer", [optimizers.SGD(0.05), optimizers.SGD(0.05, 0.9)], ids=str)
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_threads_that_share_a_step_get_what_one_would_get(monkeypatch, backend, optimizer, threads):
    x, y = data(101)
    results, histories = [], []
    for count in (1, threads):
        monkeypatch.setattr("fastmlp.runtime.threads._chosen", count)
        monkeypatch.setattr("fastmlp.runtime.engine._WORTH_SHARING", 0)
        telemetry = Telemetry(every=2)
        model = everything(backend=backend, optimizer=optimizer)
        fitted(model, telemetry=telemetry, validation_data=(x, y))
        assert model._ready_engine()._threads_for(Mode.TRAIN, BATCH_SIZE, 10) == count
        _, gradients = model.loss_and_gradient(x, y)
        results.append([model.params, model.predict(x), telemetry.records, *gradients])
        histories.append(model.history.history)
    for alone, shared in zip(*results, strict=True):
        np.testing.assert_array_equal(alone, shared)
    assert histories[0] == histories[1]


@pytest.mark.parametrize("backend", COMPILED)
@pytest.mark.parametrize("units", [1, 4, 12, 33])
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_so_do_threads_that_share_a_step_on_bytes(monkeypatch, backend, units, threads):
    monkeypatch.setattr("fastmlp.runtime.engine._WORTH_SHARING", 0)
    x, y = data(101, features=77)
    images = (40 * (x + 3)).clip(0, 255).astype(np.uint8)
    results = []
    for count in (1, threads):
        monkeypatch.setattr("fastmlp.runtime.threads._chosen", count)
        model = net(
            layers.Rescaling(1 / 255), layers.Dense(units, "relu"), layers.Dense(units, "tanh"),
            features=77, seed=0, dtype="float32", backend=backend,
        )  # fmt: skip
        model.fit(images, y, batch_size=13, epochs=2, verbose=0)
        assert model._ready_engine()._threads_for(Mode.TRAIN, 13, 10) == count
        results.append([model.params, model.predict(images)])
    for alone, shared in zip(*results, strict=True):
        np.testing.assert_array_equal(alone, shared)


def test_another_process_gets_the_same():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from {__name__} import *; print(digest(fitted(make())))",
        ],
        env=os.environ | {"PYTHONHASHSEED": "123", "PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [digest(fitted(make()))]
