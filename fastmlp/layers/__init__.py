"""Layers: what a net is made of."""

from ..runtime.elsewhere import refusal
from .activation import Activation
from .activity import ActivityRegularization
from .base import Layer
from .categories import CategoryEncoding, Embedding
from .columns import Columns
from .dense import Dense
from .dropout import Dropout
from .feature_normalization import Normalization
from .layer_normalization import LayerNormalization, RMSNormalization, UnitNormalization
from .mixed_activation import MixedActivation
from .noise import AlphaDropout, GaussianDropout, GaussianNoise
from .normalization import BatchNormalization
from .relus import ELU, LeakyReLU, PReLU, ReLU, Softmax
from .rescaling import Rescaling
from .residual import Residual
from .scale import Scale
from .shape import Flatten, Identity, Input, Reshape

__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "BatchNormalization",
    "CategoryEncoding",
    "Columns",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "Input",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "MixedActivation",
    "Normalization",
    "PReLU",
    "RMSNormalization",
    "ReLU",
    "Rescaling",
    "Reshape",
    "Residual",
    "Scale",
    "Softmax",
    "UnitNormalization",
]


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("layers", name)
