"""Ctrl-C ends training between two steps, with everything kept."""

import contextlib
import signal
import threading
import time

import numpy as np
import pytest

from fastmlp import fit_many, layers
from tests.backends import ALL

from .nets import data, dense_tanh, net

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "pthread_kill"), reason="needs a signal sent to the main thread"
)

FOREVER = 10**9
PATIENCE = 60  # seconds, after which the interruption comes in any case


@pytest.fixture(autouse=True)
def sigint_is_heard():
    """Shells start what runs in the background with SIGINT ignored: these tests would not end."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def interrupted_when(condition):
    """Press Ctrl-C, as it were, as soon as a condition holds."""

    def press():
        deadline = time.monotonic() + PATIENCE
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.002)
        # A real signal: unlike _thread.interrupt_main, it also ends a wait for a lock.
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        thread.join()


def epochs_of(model):
    return 0 if model.history is None else len(model.history.epoch)


# Epochs long enough to be interrupted within, not while their figures are put down.
@pytest.mark.parametrize("backend", ALL)
def test_weights_and_history_are_kept(backend):
    x, y = data(3_000 if backend == "numpy" else 30_000)
    model = net(*dense_tanh(), backend=backend)
    before = model.params.copy()
    with interrupted_when(lambda: epochs_of(model) >= 3):
        model.fit(x, y, epochs=FOREVER, verbose=0, validation_split=0.2)
    history = model.history
    assert 3 <= len(history.epoch) < FOREVER
    assert model.epochs_trained == len(history.epoch)
    assert {len(values) for values in history.history.values()} == {len(history.epoch)}
    assert history.divergence is None
    assert np.isfinite(model.params).all()
    assert (model.params != before).any()


def test_an_epoch_of_many_steps_is_interrupted_within():
    x, y = data(200_000)
    model = net(layers.Dense(64, "tanh"), layers.Dense(64, "tanh"))
    model.fit(x[:64], y[:64], verbose=0)  # compiled
    before = model.params.copy()
    with interrupted_when(lambda: not np.array_equal(model.params, before)):
        model.fit(x, y, batch_size=1, epochs=FOREVER, verbose=0)
    assert model.history.epoch == []
    assert model.epochs_trained == 1


def test_training_goes_on_afterwards():
    x, y = data(300)
    model, uninterrupted = (net(*dense_tanh()) for _ in range(2))
    with interrupted_when(lambda: epochs_of(model) >= 1):
        model.fit(x, y, epochs=FOREVER, verbose=0)
    done = model.epochs_trained
    model.fit(x, y, epochs=2, verbose=0)
    assert model.epochs_trained == done + 2
    assert model.history.epoch == [0, 1]
    assert model.history.history["loss"][-1] < uninterrupted.evaluate(x, y)[0]


def test_many_nets_all_stop_and_keep_theirs():
    x, y = data(300)
    models = [net(*dense_tanh(), seed=seed) for seed in range(3)]
    threads = threading.active_count()
    with interrupted_when(lambda: all(epochs_of(model) >= 2 for model in models[:2])):
        fit_many(models, x, y, epochs=FOREVER, jobs=2)
    deadline = time.monotonic() + PATIENCE
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == threads
    for model in models[:2]:
        assert len(model.history.epoch) == model.epochs_trained >= 2
    assert epochs_of(models[2]) == 0  # its turn had not come
