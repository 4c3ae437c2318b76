"""What others do to a net and its data while it runs: other threads, callbacks, its own layers."""

import threading
import time

import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, fit_many, layers
from tests.backends import ALL, COMPILED

from .nets import CLASSES, Scale, data, dense_tanh, net

PATIENCE = 100  # seconds
BEYOND = 2**40  # a label that no net has an output for


class Meanwhile:
    """Runs a function over and over on another thread, while a block runs."""

    def __init__(self, function):
        self._function = function
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.is_set():
            self._function()
            time.sleep(0.0005)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("backend", ALL)
def test_labels_that_change_during_a_fit_change_nothing(backend, dtype):
    x, y = data(300)
    expected = net(*dense_tanh(), backend=backend)
    expected.fit(x, y, epochs=40, validation_data=(x, y), verbose=0)
    labels, model = y.astype(dtype), net(*dense_tanh(), backend=backend)

    def spoil():
        labels[:] = np.iinfo(dtype).max

    started = threading.Event()

    class First(Telemetry):
        def add(self, *arguments):
            spoil()
            started.set()
            super().add(*arguments)

    model.fit(
        x, labels, epochs=40, validation_data=(x, labels), verbose=0, telemetry=First(every=1000)
    )
    assert started.is_set()
    np.testing.assert_array_equal(model.params, expected.params)
    assert model.history.history == expected.history.history


@pytest.mark.parametrize("backend", COMPILED)
def test_labels_that_on_done_changes(backend):
    x, y = data(300)
    labels = y.copy()
    models, alone = ([net(*dense_tanh(), seed=s, backend=backend) for s in range(6)] for _ in "ab")

    def spoil(index, history):
        labels[:] = BEYOND
        x[:] += 0  # samples are only numbers

    fit_many(models, x, labels, epochs=3, jobs=2, on_done=spoil)
    for model, other in zip(models, alone, strict=True):
        other.fit(x, y, epochs=3, verbose=0)
        np.testing.assert_array_equal(model.params, other.params)


@pytest.mark.parametrize("backend", COMPILED)
def test_labels_change_while_evaluate_and_gradients_run(backend):
    x, y = data(2000)
    model = net(*dense_tanh(), backend=backend)
    expected = model.evaluate(x, y)
    labels = y.copy()

    def spoil_and_mend():
        labels[:] = BEYOND
        labels[:] = y

    with Meanwhile(spoil_and_mend):
        for _ in range(100):
            try:
                assert np.isfinite(model.evaluate(x, labels)).all()
                model.loss_and_gradient(x, labels)
            except ValueError as reason:
                assert "expected labels from 0" in str(reason)  # noqa: PT017
    assert model.evaluate(x, y) == expected


