"""However many threads share a net's steps: the same bits."""

import contextlib
import warnings

import numpy as np
import pytest

from fastmlp import (
    DivergenceWarning,
    Sequential,
    Telemetry,
    fit_many,
    get_num_threads,
    layers,
    optimizers,
    set_num_threads,
)
from fastmlp.kernels.contract import Mode
from fastmlp.regularizers import L1, L2
from fastmlp.runtime import engine, threads

from .nets import Scale, data, net, targets

MANY = (2, 3, 5)  # also more than there are cores, or units in some layer


@pytest.fixture
def shared(monkeypatch):
    """Let any net be shared, however small, by the number of threads that is asked for."""
    monkeypatch.setattr(engine, "_WORTH_SHARING", 0)
    monkeypatch.setattr("fastmlp.runtime.threads._chosen", 0)
    return set_num_threads


NETS = {
    "plain": lambda **options: net(
        layers.Dense(33, "relu"), layers.Dense(17, "tanh"), layers.Dense(2, "sigmoid"), **options
    ),
    "rows": lambda **options: net(
        layers.Rescaling(0.5, 0.1), layers.Activation("gelu"), layers.Dropout(0.2),
        layers.Dense(19, use_bias=False), **options,
    ),
    "masks and penalties": lambda **options: net(
        layers.Dense(34, "leaky_relu", kernel_regularizer=L2(0.01), bias_regularizer=L1(0.02)),
        layers.Dropout(0.3),
        layers.Dense(11, "softplus", kernel_regularizer=L1(0.01)),
        layers.Dropout(0.1),
        layers.Dense(7, "softmax"),
        **options,
    ),
    "momentum": lambda **options: net(
        layers.Dense(35, "selu", kernel_regularizer=L2(0.01)), layers.Dropout(0.3),
        optimizer=optimizers.SGD(0.01, 0.9, nesterov=True), **options,
    ),
    "one unit": lambda **options: net(
        layers.Dense(1, "tanh"), last=None, loss="mse", metrics=(), classes=1, **options
    ),
    "residual": lambda **options: net(
        layers.Residual([
            layers.Dense(37, "tanh"), layers.Dropout(0.2),
            layers.Residual([layers.Dense(37, "relu", kernel_regularizer=L2(0.01))]),
            layers.Dense(6),
        ]),
        **options,
    ),
    "batch normalization": lambda **options: net(
        layers.BatchNormalization(gamma_regularizer=L2(0.01)), layers.Dense(35, "tanh"),
        layers.BatchNormalization(center=False), layers.Dropout(0.2),
        **options,
    ),
    "no hidden layer": net,
}  # fmt: skip


def trained(model, outputs):
    """Train a little, look at everything, and return all of it."""
    x, y = data(53)
    y = targets(53, 1) if outputs == 1 else y
    telemetry = Telemetry(every=3)
    model.fit(x, y, batch_size=8, epochs=2, validation_data=(x, y), telemetry=telemetry, verbose=0)
    loss, gradients = model.loss_and_gradient(x, y)
    return [
        model.params, model.predict(x), model.evaluate(x, y), loss, *gradients,
        np.array(telemetry.records), repr(model.history.history),
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETS)
def test_the_number_of_threads_changes_nothing(shared, name, dtype):
    results = []
    for count in (1, *MANY):
        shared(count)
        model = NETS[name](backend="numba", dtype=dtype)
        results.append(trained(model, model.layers[-1].units))
    for other in results[1:]:
        for expected, actual in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("count", [1, *MANY])
def test_all_threads_stop_at_a_divergence(shared, count):
    shared(count)
    x, y = data(64)
    model = net(
        layers.Dense(33, "relu"), layers.Dense(17, "relu"), dtype="float32", backend="numba",
        optimizer=optimizers.SGD(1e20),
    )  # fmt: skip
    with pytest.warns(DivergenceWarning):
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    assert model.history.divergence.step == 1
    # And work again afterwards.
    with warnings.catch_warnings(), contextlib.suppress(DivergenceWarning):
        warnings.simplefilter("error")
        assert not np.isfinite(model.evaluate(x, y)[0])


def test_small_nets_are_not_shared(shared, monkeypatch):
    monkeypatch.undo()
    x, y = data(64)
    model = net(layers.Dense(3, "tanh"), backend="numba")
    monkeypatch.setattr("fastmlp.runtime.team.Worker", None)
    model.fit(x, y, verbose=0)


