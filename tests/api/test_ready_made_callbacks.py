"""The callbacks that come with fastmlp, but EarlyStopping: on series computed by hand."""

import copy
import csv
import math
import pickle

import numpy as np
import pytest

import fastmlp
from fastmlp import DivergenceWarning, Sequential, layers, optimizers
from fastmlp.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
)

X = np.random.default_rng(0).standard_normal((40, 3))
Y = np.arange(40) % 4


def net(rate=0.1):
    model = Sequential(
        [layers.Input(3), layers.Dense(4, "softmax")], seed=0, backend="numpy"
    )  # fmt: skip
    model.compile(optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Series(Callback):
    """Writes a series, a number an epoch, into the logs as ``figure``."""

    def __init__(self, series):
        self.series = series

    def on_epoch_end(self, epoch, logs=None):
        if self.series[epoch] is not None:
            logs["figure"] = float(self.series[epoch])


def fit(callback, series=(1, 2, 3), model=None, **options):
    model = net() if model is None else model
    callbacks = [Series(series), callback]
    model.fit(X, Y, 10, len(series), verbose=0, callbacks=callbacks, **options)
    return model


class TestModelCheckpoint:
    def test_saves_each_epoch_under_its_name(self, tmp_path):
        path = tmp_path / "deep" / "{epoch:02d}-{val_loss:.2f}.safetensors"
        model = fit(ModelCheckpoint(path), validation_data=(X, Y))
        losses = model.history.history["val_loss"]
        files = sorted(file.name for file in path.parent.iterdir())
        assert files == [f"{n:02d}-{loss:.2f}.safetensors" for n, loss in enumerate(losses, 1)]
        last = fastmlp.load_model(path.parent / files[-1])
        assert last.params.tobytes() == model.params.tobytes()
        assert last.epochs_trained == 3

    @pytest.mark.parametrize(
        ("mode", "threshold", "saved", "best"),
        [("min", None, [0, 2, 4], 1), ("max", None, [0, 1], 4), ("min", 2.5, [2, 4], 1),
         ("max", 4.5, [], 4.5)],
    )  # fmt: skip
    def test_saves_the_best_only(self, tmp_path, mode, threshold, saved, best):
        series = [3, 4, 2, 2, 1, math.nan]
        checkpoint = ModelCheckpoint(
            tmp_path / "{epoch}", "figure", save_best_only=True, mode=mode,
            initial_value_threshold=threshold,
        )  # fmt: skip
        fit(checkpoint, series)
        assert sorted(int(f.name) - 1 for f in tmp_path.iterdir()) == saved
        assert checkpoint.best == best

    def test_goes_on_with_the_best_of_the_fit_before(self, tmp_path):
        checkpoint = ModelCheckpoint(tmp_path / "{epoch}", "figure", 0, True, mode="min")
        fit(checkpoint, [1])
        fit(checkpoint, [5, 2, 0.5])
        assert sorted(f.name for f in tmp_path.iterdir()) == ["1", "3"]

    def test_saves_weights_only(self, tmp_path):
        model = fit(ModelCheckpoint(tmp_path / "w", save_weights_only=True))
        other = net()
        other.load_weights(tmp_path / "w")
        assert other.params.tobytes() == model.params.tobytes()
        with pytest.raises(ValueError, match="weights alone"):
            fastmlp.load_model(tmp_path / "w")

    def test_saves_after_so_many_batches_of_all_epochs(self, tmp_path):
        fit(ModelCheckpoint(tmp_path / "{epoch}-{batch}", save_freq=3))
        assert sorted(f.name for f in tmp_path.iterdir()) == ["1-3", "2-2", "3-1", "3-4"]
        assert fastmlp.load_model(tmp_path / "2-2").steps_trained == 6

    def test_says_what_it_does_if_wanted(self, tmp_path, capsys):
        path = str(tmp_path / "net")
        fit(ModelCheckpoint(path, "figure", 1, True, mode="min"), [3, 4, 2])
        assert capsys.readouterr().out.splitlines() == [
            f"Epoch 1: figure improved from inf to 3.00000, saving model to {path}",
            "Epoch 2: figure did not improve from 3.00000",
            f"Epoch 3: figure improved from 3.00000 to 2.00000, saving model to {path}",
        ]
        fit(ModelCheckpoint(path, verbose=1), [3])
        assert capsys.readouterr().out == f"Epoch 1: saving model to {path}\n"

    def test_warns_once_of_a_figure_that_is_not_there(self, tmp_path):
        with pytest.warns(UserWarning, match="^monitor: ModelCheckpoint finds no 'val_loss'") as w:
            fit(ModelCheckpoint(tmp_path / "net", save_best_only=True))
        assert [found.filename for found in w] == [__file__]
        assert list(tmp_path.iterdir()) == []

    def test_a_name_that_wants_what_is_not_there(self, tmp_path):
        with pytest.raises(ValueError, match="^filepath: .* wants 'val_loss'; there are 'epoch', "):
            fit(ModelCheckpoint(tmp_path / "{val_loss}"))

    def test_copies(self, tmp_path):
        for copied in (copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))):
            checkpoint = copied(ModelCheckpoint(tmp_path / "{epoch}-{batch}", save_freq=2))
            assert checkpoint.on_train_batch_end.__self__ is checkpoint


