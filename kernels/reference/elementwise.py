"""Rescaling and layout."""


def rescale(scale, offset, x, y):
    y[:] = x * scale + offset


def multiply(x, mask, y):
    y[:] = x * mask


def add(x, other, y):
    y[:] = x + other


def transpose(x, y):
    y[:] = x.T
