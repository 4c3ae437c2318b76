"""To ONNX, as onnxruntime computes it."""

import numpy as np
import onnxruntime
import pytest
from sklearn.datasets import load_digits

from fastmlp import Input, Sequential, interchange, layers

from .nets import assert_equal, random_case


def outputs(content, x):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(["y"], {"x": x})
    return found


def check(seed):
    model, x = random_case(seed)
    content = interchange.to_onnx(model).SerializeToString()
    assert_equal(outputs(content, x), model.predict(x))
    assert_equal(outputs(content, x[:1]), model.predict(x[:1]))


@pytest.mark.parametrize("seed", range(8))
def test_random_nets(seed):
    check(seed)


def test_real_inputs(tmp_path):
    digits = load_digits()
    x, y = digits.images.astype(np.float32), digits.target
    model = Sequential(
        [Input((8, 8)), layers.Rescaling(1 / 16), layers.Flatten(), layers.Dense(32, "relu"),
         layers.Dropout(0.2), layers.Dense(10, "softmax")], seed=0,
    )  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5, verbose=0)
    interchange.export_onnx(model, tmp_path / "net.onnx")
    found = outputs((tmp_path / "net.onnx").read_bytes(), x)
    assert_equal(found, model.predict(x))
    assert (found.argmax(1) == y).mean() == pytest.approx(model.evaluate(x, y)[1])
