"""Layers with a number or two for each feature (axis 0)."""

import numpy as np


def scale_forward(x, gamma, beta, y):
    """Set ``y`` to ``gamma x + beta``, without one of them if it is empty."""
    y[:] = x * gamma[:, None] if gamma.size else x
    if beta.size:
        y += beta[:, None]


def scale_weight_gradient(x, dy, dgamma, dbeta):
    dgamma[:] = (x * dy).sum(axis=1, dtype=np.float64)
    dbeta[:] = dy.sum(axis=1, dtype=np.float64)


def mix_forward(x, other, weights, y):
    """Set ``y`` to ``x + weight (x - other)``, with a weight for each feature."""
    y[:] = x + weights[:, None] * (x - other)


def mix_weight_gradient(x, other, dy, dweights):
    dweights[:] = ((x.astype(np.float64) - other) * dy).sum(axis=1)


def prelu_forward(x, slopes, y):
    y[:] = np.where(x < 0, slopes[:, None] * x, x)


def prelu_weight_gradient(x, dy, dslopes):
    dslopes[:] = np.where(x < 0, x * dy, 0).sum(axis=1, dtype=np.float64)


def prelu_input_gradient(x, slopes, dy, dx):
    dx[:] = np.where(x > 0, dy, slopes[:, None] * dy)
