"""fit, evaluate, predict and what they return."""

import numpy as np
import pytest

from fastmlp import History, Sequential, fit_many, layers, optimizers, regularizers
from fastmlp.layers import Dense, Input
from fastmlp.runtime import compiled as module
from fastmlp.runtime.data import check_data

RNG = np.random.default_rng(0)
X = RNG.standard_normal((50, 6)).astype(np.float32)
Y = (X @ RNG.standard_normal((6, 3))).argmax(axis=1)


def make(metrics=("accuracy",), optimizer="sgd", **options):
    penalty = options.pop("penalty", None)
    model = Sequential(
        [Input((6,)), Dense(8, "tanh", kernel_regularizer=penalty), Dense(3, "softmax")],
        **{"seed": 0, **options},
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=metrics)
    return model


class TestHistory:
    def test_has_a_figure_an_epoch(self):
        model = make()
        history = model.fit(X, Y, batch_size=7, epochs=3, verbose=0)
        assert isinstance(history, History)
        assert model.history is history
        assert list(history.history) == ["loss", "accuracy"]
        assert history.epoch == [0, 1, 2]
        assert history.params == {"batch_size": 7, "epochs": 3, "samples": 50}
        assert history.divergence is None
        assert all(len(values) == 3 for values in history.history.values())
        assert all(type(v) is float for values in history.history.values() for v in values)

    @pytest.mark.parametrize(
        ("metrics", "penalty", "validated", "names"),
        [
            ((), None, False, "loss"),
            ((), None, True, "loss val_loss"),
            (("acc",), None, True, "loss acc val_loss val_acc"),
            (None, None, True, "loss val_loss"),
            (
                ("accuracy",),
                regularizers.L1L2(0.01, 0.02),
                True,
                "loss accuracy data_loss val_loss val_accuracy val_data_loss",
            ),
        ],
    )
    def test_names_its_figures(self, metrics, penalty, validated, names):
        model = make(metrics, penalty=penalty)
        validation = (X, Y) if validated else None
        history = model.fit(X, Y, validation_data=validation, verbose=0)
        assert list(history.history) == names.split()

    def test_counts_epochs_anew_in_each_fit_and_the_net_counts_all(self):
        model = make()
        model.fit(X, Y, epochs=2, verbose=0)
        assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1]
        assert model.epochs_trained == 4

    def test_of_a_single_batch_is_what_evaluate_says_before(self):
        model = make()
        before = model.evaluate(X, Y)
        history = model.fit(X, Y, batch_size=50, verbose=0).history
        assert history["loss"][0] == pytest.approx(before[0], rel=1e-5)
        assert history["accuracy"][0] == before[1]

    def test_penalties_are_added_to_the_loss(self):
        model = make(penalty=regularizers.L1L2(0.01, 0.02), dtype="float64")
        kernel = model.get_weights()[0]
        penalty = 0.01 * np.abs(kernel).sum() + 0.02 * (kernel**2).sum()
        figures = model.evaluate(X, Y, return_dict=True)
        assert figures["loss"] - figures["data_loss"] == pytest.approx(penalty, rel=1e-12)
        loss, _ = model.loss_and_gradient(X, Y)
        assert loss == pytest.approx(figures["loss"], rel=1e-12)


class TestTraining:
    def test_learns(self):
        history = make(optimizer=optimizers.SGD(0.2, 0.9)).fit(X, Y, epochs=60, verbose=0).history
        assert history["loss"][-1] < 0.2 * history["loss"][0]
        assert history["accuracy"][-1] > 0.9

    def test_accepts_names_for_everything(self):
        model = Sequential([Dense(4, "relu", kernel_initializer="he_normal"), Dense(2)], seed=0)
        model.compile("sgd", "mse")
        model.fit(X.tolist(), np.zeros((50, 2)), verbose=0)
        assert isinstance(model.evaluate(X, np.zeros((50, 2))), float)

    def test_targets_may_be_one_dimensional_for_one_output(self):
        models = [Sequential([Input((6,)), Dense(1)], seed=0) for _ in range(2)]
        for model, y in zip(models, (X[:, 0], X[:, :1]), strict=True):
            model.compile("sgd", "mse")
            model.fit(X, y, epochs=2, verbose=0)
        np.testing.assert_array_equal(models[0].params, models[1].params)

    def test_compiling_anew_forgets_momentum_but_no_weight(self):
        sgd = optimizers.SGD(0.1, 0.9)
        model, fresh = make(optimizer=sgd), make(optimizer=sgd)
        model.fit(X, Y, epochs=3, verbose=0)
        weights = model.get_weights()
        model.compile(sgd, "sparse_categorical_crossentropy", metrics=["accuracy"])
        fresh.set_weights(weights)
        np.testing.assert_array_equal(model.params, fresh.params)
        for each in (model, fresh):
            each.fit(X, Y, batch_size=50, shuffle=False, verbose=0)
        np.testing.assert_array_equal(model.params, fresh.params)

    def test_learning_rates_may_change_between_fits(self):
        sgd = optimizers.SGD(0.1)
        model = make(optimizer=sgd, dtype="float64")
        _, gradients = model.loss_and_gradient(X, Y)
        before = model.get_weights()
        sgd.learning_rate = 0.025
        model.fit(X, Y, batch_size=50, verbose=0)
        for now, w, g in zip(model.get_weights(), before, gradients, strict=True):
            np.testing.assert_allclose(now, w - 0.025 * g, atol=1e-15)

    def test_without_shuffling_batches_come_in_order(self):
        model, by_hand = make(), make()
        model.fit(X, Y, batch_size=25, shuffle=False, verbose=0)
        for part in (slice(None, 25), slice(25, None)):
            by_hand.fit(X[part], Y[part], batch_size=25, shuffle=False, verbose=0)
        np.testing.assert_array_equal(model.params, by_hand.params)


