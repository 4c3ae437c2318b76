"""To Keras and back."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest

from fastmlp import Input, Sequential, interchange, layers

from .nets import assert_equal, random_case

# It is Keras' own, where it reads PyTorch's tensors.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def outputs(model, x):
    return keras.ops.convert_to_numpy(model(x))


def check(seed):
    model, x = random_case(seed, residual=False)
    made = interchange.to_keras(model)
    assert_equal(outputs(made, x), model.predict(x))
    back = interchange.from_keras(made, backend="numpy")
    assert_equal(back.predict(x), model.predict(x))


@pytest.mark.parametrize("seed", range(5))
def test_random_nets(seed):
    check(seed)


def test_a_file_of_weights(tmp_path):
    model, x = random_case(3, residual=False)
    theirs = interchange.to_keras(model)
    theirs.set_weights([w * 1.5 for w in theirs.get_weights()])
    theirs.save_weights(tmp_path / "net.weights.h5")
    interchange.load_keras_weights(model, tmp_path / "net.weights.h5")
    assert_equal(outputs(theirs, x), model.predict(x))


def test_what_fastmlp_does_not_have_is_refused():
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2), keras.layers.Reshape((1, 2))]
    )
    with pytest.raises(TypeError, match="^model: fastmlp has no Reshape"):
        interchange.from_keras(model)
    with pytest.raises(ValueError, match="^model: it has no weights yet"):
        interchange.from_keras(keras.Sequential([keras.layers.Dense(2)]))
    with pytest.raises(TypeError, match=r"^model: expected a keras\.Sequential"):
        interchange.from_keras(3)
    inner = Sequential([Input(3), layers.Residual([layers.Dense(3)])])
    with pytest.raises(TypeError, match="can't be had in a keras.Sequential"):
        interchange.to_keras(inner)


def test_what_keras_has_made():
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, "gelu"), keras.layers.LeakyReLU(0.3),
         keras.Sequential([keras.layers.Dense(4), keras.layers.ReLU()]),
         keras.layers.BatchNormalization(), keras.layers.Dense(3), keras.layers.Softmax()]
    )  # fmt: skip
    x = np.random.default_rng(0).normal(size=(9, 6)).astype(np.float32)
    assert_equal(interchange.from_keras(model).predict(x), outputs(model, x))
