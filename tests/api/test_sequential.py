"""Sequential does what a user of Keras expects."""

import numpy as np
import pytest

from fastmlp import Sequential, Telemetry, backends, layers, optimizers
from tests.api.nets import small_data, small_net

X, Y = small_data(70)
BACKENDS = ["numpy", "numba"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_history_has_an_entry_for_each_epoch(backend):
    model = small_net(backend=backend)
    history = model.fit(X, Y, batch_size=16, epochs=3, validation_data=(X, Y))
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(len(values) == 3 for values in history.history.values())
    assert history.epoch == [0, 1, 2]
    assert model.fit(X, Y).epoch == [3]
    assert model.history.params["samples"] == 70


@pytest.mark.parametrize("backend", BACKENDS)
def test_training_learns(backend):
    model = small_net(backend=backend)
    model.compile(optimizers.SGD(0.5), "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(X, Y, epochs=60, batch_size=8)
    assert model.evaluate(X, Y)[1] > 0.9


@pytest.mark.parametrize("backend", BACKENDS)
def test_evaluate_is_the_mean_over_the_samples(backend):
    model = small_net(backend=backend)
    probabilities = model.predict(X)
    loss, accuracy = model.evaluate(X, Y)
    assert loss == pytest.approx(-np.log(probabilities[np.arange(70), Y]).mean(), rel=1e-6)
    assert accuracy == pytest.approx((probabilities.argmax(axis=1) == Y).mean())
    assert model.evaluate(X, Y, return_dict=True) == {"loss": loss, "accuracy": accuracy}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [1, 2, 127, 128, 129])
def test_predict_has_a_row_for_each_sample(backend, count):
    model = small_net(backend=backend)
    x, _ = small_data(count)
    outputs = model.predict(x)
    assert outputs.shape == (count, 3)
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(outputs[-1:], model.predict(x[-1:]), rtol=1e-6)


def test_validation_split_takes_the_last_samples():
    split, given = small_net(), small_net()
    one = split.fit(X, Y, validation_split=0.2, epochs=2).history
    other = given.fit(X[:56], Y[:56], validation_data=(X[56:], Y[56:]), epochs=2).history
    assert one == other


def test_weights_go_out_and_in():
    model, other = small_net(), Sequential(
        [layers.Input((4,)), layers.Dense(5, "tanh"), layers.Dense(3, "softmax")], seed=99
    )  # fmt: skip
    assert [w.shape for w in model.get_weights()] == [(4, 5), (5,), (5, 3), (3,)]
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    model.get_weights()[0][:] = 0
    assert model.get_weights()[0].any()


def test_a_net_without_input_is_built_by_its_data():
    model = Sequential([layers.Dense(3, "softmax")], seed=1)
    model.compile(loss="sparse_categorical_crossentropy")
    assert not model.built
    model.fit(X, Y)
    assert model.get_weights()[0].shape == (4, 3)


def test_layers_can_be_added():
    model = Sequential([layers.Input((4,))], seed=0)
    model.add(layers.Dense(5, "tanh", name="hidden"))
    model.add(layers.Dense(3, "softmax"))
    for one, other in zip(model.get_weights(), small_net().get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_layers_are_numbered_as_in_keras():
    model = Sequential([layers.Dense(2), layers.Dense(2), layers.Dense(2, name="mine")])
    assert [layer.name for layer in model.layers] == ["dense", "dense_1", "mine"]


def test_bytes_are_rescaled_on_the_way_in():
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (40, 3, 3), np.uint8), rng.integers(0, 4, 40)
    results = []
    for data in (pixels, pixels.astype(np.float32)):
        model = Sequential(
            [layers.Input((3, 3)), layers.Flatten(), layers.Rescaling(1 / 255, -0.5),
             layers.Dense(4, "softmax")],
            seed=0,
        )  # fmt: skip
        model.compile(loss="sparse_categorical_crossentropy")
        model.fit(data, labels, epochs=2, batch_size=7)
        results.append(model.get_weights()[0])
    np.testing.assert_array_equal(*results)


def test_summary_counts_the_parameters(capsys):
    model = small_net()
    model.summary()
    printed = capsys.readouterr().out
    assert "hidden (Dense)" in printed
    assert f"{model.count_params()}" in printed
    assert model.count_params() == 4 * 5 + 5 + 5 * 3 + 3


@pytest.mark.parametrize(("verbose", "shown"), [(0, False), ("auto", False), (2, True)])
def test_fit_is_quiet_unless_asked(verbose, shown, capsys):
    small_net().fit(X, Y, verbose=verbose)
    assert ("accuracy" in capsys.readouterr().out) is shown


def test_a_layer_in_python_trains_like_the_built_in_one():
    class Double(layers.Layer):
        def forward(self, x, training):
            return 2 * x

        def backward(self, dy):
            return 2 * dy, []

        def output_shape(self, input_shape):
            return input_shape

    histories = []
    for middle in (Double(), layers.Rescaling(2)):
        model = Sequential(
            [layers.Input((4,)), layers.Dense(5, "tanh"), middle, layers.Dense(3, "softmax")],
            seed=0, dtype="float64",
        )  # fmt: skip
        model.compile(optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        histories.append(model.fit(X, Y, epochs=3).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-12)


def test_backends_are_told_and_chosen(monkeypatch):
    assert set(BACKENDS) <= set(backends.available())
    monkeypatch.setenv("FASTMLP_BACKEND", "numpy")
    assert Sequential().backend == "numpy"
    assert Sequential(backend="numba").backend == "numba"
    monkeypatch.setenv("FASTMLP_BACKEND", "abacus")
    with pytest.raises(ValueError, match=r"^FASTMLP_BACKEND: 'abacus'"):
        Sequential()


def test_telemetry_changes_no_bit():
    plain, watched = small_net(), small_net()
    plain.fit(X, Y, epochs=3, batch_size=8)
    telemetry = Telemetry(2)
    watched.fit(X, Y, epochs=3, batch_size=8, telemetry=telemetry)
    for one, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
        assert one.tobytes() == other.tobytes()
    assert telemetry.rows == ["hidden", "hidden/tanh", "output"]
    assert telemetry.steps == [0, 2, 4, 6, 8, 9, 11, 13, 15, 17, 18, 20, 22, 24, 26]
    assert telemetry.records.shape[:2] == (15, 3)


def test_telemetry_is_what_the_gradient_says():
    model = small_net(dtype="float64")
    _, gradient = model.loss_and_gradient(X, Y)
    telemetry = Telemetry(1)
    model.fit(X, Y, batch_size=70, shuffle=False, telemetry=telemetry)
    norms = [
        np.sqrt((gradient[i] ** 2).sum() + (gradient[i + 1] ** 2).sum()) for i in (0, 2)
    ]  # fmt: skip
    np.testing.assert_allclose(telemetry["gradient_norm"][0, [0, 2]], norms, rtol=1e-12)
