"""Embedding, CategoryEncoding and Columns: whole numbers in the samples."""

import copy
import json

import numpy as np
import pytest
import torch

from fastmlp import Sequential, check_gradients, layers, load_model, models, optimizers
from fastmlp.layers import CategoryEncoding, Columns, Dense, Embedding, Flatten
from tests.backends import ALL, COMPILED
from tests.threads import each_number_of_threads

from .nets import Scale, net
from .torch_steps import assert_200_steps_are_those_of_torch

each = pytest.mark.parametrize("backend", ALL)
RNG = np.random.default_rng(3)
LIMITS = (5, 1, 12)  # of the columns 0, 3 and 4
X = RNG.normal(size=(40, 6))
for _column, _limit in zip((0, 3, 4), LIMITS, strict=True):
    X[:, _column] = RNG.integers(0, _limit, 40)
Y = RNG.integers(0, 4, 40)
STEPPERS = {
    "descent": (lambda: optimizers.SGD(0.1), lambda w: torch.optim.SGD(w, 0.1)),
    "adam": (lambda: optimizers.Adam(0.01), lambda w: torch.optim.Adam(w, 0.01, eps=1e-7)),
}


def columns(**options):
    kinds = [
        Embedding(5, 3, "normal", **options), CategoryEncoding(1, "one_hot"), Embedding(12, 2)
    ]  # fmt: skip
    return Columns([0, 3, -2], kinds)


def table(*more, **options):
    """A net for a table with numbers and three columns of categories."""
    return net(columns(embeddings_regularizer="l2"), *more, Dense(7, "tanh"), **options)


@each
def test_gradients(backend):
    assert check_gradients(table(backend=backend), X[:9], Y[:9], tolerance=1e-8).passed
    with_python = table(Scale(), backend=backend)
    assert check_gradients(with_python, X[:9], Y[:9], tolerance=1e-8).passed
    words = net(Embedding(5, 3), Flatten(), Dense(4, "tanh"), backend=backend, features=3)
    assert check_gradients(words, X[:9, [0, 0, 3]], Y[:9], tolerance=1e-8).passed


class Torch(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.weights = torch.nn.ParameterList(torch.tensor(w) for w in weights)

    def forward(self, x):
        first, last, kernel, bias, kernel_2, bias_2 = self.weights
        parts = [first[x[:, 0].long()], x[:, 1:3], torch.ones(len(x), 1), last[x[:, 4].long()]]
        h = torch.cat([*parts, x[:, 5:]], 1)
        return torch.tanh(h @ kernel + bias) @ kernel_2 + bias_2


@each
@pytest.mark.parametrize("stepper", STEPPERS)
def test_200_steps_are_those_of_torch(backend, stepper):
    make, of_torch = STEPPERS[stepper]
    model = net(columns(), Dense(7, "tanh"), backend=backend, optimizer=make())
    theirs = Torch(model.get_weights())
    optimizer = of_torch(list(theirs.weights))
    assert_200_steps_are_those_of_torch(model, theirs, optimizer, X, Y)


@pytest.mark.parametrize("backend", COMPILED)
def test_the_same_bits_on_every_number_of_threads(backend, monkeypatch):
    found = set()
    for _ in each_number_of_threads(monkeypatch):
        model = table(backend=backend)
        for optimizer in ("sgd", "adam"):
            model.compile(optimizer, "sparse_categorical_crossentropy")
            model.fit(X, Y, batch_size=16, epochs=2, verbose=0)
        found.add(model.params.tobytes())
    assert len(found) == 1


@each
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_categories_become(backend, dtype):
    def applied(layer, x):
        model = Sequential([layers.Input(np.shape(x)[1:]), layer], backend=backend, dtype=dtype)
        return model.predict(x)

    x = np.array([[3, 1, 3], [0, 0, 2]])
    one_hot = np.eye(4)[x]
    np.testing.assert_array_equal(applied(CategoryEncoding(4, "one_hot"), x), one_hot)
    np.testing.assert_array_equal(applied(CategoryEncoding(4), x), one_hot.max(axis=1))
    np.testing.assert_array_equal(applied(CategoryEncoding(4, "count"), x), one_hot.sum(axis=1))
    np.testing.assert_array_equal(
        applied(CategoryEncoding(4, "one_hot"), x[:, :1]), one_hot[:, 0]
    )  # as Keras, an axis of 1 goes
    vectors = Embedding(4, 2)
    of_bytes = applied(vectors, x.astype(np.uint8))
    np.testing.assert_array_equal(of_bytes, vectors.embeddings[x])
    assert of_bytes.shape == (2, 3, 2)
    mixed = Columns([1], [CategoryEncoding(3, "one_hot")])
    np.testing.assert_array_equal(applied(mixed, [[0.5, 2, -1]]), [[0.5, 0, 0, 1, -1]])


@each
def test_a_number_that_is_no_category_changes_nothing(backend):
    model = table(backend=backend)
    before = model.params.tobytes()
    for wrong, text in [(5, "5.0"), (-1, "-1.0"), (0.5, "0.5")]:
        x = X.copy()
        x[7, 0] = wrong
        expected = f"^x: 'embedding' takes integers from 0 to 4, got {text} in column 0 of sample"
        for use in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
            with pytest.raises(ValueError, match=expected):
                use(x, Y)
        for use in (model.predict, model, model.predict_on_batch):
            with pytest.raises(ValueError, match=expected):
                use(x)
        with pytest.raises(ValueError, match="^validation_data x: 'embedding' takes"):
            model.fit(X, Y, validation_data=(x, Y), verbose=0)
    assert model.params.tobytes() == before
    assert model._state.steps == 0
    model.train_on_batch(X, Y)  # twice, for the second time goes a shorter way
    model.train_on_batch(X, Y)
    with pytest.raises(ValueError, match="takes integers"):
        model.train_on_batch(x, Y)


def test_copies_and_configurations(tmp_path):
    model = table()
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "net")
    others = [copy.deepcopy(model), load_model(tmp_path / "net")]
    for one in (model, *others):
        one.fit(X, Y, verbose=0)
    assert {one.params.tobytes() for one in (model, *others)} == {model.params.tobytes()}
    clone = models.clone_model(model)
    assert json.dumps(clone.get_config()) == json.dumps(model.get_config())


