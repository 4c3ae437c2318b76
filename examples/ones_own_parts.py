"""A layer and a callback of one's own: ``python examples/ones_own_parts.py``.

There is no automatic differentiation: a layer has ``forward`` and ``backward``, and the gradient
check tells whether they fit.  ``--short`` trains briefly.
"""

import sys

import numpy as np
from sklearn.datasets import load_breast_cancer

from fastmlp import Input, Sequential, callbacks, check_gradients, layers


class Scale(layers.Layer):
    """Each feature times a number that is learned."""

    def build(self, input_shape):
        self.add_weight("scale", input_shape, "ones")

    def forward(self, x, training):
        self.x = x.copy()  # x is memory that is used again
        return x * self.weights["scale"]

    def backward(self, dy):
        return dy * self.weights["scale"], {"scale": (dy * self.x).sum(axis=0)}


class Watch(callbacks.Callback):
    """Tells of the largest scale, and puts the smallest one into the history."""

    def on_epoch_end(self, epoch, logs=None):
        scales = self.model.layers[0].weights["scale"]
        logs["smallest scale"] = scales.min()
        if epoch % 5 == 0:
            print(f"epoch {epoch + 1}: loss {logs['loss']:.3f}, largest scale {scales.max():.3f}")


def main(short: bool) -> None:
    x, y = load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    model = Sequential(
        [Input(30), Scale(), layers.Dense(8, "tanh"), layers.Dense(2, "softmax")], seed=0
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    report = check_gradients(model, x[:20], y[:20])
    print("gradients are right:", report.passed)
    history = model.fit(x, y, epochs=6 if short else 30, verbose=0, callbacks=[Watch()])
    print(f"accuracy {history.history['accuracy'][-1]:.3f}")
    scales = model.layers[0].weights["scale"]
    names = load_breast_cancer().feature_names[np.argsort(scales)[::-1][:3]]
    print("the net made most of:", ", ".join(names))


if __name__ == "__main__":
    main("--short" in sys.argv)
