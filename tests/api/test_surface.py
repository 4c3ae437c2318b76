"""What books on Keras type: the same calls, with the same meaning."""

import io

import numpy as np
import pytest

import fastmlp
from fastmlp import DivergenceWarning, Input, Sequential, layers, models, optimizers
from tests.backends import ALL

X = np.random.default_rng(0).standard_normal((40, 3))
Y = np.arange(40) % 4


def net(backend="numpy", **options):
    model = Sequential(
        [Input(shape=(3,)), layers.Dense(5, "tanh", name="hidden"), layers.Dropout(0.3),
         layers.Dense(4, "softmax")],
        seed=0, backend=backend, **options,
    )  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class TestInputShape:
    @pytest.mark.parametrize(
        "given", [{"input_shape": (3,)}, {"input_dim": 3}, {"input_shape": [3]}]
    )
    def test_of_the_first_layer_builds_the_net(self, given):
        model = models.Sequential(seed=0)
        model.add(layers.Dense(5, activation="relu", **given))
        assert model.built
        model.add(layers.Dense(4))
        other = Sequential([Input(3), layers.Dense(5, "relu"), layers.Dense(4)], seed=0)
        assert [w.tobytes() for w in model.get_weights()] == [
            w.tobytes() for w in other.get_weights()
        ]

    def test_of_any_kind_of_layer(self):
        for first in (
            layers.Flatten(input_shape=(2, 3)),
            layers.Rescaling(1 / 255, input_shape=(2, 3)),
            layers.Dropout(0.1, input_shape=(2, 3)),
            layers.Activation("relu", input_shape=(2, 3)),
        ):
            model = Sequential([first, layers.Flatten(), layers.Dense(2)])
            assert model.predict(np.ones((1, 2, 3))).shape == (1, 2)
            assert models.clone_model(model).layers[0].get_config()["input_shape"] == [2, 3]

    def test_of_a_layer_of_ones_own(self):
        class Double(layers.Layer):
            def __init__(self, factor=2, **kwargs):
                super().__init__(**kwargs)
                self.factor = factor

            def forward(self, x, training):
                return x * self.factor

            def backward(self, dy):
                return dy * self.factor, {}

        model = Sequential([Double(input_shape=(3,), name="twice")], backend="numpy")
        np.testing.assert_allclose(model.predict(X), 2 * X, rtol=1e-6)
        assert models.clone_model(model).get_config() == model.get_config()

    def test_elsewhere_it_must_be_what_the_layer_gets(self):
        Sequential([Input(3), layers.Dense(5), layers.Dense(2, input_dim=5)])
        with pytest.raises(
            ValueError, match=r"input_shape: it was made for inputs of shape \(4,\)"
        ):
            Sequential([Input(3), layers.Dense(5), layers.Dense(2, input_dim=4)])

    @pytest.mark.parametrize(
        "given",
        [{"input_shape": ()}, {"input_shape": (0,)}, {"input_dim": -1}, {"input_dim": 2.5},
         {"input_shape": "ab"}, {"input_shape": (3,), "input_dim": 3}],
    )  # fmt: skip
    def test_what_is_no_shape_is_refused(self, given):
        with pytest.raises((TypeError, ValueError), match=r"^input_(shape|dim)(\[0\])?: "):
            layers.Dense(3, **given)


