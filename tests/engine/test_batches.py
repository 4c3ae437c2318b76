"""Batches of any size, the last one of what remains."""

import numpy as np
import pytest

from fastmlp import optimizers
from fastmlp.training import epoch_order

from .nets import data, dense_tanh, net

RATE = 0.1
backends = pytest.mark.parametrize("backend", ["numba", "numpy"])
BATCH_SIZES = [1, 2, 5, 16, 17, 36, 37, 38, 100]  # of 37 samples: all remainders that matter


@backends
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_an_epoch_is_a_step_along_each_batchs_mean_gradient(backend, batch_size):
    x, y = data()
    model, by_hand = (net(*dense_tanh(), backend=backend) for _ in range(2))
    (loss,) = model.fit(x, y, batch_size=batch_size, verbose=0).history["loss"]
    order, total = epoch_order(0, 0, len(x)), 0.0
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        own_loss, gradients = by_hand.loss_and_gradient(x[rows], y[rows])
        total += own_loss * len(rows)
        stepped = zip(by_hand.get_weights(), gradients, strict=True)
        by_hand.set_weights([w - RATE * g for w, g in stepped])
    # Up to 37 steps of a few roundings of numbers up to 1.
    np.testing.assert_allclose(model.params, by_hand.params, atol=1e-14, rtol=0)
    assert loss == pytest.approx(total / len(x), rel=1e-13)


@backends
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_sample_is_visited_once_an_epoch(backend, shuffle):
    # One weight, no bias, and the gradient is the sample itself: its steps add up.
    x = 2.0 ** -np.arange(20)[:, None]
    model = net(
        features=1, classes=1, last=None, loss="mse", metrics=(), backend=backend,
        optimizer=optimizers.SGD(1e-9),
    )  # fmt: skip
    model.set_weights([np.zeros((1, 1)), np.zeros(1)])
    model.fit(x, np.full(20, -0.5), batch_size=3, epochs=2, shuffle=shuffle, verbose=0)
    # Six batches of 3 and one of 2: the gradient's mean weighs the latter's samples higher.
    kernel, bias = (float(w.ravel()[0]) for w in model.get_weights())
    order = [epoch_order(0, e, 20) if shuffle else np.arange(20) for e in range(2)]
    means = [x[o[i : i + 3]].mean() for o in order for i in range(0, 20, 3)]
    assert kernel == pytest.approx(-1e-9 * sum(means), rel=1e-6)
    assert bias == pytest.approx(-1e-9 * 14, rel=1e-6)


def test_orders_are_permutations_that_differ_between_epochs_and_seeds():
    orders = [epoch_order(seed, epoch, 50) for seed in range(3) for epoch in range(3)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(50))
    assert len({tuple(order) for order in orders}) == 9


@backends
@pytest.mark.parametrize("samples", [1, 127, 128, 129, 257])
def test_predictions_do_not_depend_on_their_company(backend, samples):
    x, y = data(samples)
    model = net(*dense_tanh(), backend=backend)
    together = model.predict(x)
    apart = np.concatenate([model.predict(x[i : i + 1]) for i in range(samples)])
    np.testing.assert_allclose(together, apart, rtol=1e-13)
    losses = [model.evaluate(x[i : i + 1], y[i : i + 1])[0] for i in range(samples)]
    assert model.evaluate(x, y)[0] == pytest.approx(np.mean(losses), rel=1e-12)


@backends
def test_the_gradient_of_a_batch_is_the_mean_of_its_samples(backend):
    x, y = data(23)
    model = net(*dense_tanh(), backend=backend)
    _, together = model.loss_and_gradient(x, y)
    apart = [model.loss_and_gradient(x[i : i + 1], y[i : i + 1])[1] for i in range(23)]
    for i, gradient in enumerate(together):
        np.testing.assert_allclose(gradient, np.mean([g[i] for g in apart], axis=0), atol=1e-15)


def test_sizes_may_change_between_calls():
    x, y = data()
    model, fresh = (net(*dense_tanh()) for _ in range(2))
    for size in (37, 5, 16):
        model.predict(x[:size])
        model.evaluate(x[:size], y[:size])
    for each in (model, fresh):
        each.fit(x, y, batch_size=7, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.params, fresh.params)
