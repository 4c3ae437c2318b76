"""Nothing is lost: by divergence, or by Ctrl-C."""

import signal
import threading

import numpy as np
import pytest

from fastmlp import DivergenceWarning, Sequential, fit_many, layers, optimizers
from tests.api.nets import small_data, small_net

X, Y = small_data(400)


def ctrl_c_after(seconds):
    main = threading.main_thread().ident
    timer = threading.Timer(seconds, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    return timer


def explosive_net(backend):
    model = Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, name="first"),
            layers.Dense(8, name="second"),
            layers.Dense(1, name="third"),
        ],
        seed=0,
        backend=backend,
    )
    model.compile(optimizers.SGD(1e3), loss="mean_squared_error")
    return model


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_divergence_stops_and_says_where(backend):
    model = explosive_net(backend)
    with np.errstate(all="ignore"), pytest.warns(DivergenceWarning, match="training diverged"):
        history = model.fit(X, Y, epochs=5)
    where = history.divergence
    assert where.epoch == 0
    assert 0 < where.step < 13
    assert where.layer in ("first", "second", "third")
    assert f"step {where.step + 1}" in where.message
    assert "learning rate 1000" in where.message
    assert history.epoch == [0]
    assert not np.isfinite(history.history["loss"][0])


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_loss_of_nan_in_a_deep_net_stops(backend):
    """The check must survive the compiler's freedom to reorder sums."""
    model = small_net(backend=backend)
    model._params[:] = np.nan
    with np.errstate(all="ignore"), pytest.warns(DivergenceWarning):
        history = model.fit(X, Y)
    assert history.divergence.step == 0


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_ctrl_c_keeps_weights_and_history(backend):
    model = small_net(backend=backend)
    model.fit(X, Y)  # the kernels are ready
    before = model.get_weights()
    timer = ctrl_c_after(0.5)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=10**7, batch_size=1)
    timer.join()
    done = len(model.history.epoch)
    assert done >= 1
    assert model.epochs_trained == 1 + done
    assert not np.array_equal(before[0], model.get_weights()[0])
    assert np.isfinite(model.evaluate(X, Y)[0])
    assert model.fit(X, Y).epoch == [1 + done]


def test_ctrl_c_stops_all_nets():
    models = [small_net() for _ in range(4)]
    timer = ctrl_c_after(0.5)
    with pytest.raises(KeyboardInterrupt):
        fit_many(models, X, Y, epochs=10**7, batch_size=1, jobs=2)
    timer.join()
    assert sum(len(model.history.epoch) > 0 for model in models if model.history) == 2
    assert not [t for t in threading.enumerate() if t.name.startswith("ThreadPool")]