@pytest.mark.parametrize("backend", ALL)
def test_telemetry_records_as_it_was_when_the_fit_began(backend):
    x, y = data(200)
    model = net(*dense_tanh(), backend=backend)
    telemetry = Telemetry(every=7)

    def change():
        telemetry.every = 1

    with Meanwhile(change):
        telemetry.every = 7
        model.fit(x, y, batch_size=2, epochs=30, verbose=0, telemetry=telemetry)
    gaps = set(np.diff(telemetry.steps[: len(telemetry.steps) // 30]))
    assert gaps in ({1}, {7})
    assert len(telemetry.steps) == len(telemetry.records)


@pytest.mark.parametrize("every", [0, -1, 1.5, None, 10**9])
def test_telemetry_every_is_checked_when_the_fit_begins(every):
    x, y = data(64)
    model = net(*dense_tanh())
    telemetry = Telemetry(every=2)
    telemetry.every = every
    if every == 10**9:
        model.fit(x, y, verbose=0, telemetry=telemetry)
        assert telemetry.steps == [0]
        return
    before = model.params.copy()
    with pytest.raises(ValueError, match="every"):
        model.fit(x, y, verbose=0, telemetry=telemetry)
    assert model.history is None
    np.testing.assert_array_equal(model.params, before)


@pytest.mark.parametrize("units", [7, 8])
def test_telemetry_is_for_one_net(units):
    x, y = data(64)
    first, second = net(layers.Dense(7, "tanh")), net(layers.Dense(units, "tanh"), seed=1)
    telemetry = Telemetry(every=1)
    first.fit(x, y, verbose=0, telemetry=telemetry)
    first.compile("sgd", loss="sparse_categorical_crossentropy")
    first.fit(x, y, verbose=0, telemetry=telemetry)  # it is still the same net
    before = second.params.copy()
    with pytest.raises(ValueError, match="telemetry: .*new Telemetry"):
        second.fit(x, y, verbose=0, telemetry=telemetry)
    assert second.history is None
    np.testing.assert_array_equal(second.params, before)


def test_telemetry_is_for_one_fit_at_a_time():
    x, y = data(64)
    telemetry = Telemetry(every=1)

    class Other(layers.Layer):
        def forward(self, x, training):
            if training:
                with pytest.raises(RuntimeError, match="in use by a fit"):
                    other.fit(*data(64), verbose=0, telemetry=telemetry)
            return x

        def backward(self, dy):
            return dy, {}

    other, model = net(), net(Other())
    model.fit(x, y, verbose=0, telemetry=telemetry)
    assert other.history is None


class Calls(layers.Layer):
    """A layer that calls something whenever it runs, and passes its input on."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.errors = []

    def forward(self, x, training):
        try:
            self.function()
        except RuntimeError as error:
            self.errors.append(str(error))
        return x

    def backward(self, dy):
        return dy, {}


@pytest.mark.parametrize("what", ["predict", "evaluate", "fit", "loss_and_gradient"])
@pytest.mark.parametrize("how", ["predict", "evaluate", "fit", "loss_and_gradient"])
@pytest.mark.parametrize("backend", ALL)
def test_a_layer_that_calls_its_own_net_is_refused(backend, how, what):
    x, y = data(20)

    def call(name):
        options = {"verbose": 0} if name == "fit" else {}
        return getattr(model, name)(*((x,) if name == "predict" else (x, y)), **options)

    layer = Calls(lambda: call(what))
    model = net(layer, backend=backend)
    call(how)
    assert layer.errors
    assert all("this net is running" in e or "in use by a fit" in e for e in layer.errors)
    layer.function = lambda: None
    assert np.isfinite(model.predict(x)).all()  # and the net is free again


def test_an_error_in_a_layer_leaves_the_net_free():
    x, _ = data(20)

    def fail():
        raise ValueError("no")

    layer = Calls(fail)
    model = net(layer)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            model.predict(x)
    layer.function = lambda: None
    model.predict(x)


@pytest.mark.parametrize("backend", ALL)
def test_a_layer_may_call_another_net(backend):
    x, y = data(20)
    inner = net(Scale(), backend=backend)
    outputs = []
    model = net(Calls(lambda: outputs.append(inner.predict(x))), backend=backend)
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(outputs[0], inner.predict(x))


@pytest.mark.parametrize("layer", [None, Scale])
def test_other_threads_wait_for_their_turn(layer):
    x, _ = data(60)
    model = net(*dense_tanh(), *([layer()] if layer else []))
    few, all_of_it = model.predict(x[:3]), model.predict(x)
    wrong = []

    def predict():
        for _ in range(200):
            if not np.array_equal(model.predict(x[:3]), few):
                wrong.append("few")
            if not np.array_equal(model.predict(x), all_of_it):
                wrong.append("all")

    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert wrong == []


@pytest.mark.parametrize("backend", ALL)
def test_a_second_fit_of_a_net_is_refused(backend):
    x, y = data(64)
    model = net(*dense_tanh(), backend=backend)
    first, over = threading.Event(), threading.Event()

    class Slow(Telemetry):
        def add(self, *arguments):
            first.set()
            assert over.wait(PATIENCE)
            super().add(*arguments)

    other = net(*dense_tanh(), backend=backend, seed=1)
    fit = threading.Thread(
        target=lambda: model.fit(x, y, epochs=2, verbose=0, telemetry=Slow(every=1))
    )
    fit.start()
    assert first.wait(PATIENCE)
    history, params = model.history, model.params.copy()
    other_params = other.params.copy()
    for call in (
        lambda: model.fit(x, y, verbose=0),
        lambda: fit_many([other, model], x, y),
        lambda: model.add(layers.Dense(2)),
        lambda: model.compile("sgd", "mse"),
    ):
        with pytest.raises(RuntimeError, match="in use by a fit that is not done"):
            call()
    assert model.history is history
    assert len(model.layers) == len(other.layers)
    np.testing.assert_array_equal(model.params, params)
    np.testing.assert_array_equal(other.params, other_params)
    assert other.history is None
    over.set()
    fit.join(PATIENCE)
    assert model.epochs_trained == 2
    model.fit(x, y, verbose=0)
    other.fit(x, y, verbose=0)
    assert model.epochs_trained == 3


def test_an_error_from_on_done_stops_all_nets():
    x, y = data(300)
    models = [net(*dense_tanh(), seed=seed) for seed in range(6)]
    errors = []

    def again(index, history):
        try:
            fit_many(models, x, y)
        except RuntimeError as error:
            errors.append(str(error))
            raise

    with pytest.raises(RuntimeError, match="in use by a fit"):
        fit_many(models, x, y, epochs=3, jobs=2, on_done=again)
    after = [model.params.copy() for model in models]
    time.sleep(0.05)
    for model, params in zip(models, after, strict=True):
        np.testing.assert_array_equal(model.params, params)
        model.fit(x, y, verbose=0)


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_error_in_one_of_many_nets_stops_none_of_the_others(jobs):
    x, y = data(60)

    def fail():
        raise ValueError("no")

    failing = net(Calls(fail))
    models = [net(*dense_tanh()), failing, net(*dense_tanh())]
    with pytest.warns(RuntimeWarning, match=r"2 of 3 nets are done; failed: 1 \(net 1: ValueErr"):
        fits = fit_many(models, x, y, epochs=3, jobs=jobs)
    assert list(fits.errors) == [1]
    assert [len(history.epoch) for history in fits] == [3, 0, 3]
    assert failing.history is None
    alone = net(*dense_tanh())
    alone.fit(x, y, epochs=3, verbose=0)
    np.testing.assert_array_equal(models[2].params, alone.params)


def test_no_nets_are_no_work():
    assert fit_many([], *data()) == []


def test_a_net_that_a_fit_built_is_claimed_as_well():
    x, y = data(64)
    model = Sequential([layers.Dense(CLASSES, "softmax")])
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    model.fit(x, y, verbose=0)
    assert model.epochs_trained == 2
