"""Layers: what a net is made of."""

from ..runtime.elsewhere import refusal
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


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("layers", name)
