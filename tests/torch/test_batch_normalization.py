"""Batch normalization trains as in PyTorch, for 200 steps in float64."""

import numba  # noqa: F401 - it must be imported before torch
import numpy as np
import pytest

from fastmlp import layers, losses, optimizers
from fastmlp.runtime.shuffling import epoch_order
from tests.backends import ALL
from tests.engine.nets import data, net

torch = pytest.importorskip("torch", reason="PyTorch, the peer, is not installed")
nn = torch.nn

EPOCHS, SAMPLES, BATCH = 40, 40, 8
MOMENTUM, EPSILON = 0.95, 1e-4
OPTIMIZERS = {
    "sgd": (lambda: optimizers.SGD(0.05), lambda w: torch.optim.SGD(w, 0.05)),
    "adam": (lambda: optimizers.Adam(0.01), lambda w: torch.optim.Adam(w, 0.01, eps=1e-7)),
}


def peer(model):
    """Return the net in torch, with the same weights."""
    first, second = (nn.BatchNorm1d(n, EPSILON, 1 - MOMENTUM) for n in (6, 9))
    weights = [torch.tensor(w) for w in model.get_weights()]
    kernel, last = nn.Linear(6, 9, bias=False), nn.Linear(9, 4)
    modules = nn.Sequential(first, kernel, nn.Tanh(), second, last).double()
    with torch.no_grad():
        kernel.weight.copy_(weights[4].T)
        last.weight.copy_(weights[9].T)
        last.bias.copy_(weights[10])
    return modules


def weights_of(modules):
    """Return its weights as ``get_weights`` would, with a biased running variance."""
    steps = EPOCHS * SAMPLES // BATCH
    found = []
    for module in modules:
        if isinstance(module, nn.Linear):
            found += [p.detach().numpy().T for p in module.parameters()]
        elif isinstance(module, nn.BatchNorm1d):
            found += [p.detach().numpy() for p in (module.weight, module.bias, module.running_mean)]
            start = MOMENTUM**steps  # what is left of the 1 that it starts from
            moved = module.running_var.numpy() - start
            found.append(start + moved * (BATCH - 1) / BATCH)
    return found


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_trajectory(backend, optimizer):
    x, y = data(SAMPLES)
    make, theirs = OPTIMIZERS[optimizer]
    model = net(
        layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON),
        layers.Dense(9, "tanh", use_bias=False),
        layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON),
        last=None,
        loss=losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer=make(),
        backend=backend,
    )
    modules = peer(model)
    stepper = theirs(modules.parameters())
    inputs, labels = torch.tensor(x, dtype=torch.float64), torch.tensor(y)
    means = []
    for epoch in range(EPOCHS):
        total = 0.0
        for rows in torch.tensor(epoch_order(model.seed, epoch, len(x))).split(BATCH):
            stepper.zero_grad()
            loss = nn.functional.cross_entropy(modules(inputs[rows]), labels[rows])
            loss.backward()
            stepper.step()
            total += loss.item() * len(rows)
        means.append(total / len(x))
    history = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    np.testing.assert_allclose(history.history["loss"], means, rtol=1e-9)
    for ours, expected in zip(model.get_weights(), weights_of(modules), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    outputs = model.predict(x)
    with torch.no_grad():
        for module in modules:
            if isinstance(module, nn.BatchNorm1d):
                module.running_var.copy_(torch.tensor(weights_of([module])[-1]))
        expected = modules.eval()(inputs).numpy()
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-8)