class TestValidation:
    @pytest.mark.parametrize(("split", "kept"), [(0.2, 40), (0.5, 25), (0.01, 49), (0.98, 1)])
    def test_split_sets_the_last_samples_apart(self, split, kept):
        model, other = make(), make()
        history = model.fit(X, Y, validation_split=split, epochs=2, verbose=0)
        apart = other.fit(
            X[:kept], Y[:kept], validation_data=(X[kept:], Y[kept:]), epochs=2, verbose=0
        )
        assert history.params["samples"] == kept
        assert history.history == apart.history
        np.testing.assert_array_equal(model.params, other.params)

    def test_figures_are_those_after_the_epoch(self):
        model = make()
        history = model.fit(X, Y, validation_data=(X[:9], Y[:9]), epochs=2, verbose=0).history
        expected = model.evaluate(X[:9], Y[:9])
        assert [history["val_loss"][-1], history["val_accuracy"][-1]] == expected

    def test_does_not_influence_training(self):
        model, other = make(), make()
        model.fit(X, Y, validation_data=(X, Y), epochs=3, verbose=0)
        other.fit(X, Y, epochs=3, verbose=0)
        np.testing.assert_array_equal(model.params, other.params)

    def test_may_be_a_list(self):
        assert "val_loss" in make().fit(X, Y, validation_data=[X, Y], verbose=0).history


class TestEvaluate:
    def test_returns_a_number_or_a_list_or_a_dict(self):
        assert isinstance(make(()).evaluate(X, Y), float)
        loss, accuracy = make().evaluate(X, Y)
        assert make().evaluate(X, Y, return_dict=True) == {"loss": loss, "accuracy": accuracy}

    def test_changes_nothing(self):
        model = make()
        before = model.params.copy()
        model.evaluate(X, Y)
        model.predict(X)
        np.testing.assert_array_equal(model.params, before)
        assert model.history is None
        assert model.epochs_trained == 0

    def test_accuracy_counts_the_first_of_equal_outputs(self):
        model = make()
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        assert model.evaluate(X, np.zeros(50, int))[1] == 1
        assert model.evaluate(X, np.ones(50, int))[1] == 0

    def test_predict_works_without_compile(self):
        model = Sequential([Input((6,)), Dense(3, "softmax")], seed=0)
        outputs = model.predict(X)
        assert outputs.shape == (50, 3)
        assert outputs.dtype == np.float32
        np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-6)

    def test_predictions_are_the_callers_own(self):
        model = make()
        first = model.predict(X)
        kept = first.copy()
        model.predict(X + 1)
        np.testing.assert_array_equal(first, kept)

    def test_as_many_samples_as_before_go_a_shorter_way(self):
        model, x = make(), X[:40].astype(np.float32)
        known = model._ready_engine().shortcuts._outputs
        for expected in (0, 1, 1):
            usual = model.predict(x, batch_size=64)  # with a batch size it is none of theirs
            model.predict(x[:39])
            model.predict(x[:39], verbose=0)
            np.testing.assert_array_equal(model.predict(x, verbose=0), usual)
            assert len(known) == expected + 1
            model.set_weights([w + 0.1 for w in model.get_weights()])
        with pytest.raises(ValueError, match="^x: "):
            model.predict(x[:39] * np.nan)


def test_many_nets_give_a_history_each_in_order():
    models = [make(seed=seed) for seed in range(4)]
    histories = fit_many(models, X, Y, batch_size=10, epochs=2, validation_data=(X, Y))
    assert [model.history for model in models] == histories
    assert all(
        list(h.history) == ["loss", "accuracy", "val_loss", "val_accuracy"] for h in histories
    )
    assert fit_many([], X, Y) == []


def test_many_nets_share_their_data(monkeypatch):
    checks = []

    def counting(argument, *rest):
        checks.append(argument)
        return check_data(argument, *rest)

    monkeypatch.setattr(module, "check_data", counting)
    models = [make(seed=seed) for seed in range(3)] + [make(dtype="float64")]
    fit_many(models, X, Y, validation_data=(X, Y))
    # Once for each dtype: the data themselves, and those for validation.
    assert checks == ["{}", "validation_data {}"] * 2


def test_dropout_is_for_training_only():
    model = Sequential(
        [Input((6,)), layers.Dropout(0.5), Dense(3, "softmax")], seed=0, dtype="float64"
    )
    plain = Sequential([Input((6,)), Dense(3, "softmax")], seed=0, dtype="float64")
    for each in (model, plain):
        each.compile("sgd", "sparse_categorical_crossentropy")
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(model.predict(X), plain.predict(X), rtol=1e-14)
    assert model.evaluate(X, Y) == pytest.approx(plain.evaluate(X, Y), rel=1e-14)
    losses = {model.loss_and_gradient(X, Y, step=step)[0] for step in range(5)}
    assert len(losses) == 5
    assert plain.loss_and_gradient(X, Y)[0] not in losses
    assert model.loss_and_gradient(X, Y, step=3)[0] == model.loss_and_gradient(X, Y, step=3)[0]
