"""The small change: rescaling, masking and layout."""

from .jit import fast


@fast
def rescale(scale, offset, x, y):
    """Set flat ``y`` to ``x * scale + offset``."""
    for i in range(x.size):
        y[i] = x[i] * scale + offset


@fast
def multiply(x, mask, y):
    """Set flat ``y`` to ``x * mask``."""
    for i in range(x.size):
        y[i] = x[i] * mask[i]


@fast
def transpose(x, y):
    """Set ``y`` (features, n) to ``x.T`` for ``x`` (n, features)."""
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = x[j, i]
