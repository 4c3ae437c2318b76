"""Rescaling and layout."""


def rescale(scale, offset, x, y):
    y[:] = x * scale + offset


def transpose(x, y):
    y[:] = x.T
