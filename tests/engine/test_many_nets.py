"""fit_many: what each net may have of its own, and what becomes of nets that fail."""

import numpy as np
import pytest

from fastmlp import DivergenceWarning, Sequential, fit_many, layers, optimizers
from fastmlp.callbacks import Callback, EarlyStopping
from fastmlp.runtime.progress import BAR, LINES, NetsProgress

from .nets import CLASSES, data, dense_tanh, net


def nets(count=3, **options):
    return [net(*dense_tanh(), seed=seed, **options) for seed in range(count)]


def test_each_net_may_have_its_own_samples():
    x, y = data(60)
    rng = np.random.default_rng(1)
    bootstrap = rng.integers(0, 60, 60)
    some = rng.random(60) < 0.5
    models = nets()
    fits = fit_many(models, x, y, 8, 3, subsets=[bootstrap, some, None], jobs=2)
    for model, rows in zip(models, (bootstrap, some, slice(None)), strict=True):
        alone = net(*dense_tanh(), seed=model.seed)
        history = alone.fit(x[rows], y[rows], 8, 3, verbose=0)
        np.testing.assert_array_equal(model.params, alone.params)
        assert model.history.history == history.history
        assert model.history.params == history.params
    assert fits.errors == {}
    assert fits.unfinished == []


def test_each_net_may_have_its_own_weights_of_samples():
    x, y = data(60)
    rng = np.random.default_rng(1)
    weights = [rng.random(60), None, rng.integers(0, 3, 60)]
    rows = np.arange(40)
    models = nets()
    fit_many(models, x, y, 8, 3, sample_weight=weights, subsets=[rows, rows, None], jobs=2)
    for model, weight, own in zip(models, weights, (rows, rows, slice(None)), strict=True):
        alone = net(*dense_tanh(), seed=model.seed)
        given = None if weight is None else weight[own]
        alone.fit(x[own], y[own], 8, 3, 0, sample_weight=given)
        np.testing.assert_array_equal(model.params, alone.params)


def test_each_net_may_have_its_own_batch_size_and_epochs():
    x, y = data(60)
    models = nets()
    fit_many(models, x, y, [8, 16, 60], (1, 2, 3), jobs=2)
    for model, size, epochs in zip(models, (8, 16, 60), (1, 2, 3), strict=True):
        alone = net(*dense_tanh(), seed=model.seed)
        alone.fit(x, y, size, epochs, verbose=0)
        np.testing.assert_array_equal(model.params, alone.params)


def test_each_net_may_stop_early_by_itself():
    x, y = data(60)
    models = nets(4)
    stops = [EarlyStopping("loss", patience=2, min_delta=0.02 * k) for k in range(4)]
    fits = fit_many(models, x, y, 8, 40, 0, [[stop] for stop in stops], jobs=2)
    for index, model in enumerate(models):
        alone = net(*dense_tanh(), seed=index)
        stop = EarlyStopping("loss", patience=2, min_delta=0.02 * index)
        alone.fit(x, y, 8, 40, verbose=0, callbacks=[stop])
        np.testing.assert_array_equal(model.params, alone.params)
        assert len(fits[index].epoch) == alone.epochs_trained
    assert len({len(history.epoch) for history in fits}) > 1


def test_training_goes_on_from_an_epoch():
    x, y = data(60)
    models, whole = nets(2), nets(2)
    fit_many(models, x, y, 8, 2)
    fits = fit_many(models, x, y, 8, 5, initial_epoch=2)
    fit_many(whole, x, y, 8, 5)
    assert [history.epoch for history in fits] == [[2, 3, 4]] * 2
    for model, other in zip(models, whole, strict=True):
        np.testing.assert_array_equal(model.params, other.params)


class Failing(layers.Layer):
    """A layer that raises an error in a certain forward pass of a training."""

    def __init__(self, last=0):
        super().__init__()
        self.left = last

    def forward(self, x, training):
        if training:
            if not self.left:
                raise ArithmeticError("no more")
            self.left -= 1
        return x

    def backward(self, dy):
        return dy, {}


def unbuilt(*more, seed=0):
    model = Sequential([layers.Dense(5, "tanh"), *more, layers.Dense(CLASSES, "softmax")],
                       seed=seed)  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def test_a_net_that_fails_in_its_first_step_is_as_unbuilt_as_before():
    x, y = data(40)
    models = [unbuilt(seed=0), unbuilt(Failing()), unbuilt(seed=2)]
    with pytest.warns(RuntimeWarning, match=r"net 1: ArithmeticError: no more"):
        fits = fit_many(models, x, y, 8, 2, jobs=2)
    assert [model.built for model in models] == [True, False, True]
    assert models[1].history is None
    assert models[1].layers[0].get_weights() == []
    assert isinstance(fits.errors[1], ArithmeticError)
    assert fits[1].epoch == []


def test_a_net_that_fails_later_keeps_what_it_has_learned():
    x, y = data(40)
    models = [unbuilt(Failing(last=7)), unbuilt(seed=1)]
    with pytest.warns(RuntimeWarning, match="1 of 2 nets are done"):
        fits = fit_many(models, x, y, 8, 3, jobs=1)
    assert models[0].built
    assert fits[0].epoch == [0]  # five steps an epoch
    assert models[0].history is fits[0]
    assert fits[1].epoch == [0, 1, 2]


