"""Decay of weights: of which, and how little of it still counts in float32."""

import numpy as np
import pytest

from fastmlp import Sequential, layers, optimizers
from fastmlp.kernels.contract import MOMENTS, Number, Rule
from fastmlp.layers import Dense
from tests.backends import ALL
from tests.engine.nets import data, net
from tests.kernels.op_table import kernels

X, Y = data(40)
each = pytest.mark.parametrize("backend", ALL)
RULES = [rule for rule in Rule if rule != Rule.DESCENT]


@each
@pytest.mark.parametrize("constant", [0.0, 1.0], ids=["no gradient", "a gradient"])
@pytest.mark.parametrize("rule", RULES)
def test_a_decay_of_1e_8_acts_in_float32(backend, rule, constant):
    """Of 1e-3 of a weight's rounding, and beside steps of any size, as in float64."""
    found = {}
    for dtype in (np.float32, np.float64):
        w = np.linspace(0.5, 2, 500).astype(dtype)
        plain = w.copy()
        numbers = np.zeros(len(Number))
        for name, value in {"MOMENTUM": 0.5, "BETA_1": 0.5, "BETA_2": 0.9, "RHO": 0.9,
                            "EPSILON": 1e-3, "INITIAL_ACCUMULATOR_VALUE": 0.1}.items():  # fmt: skip
            numbers[Number[name]] = value
        # Steps that float32 adds exactly: what remains is the decay.
        gradient = np.full(500, constant * (rule == Rule.WHOLE_DESCENT) * 2.0**-9, dtype)
        moments = [[np.zeros(500 if i < MOMENTS[rule] else 0, dtype) for i in range(3)]
                   for _ in range(2)]  # fmt: skip
        for step in range(400):
            for one, of_one, decay in ((w, moments[0], 1e-8), (plain, moments[1], 0.0)):
                kernels(backend).optimizer_step(
                    int(rule), 1.0, decay, step, False, 0, one, gradient, *of_one, numbers
                )
        found[dtype] = float((plain.astype(np.float64) - w).sum())
    assert found[np.float64] > 1e-3
    assert found[np.float32] == pytest.approx(found[np.float64], rel=0.05)


@each
@pytest.mark.parametrize(
    "exclude",
    [
        lambda model: {"var_names": ["bias"]},
        lambda model: {"var_list": [model.layers[0].bias, "dense_1/bias"]},
    ],
    ids=["names", "weights"],
)  # fmt: skip
def test_what_is_excluded_does_not_decay(backend, exclude):
    """Of a rate of 0 for all but the decay: biases stay as they are, kernels do not."""
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    model = net(Dense(5, bias_initializer="ones"), backend=backend, optimizer=optimizer, last=None,
                loss="mse", metrics=())  # fmt: skip
    model.set_weights([np.zeros((6, 5)), *model.get_weights()[1:]])
    optimizer.exclude_from_weight_decay(**exclude(model))
    hidden = np.ones(5) @ model.layers[1].kernel
    y = np.tile(hidden, (40, 1))
    with_decay = net(Dense(5), backend=backend, optimizer=optimizers.SGD(0.1, weight_decay=0.5))
    before = with_decay.layers[0].kernel.copy()
    model.fit(X, y, batch_size=40, verbose=0)  # whose gradient is 0
    np.testing.assert_array_equal(model.layers[0].bias, 1)
    np.testing.assert_allclose(np.ones(5) @ model.layers[1].kernel, 0.95 * hidden)
    with_decay.fit(X, Y, verbose=0)
    assert not np.array_equal(with_decay.layers[0].kernel, before)


@each
def test_rates_of_their_own(backend):
    """A factor on the rate of one tensor is the rate of a net that has no other."""
    for make in (optimizers.SGD, optimizers.Adam):
        found = []
        for factor, rate in ((0.25, 0.02), (1.0, 0.005)):
            optimizer = make(rate)
            model = net(Dense(5, "tanh"), backend=backend, optimizer=optimizer)
            if factor != 1:
                optimizer.scale_learning_rate(factor, var_names=["/"])
                optimizer.scale_learning_rate(0, var_list=[model.layers[1].bias])
            model.fit(X, Y, epochs=1, batch_size=40, verbose=0)
            found.append(model.get_weights())
        for one, other in zip(found[0][:3], found[1][:3], strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
        assert not found[0][3].any()
        assert found[1][3].any()


def test_what_was_named_is_saved(tmp_path):
    from fastmlp import load_model

    optimizer = optimizers.AdamW(0.01)
    model = net(Dense(5, "tanh"), optimizer=optimizer)
    optimizer.exclude_from_weight_decay([model.layers[0].bias], ["^dense_1/bias$"])
    optimizer.scale_learning_rate(0.5, ["dense/kernel"])
    with pytest.raises(TypeError, match="^var_list: .*has not been compiled"):
        optimizer.get_config()
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "net")
    other = load_model(tmp_path / "net")
    assert [other.optimizer.factors(s.name) for s in model._slots] == [
        (0.5, 1), (1, 0), (1, 1), (1, 0)
    ]  # fmt: skip
    for one in (model, other):
        one.fit(X, Y, verbose=0)
    assert model.params.tobytes() == other.params.tobytes()


def test_what_is_no_weight_is_refused():
    optimizer = optimizers.AdamW(0.01)
    model = net(Dense(5), optimizer=optimizer)
    for wrong, kind in ((3, TypeError), ([3], TypeError), ("kernel", TypeError)):
        with pytest.raises(kind, match="^var_list"):
            optimizer.exclude_from_weight_decay(wrong)
    for wrong in ([3], ["("]):
        with pytest.raises(ValueError, match=r"^var_names\[0\]: expected a regular expression"):
            optimizer.exclude_from_weight_decay(var_names=wrong)
    for wrong in (-1, "a", np.nan):
        with pytest.raises(ValueError, match="^factor: expected"):
            optimizer.scale_learning_rate(wrong)
    before = model.params.copy()
    for wrong in (np.zeros(3), model.layers[0].kernel.copy(), "dense/kernle"):
        optimizer.exclude_from_weight_decay([wrong])
        with pytest.raises(ValueError, match="^var_list: "):
            model.fit(X, Y, verbose=0)
        with pytest.raises(ValueError, match="^var_list: "):
            model.compile(optimizer, "sparse_categorical_crossentropy")
    assert np.array_equal(model.params, before)
    optimizer.exclude_from_weight_decay()
    model.fit(X, Y, verbose=0)
    late = Sequential([layers.Dense(4, "softmax")], seed=0)  # built by fit
    optimizer.exclude_from_weight_decay(var_list=["dense/bias"])
    late.compile(optimizer, "sparse_categorical_crossentropy")
    late.fit(X, Y, verbose=0)
