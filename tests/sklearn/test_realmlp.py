"""RealMLP: its pieces by the paper's formulas, tables as they come, and what it leaves behind."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes

from fastmlp import layers
from fastmlp.sklearn import RealMLPClassifier, RealMLPRegressor
from fastmlp.sklearn.realmlp.columns import Encoded, columns_of
from fastmlp.sklearn.realmlp.preparation import prepared

RNG = np.random.default_rng(0)
X = RNG.standard_normal((90, 4))
NUMBERS = np.sin(2 * X[:, 0]) + X[:, 1]
Y = np.array(["a", "b", "c"])[np.digitize(NUMBERS, [-0.5, 0.5])]
SMALL = {"hidden_layer_sizes": (16, 16), "max_iter": 8, "random_state": 0, "batch_size": 24}
every_variant = pytest.mark.parametrize("variant", ["td", "td-s"])


def table():
    return pd.DataFrame(
        {
            "number": np.where(np.arange(90) % 7 == 0, np.nan, X[:, 0]),
            "text": np.where(np.arange(90) % 9 == 0, None, Y),
            "many": pd.Categorical([f"c{i % 20}" for i in range(90)]),
            "flag": X[:, 1] > 0,
            "whole": pd.array([None if i % 11 == 0 else i for i in range(90)], dtype="Int64"),
        }
    )


def classifier(variant="td", **options):
    return RealMLPClassifier(variant, **{**SMALL, **options})


def bits(net):
    return [weight.tobytes() for one in net.nets_ for weight in one.get_weights()]


def test_numbers_are_scaled_by_quartiles_and_clipped_smoothly():
    numbers = np.column_stack([X[:, 0], np.arange(90) % 20 == 0, np.full(90, 5.0)])
    made = prepared(Encoded(numbers, np.empty((90, 0), np.int64)), [], None)
    found = made.transform(Encoded(numbers, np.empty((90, 0), np.int64)))
    low, middle, high = np.quantile(X[:, 0], [0.25, 0.5, 0.75])
    z = (X[:, 0] - middle) / (high - low)
    np.testing.assert_allclose(found[:, 0], z / np.sqrt(1 + (z / 3) ** 2), rtol=1e-5)
    # Three quarters are alike: half of the range takes the place of the quartiles' distance.
    assert found[0, 1] == pytest.approx(2 / np.sqrt(1 + 4 / 9))
    assert not found[:, 2].any()
    assert (np.abs(found) < 3).all()


def test_categories_have_an_input_each_and_missing_ones_none():
    raw = [np.array(["x", None, "y", "z"], object), np.array(["m", "w", None, "m"], object)]
    columns = columns_of(raw, None)
    assert columns.sizes == [3, 2]
    encoded = columns.encode(raw)
    assert encoded.codes.tolist() == [[1, 1], [0, 2], [2, 0], [3, 1]]
    assert columns.encode([np.array(["new"], object)] * 2).codes.tolist() == [[0, 0]]
    made = prepared(encoded, columns.sizes, None)
    one_hot = made.transform(encoded) / made.factors + made.centers
    assert one_hot.shape == (4, 4)
    assert made.transform(encoded)[1, :3].tolist() == [0, 0, 0]
    coded = prepared(encoded, columns.sizes, 2).transform(encoded)
    assert coded[:, -1].tolist() == [1, 0, 2, 3]


def test_a_missing_number_is_the_median_and_says_so():
    numbers = np.array([[1.0], [np.nan], [2.0], [9.0]])
    encoded = Encoded(numbers, np.empty((4, 0), np.int64))
    found = prepared(encoded, [], None).transform(encoded)
    assert found.shape == (4, 2)
    assert found[1, 0] == 0
    assert found[1, 1] > 0 == found[0, 1]


def test_first_weights_follow_from_the_data():
    net = classifier(max_iter=1, learning_rate_init=0.0, n_ens=1, dropout=0.0).fit(X, Y)
    made = net.nets_[0]
    inputs = net.preparation_.transform(net.columns_.encode(list(X.T)))
    assert inputs.dtype == np.float32
    kernel, bias = made.layers[2].kernel, made.layers[2].bias
    sums = made.layers[0].of(inputs) @ kernel
    np.testing.assert_allclose(sums.std(axis=0), 1, rtol=0.3)  # of those that are learned from
    assert (-bias >= sums.min(axis=0)).all()
    assert (-bias <= sums.max(axis=0)).all()
    simple = classifier("td-s", max_iter=1, learning_rate_init=0.0).fit(X, Y).nets_[0]
    np.testing.assert_allclose(simple.layers[1].kernel.std() * np.sqrt(4), 1, rtol=0.3)
    assert not simple.layers[-1].kernel.any()


def test_groups_of_weights_learn_at_their_own_rates():
    optimizer = classifier(max_iter=1).fit(X, Y).nets_[0].optimizer
    inputs = 4 * 4  # a number and what it is embedded by
    assert optimizer.factors("dense_0/kernel") == (pytest.approx(inputs**-0.5), inputs**0.5)
    assert optimizer.factors("dense_1/bias") == (0.1, 0.0)
    assert optimizer.factors("scale/scale") == (6.0, 6.0)
    assert optimizer.factors("activation_0/negative_weight") == (0.1, 0.1)
    assert optimizer.factors("embedding/frequencies") == (0.1, 0.1)
    assert optimizer.beta_2 == 0.95


@every_variant
def test_the_weights_are_those_of_the_best_epoch(variant):
    net = classifier(variant).fit(X[:60], Y[:60], X_val=X[60:], y_val=Y[60:])
    errors = net.validation_errors_[0]
    assert len(errors) == net.n_iter_ == 8
    assert min(errors) == errors[net.best_epochs_[0] - 1]
    assert min(errors) not in errors[net.best_epochs_[0] :]
    assert 1 - net.score(X[60:], Y[60:]) == pytest.approx(min(errors))


def test_dropout_and_decay_end_with_the_fit():
    net = classifier("td").fit(X, Y).nets_[0]
    rates = [layer.rate for layer in net.layers if isinstance(layer, layers.Dropout)]
    assert len(rates) == 2
    assert 0 < rates[0] < 0.05
    assert 0 < net.optimizer.weight_decay < 0.01
    assert not any(
        isinstance(x, layers.Dropout) for x in classifier("td-s").fit(X, Y).nets_[0].layers
    )


@every_variant
def test_tables_are_taken_as_they_come(variant):
    x = table()
    net = classifier(variant).fit(x, Y)
    assert net.predict(x).shape == (90,)
    assert net.feature_names_in_.tolist() == list(x.columns)
    again = clone(net).fit(x, Y)
    assert bits(again) == bits(net)
    changed = x.assign(text="never seen", number=np.nan)
    np.testing.assert_allclose(net.predict_proba(changed).sum(axis=1), 1)
    with pytest.raises(ValueError, match="X: expected numbers in column 0, as in fit, got 'one'"):
        net.predict(x.assign(number="one"))


def test_which_columns_have_categories_can_be_said():
    codes = np.column_stack([X, np.arange(90) % 3])
    said = [
        bits(classifier("td-s", categorical_features=chosen).fit(codes, Y))
        for chosen in ([4], [False, False, False, False, True])
    ]
    assert said[0] == said[1]
    assert said[0] != bits(classifier("td-s").fit(codes, Y))
    for wrong, message in (
        ([9], "9 is none of the 5 columns"),
        (["no"], "'no' is none of the 5 columns"),
        ("auto", "expected 'from_dtype'"),
        ([True], "expected one for each of the 5"),
    ):
        with pytest.raises(ValueError, match=f"categorical_features: {message}"):
            classifier(categorical_features=wrong).fit(codes, Y)


def test_categories_may_be_numbers():
    codes = np.arange(90) % 3 * 10
    x = pd.DataFrame({"code": pd.Categorical(codes), "number": X[:, 0]})
    net = classifier("td-s").fit(x, Y)
    assert net.columns_.categories == ({0: 1, 10: 2, 20: 3}, None)
    said = classifier("td-s", categorical_features=["code"]).fit(x.astype({"code": int}), Y)
    assert bits(said) == bits(net)
    assert np.array_equal(net.predict(x.astype({"code": float})), net.predict(x))
    plain = classifier("td-s", categorical_features=None).fit(x, Y)
    assert bits(plain) == bits(classifier("td-s").fit(x.astype({"code": int}), Y))


def test_a_column_of_numbers_may_lack_all():
    net = classifier("td-s").fit(pd.DataFrame({"a": X[:, 0], "b": X[:, 1]}), Y)
    lacks = [pd.DataFrame({"a": [lacking], "b": [1.0]}) for lacking in (np.nan, None)]
    assert np.array_equal(*[net.predict_proba(x) for x in lacks])


def test_other_tables():
    plain = bits(classifier("td-s").fit(X, Y))
    assert bits(classifier("td-s").fit(csr_matrix(X), Y)) == plain
    assert bits(classifier("td-s").fit(X.astype(object), Y)) == plain
    with pytest.raises(TypeError, match=r"X: column 'when': expected numbers, strings"):
        classifier().fit(pd.DataFrame({"when": pd.to_datetime(["2020"] * 90)}), Y)
    with pytest.raises(ValueError, match="infinity in column 'a'"):
        classifier().fit(pd.DataFrame({"a": np.full(90, np.inf)}), Y)


@every_variant
def test_numbers_are_learned(variant):
    y = np.column_stack([NUMBERS, 100 + 10 * X[:, 0]])
    settings = {**SMALL, "max_iter": 30}
    net = RealMLPRegressor(variant, **settings).fit(X, y)
    assert net.score(X, y) > 0.7
    assert net.predict(X).shape == (90, 2)
    assert RealMLPRegressor(variant, **SMALL).fit(X, NUMBERS).predict(X).shape == (90,)
    if variant == "td":
        far = net.predict(50 * X)
        assert far.min() >= y.min()
        assert (far <= y.max(axis=0)).all()


def test_members_answer_together():
    net = classifier("td-s", n_ens=3).fit(X, Y)
    each = np.array([one.predict(_inputs(net), verbose=0) for one in net.nets_])
    np.testing.assert_allclose(net.predict_proba(X), each.mean(axis=0), rtol=1e-5)
    assert len({one.seed for one in net.nets_}) == len(net.best_epochs_) == 3
    assert bits(classifier("td-s", n_ens=3, n_threads=1).fit(X, Y)) == bits(net)


def _inputs(net):
    return net.preparation_.transform(net.columns_.encode(list(X.T)))


def test_copies_answer_alike():
    net = classifier().fit(table(), Y)
    twin = pickle.loads(pickle.dumps(net))
    assert twin.predict_proba(table()).tobytes() == net.predict_proba(table()).tobytes()


@pytest.mark.parametrize("load", [load_breast_cancer, load_diabetes])
def test_it_learns_what_there_is(load):
    x, y = load(return_X_y=True)
    kind = RealMLPRegressor if load is load_diabetes else RealMLPClassifier
    net = kind(hidden_layer_sizes=(64,) * 3, max_iter=40, random_state=0).fit(x[:300], y[:300])
    assert net.score(x[300:], y[300:]) > (0.35 if load is load_diabetes else 0.9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "hpo"}, "variant: 'hpo' is unknown"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes: "),
        ({"activation": "selo"}, "activation: "),
        ({"learning_rate_init": -1.0}, "learning_rate_init: "),
        ({"dropout": 1.0}, "dropout: "),
        ({"weight_decay": -1.0}, "weight_decay: "),
        ({"label_smoothing": 1.0}, "label_smoothing: "),
        ({"n_ens": 0}, "n_ens: "),
        ({"max_iter": 0}, "max_iter: "),
        ({"batch_size": 0}, "batch_size: "),
        ({"validation_fraction": 1.0}, "validation_fraction: "),
        ({"n_threads": 0}, "n_threads: "),
        ({"backend": "cuda"}, "backend: "),
    ],
)
def test_a_wrong_argument_is_named(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        classifier().set_params(**options).fit(X, Y)
