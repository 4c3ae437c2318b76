"""Batch normalization: values, gradients, running statistics, and what it is combined with."""

import copy
import pickle

import numpy as np
import pytest

from fastmlp import (
    DivergenceWarning,
    Sequential,
    Telemetry,
    check_gradients,
    layers,
    optimizers,
    regularizers,
)
from fastmlp.layers import BatchNormalization
from fastmlp.runtime import engine
from tests.backends import ALL, COMPILED

from .nets import Scale, data, net
from .test_state import Failing

each = pytest.mark.parametrize("backend", ALL)
RULES = {
    "descent": lambda: optimizers.SGD(0.05),
    "momentum": lambda: optimizers.SGD(0.05, 0.9, nesterov=True),
    "adam": lambda: optimizers.Adam(0.01),
}
each_rule = pytest.mark.parametrize("rule", RULES)
PENALTY = regularizers.L1L2(0.01, 0.02)


def rich(*, width=23, python=False, **options):
    """A net with the layer at every kind of place, and every kind of layer around it."""
    return net(
        BatchNormalization(momentum=0.9, beta_regularizer=regularizers.L2(0.02)),
        layers.Dense(width, "tanh", use_bias=False, kernel_regularizer=regularizers.L2(0.01)),
        BatchNormalization(gamma_regularizer=PENALTY, gamma_initializer="uniform"),
        layers.Activation("tanh"),
        layers.Dropout(0.2),
        *[Scale()] * python,
        layers.Residual(
            [layers.Dense(width), BatchNormalization(center=False), layers.Activation("gelu")]
        ),
        BatchNormalization(scale=False),
        BatchNormalization(center=False, scale=False),
        **options,
    )


def statistics(layer):
    return layer.weights["moving_mean"], layer.weights["moving_variance"]


def normalized(x, layer, mean, variance):
    gamma, beta = layer.weights["gamma"], layer.weights["beta"]
    return gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta


@each
def test_values_in_training_and_after(backend):
    x, _ = data(40)
    layer = BatchNormalization(
        momentum=0.75, epsilon=0.01, gamma_initializer="normal", beta_initializer="normal",
        moving_mean_initializer="normal",
    )  # fmt: skip
    model = net(layer, backend=backend, last=None, loss="mse", metrics=(), classes=6)
    model.set_weights([*model.get_weights()[:4], np.eye(6), np.zeros(6)])
    before = [np.array(s) for s in statistics(layer)]
    expected = normalized(x, layer, *before)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-12, atol=1e-13)
    mean, variance = x.mean(axis=0, dtype=np.float64), x.astype(np.float64).var(axis=0)
    expected = (normalized(x, layer, mean, variance) ** 2).mean()
    loss, gradients = model.loss_and_gradient(x, np.zeros((40, 6)))
    assert loss == pytest.approx(expected, rel=1e-12)
    assert len(gradients) == 4  # of gamma, beta, kernel and bias
    for now, then in zip(statistics(layer), before, strict=True):
        assert np.array_equal(now, then)  # no step was taken
    model.fit(x, np.zeros((40, 6)), batch_size=40, verbose=0)
    for now, then, batch in zip(statistics(layer), before, (mean, variance), strict=True):
        np.testing.assert_allclose(now, 0.75 * then + 0.25 * batch, rtol=1e-12, atol=1e-14)
    before = model.get_weights()
    model.evaluate(x, np.zeros((40, 6)))
    model.predict(x)
    for now, then in zip(model.get_weights(), before, strict=True):
        assert np.array_equal(now, then)


@each
@pytest.mark.parametrize("python", [False, True], ids=["kernels", "with a layer in Python"])
def test_gradients(backend, python):
    x, y = data(20)
    model = rich(width=7, python=python, backend=backend)
    before = model.get_weights()
    report = check_gradients(model, x, y, tolerance=1e-8)
    assert report.passed, report
    for now, then in zip(model.get_weights(), before, strict=True):
        assert np.array_equal(now, then)


@each
def test_a_batch_of_one_sample(backend):
    x, y = data(3)
    layer = BatchNormalization(momentum=0.5, beta_initializer="normal")
    model = net(layer, backend=backend)
    gamma = np.array(layer.weights["gamma"])
    loss, (dgamma, *_) = model.loss_and_gradient(x[:1], y[:1])
    assert np.isfinite(loss)
    assert not dgamma.any()
    model.fit(x[:1], y[:1], verbose=0)
    assert np.array_equal(layer.weights["gamma"], gamma)
    np.testing.assert_allclose(layer.weights["moving_mean"], x[0] / 2)
    np.testing.assert_allclose(layer.weights["moving_variance"], 0.5)
    model.fit(x, y, batch_size=2, verbose=0)  # the last batch holds one
    assert np.isfinite(model.params).all()


