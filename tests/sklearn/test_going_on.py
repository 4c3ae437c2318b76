"""partial_fit and warm_start go on where the fit before has ended."""

import pickle

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.base import clone

from fastmlp.sklearn import (
    BaggingMLPClassifier,
    MLPClassifier,
    MLPRegressor,
    RealMLPClassifier,
    RealMLPRegressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).standard_normal((90, 5))
Y = np.digitize(X[:, 0] * X[:, 1], [-0.3, 0.3])
LABELS = np.stack([X[:, 0] > 0, X[:, 1] > 0, X[:, 2] > 1], 1).astype(int)
ATTRIBUTES = (
    "loss_curve_", "loss_", "best_loss_", "n_iter_", "t_", "validation_scores_",
    "best_validation_score_",
)  # fmt: skip


def bits(estimator):
    return [weight.tobytes() for weight in estimator.net_.get_weights()]


def assert_same(one, other):
    assert bits(one) == bits(other)
    for name in ATTRIBUTES:
        assert getattr(one, name) == getattr(other, name), name


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shuffle": False},
        {"dropout": 0.3, "batch_norm": True, "activation": "mish"},
        {"solver": "sgd", "learning_rate": "invscaling"},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.5, "n_iter_no_change": 1},
        {"alpha": 1.0, "l1": 0.1, "batch_size": 7},
    ],
)
@pytest.mark.parametrize("y", [Y, Y > 0, LABELS, X[:, 0] ** 2, X[:, :2] ** 2])
def test_partial_fits_are_a_fit(options, y):
    kind = MLPRegressor if y.dtype == np.float64 else MLPClassifier
    net = kind(hidden_layer_sizes=(8, 6), random_state=0, max_iter=7, **options)
    whole, parts = clone(net).fit(X, y), clone(net)
    known = {"classes": [0, 1, 2]} if y is Y else {"classes": [False, True]}
    for _ in range(7):
        parts.partial_fit(X, y, **(known if y.ndim == 1 and kind is MLPClassifier else {}))
        parts = pickle.loads(pickle.dumps(parts))
    assert_same(whole, parts)


def test_partial_fits_with_early_stopping_are_a_fit_but_for_its_choice():
    net = MLPClassifier((8,), random_state=0, max_iter=7, early_stopping=True)
    whole, parts = clone(net).fit(X, Y), clone(net)
    weights = []
    for _ in range(7):
        parts.partial_fit(X, Y, classes=[0, 1, 2])
        weights.append(bits(parts))
    for name in ATTRIBUTES:
        assert getattr(whole, name) == getattr(parts, name), name
    assert len(parts.validation_scores_) == 7
    assert bits(whole) == weights[int(np.argmax(parts.validation_scores_))]


def test_partial_fit_after_an_early_stopped_fit_goes_on():
    net = MLPRegressor(random_state=0, max_iter=3, early_stopping=True).fit(X, X[:, 0])
    net.partial_fit(X, X[:, 0])
    assert len(net.validation_scores_) == len(net.loss_curve_) == net.n_iter_ == 4


def test_a_chunk_of_labels_may_lack_some():
    net = MLPClassifier(random_state=0)
    chunk = LABELS.copy()
    chunk[:, 2] = 0
    net.partial_fit(X[:40], chunk[:40]).partial_fit(X[40:41], LABELS[40:41])
    net.partial_fit(X[40:], LABELS[40:])
    assert net.predict(X).shape == LABELS.shape
    assert net.classes_.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"y: expected shape \(samples, 3\)"):
        net.partial_fit(X, LABELS[:, :2])


def test_labels_may_have_names():
    net = MLPClassifier(random_state=0).partial_fit(X, LABELS, classes=["b", "a", "c"])
    assert net.classes_.tolist() == ["b", "a", "c"]
    assert set(np.unique(net.predict(X))) <= {0, 1}


def test_classes_are_told_first():
    net = MLPClassifier(random_state=0)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        net.partial_fit(X, Y)
    net.partial_fit(X[Y == 0], Y[Y == 0], classes=[2, 1, 0])
    net.partial_fit(X, Y)
    with pytest.raises(ValueError, match="not the same as on last call"):
        net.partial_fit(X, Y, classes=[0, 1])
    with pytest.raises(ValueError, match="`y` has classes not in"):
        net.partial_fit(X, Y + 1)


