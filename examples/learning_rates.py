"""How large a learning rate?  ``python examples/learning_rates.py``.

The finder (Smith, 2017) raises the rate at each step, from one that is too small to one that is too
large, and draws the loss.  A tenth of the rate at which the loss is lowest is a good peak for a
one-cycle schedule, which then trains in few epochs.  ``rates.png`` has the curve.  ``--short``
trains briefly.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from fastmlp import Input, Sequential, callbacks, layers, optimizers, schedules

LOW, HIGH = 1e-4, 10.0


class Finder(callbacks.Callback):
    """Notes the loss of each batch, while the rate grows from step to step."""

    def __init__(self, steps: int) -> None:
        self.rates = np.geomspace(LOW, HIGH, steps)
        self.losses: list[float] = []
        self._total = 0.0

    def on_train_batch_begin(self, batch, logs=None):
        self.model.optimizer.learning_rate = float(self.rates[len(self.losses)])

    def on_train_batch_end(self, batch, logs=None):
        total = logs["loss"] * (batch + 1)  # the logs have the mean of the epoch so far
        self.losses.append(total - (self._total if batch else 0.0))
        self._total = total


def net(rate) -> Sequential:
    model = Sequential([Input(64), layers.Dense(64, "relu"), layers.Dense(10, "softmax")], seed=0)
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizers.SGD(rate, momentum=0.9), loss, metrics=["accuracy"])
    return model


def main(short: bool) -> None:
    x, y = load_digits(return_X_y=True)
    x, steps = x[:1792] / 16, 56  # of 32 samples, an epoch
    finder = Finder(steps * 2)
    net(LOW).fit(x, y[:1792], epochs=2, verbose=0, callbacks=[finder])
    smooth = np.convolve(finder.losses, np.ones(5) / 5, mode="valid")
    best = float(finder.rates[int(np.argmin(smooth)) + 2])
    print(f"the loss is lowest at a rate of {best:.3g}; the cycle's peak is {best / 10:.3g}")

    epochs = 2 if short else 10
    for name, rate in (
        ("0.001 throughout", 1e-3),
        ("one cycle", schedules.OneCycle(best / 10, steps * epochs)),
    ):
        figures = net(rate).fit(x, y[:1792], epochs=epochs, verbose=0).history
        print(f"{name:>16}: accuracy {figures['accuracy'][-1]:.3f} after {epochs} epochs")

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.semilogx(finder.rates, finder.losses, alpha=0.4, label="of each batch")
    axes.semilogx(finder.rates[2:-2], smooth, label="of five batches")
    axes.axvline(best / 10, color="grey", linestyle="--", label="peak")
    axes.set(xlabel="learning rate", ylabel="loss", ylim=(0, 4))
    axes.legend()
    figure.savefig("rates.png", dpi=100)


if __name__ == "__main__":
    main("--short" in sys.argv)
