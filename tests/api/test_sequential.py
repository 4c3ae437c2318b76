"""Sequential: how it is put together, what it tells of itself, its weights."""

import numpy as np
import pytest

from fastmlp import Sequential, backends, initializers, layers
from fastmlp.layers import Activation, Dense, Dropout, Flatten, Input, Rescaling


def small(**options):
    return Sequential([Input((3,)), Dense(5, "relu"), Dense(2)], **{"seed": 0, **options})


class TestNames:
    def test_are_numbered_by_kind(self):
        model = Sequential([Dense(3), Dropout(0.1), Dense(3), Activation("relu"), Dense(3)])
        assert [layer.name for layer in model.layers] == [
            "dense", "dropout", "dense_1", "activation", "dense_2"
        ]  # fmt: skip

    def test_that_are_given_are_kept_and_avoided(self):
        model = Sequential([Dense(3), Dense(3, name="dense"), Dense(3, name="dense_2"), Dense(3)])
        assert [layer.name for layer in model.layers] == ["dense_1", "dense", "dense_2", "dense_3"]

    def test_are_in_snake_case(self):
        class MyOwnLayer(layers.Layer):
            pass

        assert MyOwnLayer().name == "my_own_layer"
        assert repr(MyOwnLayer("it")) == "<MyOwnLayer 'it'>"
        assert repr(Sequential([MyOwnLayer()], name="n")) == "<Sequential 'n': my_own_layer>"

    def test_stay_as_layers_are_added(self):
        model = Sequential([Dense(3), Dense(3)])
        model.add(Dense(3))
        assert [layer.name for layer in model.layers] == ["dense", "dense_1", "dense_2"]


class TestBuilding:
    def test_with_an_input_happens_at_once(self):
        model = small()
        assert model.built
        assert model.count_params() == 3 * 5 + 5 + 5 * 2 + 2

    def test_without_waits_for_samples(self):
        with_input = small()
        model = Sequential([Dense(5, "relu"), Dense(2)], seed=0)
        assert not model.built
        assert model.count_params() == 0
        assert model.get_weights() == []
        x = np.ones((4, 3))
        np.testing.assert_array_equal(model.predict(x), with_input.predict(x))
        assert model.built

    def test_layer_by_layer_gives_the_same_net(self):
        model = Sequential(seed=0)
        for layer in (Input((3,)), Dense(5, "relu"), Dense(2)):
            model.add(layer)
        np.testing.assert_array_equal(model.params, small().params)

    def test_keeps_weights_when_a_layer_is_added(self):
        model = small()
        kept = [w + 1 for w in model.get_weights()]
        model.set_weights(kept)
        model.add(Dense(4))
        assert [w.shape for w in model.get_weights()] == [(3, 5), (5,), (5, 2), (2,), (2, 4), (4,)]
        for now, before in zip(model.get_weights()[:4], kept, strict=True):
            np.testing.assert_array_equal(now, before)

    def test_an_added_layer_is_trained(self):
        model = small()
        x, y = np.ones((4, 3)), [0, 1, 2, 3]
        model.compile("sgd", "mse")
        model.fit(x, np.ones((4, 2)), verbose=0)
        model.add(Dense(4, "softmax"))
        model.compile("sgd", "sparse_categorical_crossentropy")
        before = model.get_weights()
        model.fit(x, y, verbose=0)
        after = model.get_weights()
        assert all((a != b).any() for a, b in zip(after[4:], before[4:], strict=True))

    def test_of_many_shapes(self):
        model = Sequential([Input((2, 3, 4)), Rescaling(2.0), Flatten(), Dense(5)])
        assert model.predict(np.zeros((7, 2, 3, 4))).shape == (7, 5)
        unflattened = Sequential([Input((2, 3)), Rescaling(2.0), Activation("tanh")])
        x = np.random.default_rng(0).standard_normal((7, 2, 3))
        np.testing.assert_allclose(unflattened.predict(x), np.tanh(2 * x), rtol=1e-5)

    def test_input_takes_an_integer(self):
        assert Sequential([Input(3), Dense(2)]).count_params() == 8

    def test_sizes_may_be_integers_of_numpy(self):
        three, two = np.array([3, 2])
        assert Sequential([Input((three,)), Dense(two)]).count_params() == 8


class TestWeights:
    def test_have_keras_order_and_shapes(self):
        model = Sequential([Input((3,)), Dense(5, use_bias=False), Dropout(0.5), Dense(2)])
        assert [w.shape for w in model.get_weights()] == [(3, 5), (5, 2), (2,)]
        assert {w.dtype for w in model.get_weights()} == {np.dtype("float32")}

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_come_back_as_they_were_set(self, dtype):
        model = small(dtype=dtype)
        rng = np.random.default_rng(0)
        weights = [rng.standard_normal(w.shape).astype(dtype) for w in model.get_weights()]
        model.set_weights([w.tolist() for w in weights])
        for now, set_to in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(now, set_to, strict=True)

    def test_mean_what_the_formula_says(self):
        model = small(dtype="float64")
        kernel, bias, kernel_1, bias_1 = model.get_weights()
        x = np.random.default_rng(0).standard_normal((4, 3))
        expected = np.maximum(x @ kernel + bias, 0) @ kernel_1 + bias_1
        np.testing.assert_allclose(model.predict(x), expected, rtol=1e-12)

    def test_that_are_got_are_copies(self):
        model = small()
        before = model.params.copy()
        for w in model.get_weights():
            w[...] = 99
        for w in model.layers[0].get_weights():
            w[...] = 99
        np.testing.assert_array_equal(model.params, before)

    def test_that_are_set_are_copied(self):
        model = small()
        weights = [w + 1 for w in model.get_weights()]
        model.set_weights(weights)
        before = model.params.copy()
        for w in weights:
            w[...] = 99
        np.testing.assert_array_equal(model.params, before)

    def test_by_layer_and_name_are_live(self):
        model = small()
        kernel = model.layers[0].weights["kernel"]
        kernel[0, 4] = 7
        assert model.get_weights()[0][0, 4] == 7
        assert 7 in model.params

    def test_cannot_be_set_before_they_exist(self):
        with pytest.raises(RuntimeError, match=r"set_weights: .*give it an Input layer"):
            Sequential([Dense(3)]).set_weights([])