@each
@each_rule
@pytest.mark.parametrize("python", [False, True], ids=["kernels", "with a layer in Python"])
def test_a_step_goes_along_the_gradient(backend, rule, python):
    """The rule's own arithmetic is tested elsewhere: here, that it gets these tensors."""
    x, y = data(16)
    model = rich(python=python, backend=backend, optimizer=RULES[rule]())
    before = [np.array(slot.of(model._state)) for slot in model._slots if slot.weight.trainable]
    _, gradients = model.loss_and_gradient(x, y)
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    after = [slot.of(model._state) for slot in model._slots if slot.weight.trainable]
    for now, then, gradient in zip(after, before, gradients, strict=True):
        if rule == "adam":
            expected = 0.01 * gradient / (np.abs(gradient) + 1e-7)
        else:
            expected = 0.05 * gradient * (1.9 if rule == "momentum" else 1)
        clear = (np.abs(gradient) > 1e-9) | (rule != "adam")
        np.testing.assert_allclose((then - now)[clear], expected[clear], rtol=1e-6, atol=1e-12)


@each
@each_rule
@pytest.mark.parametrize("python", [False, True], ids=["kernels", "with a layer in Python"])
def test_telemetry_measures_and_changes_nothing(backend, rule, python):
    x, y = data()
    plain, seen = (rich(python=python, backend=backend, optimizer=RULES[rule]()) for _ in range(2))
    telemetry = Telemetry(every=2)
    plain.fit(x, y, batch_size=8, epochs=2, verbose=0)
    seen.fit(x, y, batch_size=8, epochs=2, verbose=0, telemetry=telemetry)
    assert seen.params.tobytes() == plain.params.tobytes()
    assert seen._state.running.tobytes() == plain._state.running.tobytes()
    assert "batch_normalization_1" in telemetry.rows
    of_layer = telemetry["gradient_norm"][:, telemetry.rows.index("batch_normalization_1")]
    assert np.isfinite(of_layer).all()
    assert (of_layer > 0).all()