class TestLayers:
    def test_by_name_and_by_place(self):
        model = net()
        hidden = model.get_layer("hidden")
        assert hidden is model.get_layer(index=model.layers.index(hidden))
        assert model.get_layer(index=-1) is model.layers[-1]
        for wrong in ({}, {"name": "hidden", "index": 1}, {"name": "hiden"}, {"index": 9},
                      {"index": 1.0}):  # fmt: skip
            with pytest.raises(ValueError, match="^(name|index): "):
                model.get_layer(**wrong)

    def test_the_last_may_be_taken_off_and_put_back(self):
        model = net()
        model.fit(X, Y, verbose=0)
        before, outputs = model.get_weights(), model.predict(X)
        last = model.pop()
        assert last.units == 4
        assert [w.tobytes() for w in model.get_weights()] == [w.tobytes() for w in before[:2]]
        with pytest.raises(ValueError, match="^loss: sparse_categorical_crossentropy.* softmax"):
            model.predict(X)
        model.add(last)
        np.testing.assert_array_equal(model.predict(X), outputs)
        model.fit(X, Y, verbose=0)

    def test_what_is_left_predicts(self):
        model = Sequential([Input(3), layers.Dense(5), layers.Dense(2)], seed=0)
        model.pop()
        assert model.predict(X).shape == (40, 5)

    def test_taken_off_until_nothing_is_left(self):
        model = Sequential([layers.Dense(3, input_dim=2), layers.Dense(4)])
        model.pop()
        model.pop()
        assert not model.built
        assert model.get_weights() == []
        with pytest.raises(ValueError, match="^pop: the net has no layers"):
            model.pop()
        model.add(layers.Dense(2, input_dim=7))
        assert model.predict(np.ones((1, 7))).shape == (1, 2)

    def test_a_layer_taken_off_is_free_for_another_net(self):
        one = Sequential([Input(3), layers.Dense(4), layers.Dense(2)], seed=0)
        last = one.pop()
        other = Sequential([Input(4), last])
        assert other.layers[-1] is last
        before = last.kernel.copy()
        one.set_weights([w * 0 for w in one.get_weights()])
        np.testing.assert_array_equal(last.kernel, before)

    def test_weights_of_a_layer(self):
        model = net()
        hidden = model.get_layer("hidden")
        kernel, bias = hidden.get_weights()
        assert (hidden.kernel == kernel).all()
        assert (hidden.bias == bias).all()
        hidden.set_weights([kernel * 2, bias + 1])
        np.testing.assert_array_equal(model.get_weights()[0], kernel * 2)
        np.testing.assert_array_equal(model.weights[1], bias + 1)
        hidden.kernel[...] = 0
        assert (model.params[: hidden.kernel.size] == 0).all()
        assert layers.Dense(3, use_bias=False).bias is None
        with pytest.raises(AttributeError, match="^kernel: <Dense 'dense'> has no weights yet"):
            layers.Dense(3).kernel  # noqa: B018

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            ([np.ones((3, 5))], "^weights: expected 2 arrays, got 1"),
            ([np.ones((5, 3)), np.ones(5)], r"^weights\[0\] \(hidden/kernel\): expected shape"),
            ([np.ones((3, 5)), np.full(5, np.nan)], r"^weights\[1\] \(hidden/bias\): expected fin"),
        ],
    )
    def test_wrong_weights_change_nothing(self, weights, message):
        model = net()
        before = model.params.tobytes()
        with pytest.raises(ValueError, match=message):
            model.get_layer("hidden").set_weights(weights)
        assert model.params.tobytes() == before

    def test_a_layer_without_weights(self):
        layers.Flatten().set_weights([])
        with pytest.raises(RuntimeError, match="^set_weights: <Dense 'dense'> has no weights"):
            layers.Dense(3).set_weights([np.ones((2, 3)), np.ones(3)])

    def test_of_a_net_all_and_those_that_are_trained(self):
        class Fixed(layers.Layer):
            def build(self, input_shape):
                self.add_weight("fixed", input_shape, "ones", trainable=False)

        model = Sequential([Input(3), layers.Dense(2), Fixed()])
        assert [w.shape for w in model.weights] == [(3, 2), (2,), (2,)]
        assert [w.shape for w in model.trainable_weights] == [(3, 2), (2,)]
        assert [w.shape for w in model.non_trainable_weights] == [(2,)]
        with pytest.raises(AttributeError, match="^weights: "):
            model.weights = []


