"""Softmax over the features (axis 0) of each sample."""

import numpy as np


def softmax_forward(x, scratch, y):
    """Set ``y`` to the softmax of ``x``, and ``scratch`` to the maxima and the inverse sums."""
    scratch[0] = x.max(axis=0)
    exponentials = np.exp(x - scratch[0])
    scratch[1] = 1 / exponentials.sum(axis=0)
    y[:] = exponentials * scratch[1]


def softmax_backward(y, dy, scratch, dx):
    dx[:] = y * (dy - (dy * y).sum(axis=0))


def log_softmax_forward(x, scratch, y):
    """Set ``y`` to the logarithm of that, and ``scratch`` to the maxima and the logarithms of sums.

    The sums are those of the exponentials of what is left of the maxima.
    """
    scratch[0] = x.max(axis=0)
    scratch[1] = np.log(np.exp(x - scratch[0]).sum(axis=0))
    y[:] = x - scratch[0] - scratch[1]


def log_softmax_backward(y, dy, scratch, dx):
    dx[:] = dy - np.exp(y) * dy.sum(axis=0)
