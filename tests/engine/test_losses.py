"""Losses: what they expect of a net and of right answers, and what becomes of extremes."""

import math

import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, layers, losses
from fastmlp.kernels.contract import Loss, Reduction
from fastmlp.layers import Dense
from tests.backends import ALL
from tests.kernels.inputs import reals
from tests.kernels.op_table import kernel

from .nets import data, flat, net, targets

X, LABELS = data(41)
ANSWERS = (LABELS > 1).astype(np.float64)
each = pytest.mark.parametrize("backend", ALL)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
OTHERS = (Loss.SOFTMAX_CROSSENTROPY, Loss.SOFTMAX_FOCAL, Loss.PYTHON)
OF_OUTPUTS = [kind for kind in Loss if kind not in OTHERS]
SLOPES_OF_INFINITY = (Loss.HUBER, Loss.MEAN_ABSOLUTE_ERROR, Loss.SIGMOID_CROSSENTROPY)


def loss_of(backend, kind, x, target, alpha=1.0):
    """Return the kernel's loss and gradient for one output of each sample."""
    dtype, n = x.dtype, x.size
    scratch, dx = np.empty((2, n), dtype), np.empty((1, n), dtype)
    value = kernel(backend, "loss")(
        int(kind), int(Reduction.MEAN), x[None], np.arange(n), np.empty(0, np.int64),
        target[:, None].astype(dtype), np.empty(0, dtype), reals(ALPHA=alpha), scratch, dx,
    )  # fmt: skip
    return value, n * dx[0]


@each
@each_dtype
@pytest.mark.parametrize("kind", OF_OUTPUTS, ids=lambda kind: kind.name)
def test_what_is_not_finite_is_not_hidden(kind, dtype, backend):
    for bad in (math.nan, math.inf, -math.inf):
        for place in (0, 17, 36):
            x = np.linspace(-1, 1, 37, dtype=dtype)
            x[place] = bad
            with np.errstate(all="ignore"):
                loss, slopes = loss_of(backend, kind, x, np.full(37, 0.25))
            assert not math.isfinite(loss)
            known = kind in SLOPES_OF_INFINITY
            assert not known or np.isnan(slopes[place]) == math.isnan(bad)
            assert np.isfinite(np.delete(slopes, place)).all()


@each
@each_dtype
def test_a_sure_logit_loses_nothing_or_its_size(dtype, backend):
    for size in (30, 120, 800, 1e4, 1e30):
        z, t = np.array([size, size, -size, -size], dtype), np.array([1, 0, 1, 0])
        with np.errstate(over="ignore"):
            loss, slopes = loss_of(backend, Loss.SIGMOID_CROSSENTROPY, z, t)
        assert loss == pytest.approx(2 * float(dtype(size)), rel=1e-6)
        np.testing.assert_allclose(slopes, [0, 1, -1, 0], atol=1e-12)


@each
@each_dtype
def test_an_error_whose_square_is_too_large_for_a_float_has_one(dtype, backend):
    for kind in (Loss.MEAN_SQUARED_ERROR, Loss.SQUARED_HINGE):
        loss, _ = loss_of(backend, kind, np.array([3e20], dtype), np.array([-1]))
        assert loss == pytest.approx(9e40, rel=1e-6)


@each
@each_dtype
def test_at_no_error_a_size_has_no_slope(dtype, backend):
    x = np.array([-2, -1, 0, 1, 2], dtype)
    loss, slopes = loss_of(backend, Loss.MEAN_ABSOLUTE_ERROR, x, np.zeros(5))
    assert loss == 6
    np.testing.assert_allclose(slopes, [-1, -1, 0, 1, 1], rtol=1e-6)


@each
@each_dtype
def test_hubers_loss_is_a_square_up_to_delta_and_its_tangent_beyond(dtype, backend):
    x = np.array([-3, -0.5, 0, 0.25, 2], dtype)
    loss, slopes = loss_of(backend, Loss.HUBER, x, np.zeros(5), alpha=0.5)
    assert loss == (3 - 0.25) / 2 + 0.125 + 0.03125 + (2 - 0.25) / 2
    np.testing.assert_allclose(slopes, [-0.5, -0.5, 0, 0.25, 0.5], rtol=1e-6)


@each
def test_a_sigmoid_is_built_in_or_left_out(backend):
    options = {"backend": backend, "classes": 1, "metrics": ["accuracy"]}
    ends = net(Dense(7, "tanh"), last="sigmoid", loss="bce", **options)
    from_logits = losses.BinaryCrossentropy(from_logits=True)
    logits = net(Dense(7, "tanh"), last=None, loss=from_logits, **options)
    telemetry = Telemetry(every=1)
    histories = [
        ends.fit(X, ANSWERS, 8, 3, 0, telemetry=telemetry).history,
        logits.fit(X, ANSWERS, 8, 3, 0).history,
    ]
    assert histories[0] == histories[1]
    np.testing.assert_array_equal(flat(ends), flat(logits))
    probabilities = ends.predict(X)[:, 0]
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-logits.predict(X)[:, 0])))
    loss, accuracy = ends.evaluate(X, ANSWERS)
    right = np.where(ANSWERS == 1, probabilities, 1 - probabilities)
    assert loss == pytest.approx(-np.log(right).mean(), rel=1e-12)
    assert accuracy == np.mean(right > 0.5)
    assert all("sigmoid" not in str(name) for name in ends._ready_engine().plan.observed_rows)


@pytest.mark.parametrize("loss", ["bce", "mse", "mae", "huber"])
def test_one_output_takes_answers_of_one_axis(loss):
    models = [net(last="sigmoid", loss=loss, classes=1, metrics=()) for _ in range(2)]
    models[0].fit(X, ANSWERS, verbose=0)
    models[1].fit(X, ANSWERS[:, None].astype(bool), verbose=0)
    np.testing.assert_array_equal(flat(models[0]), flat(models[1]))


@pytest.mark.parametrize("loss", ["bce", "huber", "mean_absolute_error"])
def test_training_makes_it_smaller(loss):
    model = net(Dense(16, "tanh"), last="sigmoid", loss=loss, metrics=(), classes=1)
    first, *_, last = model.fit(X, ANSWERS, 8, 200, 0).history["loss"]
    assert last < 0.75 * first


def test_answers_that_are_no_shares_are_refused():
    model = net(last="sigmoid", loss="bce", metrics=())
    wrong = np.clip(targets(41), 0, 1)
    for place, value in (((3, 1), -0.5), ((7, 0), 1.5)):
        y = wrong.copy()
        y[place] = value
        with pytest.raises(ValueError, match=rf"^y: expected numbers from 0 to 1.*\[{place[0]}\]"):
            model.fit(X, y, verbose=0)
    with pytest.raises(ValueError, match=r"^y: expected targets of shape \(samples, 4\)"):
        model.fit(X, LABELS, verbose=0)
    assert model.steps_trained == 0


def test_the_last_layer_must_fit():
    for loss, last, message in [
        ("bce", None, r"ends in a sigmoid, or from_logits=True$"),
        ("bce", "softmax", r"ends in a sigmoid, or from_logits=True$"),
        (losses.BinaryCrossentropy(True), "sigmoid", r"does not end in a sigmoid$"),
    ]:
        model = Sequential([layers.Input((3,)), Dense(2, last)])
        with pytest.raises(ValueError, match=rf"^loss: binary_crossentropy.*{message}"):
            model.compile("sgd", loss)
        assert model.loss is None
