"""Nets in files: they train on bit for bit, and what is damaged is refused."""

import json
import os
import threading

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import fastmlp
from fastmlp import Sequential, layers, optimizers, schedules
from tests.backends import ALL

X = np.random.default_rng(0).standard_normal((70, 4))
LABELS = np.arange(70) % 3


def net(backend="numpy", dtype="float32", seed=3):
    model = Sequential(
        [
            layers.Input(4),
            layers.Dense(6, "relu", kernel_regularizer="l2"),
            layers.Residual([layers.Dense(6, "tanh"), layers.Dropout(0.3)]),
            layers.Dense(3, "softmax"),
        ],
        seed=seed, backend=backend, dtype=dtype, name="small",
    )  # fmt: skip
    optimizer = optimizers.Adam(schedules.CosineDecay(0.01, 100), weight_decay=1e-3)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model, epochs=2, **options):
    return model.fit(X, LABELS, batch_size=16, epochs=epochs, verbose=0, **options)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.safetensors"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", ALL)
def test_a_loaded_net_trains_on_bit_for_bit(path, backend, dtype):
    model = net(backend, dtype)
    fit(model)
    model.save(path)
    loaded = fastmlp.load_model(path)
    assert loaded.get_config() == model.get_config()
    assert loaded.get_compile_config() == model.get_compile_config()
    assert loaded.history == model.history
    assert (loaded.steps_trained, loaded.epochs_trained) == (10, 2)
    assert loaded.predict(X).tobytes() == model.predict(X).tobytes()
    for one in (model, loaded):
        fit(one, epochs=3)
    assert loaded.params.tobytes() == model.params.tobytes()
    assert loaded._state.moments.tobytes() == model._state.moments.tobytes()
    assert loaded.history == model.history


def test_the_pause_leaves_no_trace(path):
    whole, parts = net(), net()
    fit(whole, epochs=5)
    for epochs in (2, 1, 2):
        fit(parts, epochs)
        parts.save(path)
        parts = fastmlp.load_model(path)
    assert parts.params.tobytes() == whole.params.tobytes()


