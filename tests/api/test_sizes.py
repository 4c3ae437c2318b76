"""Numbers of any size and kind: what fits is taken, and what does not is refused by name."""

import numpy as np
import pytest

from fastmlp import Sequential, activations, layers, optimizers, regularizers
from fastmlp.layers import Dense, Dropout, Flatten, Input, Rescaling
from fastmlp.runtime import arguments

HUGE, MONSTER = 10**400, 10**5000  # no float is so large, and Python does not print the second


class TestLayersOfOnesOwn:
    def test_that_skip_the_constructor(self):
        class Careless(layers.Layer):
            def __init__(self):
                self.factor = 2

        message = r"layers\[1\]: Careless.__init__ does not call super\(\).__init__\(\)"
        with pytest.raises(TypeError, match=message):
            Sequential([Input((3,)), Careless()])
        with pytest.raises(TypeError, match=r"^layer: Careless.__init__ does not call"):
            Sequential([Input((3,))]).add(Careless())

    @pytest.mark.parametrize("found", [5, None, [5], (5.0,), (0,), (True,), (2**63,), "ab"])
    def test_whose_output_has_no_shape(self, found):
        class Odd(layers.Layer):
            def output_shape(self, input_shape):
                return found

        message = r"layers\[1\] \('odd'\): output_shape.*: expected a (tuple of )?positive integer"
        with pytest.raises((TypeError, ValueError), match=message):
            Sequential([Input((3,)), Odd()])

    @pytest.mark.parametrize(
        ("name", "shape", "error", "message"),
        [
            ("a", 5, TypeError, "shape: expected a tuple"),
            ("a", (0,), ValueError, r"shape\[0\]: expected a positive integer"),
            ("a", (2.5,), ValueError, r"shape\[0\]: expected a positive integer"),
            ("a", (3, HUGE), ValueError, r"shape\[1\]: expected a positive integer"),
            (5, (3,), TypeError, "name: expected a string, got 5"),
        ],
    )
    def test_that_declare_no_tensor(self, name, shape, error, message):
        class Mine(layers.Layer):
            def build(self, input_shape):
                self.add_weight(name, shape)

        with pytest.raises(error, match=rf"layers\[1\] \('mine'\): {message}"):
            Sequential([Input((3,)), Mine()])

    @pytest.mark.parametrize("initializer", ["ones", "glorot_uniform", "he_normal"])
    def test_may_have_a_single_number(self, initializer):
        class Scale(layers.Layer):
            def build(self, input_shape):
                self.add_weight("scale", (), initializer)

            def forward(self, x, training):
                self.x = x.copy()
                return x * self.weights["scale"]

            def backward(self, dy):
                return dy * self.weights["scale"], {"scale": (dy * self.x).sum()}

        model = Sequential([Input((3,)), Scale(), Dense(2)], seed=0)
        model.compile("sgd", "mse")
        before = model.get_weights()[0]
        assert before.shape == ()
        model.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0)
        assert model.get_weights()[0] != before


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ([Input((2**45,)), Dense(2)], r"layers\[0\] \('input'\): one sample's values"),
        ([Input((3,)), Dense(2**62)], r"layers\[1\] \('dense'\): the weights"),
        ([Input((3,)), Dense(2**45, use_bias=False)], r"layers\[1\] \('dense'\): the weights"),
        ([Input((2**62, 2**62)), Flatten()], r"layers\[0\] \('input'\): one sample's values"),
        ([Input((2**20,)), Dense(2**42)], r"layers\[1\] .*: the weights up to this layer would"),
    ],
)
def test_layers_that_no_memory_holds(stack, message):
    with pytest.raises(ValueError, match=message):
        Sequential(stack)


def test_a_layer_that_no_memory_holds_leaves_the_net_as_it_was():
    model = Sequential([Input((2,)), Dense(3)], seed=0)
    before = model.params.copy()
    with pytest.raises(ValueError, match=r"layers\[2\] .*the weights up to this layer"):
        model.add(Dense(2**50))
    np.testing.assert_array_equal(model.params, before)
    assert model.predict(np.ones((1, 2))).shape == (1, 3)


