"""Estimators whose nets are ensembles."""

import numpy as np
import pytest
from sklearn.base import clone

from fastmlp import layers
from fastmlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).standard_normal((90, 5))
NUMBERS = np.sin(2 * X[:, 0]) - X[:, 1]
Y = np.digitize(NUMBERS, [-0.5, 0.5])


def regressor(**options):
    given = {"hidden_layer_sizes": (16,), "random_state": 0, "max_iter": 30}
    return MLPRegressor(**given | {"learning_rate_init": 0.01, "members": 4} | options)


def test_the_layers():
    net = regressor(max_iter=2, dropout=0.1).fit(X, NUMBERS).net_
    kinds = [type(layer).__name__ for layer in net.layers]
    block = ["Scale", "Dense", "Scale", "Activation"]
    assert kinds == [*block, "Dropout", *block]
    scales = [layer for layer in net.layers if isinstance(layer, layers.Scale)]
    assert {layer.members for layer in scales} == {4}
    assert [layer.use_bias for layer in scales] == [False, True, False, True]
    first = regressor(max_iter=1, learning_rate_init=1e-30).fit(X, NUMBERS)
    signs, *others = [layer.weights["scale"] for layer in first.net_.layers[::2][:4:1]
                      if isinstance(layer, layers.Scale)]  # fmt: skip
    assert signs.shape == (4, 5)
    assert set(signs.ravel()) == {-1.0, 1.0}
    assert all((scale == 1).all() for scale in others)
    assert [bias.shape for bias in first.intercepts_] == [(4, 16), (4, 1)]
    assert [kernel.shape for kernel in first.coefs_] == [(5, 16), (16, 1)]


def test_one_member_is_the_plain_net():
    plain, one = MLPRegressor(random_state=0, max_iter=2), regressor(members=1, max_iter=2)
    one.set_params(hidden_layer_sizes=(100,), learning_rate_init=0.001)
    bits = [e.fit(X, NUMBERS).net_.params.tobytes() for e in (plain, one)]
    assert bits[0] == bits[1]


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_it_learns(solver):
    net = regressor(solver=solver, max_iter=150).fit(X, NUMBERS)
    assert net.score(X, NUMBERS) > 0.8
    assert net.predict(X).shape == (90,)


def test_the_same_seed_gives_the_same_bits_and_partial_fits_are_a_fit():
    one, other = regressor(max_iter=3), regressor(max_iter=3)
    one.fit(X, NUMBERS)
    for _ in range(3):
        other.partial_fit(X, NUMBERS)
    assert one.net_.params.tobytes() == other.net_.params.tobytes()
    assert clone(one).members == 4


def test_probabilities_are_means_of_the_members():
    net = MLPClassifier((8,), random_state=0, max_iter=5, members=3).fit(X, Y)
    found = net.predict_proba(X)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(net.predict(X), found.argmax(axis=1))
    weights = [w.copy() for w in net.net_.get_weights()]
    single = MLPClassifier((8,), random_state=0, max_iter=1).fit(X, Y)
    mean = np.zeros_like(found)
    for m in range(3):
        into, kernel, out, bias, into_last, last, out_last, bias_last = (
            w[m] if w.shape[0] == 3 and k not in (1, 5) else w for k, w in enumerate(weights)
        )
        single.coefs_[0][...] = into[:, None] * kernel * out
        single.intercepts_[0][...] = bias
        single.coefs_[1][...] = into_last[:, None] * last * out_last
        single.intercepts_[1][...] = bias_last
        mean += single.predict_proba(X) / 3
    np.testing.assert_allclose(found, mean, rtol=1e-10)


def test_a_warm_start_needs_as_many_members():
    net = regressor(max_iter=1, warm_start=True).fit(X, NUMBERS)
    with pytest.raises(ValueError, match="^members: the net that is to be trained further was"):
        net.set_params(members=5).fit(X, NUMBERS)


def test_a_number_of_members_is_positive():
    with pytest.raises(ValueError, match="^members: expected a positive integer, got 0"):
        regressor(members=0).fit(X, NUMBERS)