def test_a_net_that_was_saved_in_a_callback(path):
    class Save(fastmlp.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                self.model.save(path)

    model = net()
    fit(model, epochs=5, callbacks=[Save()])
    loaded = fastmlp.load_model(path)
    assert loaded.epochs_trained == 3
    assert loaded.history.history["loss"] == model.history.history["loss"][:3]
    fit(loaded, epochs=2)
    assert loaded.params.tobytes() == model.params.tobytes()


def test_moments_that_the_optimizer_has_no_more_are_left_out(path):
    model = net()
    fit(model)
    model.optimizer.amsgrad = True
    model.save(path)
    loaded = fastmlp.load_model(path)
    for one in (model, loaded):
        fit(one)
    assert loaded.params.tobytes() == model.params.tobytes()


@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_a_rate_of_dropout_that_was_changed(path, rate):
    model = net()
    dropout = model.layers[1].layers[1]
    dropout.rate = rate
    model.save(path)
    loaded = fastmlp.load_model(path)
    assert loaded.get_config() == model.get_config()
    for layer in (dropout, loaded.layers[1].layers[1]):
        assert layer.rate == rate
        layer.rate = 0.4
    for one in (model, loaded):
        fit(one)
    assert loaded.params.tobytes() == model.params.tobytes()


def test_a_net_that_is_neither_compiled_nor_built(path):
    model = Sequential([layers.Dense(3)], seed=1)
    model.save(path)
    loaded = fastmlp.load_model(path)
    assert not loaded.built
    assert loaded.loss is None
    assert loaded.history is None


def test_a_net_that_has_diverged_comes_back_as_it_was(path):
    model = net()
    fit(model)
    model._state.params[:2] = np.nan, np.inf
    model.history.history["loss"][1] = np.inf
    model.history.divergence = fastmlp.Divergence(1, 3, np.inf, "dense", "training diverged")
    model.save(path)
    loaded = fastmlp.load_model(path)
    assert loaded.params.tobytes() == model.params.tobytes()
    assert loaded.history == model.history


def test_without_compiling(path):
    model = net()
    fit(model)
    model.save(path)
    loaded = fastmlp.load_model(path, compile=False)
    assert loaded.optimizer is None
    assert loaded.params.tobytes() == model.params.tobytes()
    with pytest.raises(RuntimeError, match="call compile"):
        fit(loaded)


def test_another_backend_at_will(path):
    net("numpy").save(path)
    assert fastmlp.load_model(path, backend="numba").backend == "numba"
    with pytest.raises(ValueError, match="backend"):
        fastmlp.load_model(path, backend="cuda")


class Scale(layers.Layer):
    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = factor

    def build(self, input_shape):
        self.add_weight("scale", (), "ones", trainable=False)

    def forward(self, x, training):
        return x * self.factor * self.weights["scale"]

    def backward(self, dy):
        return dy * self.factor * self.weights["scale"], {}


def slowly(step):
    return 0.01 / (1 + step)


class Mine(Sequential):
    pass


def test_classes_and_functions_of_ones_own(path):
    model = Mine([layers.Input(4), Scale(2.0), layers.Dense(1)], seed=0, backend="numpy")
    model.compile(optimizers.SGD(slowly, momentum=0.5), "mse")
    model.layers[0].weights["scale"][...] = 3
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    model.save(path)
    own = {"Mine": Mine, "Scale": Scale, "slowly": slowly}
    for missing in own:
        with pytest.raises(ValueError, match=f"^custom_objects: '{missing}' is not part"):
            fastmlp.load_model(path, {name: own[name] for name in own if name != missing})
    loaded = fastmlp.load_model(path, custom_objects=own)
    assert type(loaded) is Mine
    assert loaded.layers[0].weights["scale"] == 3
    for one in (model, loaded):
        one.fit(X, X[:, :1], epochs=1, verbose=0)
    assert loaded.params.tobytes() == model.params.tobytes()
    with pytest.raises(TypeError, match="^custom_objects: expected a dict"):
        fastmlp.load_model(path, custom_objects=[Scale])


def test_what_cannot_be_saved_leaves_no_file(path):
    model = net()
    model.compile(optimizers.SGD(lambda step: 0.1), "sparse_categorical_crossentropy")
    with pytest.raises(TypeError, match=r"^SGD.learning_rate: a lambda can't be saved"):
        model.save(path)
    assert os.listdir(path.parent) == []


def test_an_error_while_writing_leaves_the_old_file(path, monkeypatch):
    model = net()
    model.save(path)
    before = path.read_bytes()
    fit(model)

    def full(number):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        model.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_places(path, tmp_path):
    model = net()
    model.save(str(path))
    with pytest.raises(FileExistsError, match="^filepath: .* exists, and overwrite is False"):
        model.save(path, overwrite=False)
    with pytest.raises(FileNotFoundError, match="^filepath: there is no folder"):
        model.save(tmp_path / "nowhere" / "net")
    with pytest.raises(TypeError, match="^filepath: expected a path, got 3"):
        model.save(3)
    with pytest.raises(FileNotFoundError):
        fastmlp.load_model(tmp_path / "other")
    (tmp_path / "link").symlink_to(path)
    fit(model)
    model.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert fastmlp.load_model(path).epochs_trained == 2


def test_weights_alone(path):
    model, other = net(), net(seed=4)
    fit(model)
    model.save_weights(path)
    steps = other.steps_trained
    other.load_weights(path)
    assert other.params.tobytes() == model.params.tobytes()
    assert other.steps_trained == steps
    with pytest.raises(ValueError, match="^filepath: .* holds weights alone: make the net"):
        fastmlp.load_model(path)
    model.save(path)  # a whole net's file has weights, too
    fit(model)
    other.load_weights(path)
    assert other.params.tobytes() == fastmlp.load_model(path).params.tobytes()


def test_weights_that_do_not_fit(path):
    model = Sequential([layers.Input(4), layers.Dense(5)])
    model.save_weights(path)
    for wrong, message in [
        (Sequential([layers.Input(4), layers.Dense(6)]), r"'dense/kernel' of shape \(4, 5\), and"),
        (Sequential([layers.Input(4), layers.Dense(5, use_bias=False)]), "2 weights, .* has 1"),
    ]:
        before = wrong.params.tobytes()
        with pytest.raises(ValueError, match=f"^filepath: .* {message}"):
            wrong.load_weights(path)
        assert wrong.params.tobytes() == before
    unbuilt = Sequential([layers.Dense(5)])
    with pytest.raises(RuntimeError, match="^load_weights: the net has no weights yet"):
        unbuilt.load_weights(path)
    with pytest.raises(RuntimeError, match="^save_weights: the net has no weights yet"):
        unbuilt.save_weights(path)


def test_others_can_read_the_tensors(path):
    model = net()
    model.save_weights(path)
    tensors = load_file(path)
    assert set(tensors) == {f"dense{n}/{w}" for n in ("", "_1", "_2") for w in ("kernel", "bias")}
    assert (tensors["dense/kernel"] == model.get_weights()[0]).all()


def test_truncated_and_flipped(path):
    """No damage gets through: whatever byte it hits, even where it would change no number."""
    model = net()
    fit(model)
    model.save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    places = [*range(12), *rng.integers(0, len(whole), 60).tolist(), len(whole) - 1]
    damaged = [whole[:size] for size in [0, 1, 7, 8, 9, *rng.integers(0, len(whole), 40).tolist()]]
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= int(rng.integers(1, 256))
        damaged.append(bytes(flipped))
    damaged.append(whole + b"\0")
    assert len(damaged) > 100
    for data in damaged:
        path.write_bytes(data)
        for load in (fastmlp.load_model, model.load_weights):
            with pytest.raises(ValueError, match="^filepath: .*(damaged|not a file that fastmlp)"):
                load(path)


def test_every_byte_of_the_sum_counts(path):
    net().save(path)
    whole = path.read_bytes()
    start = whole.index(b'"sha256":"') + 10
    for place in range(start, start + 64):
        flipped = bytearray(whole)
        flipped[place] = ord("0") if whole[place] != ord("0") else ord("1")
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match="^filepath: .* is damaged"):
            fastmlp.load_model(path)


