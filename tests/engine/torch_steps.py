"""A training beside that of torch."""

import numpy as np
import torch


def assert_200_steps_are_those_of_torch(model, theirs, optimizer, x, y):
    """Train on all samples at once; ``theirs`` is a module of torch with a list of weights."""
    inputs, labels = torch.tensor(x.astype(float)), torch.tensor(y)
    for _ in range(200):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(theirs(inputs), labels).backward()
        optimizer.step()
    model.fit(x, y, batch_size=len(x), epochs=200, shuffle=False, verbose=0)
    for own, other in zip(model.get_weights(), theirs.weights, strict=True):
        np.testing.assert_allclose(own, other.detach().numpy(), rtol=0, atol=1e-9)