def test_a_callback_that_fails_stops_its_net_alone():
    class Fails(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyError("own")

    x, y = data(40)
    models = nets(2)
    with pytest.warns(RuntimeWarning, match="net 0: KeyError"):
        fits = fit_many(models, x, y, 8, 3, 0, [[Fails()], None])
    assert [len(history.epoch) for history in fits] == [2, 3]
    assert list(fits.errors) == [0]


def test_ctrl_c_in_a_callback_returns_what_is_done():
    class Presses(Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    x, y = data(40)
    models = [unbuilt(seed=seed) for seed in range(3)]
    with pytest.warns(
        RuntimeWarning, match="1 of 3 nets are done; interrupted; not finished: 1, 2"
    ):
        fits = fit_many(models, x, y, 8, 2, 0, [None, [Presses()], None], jobs=1)
    assert fits.interrupted
    assert [len(history.epoch) for history in fits] == [2, 1, 0]
    assert [model.built for model in models] == [True, True, False]
    assert fits[0] is models[0].history


def test_one_warning_names_all_nets_that_diverge():
    x, y = data(40)
    models = [
        net(*dense_tanh(), seed=k, optimizer=optimizers.SGD(1e300 if k % 2 else 0.1), loss="mse",
            classes=1, last=None, metrics=())
        for k in range(4)
    ]  # fmt: skip
    with pytest.warns(DivergenceWarning) as found, np.errstate(all="ignore"):
        fits = fit_many(models, x, y, 8, 4)
    (only,) = found
    assert "4 of 4 nets are done; diverged: 1, 3 (training diverged" in str(only.message)
    assert only.filename == __file__
    assert fits.diverged == [1, 3]


class Written:
    def __init__(self):
        self.lines, self.replaced = [], []

    def line(self, text):
        self.lines.append(text)

    def replace(self, text):
        self.replaced.append(text)


def test_the_bar_shows_nets_epochs_and_the_time_left(monkeypatch):
    monkeypatch.setattr("fastmlp.runtime.progress._SECONDS_PER_UPDATE", 0.0)
    shown = Written()
    progress = NetsProgress(BAR, 4, 40, shown)
    progress.advance(0)
    progress.add("net 0", "fine", is_troubled=False)
    progress.add("net 1", "not fine", is_troubled=True)
    progress.advance(30)
    progress.end("2 of 4 nets are done")
    assert shown.replaced[0].startswith("0/4 nets ───")
    assert shown.replaced[0].endswith("no epoch is done yet")
    assert shown.replaced[1].startswith("2/4 nets " + "━" * 22 + "─" * 8)
    assert shown.replaced[1].endswith("0 s left - 1 in trouble")
    assert shown.lines == ["2 of 4 nets are done - 0.0 s"]


def test_the_time_left_is_that_of_what_was_not_done_earlier(monkeypatch):
    monkeypatch.setattr("fastmlp.runtime.progress._SECONDS_PER_UPDATE", 0.0)
    shown = Written()
    progress = NetsProgress(BAR, 100, 100, shown)
    progress.resume(90, 0, 90)
    progress._started -= 10
    progress.advance(90)
    progress.add("net 90", "fine", is_troubled=False)
    progress.advance(91)
    assert shown.replaced[0].endswith("no epoch is done yet")
    assert shown.replaced[1].startswith("91/100 nets ")
    assert shown.replaced[1].endswith(" 90 s left")


def test_a_line_for_each_net(capsys):
    x, y = data(40)
    fit_many(nets(2), x, y, 8, 2, verbose=LINES, jobs=1)
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith("1/2 - net 0: ")
    assert " s - loss: " in first
    assert second.startswith("2/2 - net 1: ")
    assert last.startswith("2 of 2 nets are done - ")
    fit_many(nets(2), x, y, 8, 2, verbose=0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": [8]}, ValueError, "batch_size: expected one for each of 2 nets, got 1"),
        ({"batch_size": [8, 0]}, ValueError, "batch_size: expected a positive integer, got 0"),
        ({"epochs": [1, 2, 3]}, ValueError, "epochs: expected one for each of 2 nets, got 3"),
        ({"callbacks": [EarlyStopping()] * 2}, TypeError, r"callbacks\[0\]: expected a list of"),
        ({"callbacks": [[5], None]}, TypeError, r"callbacks\[0\]\[0\]: expected a fastmlp"),
        ({"callbacks": [[]]}, ValueError, "callbacks: expected one for each of 2 nets, got 1"),
        ({"callbacks": [[one] for one in [EarlyStopping()] * 2]}, ValueError,
         "callbacks: expected objects of its own for each net"),
        ({"subsets": [[0, 1]]}, ValueError, "subsets: expected one for each of 2 nets, got 1"),
        ({"subsets": [None, [0, 40]]}, ValueError, r"subsets\[1\]: expected indices from 0 to 39"),
        ({"subsets": [[-1], None]}, ValueError, r"subsets\[0\]: expected indices from 0 to 39"),
        ({"subsets": [[], None]}, ValueError, r"subsets\[0\]: expected the indices of samples"),
        ({"subsets": [[0.5], None]}, ValueError, r"subsets\[0\]: expected the indices"),
        ({"subsets": [[True], None]}, ValueError, r"subsets\[0\]: expected the indices"),
        ({"sample_weight": [[1.0], None]}, ValueError, "sample_weight: expected a weight for each"),
        ({"sample_weight": [None]}, ValueError, "sample_weight: expected one for each of 2 nets"),
        ({"initial_epoch": -1}, ValueError, "initial_epoch: expected a non-negative integer"),
        ({"verbose": 7}, ValueError, "verbose: expected 'auto', 0, 1 or 2, got 7"),
    ],
)  # fmt: skip
def test_what_is_refused(options, error, message):
    x, y = data(40)
    models = [unbuilt(seed=seed) for seed in range(2)]
    with pytest.raises(error, match=f"^{message}"):
        fit_many(models, x, y, **options)
    assert not any(model.built or model.history for model in models)
