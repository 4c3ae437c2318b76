"""BackupAndRestore: a fit that was cut off, gone on with, ends as if it had not been."""

import copy

import numpy as np
import pytest

from fastmlp import Input, Sequential, callbacks, layers, optimizers
from tests.backends import ALL

X = np.random.default_rng(0).standard_normal((50, 3))
Y = np.arange(50) % 4


class CutOffError(Exception):
    pass


class CutOff(callbacks.Callback):
    def __init__(self, epoch, batch=None):
        self.place, self.epoch = (epoch, batch), None
        if batch is not None:
            self.on_train_batch_end = self.after_batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        if self.place == (epoch, None):
            raise CutOffError

    def after_batch(self, batch, logs=None):
        if self.place == (self.epoch, batch):
            raise CutOffError


class Cooler(callbacks.Callback):
    """Changes the learning rate, which the backup has to know."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.optimizer.learning_rate *= 0.7


def net(backend="numpy"):
    model = Sequential(
        [Input(3), layers.Dense(6, "tanh"), layers.BatchNormalization(), layers.Dropout(0.3),
         layers.Dense(4, "softmax")], seed=0, backend=backend,
    )  # fmt: skip
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


def fit(model, *called, **options):
    options = {"validation_data": (X, Y), "epochs": 4, "batch_size": 8, **options}
    return model.fit(X, Y, verbose=0, callbacks=[Cooler(), *called], **options)


def assert_same(model, whole):
    for name in ("params", "running", "moments"):
        ours, theirs = getattr(model._state, name), getattr(whole._state, name)
        assert ours.tobytes() == theirs.tobytes(), name
    assert (model.steps_trained, model.epochs_trained) == (whole.steps_trained, 4)
    assert model.history.history == whole.history.history
    assert model.history.epoch == whole.history.epoch
    assert model.optimizer.learning_rate == whole.optimizer.learning_rate


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize(
    ("save_freq", "places"),
    [("epoch", [(2, None)]), (3, [(1, 4)]), (3, [(0, 3), (1, 2), (2, 5)]), (7, [(0, 6), (3, 1)])],
)
def test_a_fit_goes_on_with_the_same_bits(backend, save_freq, places, tmp_path):
    whole = net(backend)
    fit(whole)
    for place in places:
        backup = callbacks.BackupAndRestore(tmp_path, save_freq)
        with pytest.raises(CutOffError):
            fit(net(backend), backup, CutOff(*place))
        assert (tmp_path / "training.safetensors").exists()
    model = net(backend)
    fit(model, callbacks.BackupAndRestore(tmp_path, save_freq))
    assert_same(model, whole)
    assert not any(tmp_path.iterdir())


def test_the_same_net_goes_on_too(tmp_path):
    whole, model = net(), net()
    fit(whole)
    with pytest.raises(CutOffError):
        fit(model, callbacks.BackupAndRestore(tmp_path, 2), CutOff(2, 3))
    fit(model, callbacks.BackupAndRestore(tmp_path, 2, delete_checkpoint=False))
    assert_same(model, whole)
    assert (tmp_path / "training.safetensors").exists()
    done = net()
    fit(done, callbacks.BackupAndRestore(tmp_path, 2), epochs=4)
    assert done.params.tobytes() == whole.params.tobytes()


def test_moments_that_had_begun_anew_go_on(tmp_path):
    trained = net()
    fit(trained)
    trained.compile(optimizers.Adam(0.01), trained.loss, metrics=trained.metrics)
    whole, model = copy.copy(trained), net()
    fit(whole)
    with pytest.raises(CutOffError):
        fit(trained, callbacks.BackupAndRestore(tmp_path), CutOff(2))
    fit(model, callbacks.BackupAndRestore(tmp_path))
    assert model.params.tobytes() == whole.params.tobytes()


def test_weights_that_are_swapped_for_their_mean_are_backed_up_as_they_are(tmp_path):
    def trained(*called):
        model = net()
        model.compile(optimizers.Adam(0.01, use_ema=True), model.loss, metrics=model.metrics)
        fit(model, callbacks.SwapEMAWeights(swap_on_epoch=True), *called)
        return model

    whole, backup = trained(), callbacks.BackupAndRestore(tmp_path)
    with pytest.raises(CutOffError):
        trained(backup, CutOff(2))
    assert trained(backup).params.tobytes() == whole.params.tobytes()


def test_what_is_no_backup_of_the_fit_is_refused(tmp_path):
    with pytest.raises(CutOffError):
        fit(net(), callbacks.BackupAndRestore(tmp_path), CutOff(2))
    model = net()
    before = model.params.tobytes()
    with pytest.raises(ValueError, match="^backup_dir: .* is not of this fit"):
        fit(model, callbacks.BackupAndRestore(tmp_path), batch_size=9)
    path = tmp_path / "training.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match="damaged"):
        fit(model, callbacks.BackupAndRestore(tmp_path))
    assert model.params.tobytes() == before
    with pytest.raises(TypeError, match="^backup_dir: expected a path"):
        callbacks.BackupAndRestore(3)
    with pytest.raises(ValueError, match="^save_freq: expected"):
        callbacks.BackupAndRestore("a", 0)