@each
@each_rule
def test_copies_go_on_bit_for_bit(backend, rule):
    x, y = data()
    model = rich(backend=backend, optimizer=RULES[rule]())
    model.fit(x, y, epochs=2, verbose=0)
    copies = [copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for each_net in (model, *copies):
        each_net.fit(x, y, epochs=2, verbose=0)
    for other in copies:
        assert other.params.tobytes() == model.params.tobytes()
        assert other._state.running.tobytes() == model._state.running.tobytes()
        assert np.array_equal(other.predict(x), model.predict(x))


def test_weights_go_as_in_keras(capsys):
    x, y = data()
    model, other = (net(layers.Dense(5), BatchNormalization(), seed=s) for s in (0, 1))
    layer = model.layers[1]
    assert layer.weights.names == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [w.shape for w in model.get_weights()] == [(6, 5), (5,), *[(5,)] * 4, (5, 4), (4,)]
    for weight, first in zip(layer.get_weights(), (1, 0, 0, 1), strict=True):
        assert np.array_equal(weight, np.full(5, first))
    assert layer.count == 20
    assert model.count_params() == sum(w.size for w in model.get_weights())
    model.summary()
    words = [line.split() for line in capsys.readouterr().out.splitlines()]
    counts = {line[1]: line[-2] for line in words if len(line) > 2}
    assert counts["non-trainable"] == "10"
    assert counts["trainable"] == str(model.params.size)
    model.fit(x, y, verbose=0)
    other.set_weights(model.get_weights())
    assert np.array_equal(other.predict(x), model.predict(x))
    changed = model.get_weights()
    changed[4][0] = np.nan
    with pytest.raises(ValueError, match=r"^weights\[4\] \(batch_normalization/moving_mean\)"):
        other.set_weights(changed)
    assert np.array_equal(other.predict(x), model.predict(x))


@pytest.mark.parametrize("backend", COMPILED)
@each_rule
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_change_no_bit(monkeypatch, backend, rule, dtype):
    monkeypatch.setattr(engine, "_WORTH_SHARING", 0)
    x, y = data(53)

    def trained(threads):
        monkeypatch.setattr("fastmlp.runtime.threads._chosen", threads)
        model = rich(backend=backend, dtype=dtype, optimizer=RULES[rule]())
        history = model.fit(x, y, batch_size=9, epochs=2, validation_data=(x, y), verbose=0)
        _, gradients = model.loss_and_gradient(x, y)
        parts = [*model.get_weights(), *gradients, model.predict(x)]
        return [np.ascontiguousarray(p).tobytes() for p in parts], repr(history.history)

    alone = trained(1)
    assert all(trained(threads) == alone for threads in (2, 3))


@each
@pytest.mark.parametrize("method", ["forward", "backward"])
def test_no_half_step_is_left(backend, method):
    x, y = data(40)

    def make(layer):
        hidden = [BatchNormalization(), layers.Dense(6, "tanh"), layer, BatchNormalization()]
        return net(*hidden, backend=backend)

    broken, whole = make(Failing(method, 3)), make(Scale())
    with pytest.raises(ZeroDivisionError):
        broken.fit(x, y, 8, verbose=0, shuffle=False)
    whole.fit(x[:24], y[:24], 8, verbose=0, shuffle=False)
    for now, expected in zip(broken.get_weights(), whole.get_weights(), strict=True):
        assert now.tobytes() == expected.tobytes()


@each
@pytest.mark.parametrize("wrong", [1e30, np.float32(3e38)])
def test_a_batch_that_overflows_is_named_and_moves_nothing(backend, wrong):
    x, y = data(24)
    x[17, 2] = wrong  # its square is no float32
    model = net(BatchNormalization(), layers.Dense(5, "tanh"), backend=backend, dtype="float32")
    whole = copy.copy(model)
    with pytest.warns(DivergenceWarning, match="the outputs of 'batch_normalization'"):
        model.fit(x, y, 8, verbose=0, shuffle=False)
    whole.fit(x[:16], y[:16], 8, verbose=0, shuffle=False)
    for now, expected in zip(model.get_weights(), whole.get_weights(), strict=True):
        assert now.tobytes() == expected.tobytes()


@each
def test_running_statistics_stay_finite_in_a_divergence(backend):
    x, _ = data(40)
    model = net(
        layers.Dense(7, "relu"), BatchNormalization(), layers.Dense(7), BatchNormalization(),
        backend=backend, dtype="float32", optimizer=optimizers.SGD(1e20), last=None, loss="mse",
        metrics=(),
    )  # fmt: skip
    with pytest.warns(DivergenceWarning, match="training diverged"), np.errstate(all="ignore"):
        model.fit(x, np.ones((40, 4)), 8, epochs=9, verbose=0)
    assert np.isfinite(model._state.running).all()


@each
def test_features_that_do_not_change_are_no_division_by_zero(backend):
    x, y = data(24)
    x[:, 1] = 1000.1
    model = rich(backend=backend, dtype="float32")
    model.fit(x, y, 8, epochs=3, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert np.abs(model.layers[0].weights["moving_variance"][1]) <= 1


def test_best_weights_are_restored_with_their_statistics():
    from fastmlp.callbacks import EarlyStopping

    x, y = data()
    model = rich(optimizer=optimizers.SGD(2.0))
    stopping = EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    history = model.fit(
        x, y, epochs=30, validation_data=(x, y), callbacks=[stopping], verbose=0
    ).history
    assert model.evaluate(x, y)[0] == pytest.approx(min(history["val_loss"]), rel=1e-12)


@pytest.mark.parametrize(
    ("argument", "values"),
    {
        "momentum": (-0.1, 1.1, np.nan, None, "0.9"),
        "epsilon": (0, -1e-3, np.inf, None),
        "center": (None, 1),
        "scale": ("yes", 0),
        "gamma_initializer": ("one",),
        "beta_regularizer": ("l3",),
    }.items(),
)
def test_arguments_are_checked_by_name(argument, values):
    for wrong in values:
        with pytest.raises((TypeError, ValueError), match=f"^{argument}: .*expected"):
            BatchNormalization(**{argument: wrong})
    with pytest.raises(AttributeError, match="momentum"):
        BatchNormalization().momentum = 0.5


def test_inputs_have_one_axis():
    with pytest.raises(ValueError, match=r"BatchNormalization expects inputs of shape \(features,"):
        Sequential([layers.Input((2, 3)), BatchNormalization()])


class Third(BatchNormalization):
    def build(self, input_shape):
        super().build(input_shape)
        self.add_weight("third", input_shape, trainable=self.third)


@pytest.mark.parametrize("trainable", [True, False])
def test_a_subclass_that_declares_other_tensors_is_refused(trainable):
    layer = Third()
    layer._third = trainable
    Third.third = property(lambda self: self._third)
    with pytest.raises(ValueError, match="its kernel reads"):
        net(layer)
