"""A residual net trains as in PyTorch, for 200 steps in float64."""

import numba  # noqa: F401 - it must be imported before torch
import numpy as np
import pytest

from fastmlp import layers, losses, optimizers
from fastmlp.runtime.shuffling import epoch_order
from tests.backends import ALL
from tests.engine.nets import data, net

torch = pytest.importorskip("torch", reason="PyTorch, the peer, is not installed")

EPOCHS, BATCH = 40, 8


@pytest.mark.parametrize("backend", ALL)
def test_trajectory(backend):
    x, y = data()
    model = net(
        layers.Residual(
            [layers.Dense(7, "tanh"), layers.Residual([layers.Dense(7, "gelu")]), layers.Dense(6)]
        ),
        last=None,
        loss=losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=optimizers.SGD(0.02, 0.9),
        backend=backend,
    )
    weights = [torch.tensor(w, requires_grad=True) for w in model.get_weights()]
    optimizer = torch.optim.SGD(weights, lr=0.02, momentum=0.9)
    inputs, labels = torch.tensor(x, dtype=torch.float64), torch.tensor(y)
    for epoch in range(EPOCHS):
        for rows in torch.tensor(epoch_order(model.seed, epoch, len(x))).split(BATCH):
            k1, b1, k2, b2, k3, b3, k4, b4 = weights
            h = torch.tanh(inputs[rows] @ k1 + b1)
            h = h + torch.nn.functional.gelu(h @ k2 + b2)
            logits = (inputs[rows] + h @ k3 + b3) @ k4 + b4
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits, labels[rows]).backward()
            optimizer.step()
    assert EPOCHS * -(-len(x) // BATCH) >= 200
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    for ours, theirs in zip(model.get_weights(), weights, strict=True):
        expected = theirs.detach().numpy()
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