def test_a_new_setting_has_its_effect_and_keeps_the_rest():
    one = MLPRegressor(random_state=0).partial_fit(X, X[:, 0])
    other = clone(one).partial_fit(X, X[:, 0])
    other.set_params(alpha=1000.0, dropout=0.1)
    for _ in range(30):
        one.partial_fit(X, X[:, 0])
        other.partial_fit(X, X[:, 0])
    assert other.net_.steps_trained == one.net_.steps_trained == 31
    assert np.abs(other.coefs_[0]).sum() < 0.9 * np.abs(one.coefs_[0]).sum()


def test_chunks_of_other_sizes_go_on_as_scikit_learns():
    """Each has a penalty of its own strength, for which the net is made anew."""
    chunks = [slice(0, 30), slice(30, 80), slice(80, 90)]
    settings = {"random_state": 0, "alpha": 2.0, "solver": "sgd", "shuffle": False}
    theirs, ours = neural_network.MLPRegressor(**settings), MLPRegressor(**settings)
    for chunk in chunks * 3:
        theirs.partial_fit(X[chunk], X[chunk, 0])
        ours.partial_fit(X[chunk], X[chunk, 0])
    for expected, found in zip(theirs.coefs_, ours.coefs_, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert ours.net_.steps_trained == 9


def test_a_warm_start_is_judged_by_itself():
    net = MLPRegressor(random_state=0, warm_start=True, max_iter=5).fit(X, X[:, 0])
    net.fit(X, 100 * X[:, 0])
    assert net.n_iter_ == 5
    assert len(net.loss_curve_) == 10
    assert net.t_ == 900
    assert net.best_loss_ == min(net.loss_curve_[5:]) > max(net.loss_curve_[:5])


def test_a_warm_start_never_ends_with_a_worse_score():
    net = MLPRegressor(
        random_state=0, warm_start=True, early_stopping=True, max_iter=20, learning_rate_init=0.01
    ).fit(X, X[:, 0])
    before, score = bits(net), net.best_validation_score_
    net.set_params(learning_rate_init=10.0, max_iter=3).fit(X, X[:, 0])
    assert net.best_validation_score_ == score  # on the same samples
    assert bits(net) == before


def test_a_warm_start_wants_the_same_shapes():
    net = MLPClassifier((8,), random_state=0, warm_start=True, max_iter=2).fit(X, Y)
    before = bits(net)
    with pytest.raises(ValueError, match=r"hidden_layer_sizes: .* with \[8\], got \[9\]"):
        net.set_params(hidden_layer_sizes=[9]).fit(X, Y)
    with pytest.raises(ValueError, match="batch_norm: "):
        net.set_params(hidden_layer_sizes=[8], batch_norm=True).fit(X, Y)
    with pytest.raises(ValueError, match="warm_start can only be used where"):
        net.set_params(batch_norm=False).fit(X, Y > 0)
    assert bits(net) == before
    assert bits(net.set_params(solver="lbfgs").fit(X, Y)) != before


SMALL = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0}
BIG_RATE = {"solver": "sgd", "learning_rate_init": 1e200}


@pytest.mark.parametrize(
    ("estimator", "options", "y", "arguments"),
    [
        (MLPClassifier(**SMALL), {}, Y + 7, {"sample_weight": -np.ones(90)}),
        (MLPClassifier(**SMALL), {}, Y + 7, {"X_val": X, "y_val": Y}),
        (MLPClassifier(**SMALL), {"class_weight": {0: 2}}, Y + 7, {}),
        (MLPClassifier(**SMALL, warm_start=True), {"dropout": 0.5}, Y, {"X_val": Y, "y_val": Y}),
        (MLPRegressor("poisson", **SMALL), {}, X[:, 0], {}),
        (BaggingMLPClassifier(MLPClassifier(**SMALL), 2), {
            f"estimator__{name}": value for name, value in BIG_RATE.items()
        }, Y + 7, {}),
        (RealMLPClassifier(**SMALL), {}, Y + 7, {"X_val": X, "y_val": Y}),
        (RealMLPRegressor(**SMALL), {}, Y * 100, {"X_val": X, "y_val": X}),
    ],
)  # fmt: skip
def test_a_fit_that_is_refused_changes_nothing(estimator, options, y, arguments):
    net = clone(estimator).fit(X, Y)
    before, known = net.predict(X), dict(vars(net))
    other = X if net.get_params().get("warm_start") else X[:, :3]
    with pytest.raises(ValueError):  # noqa: PT011
        net.set_params(**options).fit(other, y, **arguments)
    assert {**vars(net), **options} == {**known, **options}
    assert np.array_equal(net.predict(X), before)