@pytest.mark.parametrize("verb", ["fit", "evaluate", "predict", "loss_and_gradient"])
def test_a_batch_that_no_memory_holds(verb, monkeypatch):
    model = Sequential([Input((2,)), Dense(3, "softmax")], seed=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    monkeypatch.setattr(arguments, "machine_memory", lambda: 4000)
    x, y = np.zeros((200, 2), np.float32), np.zeros(200, int)
    rest = () if verb == "predict" else (y,)
    options = {} if verb == "loss_and_gradient" else {"batch_size": 200}
    name = "x" if verb == "loss_and_gradient" else "batch_size"
    with pytest.raises(ValueError, match=f"^{name}: the values of a batch of 200 samples"):
        getattr(model, verb)(x, *rest, **options)
    assert model.history is None


def test_a_batch_size_beyond_the_data_takes_no_memory():
    model = Sequential([Input((2,)), Dense(3, "softmax")], seed=0)
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.ones((5, 2)), [0, 1, 2, 0, 1]
    other = Sequential([Input((2,)), Dense(3, "softmax")], seed=0)
    other.compile("sgd", "sparse_categorical_crossentropy")
    for net, size in ((model, 2**62), (other, 5)):
        net.fit(x, y, batch_size=size, verbose=0)
    np.testing.assert_array_equal(model.params, other.params)
    assert model.evaluate(x, y, batch_size=2**62) == model.evaluate(x, y)
    np.testing.assert_array_equal(model.predict(x, batch_size=2**62), model.predict(x))


def test_numbers_may_be_numpys():
    for number in (np.float64(0.25), np.float32(0.25), np.float16(0.25)):
        assert Dropout(number).rate == 0.25
        assert (Rescaling(number, number).scale, Rescaling(1, number).offset) == (0.25, 0.25)
        assert regularizers.L1L2(number, number) == regularizers.L1L2(0.25, 0.25)
        assert optimizers.SGD(number, number) == optimizers.SGD(0.25, 0.25)
        assert activations.LeakyReLU(number).alpha == 0.25
    for number in (np.int64(1), np.uint8(1)):
        assert Dropout(0.5, seed=number).seed == 1
        assert Rescaling(number).scale == 1
        assert Sequential(seed=number).seed == 1
        assert regularizers.L2(number).l2 == 1
    assert Dense(3, use_bias=np.bool_(False)).use_bias is False
    assert optimizers.SGD(0.1, 0.5, np.bool_(True)).nesterov is True


def test_options_may_be_numpys(capsys):
    x, y = np.ones((8, 2)), np.arange(8) % 3
    models = [Sequential([Input((2,)), Dense(3, "softmax")], seed=0) for _ in range(2)]
    for model, kind in zip(models, (int, np.int32), strict=True):
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(
            x, y, kind(4), kind(2), kind(0),
            validation_split=np.float32(0.5), shuffle=np.bool_(True),
        )  # fmt: skip
    np.testing.assert_array_equal(models[0].params, models[1].params)
    assert models[0].evaluate(x, y, np.int64(3), np.int8(0)) == models[1].evaluate(x, y, 3, 0)
    assert capsys.readouterr().out == ""


def test_seeds_may_be_of_any_size():
    model = Sequential([Input((3,)), Dropout(0.5, seed=HUGE), Dense(2)], seed=MONSTER)
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), verbose=0)
    assert np.isfinite(model.params).all()


def test_a_rate_of_zero_learns_nothing():
    model = Sequential([Input((3,)), Dense(2)], seed=0)
    model.compile(optimizers.SGD(0.0), "mse")
    before = model.params.copy()
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), epochs=3, verbose=0)
    np.testing.assert_array_equal(model.params, before)


TOO_LARGE = {
    "offset": lambda: [Rescaling(1.0, 1e39)],
    "later offset": lambda: [Dense(2), Rescaling(1.0, -1e39)],
    "alpha": lambda: [Dense(2, activations.LeakyReLU(1e39))],
    "l2": lambda: [Dense(2, kernel_regularizer=regularizers.L2(1e39))],
}


@pytest.mark.parametrize("case", TOO_LARGE)
def test_numbers_that_are_too_large_for_a_dtype(case):
    name = case.split()[-1]
    with pytest.raises(ValueError, match=rf"^layers: the {name} of .*, -?1e\+39, does not fit flo"):
        Sequential([Input((3,)), *TOO_LARGE[case]()])
    assert Sequential([Input((3,)), *TOO_LARGE[case]()], dtype="float64").built
