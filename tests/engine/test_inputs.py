"""Whatever form the samples come in, the net sees the same numbers."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fastmlp import Sequential, layers
from fastmlp.kernels.numba.epoch import run
from tests.backends import ALL

from .nets import data, dense_tanh, net

FEATURES = (4, 5)


def image_net(scale, dtype, backend="numba", offset=0.0):
    model = Sequential(
        [
            layers.Input(FEATURES),
            layers.Flatten(),
            layers.Rescaling(scale, offset),
            layers.Dense(7, "tanh"),
            layers.Dense(3, "softmax"),
        ],
        seed=0,
        dtype=dtype,
        backend=backend,
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def images(samples=45):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (samples, *FEATURES)).astype(np.uint8), rng.integers(0, 3, samples)


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("offset", [0.0, -0.5])
def test_bytes_equal_floats_bit_for_bit(backend, dtype, offset):
    x, y = images()
    results = []
    for inputs in (x, x.astype(dtype)):
        model = image_net(1 / 255, dtype, backend, offset)
        history = model.fit(
            inputs, y, batch_size=8, epochs=3, validation_data=(inputs, y), verbose=0
        )
        results.append([model.params.copy(), model.predict(inputs), history.history])
    (params, outputs, history), (float_params, float_outputs, float_history) = results
    np.testing.assert_array_equal(params, float_params)
    np.testing.assert_array_equal(outputs, float_outputs)
    assert history == float_history


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("offset", [0.0, -0.5])
def test_rescaling_in_the_net_equals_rescaling_before_it(backend, offset):
    x, y = images()
    inside, before = (
        image_net(1 / 255, "float64", backend, offset),
        image_net(1.0, "float64", backend),
    )
    inside.fit(x, y, epochs=3, verbose=0)
    before.fit(x / 255 + offset, y, epochs=3, verbose=0)
    # x * (1 / 255) and x / 255 differ in the last bit.
    np.testing.assert_allclose(inside.params, before.params, atol=1e-14, rtol=0)


@pytest.mark.parametrize("backend", ALL)
def test_successive_rescalings_are_composed_in_order(backend):
    model = Sequential(
        [layers.Input((2,)), layers.Rescaling(2.0, 1.0), layers.Rescaling(-3.0, 0.5)],
        dtype="float64",
        backend=backend,
    )
    x = np.array([[0.0, 1.0], [2.0, -1.0]])
    np.testing.assert_allclose(model.predict(x), (x * 2 + 1) * -3 + 0.5, rtol=1e-15)


def unaligned(array):
    memory = np.zeros(array.nbytes + 1, np.uint8)
    inside = memory[1:].view(array.dtype).reshape(array.shape)
    inside[...] = array
    return inside


VARIANTS = {
    "a list": lambda x: x.tolist(),
    "float64": lambda x: x.astype(np.float64),
    "float16": lambda x: x.astype(np.float16),
    "int64": lambda x: x.astype(np.int64),
    "int8": lambda x: x.astype(np.int8),
    "Boolean": lambda x: x.astype(bool),
    "big-endian": lambda x: x.astype(">f4"),
    "Fortran order": np.asfortranarray,
    "every other row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "reversed columns": lambda x: np.ascontiguousarray(x[:, ::-1])[:, ::-1],
    "unaligned": unaligned,
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_form_and_layout_of_the_samples_do_not_matter(variant):
    x = np.random.default_rng(0).integers(0, 2, (37, 6)).astype(np.float32)
    _, y = data()
    model, other = (net(*dense_tanh(), dtype="float32") for _ in range(2))
    model.fit(x, y, epochs=2, verbose=0)
    other.fit(VARIANTS[variant](x), y, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.params, other.params)


def test_no_form_of_the_data_has_the_engine_compiled_again():
    x, y = data()
    target = np.eye(4, dtype=np.float32)[y]
    by_label = net(*dense_tanh(), dtype="float32")
    by_target = net(*dense_tanh(), dtype="float32", loss="categorical_crossentropy")
    by_label.fit(x, y, verbose=0)
    compiled = len(run.signatures)
    read_only = VARIANTS["read-only"]
    for form in (read_only, unaligned, np.asfortranarray, lambda a: a[:1]):
        by_label.fit(form(x), form(y), verbose=0)
        by_target.fit(form(x), form(target), verbose=0)
        by_label.predict(form(x.astype(np.uint8)))
    assert len(run.signatures) == compiled


@pytest.mark.parametrize(
    "form",
    [
        np.ndarray.tolist,
        lambda y: y[:, None],
        lambda y: y.astype(np.uint8),
        lambda y: y.astype(np.int32),
        lambda y: np.repeat(y, 3)[::3],
    ],
    ids=["list", "column", "uint8", "int32", "strided"],
)
def test_form_and_layout_of_the_labels_do_not_matter(form):
    x, y = data()
    model, other = (net(*dense_tanh()) for _ in range(2))
    model.fit(x, y, epochs=2, verbose=0)
    other.fit(x, form(y), epochs=2, verbose=0)
    np.testing.assert_array_equal(model.params, other.params)


def test_labels_equal_their_one_hot_targets():
    x, y = data()
    by_label = net(*dense_tanh())
    by_target = net(*dense_tanh(), loss="categorical_crossentropy")
    histories = [
        by_label.fit(x, y, epochs=3, verbose=0).history,
        by_target.fit(x, np.eye(4)[y], epochs=3, verbose=0).history,
    ]
    np.testing.assert_allclose(by_label.params, by_target.params, atol=1e-15, rtol=0)
    assert histories[0]["accuracy"] == histories[1]["accuracy"]
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-14)


def test_inputs_are_left_alone():
    x, y = data()
    kept = x.copy(), y.copy()
    model = net(*dense_tanh(), dtype="float32")
    model.fit(x, y, epochs=2, validation_split=0.2, verbose=0)
    model.predict(x)
    model.evaluate(x, y)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(y, kept[1])


class TestFewSamples:
    """The short way of ``predict``, which begins with the second call for a shape."""

    @pytest.mark.parametrize("backend", ALL)
    @pytest.mark.parametrize("count", [1, 3, 16, 17])
    def test_gives_the_same_bits(self, backend, count):
        model = Sequential(
            [layers.Input((7,)), layers.Dense(5, "tanh"), layers.Dense(3)], seed=0, backend=backend
        )
        x = np.random.default_rng(0).normal(size=(2, count, 7)).astype(np.float32)
        first, second = model.predict(x[0]), model.predict(x[1])
        again = model.predict(x[0])
        assert again.tobytes() == first.tobytes()
        assert second.tobytes() == model.predict(x[1]).tobytes() != first.tobytes()
        np.testing.assert_allclose(again, model.predict(np.tile(x[0], (20, 1)))[:count], rtol=1e-5)

    @pytest.mark.parametrize("backend", ALL)
    def test_gives_the_same_bits_for_bytes(self, backend):
        model = image_net(1 / 255, "float32", backend, offset=0.1)
        x = np.arange(20, dtype=np.uint8).reshape(1, *FEATURES) * 13
        assert model.predict(x).tobytes() == model.predict(x).tobytes()
        assert model.predict(x[:, :, ::-1]).tobytes() != model.predict(x).tobytes()

    @pytest.mark.parametrize("backend", ALL)
    def test_may_be_shared_by_threads(self, backend, monkeypatch):
        x = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
        found = []
        for threads in (1, 3):
            monkeypatch.setattr("fastmlp.runtime.engine._WORTH_SHARING", 0)
            monkeypatch.setattr("fastmlp.runtime.threads._chosen", threads)
            net_layers = [layers.Input((7,)), layers.Dense(5, "tanh"), layers.Dense(3)]
            model = Sequential(net_layers, seed=0, backend=backend)
            found += [model.predict(x).tobytes() for _ in range(3)]
        assert len(set(found)) == 1

    @pytest.mark.parametrize("backend", ALL)
    def test_sees_new_weights_and_bad_samples(self, backend):
        model = Sequential([layers.Input((2,)), layers.Dense(1)], seed=0, backend=backend)
        x = np.ones((1, 2), np.float32)
        model.predict(x)
        model.set_weights([np.full((2, 1), 3.0), np.ones(1)])
        assert model.predict(x) == 7
        assert model.predict(x.astype(np.float64)) == 7
        with pytest.raises(ValueError, match=r"x: .*finite"):
            model.predict(np.array([[1, np.inf]], np.float32))
        assert model.predict(np.array([[3e30, 0]], np.float32)) == pytest.approx(9e30)

    def test_may_be_asked_for_by_threads_at_once(self):
        model = Sequential(
            [layers.Input((300,)), layers.Dense(200, "tanh"), layers.Dense(3)], seed=0
        )
        x = np.random.default_rng(0).normal(size=(4, 1, 300)).astype(np.float32)
        expected = [model.predict(one) for one in x]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda i: model.predict(x[i % 4]), range(2000)))
        for i, outputs in enumerate(found):
            assert outputs.tobytes() == expected[i % 4].tobytes()
