"""Hooks of single batches: their order, what they are told, and that they change no bit."""

import copy

import numpy as np
import pytest

from fastmlp import DivergenceWarning, Sequential, Telemetry, layers, optimizers
from fastmlp.callbacks import Callback, LambdaCallback, having
from fastmlp.callbacks.base import TRAIN_BATCH
from tests.backends import ALL

X = np.random.default_rng(0).standard_normal((50, 3))
Y = np.arange(50) % 4


def net(backend="numpy", optimizer=None):
    model = Sequential(
        [layers.Input(3), layers.Dense(5, "tanh", kernel_regularizer="l2"), layers.Dropout(0.3),
         layers.Dense(4, "softmax")],
        seed=0, backend=backend,
    )  # fmt: skip
    optimizer = optimizers.SGD(0.1, 0.9) if optimizer is None else optimizer
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Diary(Callback):
    """Writes down which hooks are called, and with what."""

    def __init__(self):
        self.pages = []


def _hook(name):
    def note(self, *told):
        self.pages.append((name, *(copy.copy(each) for each in told)))

    return note


EVERY = [
    *(f"on_{kind}_{end}" for kind in ("train", "test", "predict", "epoch")
      for end in ("begin", "end")),
    *(f"on_{kind}_batch_{end}" for kind in ("train", "test", "predict")
      for end in ("begin", "end")),
]  # fmt: skip
for hook in EVERY:
    setattr(Diary, hook, _hook(hook))


def names(diary):
    return [page[0].removeprefix("on_") for page in diary.pages]


def test_the_order_in_a_fit():
    diary = Diary()
    net().fit(X, Y, 20, 2, 0, [diary], validation_data=(X, Y), validation_batch_size=30)
    batches = ["train_batch_begin", "train_batch_end"] * 3
    test = ["test_begin", *["test_batch_begin", "test_batch_end"] * 2, "test_end"]
    epoch = ["epoch_begin", *batches, *test, "epoch_end"]
    assert names(diary) == ["train_begin", *epoch, *epoch, "train_end"]
    numbers = [page[1] for page in diary.pages if page[0] == "on_train_batch_end"]
    assert numbers == [0, 1, 2] * 2


def test_what_they_are_told():
    diary, model = Diary(), net()
    history = model.fit(X, Y, 20, 2, 0, [diary], validation_data=(X, Y)).history
    ends = [page[2] for page in diary.pages if page[0] == "on_train_batch_end"]
    # After an epoch's last batch, the figures so far are those of the epoch.
    for epoch in range(2):
        assert ends[3 * epoch + 2] == {
            name: history[name][epoch] for name in ("loss", "accuracy", "data_loss")
        }
    assert {"on_train_batch_begin": {}, "on_test_begin": {}}.items() <= {
        page[0]: page[-1] for page in diary.pages
    }.items()
    tests = [page[1] for page in diary.pages if page[0] == "on_test_end"]
    assert tests[-1]["loss"] == history["val_loss"][-1]


def test_evaluate_and_predict():
    diary, model = Diary(), net()
    figures = model.evaluate(X, Y, 20, callbacks=[diary], return_dict=True)
    assert names(diary) == ["test_begin", *["test_batch_begin", "test_batch_end"] * 3, "test_end"]
    assert diary.pages[-1][1] == diary.pages[-2][2] == figures
    assert figures == model.evaluate(X, Y, 20, return_dict=True)
    assert diary.model is model
    diary.pages.clear()
    outputs = model.predict(X, 20, callbacks=[diary])
    batch = ["predict_batch_begin", "predict_batch_end"]
    assert names(diary) == ["predict_begin", *batch * 3, "predict_end"]
    np.testing.assert_array_equal(outputs, model.predict(X, 20))
    np.testing.assert_array_equal(outputs[20:40], diary.pages[4][2]["outputs"])
    with pytest.raises(TypeError, match="^callbacks: expected a list"):
        model.predict(X, callbacks=5)


@pytest.mark.parametrize("backend", ALL)
def test_they_change_no_bit(backend):
    plain, watched = net(backend), net(backend)
    options = {"batch_size": 8, "epochs": 3, "verbose": 0, "validation_data": (X, Y)}
    records = []
    for model, callbacks in ((plain, []), (watched, [Diary()])):
        telemetry = Telemetry(every=2)
        model.fit(X, Y, callbacks=callbacks, telemetry=telemetry, **options)
        records.append(telemetry)
    assert plain.params.tobytes() == watched.params.tobytes()
    assert plain.history.history == watched.history.history
    assert plain.steps_trained == watched.steps_trained == 21


