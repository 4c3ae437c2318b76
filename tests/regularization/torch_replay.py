"""A fastmlp net rebuilt in torch: the same weights, batches, penalties and dropout masks."""

import numba  # noqa: F401  (numba#9996: it has to be imported before torch)
import numpy as np
import torch
from torch import nn

from fastmlp import layers
from fastmlp.kernels import reference
from fastmlp.kernels.contract import Column, Loss, Op, Scalar
from fastmlp.runtime.shuffling import epoch_order

ACTIVATIONS = {
    "linear": lambda x: x,
    "elu": nn.functional.elu,
    "leaky_relu": lambda x: nn.functional.leaky_relu(x, 0.2),
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softplus": nn.functional.softplus,
    "tanh": torch.tanh,
}


class TorchReplay:
    """Trains along with a compiled float64 net, given its weights before the first step."""

    def __init__(self, model, x):
        self.model = model
        plan, self.loss = model.checked_plan(x)
        self.dropout_rows = {
            int(row[Column.LAYER]): (row, reals[Scalar.RATE])
            for row, reals in zip(plan.table, plan.reals, strict=True)
            if row[Column.OP] == Op.DROPOUT
        }
        self.weights = [torch.tensor(w, requires_grad=True) for w in model.get_weights()]
        optimizer = model.optimizer
        self.optimizer = torch.optim.SGD(
            self.weights,
            lr=optimizer.learning_rate,
            momentum=optimizer.momentum,
            nesterov=optimizer.nesterov,
        )

    def forward(self, x, step):
        """The logits; without dropout if ``step`` is None."""
        weights = iter(self.weights)
        for index, layer in enumerate(self.model._layers):
            if isinstance(layer, layers.Dense):
                x = x @ next(weights)
                x = x + next(weights) if layer.use_bias else x
            if isinstance(layer, (layers.Dense, layers.Activation)):
                name = layer.activation.name
                x = x if name == "softmax" else ACTIVATIONS[name](x)
            elif index in self.dropout_rows and step is not None:
                x = x * self.mask(index, x.shape, step)
        return x

    def mask(self, layer_index, shape, step):
        """The mask (samples, features), drawn by the reference kernel as the plan has it."""
        row, rate = self.dropout_rows[layer_index]
        flat = np.empty(shape[0] * shape[1])
        reference.dropout_mask(row[Column.KEY], step, rate, flat)
        return torch.tensor(
            flat.reshape(shape) if row[Column.ROWS] else flat.reshape(shape[::-1]).T
        )

    def data_loss(self, outputs, y):
        if self.loss.kind == Loss.MEAN_SQUARED_ERROR:
            return nn.functional.mse_loss(outputs, y)
        return nn.functional.cross_entropy(outputs, y)

    def penalty(self):
        total = torch.zeros((), dtype=torch.float64)
        weights = iter(self.weights)
        for layer in self.model.layers:
            if not isinstance(layer, layers.Dense):
                continue
            regularizers = [layer.kernel_regularizer]
            regularizers += [layer.bias_regularizer] if layer.use_bias else []
            for regularizer in regularizers:
                w = next(weights)
                if regularizer is not None:
                    total = total + regularizer.l1 * w.abs().sum() + regularizer.l2 * (w**2).sum()
        return total

    def epoch(self, x, y, batch_size, number):
        """Train an epoch; returns the means over its samples, each before its batch's step."""
        x, y = torch.tensor(x), torch.tensor(y)
        order = torch.tensor(epoch_order(self.model.seed, number, len(x)))
        batches = order.split(batch_size)
        totals = {"loss": 0.0, "data_loss": 0.0}
        for batch, rows in enumerate(batches):
            step = number * len(batches) + batch
            self.optimizer.zero_grad()
            data_loss = self.data_loss(self.forward(x[rows], step), y[rows])
            loss = data_loss + self.penalty()
            loss.backward()
            self.optimizer.step()
            totals["loss"] += loss.item() * len(rows)
            totals["data_loss"] += data_loss.item() * len(rows)
        return {name: total / len(x) for name, total in totals.items()}

    def evaluate(self, x, y):
        with torch.no_grad():
            data_loss = self.data_loss(self.forward(torch.tensor(x), None), torch.tensor(y))
            return {
                "loss": (data_loss + self.penalty()).item(),
                "data_loss": data_loss.item(),
            }


def blobs(samples=37, features=7, classes=4, seed=11):
    """Noisy clusters: inputs (samples, features), labels (samples,)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, samples)
    centres = rng.normal(size=(classes, features))
    return centres[y] + rng.normal(size=(samples, features)), y


def regression(samples=37, features=7, outputs=3, seed=12):
    """Inputs (samples, features), targets (samples, outputs)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, features))
    return x, np.tanh(x @ rng.normal(size=(features, outputs))) + rng.normal(
        scale=0.1, size=(samples, outputs)
    )


def assert_same_trajectory(model, x, y, epochs=40, batch_size=8):
    """Train both, and compare figures and weights after every epoch.

    The tolerance: a weight after 200 steps is a sum of some 200 x 100 terms, each with a rounding
    error of 1e-16 of its size, so about 2e-12; 1e-9 leaves a factor of 500 for what the net makes
    of a difference in later steps.
    """
    replay = TorchReplay(model, x)
    steps = epochs * -(-len(x) // batch_size)
    assert steps >= 200
    for number in range(epochs):
        history = model.fit(x, y, batch_size=batch_size, verbose=0).history
        figures = replay.epoch(x, y, batch_size, number)
        for name, values in history.items():
            np.testing.assert_allclose(values, figures[name], rtol=1e-9, err_msg=f"epoch {number}")
        for ours, theirs in zip(model.get_weights(), replay.weights, strict=True):
            expected = theirs.detach().numpy()
            scale = np.abs(expected).max()
            np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9 * scale)
    return replay
