"""TensorBoard's files, and the exchange of weights for their running mean."""

import struct

import numpy as np
import pytest
from tensorboardX.proto import event_pb2

from fastmlp import Input, Sequential, callbacks, layers, optimizers

X = np.random.default_rng(0).standard_normal((40, 3))
Y = np.arange(40) % 4


def net(**options):
    model = Sequential([Input(3), layers.Dense(4, "softmax")], seed=0, backend="numpy")
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizers.SGD(0.1, **options), loss, metrics=["accuracy"])
    return model


def figures(folder):
    """The numbers of a folder of events, by tag, as (step, value)."""
    found = {}
    for path in sorted(folder.glob("events*")):
        content = path.read_bytes()
        while content:
            (size,) = struct.unpack("<Q", content[:8])
            event = event_pb2.Event.FromString(content[12 : 12 + size])
            for value in event.summary.value:
                what = value.simple_value if value.HasField("simple_value") else value.histo.num
                found.setdefault(value.tag, []).append((event.step, what))
            content = content[16 + size :]
    return found


def test_epochs_and_batches_are_written_as_keras_does(tmp_path):
    model = net()
    board = callbacks.TensorBoard(
        tmp_path, histogram_freq=2, update_freq=2, write_steps_per_second=True
    )
    history = model.fit(
        X, Y, 10, 3, 0, callbacks=[board], validation_data=(X, Y), validation_freq=2
    ).history
    train, validation = figures(tmp_path / "train"), figures(tmp_path / "validation")
    steps, values = zip(*train["epoch_loss"], strict=True)
    assert steps == (0, 1, 2)
    np.testing.assert_allclose(values, history["loss"], rtol=1e-6)
    np.testing.assert_allclose(train["epoch_learning_rate"], [(e, 0.1) for e in range(3)])
    assert [step for step, _ in validation["epoch_accuracy"]] == [1]
    assert validation["epoch_loss"][0][1] == pytest.approx(history["val_loss"][1])
    assert [step for step, _ in train["batch_loss"]] == [2, 4, 6, 8, 10, 12]
    assert train["dense/kernel/histogram"] == [(0, 12), (2, 12)]
    assert len(train["epoch_steps_per_second"]) == 3


def test_bad_arguments_of_tensorboard():
    for options, error in (
        ({"log_dir": 3}, TypeError), ({"histogram_freq": -1}, ValueError),
        ({"update_freq": 0}, ValueError), ({"write_steps_per_second": 1}, TypeError),
    ):  # fmt: skip
        with pytest.raises(error, match=f"^{next(iter(options))}: expected"):
            callbacks.TensorBoard(**options)


def test_the_running_mean_is_validated_and_saved(tmp_path):
    model, plain = net(use_ema=True, ema_momentum=0.5), net()
    seen = []

    class Saved(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((self.model.get_weights()[0], logs["val_loss"]))

    swap = callbacks.SwapEMAWeights(swap_on_epoch=True)
    history = model.fit(X, Y, 10, 3, 0, callbacks=[swap, Saved()], validation_data=(X, Y)).history
    without = plain.fit(X, Y, 10, 3, 0, validation_data=(X, Y)).history
    assert history["loss"] == without["loss"]  # the training is the same
    assert history["val_loss"] != without["val_loss"]
    np.testing.assert_array_equal(model.get_weights()[0], seen[-1][0])
    assert model.evaluate(X, Y)[0] == pytest.approx(seen[-1][1])
    with pytest.raises(ValueError, match="keeps no running mean"):
        plain.fit(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