# The settings, a series, and the rate of each epoch, computed by hand.
PLATEAUS = {
    "patience": ({"patience": 2}, [3, 3, 3, 3, 3, 3], [1, 1, 1, 0.5, 0.5, 0.25]),
    "no patience": ({"patience": 0}, [3, 2, 3, 1, 1], [1, 1, 1, 0.5, 0.5]),
    "better again": ({"patience": 2}, [3, 4, 2, 4, 4, 4], [1, 1, 1, 1, 1, 0.5]),
    "min_delta": ({"patience": 1, "min_delta": 0.5}, [3, 2.6, 2, 2], [1, 1, 0.5, 0.5]),
    "max": ({"patience": 1, "mode": "max"}, [1, 2, 1, 1], [1, 1, 1, 0.5]),
    "cooldown": (
        {"patience": 1, "cooldown": 2}, [3, 3, 3, 3, 3, 3], [1, 1, 0.5, 0.5, 0.25, 0.25]
    ),
    "min_lr": ({"patience": 1, "min_lr": 0.4}, [3, 3, 3, 3], [1, 1, 0.5, 0.4]),
    "NaN": ({"patience": 1}, [math.nan, math.nan, 1], [1, 0.5, 0.25]),
}  # fmt: skip


class TestReduceLROnPlateau:
    @pytest.mark.parametrize("case", PLATEAUS)
    def test_on_series_computed_by_hand(self, case):
        options, series, rates = PLATEAUS[case]
        plateau = ReduceLROnPlateau("figure", 0.5, **{"mode": "min", **options})
        for _ in range(2):  # each fit begins anew
            model = fit(plateau, series, net(1.0))
            assert model.history.history["learning_rate"] == rates

    def test_says_what_it_does_if_wanted(self, capsys):
        plateau = ReduceLROnPlateau("figure", 0.5, 1, 1, "min")
        model = fit(plateau, [1, 1, 1], net(1.0))
        assert capsys.readouterr().out.splitlines() == [
            f"Epoch {n}: ReduceLROnPlateau reducing learning rate to {rate}."
            for n, rate in ((2, 0.5), (3, 0.25))
        ]
        assert model.optimizer.learning_rate == 0.25

    def test_the_rate_is_that_of_the_training(self):
        one, other = net(1.0), net(1.0)
        fit(ReduceLROnPlateau("figure", 0.5, 1, mode="min"), [1, 1, 1], one)
        for rate in (1.0, 1.0, 0.5):
            other.optimizer.learning_rate = rate
            other.fit(X, Y, 10, verbose=0)
        assert one.params.tobytes() == other.params.tobytes()

    def test_a_schedule_is_refused(self):
        model = net(fastmlp.schedules.CosineDecay(0.1, 10))
        with pytest.raises(TypeError, match="^learning_rate: ReduceLROnPlateau needs an optimizer"):
            fit(ReduceLROnPlateau("loss"), model=model)

    def test_warns_once_of_a_figure_that_is_not_there(self):
        with pytest.warns(UserWarning, match="^monitor: ReduceLROnPlateau finds no 'val_loss'"):
            model = fit(ReduceLROnPlateau())
        assert model.history.history["learning_rate"] == [0.1] * 3


class TestLearningRateScheduler:
    def test_of_the_epoch_and_the_rate_so_far(self):
        for schedule in (lambda epoch, rate: rate / 2, lambda epoch: 0.8 / 2 ** (epoch + 1)):
            model = fit(LearningRateScheduler(schedule), model=net(0.8))
            assert model.history.history["learning_rate"] == [0.4, 0.2, 0.1]
            other = net()
            for rate in (0.4, 0.2, 0.1):
                other.optimizer.learning_rate = rate
                other.fit(X, Y, 10, verbose=0)
            assert model.params.tobytes() == other.params.tobytes()

    def test_an_error_of_the_function_is_its_own(self):
        def broken(epoch, rate):
            return epoch + "1"

        with pytest.raises(TypeError, match="unsupported operand"):
            fit(LearningRateScheduler(broken))

    def test_says_what_it_does_if_wanted(self, capsys):
        fit(LearningRateScheduler(lambda epoch: 0.5, verbose=1), [1])
        said = "Epoch 1: LearningRateScheduler setting learning rate to 0.5.\n"
        assert capsys.readouterr().out == said

    @pytest.mark.parametrize(
        ("rate", "error"), [(-1, ValueError), (math.nan, ValueError), ("1", TypeError)]
    )
    def test_what_is_no_rate_is_refused(self, rate, error):
        with pytest.raises(error, match="^schedule: expected it to return"):
            fit(LearningRateScheduler(lambda epoch: rate))