class TestBatches:
    @pytest.mark.parametrize("backend", ALL)
    def test_steps_one_by_one_are_those_of_an_epoch(self, backend):
        one, other = net(backend), net(backend)
        one.fit(X, Y, 10, shuffle=False, verbose=0)
        for start in range(0, 40, 10):
            rows = slice(start, start + 10)
            loss, accuracy = other.train_on_batch(X[rows], Y[rows])
        assert one.params.tobytes() == other.params.tobytes()
        assert (other.steps_trained, other.epochs_trained, other.history) == (4, 0, None)
        assert loss > 0
        assert 0 <= accuracy <= 1

    def test_the_forms_of_what_they_return(self):
        model = net()
        figures = model.evaluate(X, Y, return_dict=True)
        assert model.test_on_batch(X, Y) == pytest.approx(list(figures.values()))
        assert model.test_on_batch(X, Y, return_dict=True) == pytest.approx(figures)
        assert list(model.train_on_batch(X, Y, return_dict=True)) == ["loss", "accuracy"]
        model.compile("sgd", "sparse_categorical_crossentropy")
        assert isinstance(model.train_on_batch(X, Y), float)
        np.testing.assert_allclose(model.predict_on_batch(X), model.predict(X), rtol=1e-5)

    def test_a_loss_that_is_not_finite_takes_no_step(self):
        model = net()
        model._state.params[0] = np.nan
        with pytest.warns(DivergenceWarning, match="^train_on_batch: the loss is nan") as found:
            loss, _ = model.train_on_batch(X, Y)
        assert found[0].filename == __file__
        assert np.isnan(loss)
        assert model.steps_trained == 0

    def test_what_does_not_fit_is_refused(self):
        model = net()
        with pytest.raises(ValueError, match="^y: expected one entry"):
            model.train_on_batch(X, Y[:3])
        with pytest.raises(RuntimeError, match="call compile"):
            Sequential([Input(3), layers.Dense(2)]).train_on_batch(X, Y)
        assert model.steps_trained == 0

    def test_a_net_is_a_function(self):
        model = net()
        np.testing.assert_array_equal(model(X), model.predict(X))
        np.testing.assert_array_equal(model(X, training=False), model.predict(X))
        with pytest.raises(TypeError, match="^training: expected True or False"):
            model(X, training=1)


