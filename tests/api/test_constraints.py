"""Constraints: their formulas, their arguments, and what a net does with them."""

import numpy as np
import pytest

from fastmlp import Sequential, constraints, layers, models, optimizers, regularizers
from fastmlp.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from tests.backends import ALL
from tests.engine.nets import Scale, data, net

X, Y = data(40)
W = np.random.default_rng(0).standard_normal((6, 5))


def norms(w, axis):
    return np.sqrt((w**2).sum(axis=axis, keepdims=True))


# Keras' formulas.
FORMULAS = [
    (NonNeg(), lambda w: w * (w >= 0)),
    *(
        (
            MaxNorm(0.7, axis),
            lambda w, a=axis: w * np.clip(norms(w, a), 0, 0.7) / (1e-7 + norms(w, a)),
        )
        for axis in (0, 1, -1, (0, 1))
    ),
    (UnitNorm(), lambda w: w / (1e-7 + norms(w, 0))),
    (UnitNorm(axis=1), lambda w: w / (1e-7 + norms(w, 1))),
    (
        MinMaxNorm(0.8, 1.1, 0.3),
        lambda w: w * (0.3 * np.clip(norms(w, 0), 0.8, 1.1) + 0.7 * norms(w, 0))
        / (1e-7 + norms(w, 0)),
    ),
]  # fmt: skip
IDS = [repr(constraint) for constraint, _ in FORMULAS]


@pytest.mark.parametrize(("constraint", "formula"), FORMULAS, ids=IDS)
def test_called_with_an_array(constraint, formula):
    before = W.copy()
    np.testing.assert_allclose(constraint(W), formula(W), rtol=1e-14)
    assert np.array_equal(W, before)
    assert constraint(W.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize(("constraint", "formula"), FORMULAS, ids=IDS)
def test_steps_are_those_of_the_formula(constraint, formula, backend):
    """Each step is taken alone without the constraint, and then its formula applied."""
    steps = 50 if backend == "numpy" else 200
    x, y = X[:, :6].astype(float), W[:, :5] @ np.eye(5)
    y = np.tile(y, (7, 1))[:40]

    def made(constraint, optimizer):
        model = Sequential(
            [layers.Input(6), layers.Dense(5, kernel_constraint=constraint)], seed=3,
            dtype="float64", backend=backend,
        )  # fmt: skip
        model.compile(optimizer, "mse")
        return model

    for optimizer in (lambda: optimizers.SGD(0.05), lambda: optimizers.Adam(0.01)):
        ours, theirs = made(constraint, optimizer()), made(None, optimizer())
        ours.fit(x, y, batch_size=40, epochs=steps, shuffle=False, verbose=0)
        for _ in range(steps):
            theirs.train_on_batch(x, y)
            theirs.layers[0].kernel[...] = formula(theirs.layers[0].kernel)
        np.testing.assert_allclose(ours.layers[0].kernel, theirs.layers[0].kernel, atol=1e-9)
        np.testing.assert_allclose(ours.layers[0].bias, theirs.layers[0].bias, atol=1e-9)


@pytest.mark.parametrize("backend", ALL)
def test_every_tensor_may_have_one(backend):
    class Constrained(Scale):
        def build(self, input_shape):
            self.add_weight("scale", input_shape, "ones", constraint="unit_norm")

    model = net(
        layers.Dense(7, "tanh", kernel_constraint="max_norm", bias_constraint="non_neg"),
        layers.BatchNormalization(gamma_constraint="unit_norm", beta_constraint=MaxNorm(0.01)),
        Constrained(),
        backend=backend,
    )
    model.fit(X, Y, epochs=3, verbose=0)
    kernel, bias, gamma, beta, *_ = model.get_weights()
    assert norms(kernel, 0).max() <= 2
    assert bias.min() >= 0
    assert norms(gamma, 0) == pytest.approx(1, abs=2e-7)
    assert norms(beta, 0).max() <= 0.01
    assert norms(model.layers[2].weights["scale"], 0) == pytest.approx(1, abs=2e-7)


def test_what_a_kernel_can_not_do_is_refused():
    with pytest.raises(ValueError, match=r"^dense/bias: a constraint over axis 1 of shape \(5,\)"):
        net(layers.Dense(5, bias_constraint=MaxNorm(axis=1)))
    with pytest.raises(ValueError, match="axes that are apart"):
        UnitNorm(axis=(0, 2))(np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match="^kernel_constraint: 'maxnorm' is unknown"):
        layers.Dense(5, kernel_constraint="maxnorm")
    for wrong in (0.5, "a", [], [0.5], None):
        with pytest.raises(TypeError, match="^axis: expected"):
            MaxNorm(axis=wrong)
    for make in (
        lambda: MaxNorm(-1), lambda: MinMaxNorm(rate=2), lambda: MinMaxNorm(2, 1),
        lambda: MinMaxNorm(max_value=np.inf),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="^(max_value|rate|min_value): expected"):
            make()


def test_they_are_described_and_made_again():
    for constraint, _ in FORMULAS:
        layer = layers.Dense(3, kernel_constraint=constraint)
        assert layers.Dense.from_config(layer.get_config()).kernel_constraint == constraint
        assert len({constraint, type(constraint).from_config(constraint.get_config())}) == 1
    model = net(layers.Dense(5, kernel_constraint="max_norm"))
    assert models.clone_model(model).layers[0].kernel_constraint == constraints.max_norm()


@pytest.mark.parametrize(
    ("constraint", "name"),
    [(MaxNorm(), "max_value"), (MinMaxNorm(), "rate"), (UnitNorm(), "axis")],
)
def test_they_do_not_change(constraint, name):
    before = getattr(constraint, name)
    with pytest.raises(AttributeError, match=f"^{name}: .* was made with {name}=.* is fixed"):
        setattr(constraint, name, 0.5)
    assert getattr(constraint, name) == before


def test_a_formula_of_ones_own_is_refused():
    class Halved(MaxNorm):
        def __call__(self, w):
            return w / 2

    class Doubled(regularizers.L2):
        def __call__(self, w):
            return 2 * (w**2).sum()

    with pytest.raises(TypeError, match="^kernel_constraint: Halved has a __call__ of its own"):
        layers.Dense(3, kernel_constraint=Halved())
    with pytest.raises(TypeError, match="^kernel_regularizer: Doubled has a __call__ of its own"):
        layers.Dense(3, kernel_regularizer=Doubled())