def test_frozen_embeddings_stay():
    model = net(columns(trainable=False), Dense(5))
    before = np.array(model.layers[0].layers[0].embeddings)
    model.fit(X, Y, verbose=0)
    assert np.array_equal(before, model.layers[0].layers[0].embeddings)


class OwnEncoding(CategoryEncoding):
    def forward(self, x, training):
        return x


def test_errors():
    with pytest.raises(AttributeError, match="has no weights yet"):
        _ = Embedding(3, 2).embeddings
    for wrong in (0, -1, 2.5, 2**24 + 1, None):
        with pytest.raises(ValueError, match="^input_dim: expected an integer from 1"):
            Embedding(wrong, 2)
        with pytest.raises(ValueError, match="^num_tokens: expected an integer from 1"):
            CategoryEncoding(wrong)
    with pytest.raises(ValueError, match="^output_dim: expected a positive integer"):
        Embedding(3, 0)
    with pytest.raises(ValueError, match="^output_mode: "):
        CategoryEncoding(3, "int")
    with pytest.raises(ValueError, match="^sparse: expected False"):
        CategoryEncoding(3, sparse=True)
    assert Embedding(3, 2, input_length=4).get_config()["input_shape"] == [4]
    assert CategoryEncoding(3, "binary").output_mode == "multi_hot"
    for before in (layers.Rescaling(2.0), Dense(6), layers.Dropout(0.5)):
        with pytest.raises(ValueError, match="put it first, or into Columns"):
            net(before, Embedding(5, 3), Flatten())
    with pytest.raises(ValueError, match="put it first, or into Columns"):
        net(layers.Residual([Embedding(5, 1), Flatten()]))
    net(Flatten(), Embedding(5, 3), Flatten())  # these compute nothing
    for wrong, text in [
        ([6], "no column 6"),
        ([-7], "no column -7"),
        ([0, -6], "0 is there twice"),
    ]:
        with pytest.raises(ValueError, match=text):
            net(Columns(wrong, [Embedding(5, 3) for _ in wrong]))
    with pytest.raises(ValueError, match="^layers: expected one for each of the 2 columns, got 1"):
        Columns([0, 1], [Embedding(5, 3)])
    for layer in (Dense(3), OwnEncoding(3)):
        with pytest.raises(TypeError, match="expected an Embedding or a CategoryEncoding"):
            Columns([0], [layer])
    with pytest.raises(ValueError, match="^columns"):
        Columns([0.5], [Embedding(5, 3)])
