"""Layers that are not trained: what a step leaves alone, and what goes through them."""

import copy
import warnings

import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, check_gradients, layers, models, optimizers, regularizers
from fastmlp.layers import BatchNormalization, Dense, Residual
from tests.backends import ALL
from tests.threads import each_number_of_threads

from .nets import Scale, data, net, targets
from .test_batch_normalization import normalized, statistics

each = pytest.mark.parametrize("backend", ALL)
X, Y = data(40)
PENALTY = regularizers.L1L2(0.01, 0.02)
STEPPERS = {
    "descent": lambda: optimizers.SGD(0.05),
    "adamw": lambda: optimizers.AdamW(0.01),
    "clipped": lambda: optimizers.SGD(0.05, 0.9, global_clipnorm=0.3),
    "clipped by tensor": lambda: optimizers.Adagrad(0.05, clipnorm=0.1, weight_decay=0.1),
    "lion with a mean": lambda: optimizers.Lion(0.01, weight_decay=0.1, use_ema=True),
}


def stack(frozen=True, python=False, width=23):
    return [
        Dense(7, "tanh", kernel_regularizer=PENALTY, trainable=not frozen),
        BatchNormalization(momentum=0.9),
        *[Scale()] * python,
        Dense(width, "tanh", kernel_regularizer=PENALTY, kernel_constraint="unit_norm",
              trainable=not frozen),
        BatchNormalization(
            momentum=0.9, gamma_initializer="normal", moving_mean_initializer="normal",
            trainable=not frozen,
        ),
        Residual([Dense(width, "tanh"), BatchNormalization(trainable=not frozen)]),
    ]  # fmt: skip


def is_frozen(model):
    frozen = {id(layer) for layer in (model.layers[0], *model.layers[-4:-2])}
    frozen.add(id(model.layers[-2].layers[1]))
    return [id(slot.layer) in frozen for slot in model._slots]


@each
@pytest.mark.parametrize("python", [False, True], ids=["kernels", "with a layer in Python"])
@pytest.mark.parametrize("stepper", STEPPERS)
def test_a_step_leaves_them_alone(backend, stepper, python):
    model = net(*stack(python=python), optimizer=STEPPERS[stepper](), backend=backend)
    before = model.get_weights()
    telemetry = Telemetry(every=3)
    model.fit(X, Y, batch_size=16, epochs=3, verbose=0, telemetry=telemetry)
    for now, then, frozen in zip(model.get_weights(), before, is_frozen(model), strict=True):
        assert np.array_equal(now, then) == frozen


@each
def test_the_gradients_of_the_others_go_through_them(backend):
    model = net(*stack(python=backend == "numpy", width=4), backend=backend)
    assert check_gradients(model, X[:9], Y[:9], tolerance=1e-8).passed
    _, gradients = model.loss_and_gradient(X, Y)
    assert len(gradients) == len(model.trainable_weights)
    shapes = [weight.shape for weight in model.trainable_weights]
    assert [gradient.shape for gradient in gradients] == shapes


@each
def test_their_penalties_are_not_part_of_the_loss(backend):
    model = net(*stack(), backend=backend)
    assert "data_loss" in net(*stack(frozen=False)).evaluate(X, Y, return_dict=True)
    figures = model.evaluate(X, Y, return_dict=True)
    assert "data_loss" not in figures  # there is no penalty