def test_the_old_names_are_called_too():
    seen = []

    class Old(Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            seen.append(("end", batch, set(logs)))

    net().fit(X, Y, 25, verbose=0, callbacks=[Old()])
    figures = {"loss", "accuracy", "data_loss"}
    assert seen == [("begin", 0), ("end", 0, figures), ("begin", 1), ("end", 1, figures)]


def test_nobody_pays_for_hooks_that_nobody_has():
    class Epochs(Callback):
        def on_epoch_end(self, epoch, logs=None):
            pass

    class Inherits(Diary):
        pass

    mine = Callback()
    mine.on_batch_end = print
    quiet, loud = [Epochs(), Callback(), LambdaCallback(print)], [Inherits(), mine]
    assert having([*quiet, *loud], TRAIN_BATCH) == tuple(loud)
    model, calls = net(), []
    model.fit(X, Y, 5, verbose=0)
    engine = model._engine
    train = engine.train_epoch

    def counted(*arguments, **options):
        calls.append(arguments[3:5])
        return train(*arguments, **options)

    engine.train_epoch = counted
    model.fit(X, Y, 5, verbose=0, callbacks=[Epochs()])
    assert len(calls) < 10
    calls.clear()
    model.fit(X, Y, 5, verbose=0, callbacks=[Diary()])
    assert calls == [(batch, batch + 1) for batch in range(10)]


@pytest.mark.parametrize("backend", ALL)
def test_a_rate_that_is_set_before_each_batch(backend):
    def rate(step):
        return 0.1 / (1 + step)

    step = [0]

    def before(batch, logs):
        scheduled.optimizer.learning_rate = rate(step[0])
        step[0] += 1

    scheduled = net(backend, optimizers.SGD(1.0, 0.9))
    sets = LambdaCallback(on_train_batch_begin=before)
    scheduled.fit(X, Y, 8, 3, verbose=0, callbacks=[sets])
    other = net(backend, optimizers.SGD(rate, 0.9))
    other.fit(X, Y, 8, 3, verbose=0)
    assert scheduled.params.tobytes() == other.params.tobytes()


def test_a_momentum_that_is_set_after_a_batch():
    def after(batch, logs):
        one.optimizer.momentum = 0.0

    one, other = net(), net()
    one.fit(X, Y, 25, 1, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=after)])
    other.fit(X, Y, 25, 1, verbose=0)
    assert one.params.tobytes() != other.params.tobytes()


def test_stopping_after_a_batch_ends_the_epoch():
    def after(batch, logs):
        if model.steps_trained == 4:
            model.stop_training = True

    model, diary = net(), Diary()
    stops = LambdaCallback(on_train_batch_end=after)
    model.fit(X, Y, 20, 9, 0, [stops, diary], validation_data=(X, Y))
    assert model.steps_trained == 4
    assert model.history.epoch == [0, 1]
    assert model.history.divergence is None
    assert np.isfinite(model.history.history["val_loss"]).all()
    assert names(diary)[-1] == "train_end"
    model.fit(X, Y, 20, 1, verbose=0)
    assert model.steps_trained == 7


def test_a_batch_that_diverges_is_told_and_ends_the_fit():
    losses = []
    x = X.copy()
    model = net(optimizer=optimizers.SGD(0.1))

    def after(batch, logs):
        losses.append(logs["loss"])
        if batch == 1:
            model._state.params[:] = np.nan

    watch = LambdaCallback(on_train_batch_end=after)
    with pytest.warns(DivergenceWarning, match="at epoch 1, step 3"):
        model.fit(x, Y, 10, 3, verbose=0, callbacks=[watch])
    assert np.isfinite(losses).tolist() == [True, True, False]
    assert model.history.divergence.step == 2
    assert model.steps_trained == 2


def test_an_error_in_a_hook_keeps_the_count_of_steps():
    def after(batch, logs):
        if batch == 1:
            raise ZeroDivisionError

    model = net()
    with pytest.raises(ZeroDivisionError):
        model.fit(X, Y, 10, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=after)])
    assert model.steps_trained == 2
    assert model.history.epoch == []