def test_a_single_short_step_is_not_shared(monkeypatch):
    """Its threads would take longer to start; those of many such steps are started once."""
    monkeypatch.setattr("fastmlp.runtime.threads._chosen", 3)
    model = Sequential([layers.Input((100,)), layers.Dense(100)], seed=0)
    model.compile("sgd", "mse")
    engine = model._ready_engine()
    x = np.ones((300, 100), np.float32)  # 9 million multiplications a step
    assert engine._threads_for(Mode.GRADIENT, 300, 1) == 1
    assert engine._threads_for(Mode.GRADIENT, 300, 10) == 3
    assert engine._threads_for(Mode.GRADIENT, 900, 1) == 3
    monkeypatch.setattr("fastmlp.runtime.team.Worker", None)
    model.loss_and_gradient(x, x)
    with pytest.raises(TypeError, match="not callable"):
        model.loss_and_gradient(np.tile(x, (3, 1)), np.tile(x, (3, 1)))


def test_no_threads_where_rows_are_walked_in_python(shared, monkeypatch):
    shared(3)
    monkeypatch.setattr("fastmlp.runtime.team.Worker", None)
    for model in (net(backend="numpy"), net(Scale(), backend="numba")):
        model.fit(*data(64), verbose=0)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", True, 100_000, 2**63])
def test_numbers_of_threads_that_are_refused(wrong, monkeypatch):
    monkeypatch.setattr("fastmlp.runtime.threads._chosen", 0)
    with pytest.raises(ValueError, match="^threads: expected"):
        set_num_threads(wrong)
    assert threads._chosen == 0
    with pytest.raises(ValueError, match="^jobs: expected"):
        fit_many([net()], *data(), jobs=wrong)


def test_the_largest_number_of_threads(monkeypatch):
    monkeypatch.setattr("fastmlp.runtime.threads._chosen", 0)
    set_num_threads(threads.most_threads())
    assert get_num_threads() == threads.most_threads() >= 64
    with pytest.raises(ValueError, match=f"at most {threads.most_threads()}"):
        set_num_threads(threads.most_threads() + 1)


@pytest.mark.parametrize("wrong", ["0", "-1", "two", "100000"])
def test_the_environment_is_checked_as_well(wrong, monkeypatch):
    monkeypatch.setattr("fastmlp.runtime.threads._chosen", 0)
    monkeypatch.setenv("FASTMLP_NUM_THREADS", wrong)
    with pytest.raises(ValueError, match="^FASTMLP_NUM_THREADS: expected"):
        get_num_threads()


GROUPS = {
    "no limit": ("0::/a\n", {"a/cpu.max": "max 100000\n"}, 8),
    "version 2": ("0::/a\n", {"a/cpu.max": "250000 100000\n"}, 2),
    "less than a core": ("0::/a\n", {"a/cpu.max": "50000 100000\n"}, 1),
    "the group around it": ("0::/a/b\n", {"a/cpu.max": "300000 100000\n"}, 3),
    "both": ("0::/a/b\n", {"a/cpu.max": "300000 100000", "a/b/cpu.max": "200000 100000"}, 2),
    "a container": ("0::/\n", {"cpu.max": "400000 100000\n"}, 4),
    "version 1": (
        "5:memory:/a\n4:cpu,cpuacct:/a\n0::/\n",
        {"cpu/a/cpu.cfs_quota_us": "300000\n", "cpu/a/cpu.cfs_period_us": "100000\n"},
        3,
    ),
    "version 1, in a container": (
        "4:cpu,cpuacct:/docker/1f\n",
        {"cpu,cpuacct/cpu.cfs_quota_us": "200000", "cpu,cpuacct/cpu.cfs_period_us": "100000"},
        2,
    ),
    "version 1, no limit": (
        "4:cpu,cpuacct:/a\n",
        {"cpu/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_period_us": "100000\n"},
        8,
    ),
    "nothing to read": ("", {}, 8),
    "not for us to understand": ("0::/a\nnonsense\n", {"a/cpu.max": "many\n"}, 8),
}


@pytest.mark.parametrize("name", GROUPS)
def test_the_default_follows_the_control_groups_quota(name, tmp_path, monkeypatch):
    own, files, expected = GROUPS[name]
    (tmp_path / "own").write_text(own)
    for path, text in files.items():
        (tmp_path / "groups" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / path).write_text(text)
    monkeypatch.setattr(threads, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(threads, "_CONTROL_GROUPS", tmp_path / "groups")
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr("fastmlp.runtime.threads._chosen", 0)
    monkeypatch.delenv("FASTMLP_NUM_THREADS", raising=False)
    threads._quota.cache_clear()
    try:
        assert get_num_threads() == expected
        monkeypatch.setattr("os.sched_getaffinity", lambda _: {3}, raising=False)
        assert get_num_threads() == 1
    finally:
        threads._quota.cache_clear()