@each
def test_a_norm_knows_nothing_of_them(backend):
    """Of a net whose first layer is frozen, and of its second layer alone, steps are the same."""
    optimizer = {"learning_rate": 0.1, "global_clipnorm": 0.02, "weight_decay": 0.1}
    whole = net(Dense(8, "tanh", trainable=False), backend=backend,
                optimizer=optimizers.Adam(**optimizer))  # fmt: skip
    hidden = np.tanh(X.astype(float) @ whole.layers[0].kernel + whole.layers[0].bias)
    part = net(features=8, backend=backend, optimizer=optimizers.Adam(**optimizer))
    part.set_weights(whole.get_weights()[2:])
    whole.fit(X, Y, epochs=5, shuffle=False, verbose=0)
    part.fit(hidden, Y, epochs=5, shuffle=False, verbose=0)
    for one, other in zip(whole.get_weights()[2:], part.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


@each
def test_batch_normalization_uses_its_running_statistics(backend):
    layer = BatchNormalization(
        gamma_initializer="normal", moving_mean_initializer="normal", trainable=False
    )
    model = net(layer, backend=backend, last=None, loss="mse", metrics=(), classes=6)
    model.set_weights([*model.get_weights()[:4], np.eye(6), np.zeros(6)])
    before = [np.array(s) for s in statistics(layer)]
    expected = (normalized(X, layer, *before) ** 2).mean()
    loss, _ = model.loss_and_gradient(X, np.zeros((40, 6)))
    assert loss == pytest.approx(expected, rel=1e-12)
    model.fit(X, np.zeros((40, 6)), verbose=0)
    for now, then in zip(statistics(layer), before, strict=True):
        assert np.array_equal(now, then)


def test_the_same_bits_on_every_number_of_threads(monkeypatch):
    for backend in ("cython", "numba"):
        found = set()
        for _ in each_number_of_threads(monkeypatch):
            model = net(*stack(), Dense(9, "tanh", kernel_constraint="max_norm"), backend=backend,
                        optimizer=STEPPERS["clipped by tensor"]())  # fmt: skip
            model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
            found.add(model.params.tobytes() + model._state.running.tobytes())
        assert len(found) == 1


class TestWhenItCounts:
    def test_from_the_next_compile_on_and_a_warning_says_so(self):
        model = net(Dense(5))
        model.layers[0].trainable = False
        before = model.get_weights()
        with pytest.warns(UserWarning, match="^trainable: .* since compile"):
            model.fit(X, Y, verbose=0)
        with pytest.warns(UserWarning, match="^trainable: .* since compile"):
            model.train_on_batch(X, Y)
        assert not np.array_equal(before[0], model.get_weights()[0])
        model.compile("adam", "sparse_categorical_crossentropy")
        before = model.get_weights()
        model.fit(X, Y, verbose=0)
        assert np.array_equal(before[0], model.get_weights()[0])
        model.layers[0].trainable = True
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(X, Y, verbose=0)
        assert not np.array_equal(before[0], model.get_weights()[0])

    def test_of_a_net_and_of_layers_inside_others(self):
        model = net(Dense(5), Residual([Dense(5)]))
        model.trainable = False
        assert not model.layers[1].layers[0].trainable
        assert model.trainable_weights == []
        assert len(model.non_trainable_weights) == 6
        model.compile("adam", "sparse_categorical_crossentropy")
        before = model.params.copy()
        model.fit(X, Y, verbose=0)
        assert np.array_equal(model.params, before)
        model.trainable = True
        model.layers[1].layers[0].trainable = False
        assert len(model.trainable_weights) == 4
        assert not Residual([Dense(5)], trainable=False).layers[0].trainable

    @pytest.mark.parametrize("used", [False, True], ids=["at first", "after a use"])
    def test_each_net_has_layers_as_it_was_compiled(self, used):
        """A net that is frozen as a part of another one, and trained by itself, as in a GAN."""
        inner = net(Dense(5))
        if used:
            inner.evaluate(X, Y)
        inner.trainable = False
        outer = net(Dense(6), inner, last="linear", loss="mse")
        before = inner.get_weights()
        outer.fit(X, targets(40), verbose=0)
        assert all(map(np.array_equal, before, inner.get_weights()))
        for one in (inner, copy.copy(inner)):
            with pytest.warns(UserWarning, match="^trainable: .* since compile"):
                one.fit(X, Y, verbose=0)
            assert not any(map(np.array_equal, before, one.get_weights()))
        before = inner.get_weights()
        copy.copy(outer).fit(X, targets(40), verbose=0)
        outer.fit(X, targets(40), verbose=0)
        assert all(map(np.array_equal, before, inner.get_weights()))

    def test_of_a_net_that_is_frozen_from_the_start_with_one_inside(self):
        inner = Sequential([layers.Input(3), Dense(5)])
        outer = Sequential([layers.Input(3), inner], trainable=False)
        assert not inner.trainable
        assert outer.trainable_weights == []
        inner = Sequential([Dense(5)])
        outer = Sequential([inner], trainable=False)
        inner.add(Dense(2))
        for one in (outer, copy.copy(outer)):
            assert one.predict(X).shape == (40, 2)
            assert one._engine.plan.slots == []

    def test_of_a_class_of_layers(self):
        class Frozen(Dense):
            trainable = False

        model = net(Frozen(3))
        before = model.get_weights()
        model.fit(X, Y, verbose=0)
        assert np.array_equal(before[0], model.get_weights()[0])

    @pytest.mark.parametrize("wrong", [None, 0, "no", 1.0])
    def test_it_is_true_or_false(self, wrong):
        model, layer = net(Dense(5)), Dense(3)
        for owner in (model, layer, Scale()):
            with pytest.raises(TypeError, match="^trainable: expected True or False"):
                owner.trainable = wrong
        with pytest.raises(TypeError, match="^trainable: expected True or False"):
            Dense(3, trainable=wrong)
        with pytest.raises(TypeError, match="^trainable: expected True or False"):
            Sequential([], trainable=wrong)


@pytest.mark.parametrize("copied", [copy.deepcopy, models.clone_model], ids=["copy", "clone"])
def test_copies_are_frozen_alike(copied, tmp_path):
    model = net(*stack(), optimizer=optimizers.Adam())
    other = copied(model)
    if other.optimizer is None:
        other.compile(optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y, verbose=0)
        other.fit(X, Y, verbose=0)
    assert model.params.tobytes() == other.params.tobytes()
    model.save(tmp_path / "net")
    loaded = models.load_model(tmp_path / "net")
    assert [layer.trainable for layer in loaded.layers] == [x.trainable for x in model.layers]
    model.fit(X, Y, verbose=0)
    loaded.fit(X, Y, verbose=0)
    assert model.params.tobytes() == loaded.params.tobytes()


def test_a_summary_counts_them_apart():
    lines = []
    net(Dense(5, trainable=False)).summary(print_fn=lines.append)
    assert "non-trainable" in lines[0]
    assert " 35 " in lines[0]


def test_float_targets_work_too():
    model = net(Dense(5, trainable=False), last=None, loss="mse", metrics=())
    model.fit(X, targets(40), verbose=0)
    assert isinstance(layers.Dense(3).trainable, bool)
