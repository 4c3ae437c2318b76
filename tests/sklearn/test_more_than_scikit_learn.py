"""What scikit-learn's nets lack, and what is refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csc_matrix, csr_matrix
from sklearn import neural_network
from sklearn.base import clone

from fastmlp import DivergenceWarning, activations, callbacks, layers, schedules
from fastmlp.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).standard_normal((80, 5))
NUMBERS = X[:, 0] ** 2 - X[:, 1]
Y = np.digitize(NUMBERS, [0, 1])


def classifier(**options):
    return MLPClassifier(
        **{"hidden_layer_sizes": (8, 6), "random_state": 0, "max_iter": 4} | options
    )


def bits(estimator):
    return [weight.tobytes() for weight in estimator.net_.get_weights()]


def test_each_hidden_layer_may_have_its_own():
    net = classifier(activation=["mish", activations.LeakyReLU(0.1)], dropout=[0.0, 0.5]).fit(X, Y)
    dense = [layer for layer in net.net_.layers if isinstance(layer, layers.Dense)]
    assert [layer.activation.name for layer in dense] == ["mish", "leaky_relu", "softmax"]
    assert [layer.rate for layer in net.net_.layers if isinstance(layer, layers.Dropout)] == [0.5]


def test_batch_normalization_comes_before_the_activation():
    net = classifier(batch_norm=True, dropout=0.1).fit(X, Y)
    kinds = [type(layer).__name__ for layer in net.net_.layers]
    block = ["Dense", "BatchNormalization", "Activation", "Dropout"]
    assert kinds == [*block, *block, "Dense"]
    assert len(net.coefs_) == len(net.intercepts_) == net.n_layers_ - 1 == 3


def test_l1_makes_weights_small_that_are_not_needed():
    plain = classifier(max_iter=300).fit(X, Y)
    sparse = classifier(max_iter=300, l1=1.0).fit(X, Y)
    few = [np.mean(np.abs(net.coefs_[0]) < 1e-2) for net in (plain, sparse)]
    assert few[1] > few[0] + 0.3


def test_the_penalties_are_in_the_loss():
    y = np.stack([NUMBERS, X[:, 1]], 1)
    net = MLPRegressor(
        hidden_layer_sizes=(4,), alpha=3.0, l1=2.0, max_iter=1, random_state=0,
        learning_rate_init=1e-12,
    ).fit(X, y)  # fmt: skip
    error = np.mean((net.predict(X) - y) ** 2) / 2
    penalty = sum(1.5 * np.sum(w**2) + 2 * np.sum(np.abs(w)) for w in net.coefs_) / 80
    assert net.loss_ == pytest.approx(error + penalty, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        ("squared_error", lambda e: e**2 / 2),
        ("absolute_error", np.abs),
        ("huber", lambda e: np.where(np.abs(e) < 0.5, e**2 / 2, 0.5 * (np.abs(e) - 0.25))),
        ("quantile", lambda e: np.where(e > 0, 0.2 * e, -0.8 * e)),
    ],
)
def test_losses_of_numbers(loss, value):
    options = {"alpha": 0.0, "random_state": 0, "delta": 0.5, "hidden_layer_sizes": (4,)}
    options |= {"quantile": 0.8}
    still = MLPRegressor(loss, max_iter=1, learning_rate_init=1e-12, **options).fit(X, NUMBERS)
    assert still.loss_ == pytest.approx(value(still.predict(X) - NUMBERS).mean(), rel=1e-6)
    net = MLPRegressor(loss, max_iter=200, learning_rate_init=0.01, **options).fit(X, NUMBERS)
    assert net.loss_ < 0.3 * still.loss_


def test_half_the_poisson_deviance_is_scikit_learns():
    counts = np.random.default_rng(1).poisson(np.exp(X[:, 0] / 2))
    y = np.stack([counts, counts[::-1]], axis=1)
    for solver, batch_size in (("sgd", 80), ("lbfgs", "auto")):
        options = {"solver": solver, "shuffle": False, "random_state": 0, "max_iter": 5}
        options |= {"hidden_layer_sizes": (6,), "batch_size": batch_size}
        theirs = neural_network.MLPRegressor("poisson", **options).fit(X, y)
        ours = MLPRegressor("poisson", **options).fit(X, y)
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5)
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-5)
        assert ours.out_activation_ == theirs.out_activation_ == "exp"


def test_a_quantile_is_learned():
    net = MLPRegressor("quantile", (8,), quantile=0.9, max_iter=400, learning_rate_init=0.01)
    below = np.mean(net.set_params(random_state=0).fit(X, NUMBERS).predict(X) > NUMBERS)
    assert 0.8 < below < 0.98


def test_layer_normalization_comes_before_the_activation():
    net = classifier(layer_norm=True).fit(X, Y)
    kinds = [type(layer).__name__ for layer in net.net_.layers]
    assert kinds == [*["Dense", "LayerNormalization", "Activation"] * 2, "Dense"]
    with pytest.raises(ValueError, match="layer_norm: not together with batch_norm"):
        classifier(layer_norm=True, batch_norm=True).fit(X, Y)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_schedule_gives_the_rate_of_each_step(solver):
    constant = MLPRegressor(hidden_layer_sizes=(4,), solver=solver, random_state=0, max_iter=3)
    constant.set_params(batch_size=40)
    one = constant.set_params(learning_rate_init=0.01).fit(X, NUMBERS)
    steps = []
    other = clone(one).set_params(learning_rate_init=lambda step: steps.append(step) or 0.01)
    assert bits(other.fit(X, NUMBERS)) == bits(one)
    assert sorted(set(steps)) == list(range(6))
    decay = schedules.CosineDecay(0.05, 6)
    assert bits(clone(one).set_params(learning_rate_init=decay).fit(X, NUMBERS)) != bits(one)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "sgd", "learning_rate": "adaptive"}, "learning_rate: expected 'constant' with"),
        ({"solver": "lbfgs"}, "learning_rate_init: not with solver='lbfgs'"),
    ],
)
def test_a_schedule_is_not_combined_with_another(options, message):
    net = classifier(learning_rate_init=schedules.CosineDecay(0.1, 10), **options)
    with pytest.raises(ValueError, match=message):
        net.fit(X, Y)


def test_validation_data_are_scored():
    net = classifier().fit(X[:50], Y[:50], X_val=X[50:], y_val=Y[50:])
    assert len(net.validation_scores_) == 4
    assert net.validation_scores_[-1] == net.score(X[50:], Y[50:])
    assert bits(net) == bits(classifier().fit(X[:50], Y[:50]))
    assert net.t_ == 200


def test_early_stopping_goes_by_the_validation_data_given():
    net = classifier(early_stopping=True, max_iter=100, learning_rate_init=0.02, n_iter_no_change=3)
    net.fit(X[:50], Y[:50], X_val=X[50:], y_val=Y[50:])
    assert net.n_iter_ < 100
    assert net.t_ == 50 * net.n_iter_
    assert net.score(X[50:], Y[50:]) == net.best_validation_score_ == max(net.validation_scores_)


def test_callbacks_are_called():
    class Watch(callbacks.Callback):
        losses = ()

        def on_epoch_end(self, epoch, logs=None):
            self.losses = (*self.losses, logs["data_loss"])
            self.model.stop_training = epoch == 2

    watch = Watch()
    net = classifier(max_iter=9).fit(X, Y, callbacks=[watch])
    assert len(watch.losses) == net.n_iter_ == 3


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_learning_rate_that_a_callback_sets_stays(solver):
    seen = []
    watches = callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(watches.model.optimizer.learning_rate)
    )
    halves = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    lowers = callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=10.0)
    for own in (halves, lowers):
        classifier(solver=solver).fit(X, Y, callbacks=[own, watches])
    assert seen[:4] == [0.001 / 2**k for k in range(1, 5)]
    assert seen[4:] == [0.001, 0.001, 0.0005, 0.00025]


def test_a_sparse_matrix_is_an_array():
    sparse = np.where(X > 0.5, X, 0.0)
    expected = classifier().fit(sparse, Y)
    for kind in (csr_matrix, csc_matrix):
        net = classifier().fit(kind(sparse), Y)
        assert bits(net) == bits(expected)
        assert net.predict_proba(kind(sparse)).tobytes() == net.predict_proba(sparse).tobytes()
    labels = np.stack([Y > 0, Y > 1], 1).astype(int)
    assert bits(classifier().fit(X, csr_matrix(labels))) == bits(classifier().fit(X, labels))


def test_one_class_is_learned_too():
    net = classifier().fit(X, np.repeat("only", 80))
    assert net.predict(X).tolist() == ["only"] * 80
    assert net.predict_proba(X).tolist() == [[1.0]] * 80


def test_written_weights_are_those_of_the_net():
    net = classifier().fit(X, Y)
    net.coefs_[-1][...] = 0
    net.intercepts_[-1][...] = [0, 1, 0]
    assert net.predict(X).tolist() == [1] * 80


def test_a_loss_that_is_not_finite_ends_the_fit():
    net = MLPRegressor(solver="sgd", learning_rate_init=1e6, random_state=0)
    with pytest.raises(ValueError, match=r"non-finite parameter weights.*at epoch \d, step \d"):
        net.fit(X, NUMBERS)
    # With early stopping, the best weights are taken.
    net.set_params(early_stopping=True, learning_rate_init=50.0, activation="identity", alpha=0.0)
    with pytest.warns(DivergenceWarning):
        net.fit(X, NUMBERS)
    assert np.isnan(net.validation_scores_[-1])
    assert np.isfinite(net.predict(X)).all()


def test_ctrl_c_leaves_a_usable_net():
    class Interrupt(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Training interrupted by user"):
        net = classifier().fit(X, Y, callbacks=[Interrupt()])
    assert net.n_iter_ == 2
    net.predict(X)


def test_what_is_said(capsys):
    classifier(max_iter=2, verbose=True, early_stopping=True).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["Iteration", "Validation"] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes: must be > 0"),
        ({"hidden_layer_sizes": (8, 2.5)}, "hidden_layer_sizes: "),
        (
            {"activation": "sigmoi"},
            "activation: 'sigmoi' is unknown; expected one of 'identity', 'logistic'",
        ),
        ({"activation": ["relu"]}, "activation: expected one for all hidden layers, or one for"),
        ({"solver": "rmsprop"}, "solver: 'rmsprop' is unknown"),
        ({"alpha": -1.0}, "alpha: "),
        ({"l1": -1.0}, "l1: "),
        ({"batch_size": 0}, "batch_size: "),
        ({"batch_size": "all"}, "batch_size: expected 'auto' or"),
        ({"learning_rate": "optimal"}, "learning_rate: "),
        ({"learning_rate_init": 0.0}, "learning_rate_init: "),
        ({"max_iter": 0}, "max_iter: "),
        ({"tol": -1.0}, "tol: "),
        ({"momentum": 1.0}, r"momentum: expected a number in \[0, 1\)"),
        ({"validation_fraction": 1.0}, "validation_fraction: "),
        ({"beta_1": 1.0}, "beta_1: "),
        ({"epsilon": 0.0}, "epsilon: "),
        ({"n_iter_no_change": 0}, "n_iter_no_change: "),
        ({"dropout": 1.0}, "dropout: "),
        ({"dropout": [0.1]}, "dropout: expected one for all hidden layers, or one for"),
        ({"n_threads": 0}, "n_threads: "),
        ({"backend": "cuda"}, "backend: "),
        ({"solver": "lbfgs", "dropout": 0.1}, "dropout: not with solver='lbfgs'"),
        ({"solver": "lbfgs", "batch_norm": True}, "batch_norm: not with solver='lbfgs'"),
        ({"solver": "lbfgs", "early_stopping": True}, "early_stopping: not with solver='lbfgs'"),
    ],
)
def test_a_wrong_argument_is_named(options, message):
    net = classifier().fit(X, Y)
    before = bits(net)
    with pytest.raises((TypeError, ValueError), match=message):
        net.set_params(**options).fit(X, Y)
    assert bits(net) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X_val": X}, "y_val: expected X_val and y_val together"),
        ({"y_val": Y}, "X_val: expected X_val and y_val together"),
        ({"X_val": X, "y_val": Y + 1}, "`y` has classes not in"),
        ({"callbacks": ["stop"]}, r"callbacks\[0\]: expected a fastmlp"),
        ({"callbacks": [callbacks.BackupAndRestore("no")]}, "callbacks: BackupAndRestore keeps"),
    ],
)
def test_a_wrong_argument_of_fit_is_named(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        classifier().fit(X, Y, **arguments)


def test_what_there_is_not_is_refused():
    with pytest.raises(ValueError, match="loss: 'gamma' is unknown"):
        MLPRegressor("gamma").fit(X, Y)
    with pytest.raises(ValueError, match="expected numbers from 0 on"):
        MLPRegressor("poisson").fit(X, NUMBERS)
    with pytest.raises(ValueError, match="X_val: not with solver='lbfgs'"):
        classifier(solver="lbfgs").fit(X, Y, X_val=X, y_val=Y)
    with pytest.warns(UserWarning, match="batch_size=81 of 80 samples"):
        classifier(batch_size=81).fit(X, Y)
    assert not hasattr(classifier(solver="lbfgs"), "partial_fit")
    assert not hasattr(classifier(), "coefs_")
    assert not hasattr(classifier(), "n_layers_")


def test_scikit_learn_is_asked_for_where_it_is_missing():
    program = "import sys; sys.modules['sklearn'] = None; import fastmlp; import fastmlp.sklearn"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "ImportError: fastmlp.sklearn needs scikit-learn" in done.stderr
