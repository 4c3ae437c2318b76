"""A net for PyTorch and for ONNX: ``python examples/other_libraries.py``.

It is trained here and runs there, with the same outputs.  ``--short`` trains briefly.
"""

import sys

import numpy as np
import onnxruntime
import torch
from sklearn.datasets import load_breast_cancer

from fastmlp import Input, Sequential, interchange, layers


def main(short: bool) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)
    model = Sequential(
        [
            Input(30),
            layers.Dense(16, "relu"),
            layers.BatchNormalization(),
            layers.Dense(2, "softmax"),
        ],
        seed=0,
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=5 if short else 30, verbose=0)
    ours = model.predict(x)
    print(f"accuracy {(ours.argmax(axis=1) == y).mean():.3f}")

    module = interchange.to_torch(model)
    print(module)
    with torch.no_grad():
        theirs = module(torch.from_numpy(x)).numpy()
    print("PyTorch agrees:", np.abs(theirs - ours).max() < 1e-6)
    torch.save(interchange.state_dict(model), "net.pt")

    interchange.export_onnx(model, "net.onnx")
    session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    (theirs,) = session.run(["y"], {"x": x})
    print("onnxruntime agrees:", np.abs(theirs - ours).max() < 1e-6)

    back = interchange.from_torch(module)
    back.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    back.fit(x, y, verbose=0)
    print("and what was PyTorch's trains on here")


if __name__ == "__main__":
    main("--short" in sys.argv)
