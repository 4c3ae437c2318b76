"""Which epochs a fit runs, of how many batches, and when it validates."""

import numpy as np
import pytest

from fastmlp import Sequential, layers
from fastmlp.callbacks import LambdaCallback

X = np.random.default_rng(0).standard_normal((50, 3))
Y = np.arange(50) % 4


def net():
    model = Sequential(
        [layers.Input(3), layers.Dropout(0.2), layers.Dense(4, "softmax")], seed=0, backend="numpy"
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def fit(model, epochs, **options):
    return model.fit(X, Y, 10, epochs, verbose=0, **options)


def test_a_training_in_two_parts_counts_on():
    whole, parts, seen = net(), net(), []
    fit(whole, 5)
    fit(parts, 2)
    history = fit(
        parts, 5, initial_epoch=2,
        callbacks=[LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))],
    )  # fmt: skip
    assert seen == history.epoch == [2, 3, 4]
    assert parts.epochs_trained == 5
    assert parts.params.tobytes() == whole.params.tobytes()


def test_nothing_is_left_to_do():
    model, seen = net(), []
    before = model.params.tobytes()
    ends = LambdaCallback(on_train_end=seen.append)
    history = fit(model, 3, initial_epoch=3, callbacks=[ends])
    assert history.epoch == []
    assert history.history == {}
    assert seen == [{}]
    assert model.params.tobytes() == before


def test_epochs_of_so_many_batches():
    model = net()
    seen = []
    after = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    fit(model, 2, steps_per_epoch=3, callbacks=[after])
    assert seen == [0, 1, 2] * 2
    assert model.steps_trained == 6
    other = net()
    fit(other, 2, steps_per_epoch=3)
    assert other.params.tobytes() == model.params.tobytes()


def test_validation_now_and_then():
    for freq, epochs in ((2, [1, 3]), ([1, 4], [0, 3]), (9, [])):
        history = fit(net(), 5, validation_data=(X, Y), validation_freq=freq).history
        if epochs:
            assert len(history["val_loss"]) == 5
            assert np.flatnonzero(np.isfinite(history["val_loss"])).tolist() == epochs
        else:
            assert "val_loss" not in history


def test_validation_on_so_many_batches():
    model = net()
    history = fit(model, 1, validation_data=(X, Y), validation_steps=2).history
    assert history["val_loss"][-1] == model.evaluate(X[:20], Y[:20])
    history = fit(
        model, 1, validation_data=(X, Y), validation_steps=2, validation_batch_size=7
    ).history
    assert history["val_loss"][-1] == model.evaluate(X[:14], Y[:14], batch_size=7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"initial_epoch": -1}, "^initial_epoch: expected"),
        ({"steps_per_epoch": 0}, "^steps_per_epoch: expected"),
        ({"steps_per_epoch": 6}, "^steps_per_epoch: expected at most 5"),
        ({"validation_freq": 0}, "^validation_freq: expected"),
        ({"validation_freq": [0]}, "^validation_freq: expected"),
        ({"validation_freq": "often"}, "^validation_freq: expected"),
        ({"validation_steps": 3}, "^validation_steps: needs validation_data"),
        ({"validation_batch_size": 3}, "^validation_batch_size: needs validation_data"),
        ({"validation_batch_size": 0, "validation_split": 0.5}, "^validation_batch_size: expect"),
    ],
)
def test_bad_courses(options, message):
    model = net()
    before = model.params.tobytes()
    with pytest.raises(ValueError, match=message):
        fit(model, 2, **options)
    assert model.params.tobytes() == before