class Frame:
    """An array in the clothes of a table, as pandas has them."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __len__(self):
        return len(self.values)


@pytest.mark.parametrize("convert", [np.ndarray.tolist, Frame])
@pytest.mark.parametrize("column", [False, True])
def test_lists_and_tables(convert, column):
    labels = Y[:, None] if column else Y
    plain, other = net(), net()
    plain.fit(X, Y, verbose=0, validation_data=(X, Y))
    x, y = convert(X), convert(labels)
    other.fit(x, y, verbose=0, validation_data=(x, y))
    assert plain.history.history == other.history.history
    np.testing.assert_array_equal(plain.predict(X), other.predict(x))
    assert plain.evaluate(X, Y) == other.evaluate(x, y)
    assert plain.train_on_batch(X, Y) == other.train_on_batch(x, y)
    assert plain.test_on_batch(X, Y) == other.test_on_batch(x, y)


def test_a_summary_goes_where_it_is_wanted(capsys):
    model, texts = net(), []
    model.summary(print_fn=texts.append)
    assert capsys.readouterr().out == ""
    assert "hidden (Dense)" in "".join(texts)
    model.summary(line_length=60)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60
    stream = io.StringIO()
    model.summary(print_fn=stream.write)
    assert stream.getvalue() == "".join(texts)
    with pytest.raises(TypeError, match="^print_fn: expected a function"):
        model.summary(print_fn=3)
    with pytest.raises(ValueError, match="^line_length: expected"):
        model.summary(0)


def test_names_in_lower_case_are_classes():
    for name in ("he_normal", "glorot_uniform", "zeros", "orthogonal", "random_normal"):
        made = getattr(fastmlp.initializers, name)()
        for given in (name, made, type(made), type(made).__name__):
            dense = layers.Dense(2, kernel_initializer=given)
            assert dense.kernel_initializer == made
    assert fastmlp.regularizers.l2(0.1) == fastmlp.regularizers.L2(0.1)


def test_an_initializer_with_a_seed_draws_the_same_each_time():
    draw = fastmlp.initializers.HeNormal(seed=3)
    assert draw((4, 5)).tobytes() == draw((4, 5)).tobytes()
    assert draw((4, 5)).tobytes() != fastmlp.initializers.HeNormal(4)((4, 5)).tobytes()
    assert draw((4, 5)).std() < fastmlp.initializers.HeNormal(3)((2, 5)).std() * 2
    nets = [
        Sequential([Input(4), layers.Dense(5, kernel_initializer=draw)], seed=s) for s in (0, 1)
    ]
    assert nets[0].params.tobytes() == nets[1].params.tobytes()


def test_positional_arguments_that_mean_something_else_in_keras():
    with pytest.raises(ValueError, match=r"^noise_shape: expected None, .* a seed is given as"):
        layers.Dropout(0.5, 3)  # the seed, one might think


def test_optimizers_take_what_a_book_gives_them():
    model = net()
    model.compile(
        optimizer=optimizers.SGD(
            learning_rate=fastmlp.schedules.ExponentialDecay(
                initial_learning_rate=1e-2, decay_steps=1e4, decay_rate=0.9
            ),
            momentum=0.9,
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(X, Y, batch_size=10, epochs=2, verbose=0)


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("rate", [0.1, fastmlp.schedules.CosineDecay(0.1, 10)])
def test_batches_of_a_size_seen_before_give_the_same(backend, rate):
    """They go a shorter way; what that does not take goes the usual one."""
    models_, x = [net(backend), net(backend)], X.astype(np.float32)
    for model in models_:
        model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["acc"])
    short, usual = models_
    for step in range(4):
        labels = Y[:, None] if step == 3 else Y.astype(np.uint8)
        usual._engine = None
        assert short.test_on_batch(x, labels) == usual.test_on_batch(x, labels)
        usual._engine = None
        assert short.train_on_batch(x, labels) == usual.train_on_batch(x, labels)
        np.testing.assert_array_equal(short.predict_on_batch(x), usual.predict(x, 40))
        if step == 1 and not callable(rate):
            short.optimizer.learning_rate = usual.optimizer.learning_rate = 0.2
    assert short.params.tobytes() == usual.params.tobytes()
    assert (short.steps_trained, len(short._engine.shortcuts._totals)) == (4, 2)
    before = short.params.tobytes()
    for bad_x, bad_y, message in ((x, Y + 4, "^y: "), (x, Y - 1, "^y: "), (x * np.nan, Y, "^x: ")):
        with pytest.raises(ValueError, match=message):
            short.train_on_batch(bad_x, bad_y)
    assert short.params.tobytes() == before


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_number_that_is_not_finite_is_seen_in_each_batch(dtype, backend):
    model, x = net(backend, dtype=dtype), X.astype(dtype)
    calls = (lambda x: model.train_on_batch(x, Y), lambda x: model.test_on_batch(x, Y),
             model.predict_on_batch)  # fmt: skip
    for call in calls:
        call(x)
        for place in (0, 37, 118, 119):
            for value in (np.nan, np.inf, -np.inf):
                bad = x.copy()
                bad.flat[place] = value
                with pytest.raises(ValueError, match=rf"^x: .* got {value} at"):
                    call(bad)
        call(np.full_like(x, np.finfo(dtype).max / 1e30))
    assert model.steps_trained == 2


def freeze(model):
    model.layers[0].trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")


CHANGES = [
    lambda model: model.set_weights([w + 1 for w in model.get_weights()]),
    lambda model: model.layers[0].kernel.fill(0.5),
    lambda model: setattr(model.optimizer, "learning_rate", 0.5),
    lambda model: setattr(model.optimizer, "learning_rate", lambda step: 0.1 / (step + 1)),
    lambda model: setattr(model.optimizer, "momentum", 0.9),
    freeze,
    lambda model: model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"]),
    lambda model: model.add(layers.Dense(4, "softmax")),
]


@pytest.mark.parametrize("backend", ALL)
def test_what_changes_between_two_batches_acts(backend):
    short, usual = net(backend), net(backend)
    x = X.astype(np.float32)
    for model in (short, usual):
        model.compile(optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    for number, change in enumerate(CHANGES):
        for model in (short, usual):
            change(model)
        for _ in range(2):
            usual._engine = None
            assert short.train_on_batch(x, Y) == usual.train_on_batch(x, Y), number
            usual._engine = None
            assert short.test_on_batch(x, Y) == usual.test_on_batch(x, Y), number
        assert short.params.tobytes() == usual.params.tobytes(), number
