"""What penalties add to the figures of fit and evaluate, and to the gradient."""

import numpy as np
import pytest

from fastmlp import Sequential, layers, regularizers
from tests.backends import ALL

RNG = np.random.default_rng(6)
X, Y = RNG.normal(size=(23, 4)), RNG.integers(0, 3, 23)

BACKENDS = pytest.mark.parametrize("backend", ALL)
# Sums of a hundred terms: rounding to 2^-24 or 2^-53 of the largest, times some tens.
DTYPES = pytest.mark.parametrize(("dtype", "rtol"), [("float32", 5e-6), ("float64", 1e-13)])

KERNEL, BIAS = regularizers.L1L2(0.02, 0.03), regularizers.L1L2(0.05, 0.01)


def net(kernel=KERNEL, bias=BIAS, metrics=(), **options):
    model = Sequential(
        [
            layers.Input((4,)),
            layers.Dense(
                6,
                "tanh",
                bias_initializer="normal",
                kernel_regularizer=kernel,
                bias_regularizer=bias,
            ),
            layers.Dense(5, "tanh"),
            layers.Dense(3, "softmax", kernel_regularizer=kernel),
        ],
        seed=1,
        **options,
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=metrics)
    return model


def penalty_of(model):
    """By the definition, from the weights."""
    weights = [w.astype(np.float64) for w in model.get_weights()]
    penalized = ((weights[0], KERNEL), (weights[1], BIAS), (weights[4], KERNEL))
    return sum(p.l1 * np.abs(w).sum() + p.l2 * (w**2).sum() for w, p in penalized)


@BACKENDS
@DTYPES
def test_evaluate_adds_the_penalty(dtype, rtol, backend):
    model = net(dtype=dtype, backend=backend)
    bare = net(None, None, dtype=dtype, backend=backend)
    bare.set_weights(model.get_weights())
    figures = model.evaluate(X, Y, return_dict=True)
    assert set(figures) == {"loss", "data_loss"}
    assert figures["data_loss"] == bare.evaluate(X, Y)
    assert figures["loss"] - figures["data_loss"] == pytest.approx(penalty_of(model), rel=rtol)
    assert model.evaluate(X, Y) == figures["loss"]


@BACKENDS
@DTYPES
def test_history_adds_the_penalty_of_each_steps_weights(dtype, rtol, backend):
    """With one batch an epoch, an epoch's loss is that of the weights before it."""
    model = net(dtype=dtype, backend=backend)
    for _ in range(5):
        expected = penalty_of(model)
        evaluated = model.evaluate(X, Y, return_dict=True)
        history = model.fit(X, Y, batch_size=len(X), shuffle=False).history
        assert history["loss"][0] - history["data_loss"][0] == pytest.approx(expected, rel=rtol)
        assert history["data_loss"][0] == pytest.approx(evaluated["data_loss"], rel=rtol)


@BACKENDS
def test_a_short_last_batch_counts_by_its_samples(backend):
    """Batches of 20 and 3: the figures are means over samples, not over batches."""
    model = net(dtype="float64", backend=backend)
    order = [slice(0, 20), slice(20, 23)]
    expected = {"loss": 0.0, "data_loss": 0.0}
    replay = net(dtype="float64", backend=backend)
    for rows in order:
        n = len(X[rows])
        figures = replay.evaluate(X[rows], Y[rows], return_dict=True)
        expected = {name: expected[name] + figures[name] * n / len(X) for name in expected}
        replay.fit(X[rows], Y[rows], batch_size=n, shuffle=False)
    history = model.fit(X, Y, batch_size=20, shuffle=False).history
    assert {name: values[0] for name, values in history.items()} == pytest.approx(
        expected, rel=1e-13
    )


@BACKENDS
def test_validation_and_metrics_have_their_names(backend):
    model = net(metrics=["accuracy"], dtype="float64", backend=backend)
    history = model.fit(X, Y, epochs=2, validation_data=(X, Y)).history
    names = {"loss", "accuracy", "data_loss", "val_loss", "val_accuracy", "val_data_loss"}
    assert set(history) == names
    figures = model.evaluate(X, Y, return_dict=True)
    assert figures == {name: history[f"val_{name}"][-1] for name in figures}
    assert model.evaluate(X, Y) == [figures["loss"], figures["accuracy"]]


def test_without_penalties_there_is_no_data_loss():
    model = net(None, regularizers.L1L2(0, 0))
    assert set(model.fit(X, Y).history) == {"loss"}
    assert set(model.evaluate(X, Y, return_dict=True)) == {"loss"}


@BACKENDS
@DTYPES
def test_gradient_adds_the_penalties_gradient(dtype, rtol, backend):
    model = net(dtype=dtype, backend=backend)
    bare = net(None, None, dtype=dtype, backend=backend)
    bare.set_weights(model.get_weights())
    (loss, gradient), (bare_loss, bare_gradient) = (
        each.loss_and_gradient(X, Y) for each in (model, bare)
    )
    assert loss - bare_loss == pytest.approx(penalty_of(model), rel=rtol)
    penalties = (KERNEL, BIAS, None, None, KERNEL, None)
    tensors = zip(model.get_weights(), gradient, bare_gradient, penalties, strict=True)
    for w, with_penalty, without, penalty in tensors:
        expected = without
        if penalty is not None:
            expected = without + penalty.l1 * np.sign(w) + 2 * penalty.l2 * w
        scale = np.abs(expected).max()
        np.testing.assert_allclose(with_penalty, expected, rtol=0, atol=rtol * scale)


@BACKENDS
def test_l1_leaves_a_weight_at_0_in_peace(backend):
    """The slope of |w| at 0 is taken as 0; a net without data gradient then stays at 0."""
    model = Sequential(
        [layers.Input((4,)), layers.Dense(3, kernel_regularizer="l1", use_bias=False)],
        seed=1,
        dtype="float64",
        backend=backend,
    )
    model.compile("sgd", "mse")
    kernel = np.where(np.arange(12).reshape(4, 3) % 2 == 0, 0.0, 0.5)
    model.set_weights([kernel])
    x = np.zeros((2, 4))
    model.fit(x, np.zeros((2, 3)), batch_size=2)
    # One step of learning rate 0.01 along the penalty's slope, 0.01.
    np.testing.assert_allclose(model.get_weights()[0], kernel - 1e-4 * (kernel != 0), rtol=1e-14)