class TestSummary:
    def test_tells_layers_shapes_and_numbers(self, capsys):
        model = Sequential(
            [Input((28, 28)), Flatten(), Dense(13, "relu"), Dense(10, "softmax")], name="mine"
        )
        model.summary()
        lines = capsys.readouterr().out.splitlines()
        assert "mine" in lines[0]
        assert "float32" in lines[0]
        for words in (
            ["flatten (Flatten)", "(None, 784)", " 0 "],
            ["dense (Dense)", "(None, 13)", " 10,205 "],
            ["dense_1 (Dense)", "(None, 10)", " 140 "],
            ["total", " 10,345 "],
        ):
            assert any(all(word in line for word in words) for line in lines), words

    def test_of_a_net_that_is_not_built(self, capsys):
        Sequential([Dense(13), Dense(10)]).summary()
        out = capsys.readouterr().out
        assert "dense_1 (Dense)" in out
        assert out.count("?") == 5


@pytest.fixture
def only(monkeypatch):
    """Pretend that only these backends are here, and that nobody has chosen one."""

    def pretend(*names):
        monkeypatch.setattr(backends, "_in_use", "")
        monkeypatch.delenv("FASTMLP_BACKEND", raising=False)
        monkeypatch.setattr(
            backends, "_reason_against", lambda name: "" if name in names else f"no {name} today"
        )

    return pretend


class TestBackends:
    def test_are_here_or_missing_for_a_reason(self, only):
        only("numpy", "numba")
        there = backends.available()
        assert set(there) == {"numpy", "numba"}
        assert there.missing == {"cython": "no cython today"}
        lines = str(there).splitlines()
        assert [line.partition(":")[0] for line in lines] == ["numba", "numpy", "cython"]
        assert "no cython today" in lines[2]

    def test_numpy_is_everywhere(self):
        assert "numpy" in backends.available()

    def test_auto_is_cython_then_numba(self, only):
        only("numpy", "numba", "cython")
        assert small().backend == "cython"
        only("numpy", "numba")
        assert small().backend == "numba"

    def test_auto_is_never_the_slow_reference(self, only):
        only("numpy")
        with pytest.raises(ValueError, match="backend: .*'numpy' works.*no cython.*no numba"):
            small()
        assert small(backend="numpy").backend == "numpy"

    def test_one_that_is_missing_is_refused_with_the_reason(self, only, monkeypatch):
        only("numpy", "numba")
        with pytest.raises(ValueError, match="backend: 'cython' cannot be .*: no cython today"):
            small(backend="cython")
        with pytest.raises(ValueError, match="name: 'cython' cannot be .*: no cython today"):
            backends.use("cython")
        monkeypatch.setenv("FASTMLP_BACKEND", "cython")
        with pytest.raises(ValueError, match="FASTMLP_BACKEND: 'cython' cannot be .*: no cython"):
            small()

    def test_environment_then_use_then_argument(self, monkeypatch):
        monkeypatch.setattr(backends, "_in_use", "")
        monkeypatch.setenv("FASTMLP_BACKEND", "numpy")
        assert small().backend == "numpy"
        backends.use("numba")
        assert small().backend == "numba"
        assert small(backend="numpy").backend == "numpy"

    def test_environment_with_a_typo(self, monkeypatch):
        monkeypatch.setattr(backends, "_in_use", "")
        monkeypatch.setenv("FASTMLP_BACKEND", "nunpy")
        with pytest.raises(ValueError, match="FASTMLP_BACKEND: 'nunpy' is unknown"):
            small()


def test_initial_weights_differ_between_layers_and_follow_the_seed():
    def kernels(seed):
        model = Sequential([Input((4,)), Dense(4), Dense(4)], seed=seed)
        return [w for w in model.get_weights() if w.ndim == 2]

    first, second = kernels(0), kernels(0)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first[0] != first[1]).all()
    assert (first[0] != kernels(1)[0]).all()


def test_torch_default_covers_the_bias():
    model = Sequential([Input((100,)), Dense(50, kernel_initializer="torch_default")], seed=0)
    kernel, bias = model.get_weights()
    assert 0 < np.abs(bias).max() <= 0.1
    assert np.abs(kernel).max() <= np.float32(0.1)
    explicit = Dense(5, kernel_initializer="torch_default", bias_initializer="zeros")
    assert explicit.bias_initializer == initializers.Zeros()