class TestCSVLogger:
    def rows(self, path, delimiter=","):
        with path.open(newline="") as file:
            return list(csv.DictReader(file, delimiter=delimiter))

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_a_row_an_epoch(self, tmp_path, separator):
        path = tmp_path / "log.csv"
        model = fit(CSVLogger(path, separator), validation_data=(X, Y))
        rows = self.rows(path, separator)
        names = ["accuracy", "figure", "loss", "val_accuracy", "val_loss"]
        assert list(rows[0]) == ["epoch", *names]
        assert [row["epoch"] for row in rows] == ["0", "1", "2"]
        for name in names:
            assert [float(row[name]) for row in rows] == model.history.history[name]

    def test_what_an_epoch_does_not_have_is_na(self, tmp_path):
        path = tmp_path / "log.csv"
        fit(CSVLogger(path), [1, None, 2], validation_data=(X, Y), validation_freq=2)
        rows = self.rows(path)
        assert [row["figure"] for row in rows] == ["1.0", "NA", "2.0"]
        assert [row["val_loss"] == "NA" for row in rows] == [True, False, True]

    def test_begins_anew_or_goes_on(self, tmp_path):
        path = tmp_path / "log.csv"
        for _ in range(2):
            fit(CSVLogger(path))
            assert len(self.rows(path)) == 3
        fit(CSVLogger(path, append=True))
        assert [row["epoch"] for row in self.rows(path)] == ["0", "1", "2"] * 2
        other = tmp_path / "other.csv"
        fit(CSVLogger(other, append=True))
        assert len(self.rows(other)) == 3


class TestTerminateOnNaN:
    def diverging(self, callback):
        model = net()
        breaks = Callback()
        breaks.on_epoch_end = lambda *_: model._state.params.fill(np.nan)
        model.fit(X, Y, 10, 3, verbose=0, callbacks=[breaks, callback])
        return model

    def test_says_where(self, capsys):
        with pytest.warns(DivergenceWarning):
            model = self.diverging(TerminateOnNaN())
        assert model.history.epoch == [0, 1]
        assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"

    def test_raises_if_wanted(self):
        with pytest.raises(RuntimeError, match="^training diverged: the loss became nan"):
            self.diverging(TerminateOnNaN(raise_error=True))

    def test_is_silent_otherwise(self, capsys):
        fit(TerminateOnNaN())
        assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("make", "error", "argument"),
    [
        (lambda: ModelCheckpoint(3), TypeError, "filepath"),
        (lambda: ModelCheckpoint("a", save_freq=0), ValueError, "save_freq"),
        (lambda: ModelCheckpoint("a", save_freq="batch"), ValueError, "save_freq"),
        (lambda: ModelCheckpoint("a", verbose=2), ValueError, "verbose"),
        (lambda: ModelCheckpoint("a", save_best_only=1), TypeError, "save_best_only"),
        (lambda: ModelCheckpoint("a", "f1", save_best_only=True), ValueError, "mode"),
        (lambda: ModelCheckpoint("a", initial_value_threshold=1), ValueError, "initial_value_thr"),
        (lambda: ReduceLROnPlateau(factor=1), ValueError, "factor"),
        (lambda: ReduceLROnPlateau(factor=0), ValueError, "factor"),
        (lambda: ReduceLROnPlateau(patience=-1), ValueError, "patience"),
        (lambda: ReduceLROnPlateau(mode="low"), ValueError, "mode"),
        (lambda: ReduceLROnPlateau("f1"), ValueError, "mode"),
        (lambda: ReduceLROnPlateau(cooldown=1.5), ValueError, "cooldown"),
        (lambda: ReduceLROnPlateau(min_lr=-1), ValueError, "min_lr"),
        (lambda: LearningRateScheduler(0.1), TypeError, "schedule"),
        (lambda: LearningRateScheduler(abs, verbose=3), ValueError, "verbose"),
        (lambda: CSVLogger(3), TypeError, "filename"),
        (lambda: CSVLogger("a", ", "), TypeError, "separator"),
        (lambda: CSVLogger("a", append=1), TypeError, "append"),
        (lambda: TerminateOnNaN(1), TypeError, "raise_error"),
    ],
)
def test_bad_settings(make, error, argument):
    with pytest.raises(error, match=f"^{argument}"):
        make()


@pytest.mark.parametrize(
    ("callback", "name"),
    [
        (ModelCheckpoint("net"), "save_freq"),
        (ModelCheckpoint("net"), "save_best_only"),
        (BackupAndRestore("backup", save_freq=3), "save_freq"),
        (TensorBoard("logs"), "update_freq"),
    ],
)
def test_what_decides_the_hooks_is_fixed(callback, name):
    with pytest.raises(AttributeError, match=f"^{name}: .* was made with {name}=.* is fixed"):
        setattr(callback, name, 5)
