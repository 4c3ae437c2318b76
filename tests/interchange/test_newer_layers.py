"""Activations and layers beyond the first ones: to each library that has the same, and back."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import onnxruntime
import pytest
import torch

from fastmlp import Input, Sequential, activations, interchange, layers

from .nets import assert_equal

# It is Keras' own, where it reads PyTorch's tensors.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

X = (3 * np.random.default_rng(0).normal(size=(17, 6))).astype(np.float32)
FUNCTIONS = {
    **{name: name for name in activations.NAMES},
    **{
        f"{kind.__name__} 0.7": kind(0.7)
        for kind in (
            activations.CELU, activations.HardShrink, activations.SoftShrink,
            activations.Squareplus, activations.Threshold,
        )
    },
}  # fmt: skip
TORCH_LACKS = {"exponential", "squareplus", "Squareplus 0.7", "sparse_plus", "sparse_sigmoid"}
ONNX_LACKS = {"sparse_plus"}
KERAS_LACKS = {name for name in FUNCTIONS if " " in name}


def with_weights(*stack, features=6):
    model = Sequential([Input(features), *stack], seed=0, backend="numpy")
    rng = np.random.default_rng(1)
    model.set_weights([w + 0.3 * np.abs(rng.normal(size=w.shape)) for w in model.get_weights()])
    return model


def by_torch(model, x=X):
    with torch.no_grad():
        return interchange.to_torch(model)(torch.from_numpy(x)).numpy()


def by_onnx(model, x=X):
    content = interchange.to_onnx(model).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": x})[0]


def by_keras(model, x=X):
    return keras.ops.convert_to_numpy(interchange.to_keras(model)(x))


def refused(call, model):
    with pytest.raises(TypeError, match="^model: .*can't be had in"):
        call(model)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_activations(name):
    model = with_weights(layers.Activation(FUNCTIONS[name]))
    expected = model.predict(X)
    for call, lacks in (
        (by_torch, TORCH_LACKS), (by_onnx, ONNX_LACKS), (by_keras, KERAS_LACKS)
    ):  # fmt: skip
        if name in lacks:
            refused(call, model)
        else:
            assert_equal(call(model), expected, call.__name__)
    if name not in TORCH_LACKS and name != "linear":
        back = interchange.from_torch(interchange.to_torch(model), 6, backend="numpy")
        assert back.layers[0].activation == model.layers[0].activation
    if name not in KERAS_LACKS:
        back = interchange.from_keras(interchange.to_keras(model), backend="numpy")
        assert back.layers[0].activation == model.layers[0].activation


STACKS = {
    "layer normalization": [layers.LayerNormalization(epsilon=0.01), layers.Dense(3)],
    "without beta": [layers.LayerNormalization(center=False), layers.Dense(3)],
    "by the root": [layers.Dense(5), layers.RMSNormalization(epsilon=0.01)],
    "slopes": [layers.Dense(5), layers.PReLU()],
    "as layers": [layers.LeakyReLU(0.1), layers.ELU(0.7), layers.ReLU(), layers.Softmax()],
    "nothing": [layers.Identity(), layers.ActivityRegularization(0.1), layers.AlphaDropout(0.5)],
}


@pytest.mark.parametrize("name", STACKS)
def test_layers(name):
    model = with_weights(*STACKS[name])
    expected = model.predict(X)
    for call in (by_torch, by_onnx, by_keras):
        assert_equal(call(model), expected, call.__name__)
    for back in (
        interchange.from_torch(interchange.to_torch(model), 6, backend="numpy"),
        interchange.from_keras(interchange.to_keras(model), backend="numpy"),
    ):
        assert_equal(back.predict(X), expected)
        assert [w.tobytes() for w in back.get_weights()] == [
            w.tobytes() for w in model.get_weights()
        ]


def test_embeddings():
    stack = [layers.Embedding(5, 3), layers.Flatten(), layers.Dense(2)]
    model = with_weights(*stack, features=4)
    x = np.random.default_rng(0).integers(0, 5, (9, 4))
    expected = model.predict(x)
    assert_equal(by_torch(model, x), expected)
    assert_equal(by_onnx(model, x.astype(np.float32)), expected)
    assert_equal(by_keras(model, x), expected)
    back = interchange.from_torch(interchange.to_torch(model), 4, backend="numpy")
    assert_equal(back.predict(x), expected)


def test_what_is_refused():
    for stack in ([layers.Columns([0], [layers.Embedding(3, 2)])], [layers.Scale()]):
        for call in (by_torch, by_onnx, by_keras):
            refused(call, with_weights(*stack))
    refused(by_torch, with_weights(layers.GaussianNoise(0.1)))
    no_gamma = with_weights(layers.LayerNormalization(scale=False))
    with pytest.raises(TypeError, match="has no gamma"):
        by_torch(no_gamma)
    assert_equal(by_onnx(no_gamma), no_gamma.predict(X))
    nn = torch.nn
    for part, text in [
        (nn.PReLU(), "has one slope"),
        (nn.LayerNorm(6, elementwise_affine=False), "with weights"),
        (nn.RMSNorm(6), "an eps of its own"),
        (nn.Hardtanh(-2, 2), "bounds that fastmlp does not have"),
    ]:
        with pytest.raises(ValueError, match=text):
            interchange.from_torch(nn.Sequential(part), 6)
    shared = keras.Sequential([keras.Input((6,)), keras.layers.Dropout(0.5, (None, 1))])
    with pytest.raises(TypeError, match="^model: fastmlp has no Dropout"):
        interchange.from_keras(shared)
