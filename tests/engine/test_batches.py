"""Batches of any size, the last one of what remains."""

import numpy as np
import pytest

from fastmlp import Sequential, layers, optimizers
from fastmlp.layers import Dense, Dropout
from fastmlp.runtime.shuffling import EpochOrders, epoch_order
from tests.backends import ALL

from .nets import Scale, data, dense_tanh, net

backends = pytest.mark.parametrize("backend", ALL)
BATCH_SIZES = [1, 2, 5, 16, 17, 36, 37, 38, 100]  # of 37 samples: all remainders that matter


def steps_by_hand(model, x, y, batch_size, epochs=1):
    """Take the steps of a fit one by one, from gradients alone; return the epochs' mean losses."""
    sgd, step, losses = model.optimizer, 0, []
    velocity = [np.zeros_like(w) for w in model.get_weights()]
    for epoch in range(epochs):
        order, total = epoch_order(model.seed, epoch, len(x)), 0.0
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            loss, gradients = model.loss_and_gradient(x[rows], y[rows], step=step)
            total += loss * len(rows)
            step += 1
            moved = []
            for w, v, g in zip(model.get_weights(), velocity, gradients, strict=True):
                v[...] = sgd.momentum * v - sgd.learning_rate * g
                ahead = sgd.momentum * v - sgd.learning_rate * g
                moved.append(w + (ahead if sgd.nesterov else v))
            model.set_weights(moved)
        losses.append(total / len(x))
    return losses


def assert_fit_is_by_hand(make, batch_size, epochs=1):
    x, y = data()
    model, by_hand = make(), make()
    history = model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0).history
    losses = steps_by_hand(by_hand, x, y, batch_size, epochs)
    # Some tens of steps of a few roundings of numbers up to 1.
    np.testing.assert_allclose(model.params, by_hand.params, atol=1e-13, rtol=0)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-12)


@backends
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_an_epoch_is_a_step_along_each_batchs_mean_gradient(backend, batch_size):
    assert_fit_is_by_hand(lambda: net(*dense_tanh(), backend=backend), batch_size)


@backends
@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_lasts_over_epochs(backend, nesterov):
    sgd = optimizers.SGD(0.05, 0.9, nesterov=nesterov)
    assert_fit_is_by_hand(lambda: net(*dense_tanh(), backend=backend, optimizer=sgd), 8, epochs=3)


@backends
def test_every_step_of_every_epoch_draws_its_own_mask(backend):
    def make():
        return net(Dropout(0.2), Dense(9, "tanh"), Dropout(0.5), backend=backend)

    assert_fit_is_by_hand(make, 8, epochs=3)


@backends
def test_masks_differ_between_steps_layers_and_seeds(backend):
    def gradient(step=0, **options):
        model = Sequential(
            [layers.Input((40,)), Scale(), Dropout(0.5), Dropout(0.5)],
            **{"seed": 0, "dtype": "float64", "backend": backend, **options},
        )
        model.compile("sgd", "mse")
        ones = np.ones((30, 40))
        _, (scale,) = model.loss_and_gradient(ones, 0 * ones, step=step)
        return scale

    gradients = [gradient(), gradient(step=1), gradient(step=2), gradient(seed=1)]
    assert len({g.tobytes() for g in gradients}) == 4
    # A value that both layers keep is 4, and gives 2 * 4^2 / 40; were their masks the same, half
    # of the values would be kept, not a quarter.
    kept = gradient().sum() / (2 * 4**2 / 40) / 40
    assert kept == pytest.approx(0.25, rel=0.2)  # of 1200: four standard deviations


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
@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1, 2**32, 2**64 + 3, 2**128 - 1, 2**200 + 7])
def test_orders_are_those_of_the_generator_that_numpy_makes(backend, seed):
    orders = EpochOrders(seed, 37, backend)
    for epoch in (0, 1, 63, 1000, 2**32 - 1, 2**32 + 5, 2**64 + 1):
        sequence = np.random.SeedSequence(seed, spawn_key=(1, epoch))
        order, next_one = orders.of(epoch, 2)
        np.testing.assert_array_equal(order, np.random.default_rng(sequence).permutation(37))
        np.testing.assert_array_equal(next_one, epoch_order(seed, epoch + 1, 37))
    assert len(orders.of(50, 200)) == 200


@backends
@pytest.mark.parametrize("samples", [1, 2, 3, 7, 31, 32, 33, 65, 256, 257, 5000])
def test_orders_of_any_number_of_samples(backend, samples):
    for order, epoch in zip(EpochOrders(3, samples, backend).of(60, 9), range(60, 69), strict=True):
        rng = np.random.default_rng(np.random.SeedSequence(3, spawn_key=(1, epoch)))
        np.testing.assert_array_equal(order, rng.permutation(samples))


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
