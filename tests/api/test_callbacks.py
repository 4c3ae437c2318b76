"""Callbacks: when they are called, what they may change, and what is left after an error."""

import copy
import math
from dataclasses import dataclass

import numpy as np
import pytest

from fastmlp import DivergenceWarning, Sequential, layers, optimizers
from fastmlp.callbacks import Callback, EarlyStopping, LambdaCallback

from .refusal import X, Y, assert_refused, built_or_not, make

HOOKS = ["on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"]


class Diary(Callback):
    """Writes down what it is told; it does not call ``super().__init__``."""

    def __init__(self, name="", pages=None):
        self.name = name
        self.pages = [] if pages is None else pages

    def note(self, hook, *told):
        self.pages.append((self.name, hook, *(copy.copy(each) for each in told)))

    def on_train_begin(self, logs=None):
        self.note("on_train_begin", logs)

    def on_epoch_begin(self, epoch, logs=None):
        self.note("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self.note("on_epoch_end", epoch, logs)

    def on_train_end(self, logs=None):
        self.note("on_train_end", logs)


def fails_in(hook, error, at=1):
    """Return a callback that raises in a hook; in those of epochs, at one of them."""

    def fail(*told):
        if len(told) == 1 or told[0] == at:
            raise error

    return LambdaCallback(**{hook: fail})


def with_dropout(**options):
    model = Sequential(
        [layers.Input(3), layers.Dense(5, "tanh"), layers.Dropout(0.3), layers.Dense(4, "softmax")],
        **{"seed": 0, **options},
    )
    model.compile(optimizers.SGD(0.1, 0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class TestHooks:
    def test_are_called_in_the_order_of_the_list(self):
        pages = []
        make().fit(X, Y, epochs=2, verbose=0, callbacks=[Diary(n, pages) for n in "ab"])
        hooks = [HOOKS[0], *HOOKS[1:3] * 2, HOOKS[3]]
        assert [page[:2] for page in pages] == [(name, hook) for hook in hooks for name in "ab"]

    def test_are_told_the_epoch_and_its_figures(self):
        diary, model = Diary(), make()
        history = model.fit(
            X, Y, epochs=3, verbose=0, callbacks=[diary], validation_data=(X, Y)
        ).history
        assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
        figures = [
            dict(zip(history, row, strict=True)) for row in zip(*history.values(), strict=True)
        ]
        epochs = [
            page
            for epoch in range(3)
            for page in (
                ("", "on_epoch_begin", epoch, {}), ("", "on_epoch_end", epoch, figures[epoch])
            )
        ]  # fmt: skip
        begin, end = ("", "on_train_begin", {}), ("", "on_train_end", figures[-1])
        assert diary.pages == [begin, *epochs, end]
        assert all(type(value) is float for value in diary.pages[2][3].values())

    def test_know_the_net_and_the_call(self):
        diary, model = Diary(), make()
        model.fit(X, Y, 5, 2, 0, [diary], validation_split=0.25)
        assert diary.model is model
        assert diary.params == {
            "batch_size": 5, "epochs": 2, "samples": 9, "steps": 2, "verbose": 0
        }  # fmt: skip

    def test_see_the_epoch_as_completed(self):
        seen = []

        def look(epoch, logs):
            seen.append((model.epochs_trained, model.steps_trained, list(model.history.epoch)))

        model = make()
        for _ in range(2):
            model.fit(X, Y, 4, 2, verbose=0, callbacks=[LambdaCallback(on_epoch_end=look)])
        assert seen == [(1, 3, [0]), (2, 6, [0, 1]), (3, 9, [0]), (4, 12, [0, 1])]

    @pytest.mark.parametrize("verbose", [0, 1, 2])
    def test_change_no_result(self, verbose, capsys):
        plain, watched = with_dropout(), with_dropout()
        options = {"epochs": 4, "verbose": verbose, "validation_data": (X, Y)}
        looks = LambdaCallback(on_epoch_end=lambda *_: watched.evaluate(X, Y, batch_size=5))
        history = watched.fit(X, Y, 5, callbacks=[looks, Diary(), EarlyStopping()], **options)
        assert history.epoch == [0, 1, 2, 3]
        assert plain.fit(X, Y, 5, **options).history == history.history
        assert watched.params.tobytes() == plain.params.tobytes()

    def test_of_a_copy_made_meanwhile_are_not_called(self):
        copies = []
        takes = LambdaCallback(on_epoch_end=lambda *_: copies.append(copy.deepcopy(model)))
        model = with_dropout()
        model.fit(X, Y, 5, 3, verbose=0, callbacks=[takes])
        for epoch, made in enumerate(copies):
            with pytest.raises(AttributeError):
                made.stop_training = True
            made.fit(X, Y, 5, 3 - epoch - 1, verbose=0) if epoch < 2 else None
            assert made.params.tobytes() == model.params.tobytes()
        assert len(copies) == 3


class TestLogs:
    def test_written_are_seen_by_those_behind_and_kept(self):
        class Writes(Callback):
            def on_epoch_end(self, epoch, logs=None):
                if epoch % 2:
                    logs["mine"] = np.float32(epoch)

        before, behind, model = Diary(), Diary(), make()
        history = model.fit(X, Y, epochs=5, verbose=0, callbacks=[before, Writes(), behind])
        ends = [[p[3] for p in diary.pages if p[1] == HOOKS[2]] for diary in (before, behind)]
        assert ["mine" in logs for logs in ends[0]] == [False] * 5
        assert [logs.get("mine") for logs in ends[1]] == [None, 1, None, 3, None]
        assert list(history.history) == ["loss", "accuracy", "mine"]
        np.testing.assert_array_equal(history.history["mine"], [np.nan, 1, np.nan, 3, np.nan])
        assert {type(value) for value in history.history["mine"]} == {float}

    @pytest.mark.parametrize("wrong", ["high", None, [1.0], True])
    def test_that_are_no_numbers_are_refused(self, wrong):
        model = make()
        writes = LambdaCallback(on_epoch_end=lambda _, logs: logs.update(mine=wrong))
        with pytest.raises(TypeError, match=r"^logs\['mine'\]: expected a callback to write a num"):
            model.fit(X, Y, epochs=3, verbose=0, callbacks=[writes])
        assert model.history.epoch == [0]
        assert list(model.history.history) == ["loss", "accuracy"]
        model.fit(X, Y, verbose=0)


class TestStopTraining:
    @pytest.mark.parametrize("hook", ["on_epoch_begin", "on_epoch_end"])
    def test_ends_the_fit_after_the_epoch(self, hook):
        def stop(epoch, logs):
            if epoch == 2:
                model.stop_training = True

        model, other, diary = with_dropout(), with_dropout(), Diary()
        model.fit(X, Y, epochs=9, verbose=0, callbacks=[LambdaCallback(**{hook: stop}), diary])
        other.fit(X, Y, epochs=3, verbose=0)
        assert model.stop_training
        assert model.history.epoch == [0, 1, 2]
        assert model.params.tobytes() == other.params.tobytes()
        assert [page[1] for page in diary.pages].count("on_train_end") == 1
        model.fit(X, Y, epochs=2, verbose=0)
        assert not model.stop_training
        assert model.history.epoch == [0, 1]

    def test_before_the_first_epoch_ends_it_after_that(self):
        def stop(logs):
            model.stop_training = True

        model = make()
        model.fit(X, Y, epochs=9, verbose=0, callbacks=[LambdaCallback(on_train_begin=stop)])
        assert model.history.epoch == [0]

    def test_may_be_taken_back(self):
        def stop_and_go_on(epoch, logs):
            model.stop_training = True
            model.stop_training = np.False_

        model = make()
        model.fit(X, Y, epochs=3, verbose=0, callbacks=[LambdaCallback(None, stop_and_go_on)])
        assert model.history.epoch == [0, 1, 2]

    def test_has_its_effect_or_is_refused(self):
        model = make()
        model.stop_training = False
        with pytest.raises(AttributeError, match="^stop_training: <Sequential.* not in a fit"):
            model.stop_training = True
        with pytest.raises(TypeError, match="^stop_training: expected True or False, got 1"):
            model.stop_training = 1
        assert model.stop_training is False
        assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]

    def test_also_in_a_subclass(self):
        class Mine(Sequential):
            pass

        model = Mine([layers.Input(3), layers.Dense(4, "softmax")], seed=0)
        model.compile("sgd", "sparse_categorical_crossentropy")
        with pytest.raises(AttributeError, match="^stop_training"):
            model.stop_training = True
        early = EarlyStopping("loss", min_delta=100)
        model.fit(X, Y, epochs=9, verbose=0, callbacks=[early])
        assert model.history.epoch == [0, 1]


class Series(Callback):
    """Writes a series, a number an epoch, into the logs as ``figure``."""

    def __init__(self, series):
        self.series = series

    def on_epoch_end(self, epoch, logs=None):
        logs["figure"] = float(self.series[epoch])


# The settings, a series, and then by hand: the epochs run, the epoch that stopped the fit, the
# best figure and its epoch, and how many epochs at the end were not better.
SERIES = {
    "patience": ({"patience": 2}, [3, 2, 2.5, 2.4, 1, 0], 4, 3, 2, 1, 2),
    "patience over a gap": ({"patience": 2}, [3, 4, 2, 3, 1, 0], 6, 0, 0, 5, 0),
    "no patience": ({}, [3, 4, 0, 0], 2, 1, 3, 0, 1),
    "as good is not better": ({}, [3, 3, 0], 2, 1, 3, 0, 1),
    "better every time": ({}, [5, 4, 3], 3, 0, 3, 2, 0),
    "NaN": ({}, [np.nan, np.nan, 1], 2, 1, np.inf, 0, 2),
    "better than NaN": ({"patience": 1}, [np.nan, 2, np.nan, 1], 3, 2, 2, 1, 1),
    "min_delta": ({"min_delta": 0.5, "patience": 2}, [3, 2.5, 2.4, 2.3, 2.2, 0], 5, 4, 2.4, 2, 2),
    "min_delta below 0": ({"min_delta": -0.5}, [3, 2.6, 0], 2, 1, 3, 0, 1),
    "max": ({"mode": "max", "patience": 2}, [1, 2, 2, 1.5, 9], 4, 3, 2, 1, 2),
    "max with min_delta": ({"mode": "max", "min_delta": 0.5}, [1, 2, 2.5, 9], 3, 2, 2, 1, 1),
    "never as good as the baseline": (
        {"baseline": 1, "patience": 3}, [3, 2, 2.5, 0], 3, 2, 2, 1, 3
    ),
    "better, if not than the baseline": (
        {"baseline": 1, "patience": 3}, [3, 2, 1.5, 1.4, 0.5, 0.6, 0.6, 0.6, 0], 8, 7, 0.5, 4, 3
    ),
    "as good as the baseline": ({"baseline": 3, "patience": 1}, [3, 3, 3], 2, 1, 3, 0, 2),
    "baseline of the largest": (
        {"baseline": 2, "mode": "max", "patience": 2}, [3, 2.5, 2.5, 9], 3, 2, 3, 0, 2
    ),
    "start": ({"start_from_epoch": 2, "patience": 2}, [0, 0, 5, 6, 7, 0], 5, 4, 5, 2, 2),
    "start after the end": ({"start_from_epoch": 9}, [0, 1, 2], 3, 0, np.inf, 0, 0),
}  # fmt: skip


def fit_series(series, early, model=None):
    model = make() if model is None else model
    model.fit(X, Y, epochs=len(series), verbose=0, callbacks=[Series(series), early])
    return model


class TestEarlyStopping:
    @pytest.mark.parametrize("case", SERIES)
    def test_on_series_computed_by_hand(self, case):
        options, series, epochs, *expected = SERIES[case]
        early = EarlyStopping("figure", **{"mode": "min", **options})
        model = fit_series(series, early)
        found = [early.stopped_epoch, early.best, early.best_epoch, early.wait]
        assert (len(model.history.epoch), found) == (epochs, expected)
        assert model.stop_training == bool(early.stopped_epoch)
        assert early.best_weights is None

    @pytest.mark.parametrize("case", SERIES)
    def test_begins_anew_in_each_fit(self, case):
        options, series, epochs, *expected = SERIES[case]
        early = EarlyStopping("figure", **{"mode": "min", **options})
        fit_series([-7, 1, 1, 1, 1, 1], early)
        model = fit_series(series, early)
        found = [early.stopped_epoch, early.best, early.best_epoch, early.wait]
        assert (len(model.history.epoch), found) == (epochs, expected)

    @pytest.mark.parametrize(
        ("monitor", "sign"),
        [("loss", 1), ("val_loss", 1), ("accuracy", -1), ("val_accuracy", -1)],
    )
    def test_knows_what_is_better_of_its_own_figures(self, monitor, sign):
        early, model = EarlyStopping(monitor, patience=99), make()
        history = model.fit(
            X, Y, epochs=8, verbose=0, callbacks=[early], validation_data=(X, Y)
        ).history
        values = [sign * value for value in history[monitor]]
        assert early.best_epoch == int(np.argmin(values))
        assert early.best == history[monitor][early.best_epoch]

    def test_says_what_it_does_if_wanted(self, capsys):
        early = EarlyStopping("figure", mode="min", verbose=1, restore_best_weights=True)
        fit_series([3, 2, 4, 5], early)
        assert capsys.readouterr().out == (
            "Epoch 3: early stopping\n"
            "Restoring model weights from the end of the best epoch: 2.\n"
        )  # fmt: skip

    def test_warns_once_of_a_figure_that_is_not_there(self):
        model = make()
        with pytest.warns(UserWarning, match="no 'val_loss' to go by.*'loss', 'acc") as found:
            model.fit(X, Y, epochs=3, verbose=0, callbacks=[EarlyStopping()])
        assert len(found) == 1
        assert found[0].filename == __file__
        assert model.history.epoch == [0, 1, 2]


def keeping_weights():
    """Return a callback that keeps the weights after each epoch, and where it keeps them."""
    kept = []
    keeps = Callback()
    keeps.on_epoch_end = lambda *_: kept.append(keeps.model.params.tobytes())
    return keeps, kept


class TestBestWeights:
    @pytest.mark.parametrize(
        ("series", "options", "best"),
        [
            ([3, 1, 2, 2, 0], {"patience": 2}, 1),
            ([3, 1, 2, 2, 2], {"patience": 9}, 1),
            ([3, 2, 1], {}, 2),
            ([9, 1, 3, 2, 3], {"patience": 9, "start_from_epoch": 2}, 3),
            ([np.nan, np.nan, 5], {}, 0),
            ([3, 2, 4], {"baseline": 1, "patience": 2}, 1),
        ],
        ids=["stopped", "ended by itself", "the last", "from an epoch on", "none", "baseline"],
    )
    def test_are_restored_bit_for_bit_whatever_ended_the_fit(self, series, options, best):
        keeps, kept = keeping_weights()
        early = EarlyStopping("figure", mode="min", restore_best_weights=True, **options)
        model = with_dropout()
        model.fit(
            X, Y, epochs=len(series), verbose=0, callbacks=[keeps, Series(series), early]
        )  # fmt: skip
        assert early.best_epoch == best
        assert model.params.tobytes() == kept[best]
        assert len(set(kept)) == len(kept)

    # In a single batch the loss is still better, and the step along it ruins the weights.
    @pytest.mark.parametrize("batch_size", [4, 12])
    @pytest.mark.parametrize("validated", [False, True])
    def test_are_restored_after_a_divergence(self, validated, batch_size):
        def explode(epoch, logs):
            if epoch == 3:
                model.optimizer.learning_rate = 1e300

        keeps, kept = keeping_weights()
        model = make()
        early = EarlyStopping("val_loss" if validated else "loss", restore_best_weights=True)
        explodes = LambdaCallback(on_epoch_begin=explode)
        with pytest.warns(DivergenceWarning) as found, np.errstate(all="ignore"):
            model.fit(
                X, Y, batch_size, 9, verbose=0, callbacks=[explodes, keeps, early],
                validation_data=(X, Y) if validated else None,
            )  # fmt: skip
        assert found[0].filename == __file__
        assert len(kept) == 4
        assert model.params.tobytes() == kept[2]

    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
    def test_are_not_restored_after_an_error(self, error):
        keeps, kept = keeping_weights()
        early = EarlyStopping("figure", patience=9, mode="min", restore_best_weights=True)
        model = make()
        callbacks = [keeps, Series([1, 2, 3]), early, fails_in("on_epoch_end", error, 2)]
        with pytest.raises(error):
            model.fit(X, Y, epochs=3, verbose=0, callbacks=callbacks)
        assert model.params.tobytes() == kept[2]
        model.set_weights(early.best_weights)
        assert model.params.tobytes() == kept[0]


class TestOptimizer:
    def test_rates_count_from_the_next_epoch_on(self):
        def slow(epoch, logs):
            if epoch == 1:
                model.optimizer.learning_rate = 0.0

        keeps, kept = keeping_weights()
        model = make()
        model.fit(X, Y, epochs=4, verbose=0, callbacks=[LambdaCallback(slow), keeps])
        assert kept[0] == kept[1] == kept[3]
        before = model.params.tobytes()
        model.optimizer.learning_rate = 0.1
        model.fit(X, Y, verbose=0)
        assert model.params.tobytes() != before

    @pytest.mark.parametrize("first", [0.0, 0.5])
    @pytest.mark.parametrize("nesterov", [False, True])
    def test_momentum_counts_from_the_next_epoch_on(self, first, nesterov):
        def change(epoch, logs):
            if epoch == 1:
                model.optimizer.momentum, model.optimizer.nesterov = 0.9, nesterov

        model, parted = make(), make()
        for each in (model, parted):
            each.compile(optimizers.SGD(0.1, first), "sparse_categorical_crossentropy")
        model.fit(X, Y, 4, 3, verbose=0, callbacks=[LambdaCallback(on_epoch_begin=change)])
        parted.fit(X, Y, 4, 1, verbose=0)
        parted.optimizer.momentum, parted.optimizer.nesterov = 0.9, nesterov
        parted.fit(X, Y, 4, 2, verbose=0)
        assert model.params.tobytes() == parted.params.tobytes()


class TestErrors:
    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
    @pytest.mark.parametrize("hook", HOOKS)
    @pytest.mark.parametrize("verbose", [0, 1])
    def test_in_a_hook_leave_a_net_that_goes_on_as_ever(self, hook, error, verbose, capsys):
        model, whole, diary = with_dropout(), with_dropout(), Diary()
        with pytest.raises(error):
            model.fit(
                X, Y, 5, 3, verbose=verbose, callbacks=[diary, fails_in(hook, error)],
                validation_data=(X, Y),
            )  # fmt: skip
        done = {"on_train_begin": 0, "on_epoch_begin": 1, "on_epoch_end": 2, "on_train_end": 3}
        assert model.epochs_trained == done[hook]
        if model.history is not None:
            assert model.history.epoch == list(range(done[hook]))
            lengths = {len(values) for values in model.history.history.values()}
            assert lengths <= {done[hook]}
        hooks = [page[1] for page in diary.pages]
        assert hooks.count("on_train_end") == (hook == "on_train_end")
        assert not model._is_training
        model.fit(X, Y, 5, 4 - done[hook], verbose=0)
        whole.fit(X, Y, 5, 4, verbose=0)
        assert model.params.tobytes() == whole.params.tobytes()

    @pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin"])
    def test_before_a_step_leave_the_net_unbuilt(self, hook):
        model, callbacks = make(built=False), [fails_in(hook, ZeroDivisionError("mine"), 0)]
        call = lambda: model.fit(X, Y, verbose=0, callbacks=callbacks)  # noqa: E731
        assert_refused(call, ZeroDivisionError, "mine", model)

    def test_of_a_fit_within_the_fit(self):
        model = make()
        fits = LambdaCallback(on_epoch_end=lambda *_: model.fit(X, Y, verbose=0))
        with pytest.raises(RuntimeError, match="in use by a fit that is not done"):
            model.fit(X, Y, verbose=0, callbacks=[fits])
        assert model.fit(X, Y, verbose=0).epoch == [0]

    def test_of_one_callback_in_two_fits_at_once(self):
        model, other = make(), make()
        early = EarlyStopping("loss")
        fits = LambdaCallback(lambda *_: other.fit(X, Y, verbose=0, callbacks=[early]))
        with pytest.raises(RuntimeError, match="EarlyStopping.* in use by a fit"):
            model.fit(X, Y, verbose=0, callbacks=[early, fits])
        assert other.history is None
        other.fit(X, Y, verbose=0, callbacks=[early])


@dataclass
class Equal(Callback):
    """Equal to others, and not hashable."""

    seen: int = 0

    def on_epoch_end(self, epoch, logs=None):
        self.seen += 1


def test_equal_callbacks_are_different_ones():
    both = [Equal(), Equal()]
    make().fit(X, Y, epochs=2, verbose=0, callbacks=both)
    assert [each.seen for each in both] == [2, 2]


TWICE = Diary()
REFUSED = {
    "number": (5, TypeError, "callbacks: expected a list of Callback objects, got 5"),
    "None": ([Diary(), None], TypeError, r"callbacks\[1\]: expected a fastmlp.callbacks.Callback"),
    "class": ([EarlyStopping], TypeError, r"callbacks\[0\]: expected a .*got <class"),
    "function": ([print], TypeError, r"callbacks\[0\]: expected a"),
    "twice": ([TWICE, Diary(), TWICE], ValueError, r"callbacks\[2\]: .* in the list already"),
}  # fmt: skip


@built_or_not
@pytest.mark.parametrize("case", REFUSED)
def test_bad_callbacks(case, built):
    callbacks, error, message = REFUSED[case]
    model = make(built=built)
    assert_refused(lambda: model.fit(X, Y, callbacks=callbacks), error, f"^{message}", model)


def test_a_callback_is_not_called_if_another_argument_is_refused():
    diary, model = Diary(), make()
    assert_refused(lambda: model.fit(X, Y + 1, callbacks=[diary]), ValueError, "^y: ", model)
    assert not diary.pages
    assert not hasattr(diary, "model")


LAMBDAS = {
    "on_epoch_end": (5, "expected a function, got 5"),
    "on_train_begin": ("now", "expected a function, got 'now'"),
    "on_train_batch_end": (3, "expected a function, got 3"),
    "on_test_end": ("x", "expected a function, got 'x'"),
    "on_epoch_ends": (print, "expected one of on_epoch_begin, .* got another name"),
}


@pytest.mark.parametrize("name", LAMBDAS)
def test_bad_functions(name):
    value, message = LAMBDAS[name]
    with pytest.raises(TypeError, match=f"^{name}: {message}"):
        LambdaCallback(**{name: value})


def test_functions_are_called_in_keras_order_of_arguments():
    seen = []
    callback = LambdaCallback(*(lambda *told, h=hook: seen.append((h, *told)) for hook in "abcd"))
    history = make().fit(X, Y, verbose=0, callbacks=[callback]).history
    figures = {name: values[0] for name, values in history.items()}
    assert seen == [("c", {}), ("a", 0, {}), ("b", 0, figures), ("d", figures)]


SETTINGS = {
    "monitor": (5, TypeError), "min_delta": (math.nan, ValueError), "patience": (-1, ValueError),
    "verbose": (2, ValueError), "mode": ("smallest", ValueError), "baseline": ("1", ValueError),
    "restore_best_weights": (1, TypeError), "start_from_epoch": (1.0, ValueError),
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings_of_early_stopping(name):
    value, error = SETTINGS[name]
    with pytest.raises(error, match=f"^{name}: expected"):
        EarlyStopping(**{name: value})
    early, model = EarlyStopping(), make(built=False)
    setattr(early, name, value)
    call = lambda: model.fit(X, Y, verbose=0, callbacks=[early])  # noqa: E731
    assert_refused(call, error, f"^{name}: expected", model)


def test_a_figure_of_ones_own_needs_a_mode():
    with pytest.raises(ValueError, match="^mode: expected 'min' or 'max' .*'f1', got 'auto'"):
        EarlyStopping("f1")
    with pytest.raises(AttributeError, match="^patince: .*did you mean 'patience'"):
        EarlyStopping().patince = 5
