"""The three patients, held against torch from the same weights and in the same order."""

import numpy as np
import pytest
import torch

from fastmlp import datasets
from fastmlp.experiments.q1 import claims
from fastmlp.experiments.settings import Settings
from fastmlp.training import epoch_order

SAMPLES = 3_200
TOLERANCE = 1e-9  # relative: 500 steps in float64

ACTIVATIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}


def torch_history(net, weights, x, y, x_test, y_test):
    """Train as fastmlp does, by autograd; returns loss, accuracy, val_loss, val_accuracy."""
    weights = [torch.tensor(w, requires_grad=True) for w in weights]
    x, x_test = (torch.from_numpy(a.reshape(len(a), -1) / 255) for a in (x, x_test))
    y, y_test = (torch.from_numpy(a.astype(np.int64)) for a in (y, y_test))

    def logits(h):
        for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            h = ACTIVATIONS[net.activation](h @ kernel + bias)
        return h @ weights[-2] + weights[-1]

    history = []
    for epoch in range(net.epochs):
        order = torch.from_numpy(epoch_order(net.seed, epoch, len(x)))
        total, correct = 0.0, 0
        for rows in order.split(net.batch_size):
            z = logits(x[rows])
            loss = torch.nn.functional.cross_entropy(z, y[rows])
            total += loss.item() * len(rows)
            correct += int((z.argmax(dim=1) == y[rows]).sum())
            for w, g in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                w.data -= net.learning_rate * g
        with torch.no_grad():
            z = logits(x_test)
            test_loss = torch.nn.functional.cross_entropy(z, y_test).item()
            test_accuracy = float((z.argmax(dim=1) == y_test).double().mean())
        history.append([total / len(x), correct / len(x), test_loss, test_accuracy])
    return np.array(history)


@pytest.mark.parametrize("activation", claims.DEPTHS)
def test_figures_agree(activation):
    dataset = datasets.load()
    x, y = (array[:SAMPLES] for array in dataset.train)
    x_test, y_test = (array[:1000] for array in dataset.test)
    net = claims.net(Settings(), activation, claims.DEPTHS[activation])
    model = net.build(dataset, dtype="float64")
    expected = torch_history(net, model.get_weights(), x, y, x_test, y_test)
    history = model.fit(
        x, y, net.batch_size, net.epochs, verbose=0, validation_data=(x_test, y_test)
    ).history
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    ours = np.array([history[name] for name in names]).T
    np.testing.assert_allclose(ours, expected, rtol=TOLERANCE, atol=0)
