"""The Dropout layer in a net: when it acts, and which rates it takes."""

import numpy as np
import pytest

from fastmlp import Sequential, layers
from tests.backends import ALL
from tests.regularization.nets import dropout_net

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(21, 5)), RNG.integers(0, 3, 21)

BACKENDS = pytest.mark.parametrize("backend", ALL)
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def without_dropout(model, **options):
    """The same net with its dropout layers left out."""
    kept = [
        layers.Dense(layer.units, layer.activation)
        for layer in model.layers
        if isinstance(layer, layers.Dense)
    ]
    bare = Sequential([layers.Input((5,)), *kept], seed=0, **options)
    bare.compile("sgd", "sparse_categorical_crossentropy")
    bare.set_weights(model.get_weights())
    return bare


@BACKENDS
@DTYPES
def test_off_in_predict_and_evaluate(dtype, backend):
    options = {"dtype": dtype, "backend": backend}
    model = dropout_net(**options)
    model.fit(X, Y, batch_size=8, epochs=2)
    bare = without_dropout(model, **options)
    np.testing.assert_array_equal(model.predict(X), bare.predict(X))
    assert model.evaluate(X, Y) == bare.evaluate(X, Y)


@BACKENDS
def test_on_in_training(backend):
    model = dropout_net(dtype="float64", backend=backend)
    bare = without_dropout(model, dtype="float64", backend=backend)
    loss, gradient = model.loss_and_gradient(X, Y)
    bare_loss, bare_gradient = bare.loss_and_gradient(X, Y)
    assert loss != bare_loss
    assert all(np.any(a != b) for a, b in zip(gradient, bare_gradient, strict=True))


@BACKENDS
def test_validation_figures_are_those_of_evaluate(backend):
    model = dropout_net(dtype="float64", backend=backend)
    history = model.fit(X, Y, batch_size=8, epochs=3, validation_data=(X, Y)).history
    assert history["val_loss"][-1] == model.evaluate(X, Y)
    assert history["val_loss"][-1] != history["loss"][-1]


@BACKENDS
def test_masks_change_with_the_step_and_repeat_with_it(backend):
    model = dropout_net(dtype="float64", backend=backend)
    losses = [model.loss_and_gradient(X, Y, step=step)[0] for step in (0, 1, 2, 0)]
    assert losses[0] == losses[3]
    assert len(set(losses)) == 3


@BACKENDS
def test_prediction_between_two_fits_changes_nothing(backend):
    models = [dropout_net(backend=backend) for _ in range(2)]
    for model in models:
        model.fit(X, Y, batch_size=8)
    models[0].predict(X)
    models[0].evaluate(X, Y)
    for model in models:
        model.fit(X, Y, batch_size=8)
    for a, b in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(a, b)


@BACKENDS
@DTYPES
def test_rate_0_is_the_identity(dtype, backend):
    options = {"dtype": dtype, "backend": backend}
    model = dropout_net(rates=(0.0, 0), **options)
    bare = without_dropout(model, **options)
    for net in (model, bare):
        net.fit(X, Y, batch_size=8, epochs=3)
    for a, b in zip(model.get_weights(), bare.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@BACKENDS
def test_a_mean_over_masks_is_the_undropped_value(backend):
    """Inverted dropout: for a linear net, the mean output is that without dropout."""
    x = np.ones((1, 64))
    model = Sequential(
        [layers.Input((64,)), layers.Dropout(0.25), layers.Dense(1)],
        seed=2,
        dtype="float64",
        backend=backend,
    )
    model.compile("sgd", "mse")
    undropped = model.predict(x).item()
    # The loss with target t is (output - t)^2, so two targets tell the output.
    outputs = []
    for step in range(400):
        at_0, at_1 = (model.loss_and_gradient(x, [[t]], step=step)[0] for t in (0.0, 1.0))
        outputs.append((at_0 - at_1 + 1) / 2)
    standard_error = np.std(outputs) / np.sqrt(len(outputs))
    # Beyond 4.9 standard errors once in a million seeds.
    assert abs(np.mean(outputs) - undropped) < 4.9 * standard_error
    assert standard_error > 0


@pytest.mark.parametrize(
    "rate", [1, 1.0, -0.1, 2, 50, float("nan"), float("inf"), -float("inf"), "0.5", None, True]
)
def test_bad_rates_are_refused(rate):
    with pytest.raises(ValueError, match=r"^rate: expected a number in \[0, 1\), got") as caught:
        layers.Dropout(rate)
    assert repr(rate) in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(ValueError, match=r"^seed: expected a non-negative integer, got"):
        layers.Dropout(0.5, seed=seed)


@pytest.mark.parametrize("rate", [0, 0.0, 1e-9, 0.5, 1 - 2**-30])
def test_good_rates_are_kept(rate):
    assert layers.Dropout(rate).rate == rate
