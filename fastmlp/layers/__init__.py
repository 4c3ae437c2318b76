"""Layers: what a net is made of."""

from .activation import Activation
from .base import Layer
from .dense import Dense
from .dropout import Dropout
from .normalization import BatchNormalization
from .rescaling import Rescaling
from .residual import Residual
from .shape import Flatten, Input

__all__ = [
    "Activation",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "Input",
    "Layer",
    "Rescaling",
    "Residual",
]