def test_foreign_files(path):
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(ValueError, match="^filepath: .* is not a file that fastmlp wrote"):
        fastmlp.load_model(path)
    for start in (b"PK\3\4", b"\x89HDF\r\n\x1a\n"):
        path.write_bytes(start + bytes(100))
        with pytest.raises(ValueError, match="^filepath: .* is a file of Keras"):
            fastmlp.load_model(path)
    for content in (b"", b"\x80\4\x95 pickle", b"[" * 10**6, bytes(8) + b"[]", b"\x02" + bytes(7) +
                    b"[]"):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(ValueError, match="^filepath: .* is not a file that fastmlp wrote"):
            fastmlp.load_model(path)


def test_a_newer_format(path, monkeypatch):
    monkeypatch.setattr(fastmlp.runtime.checkpoint, "FORMAT", 2)
    net().save(path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="^filepath: .* newer version of fastmlp, in format 2"):
        fastmlp.load_model(path)


def test_the_same_net_makes_the_same_file(path, tmp_path):
    for name in ("a", "b"):
        model = net()
        fit(model)
        model.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_metadata_are_json(path):
    net().save(path)
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    content = json.loads(header["__metadata__"]["fastmlp"])
    assert content["model"]["config"]["name"] == "small"
    assert content["version"] == fastmlp.__version__


def test_custom_objects_are_for_one_thread_alone(path):
    Sequential([layers.Input(4), Scale(2.0)], backend="numpy").save(path)
    errors = []

    def load():
        try:
            fastmlp.load_model(path)
        except ValueError as error:
            errors.append(error)

    with fastmlp.saving.custom_object_scope({"Scale": Scale}):
        thread = threading.Thread(target=load)
        thread.start()
        thread.join()
        fastmlp.load_model(path)
    assert len(errors) == 1
