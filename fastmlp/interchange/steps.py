"""What a net does when it predicts, as a list of simple steps that every library has."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from .. import activations
from ..activations import Activation as Function
from ..layers import (
    ELU,
    Activation,
    ActivityRegularization,
    AlphaDropout,
    BatchNormalization,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Identity,
    Input,
    Layer,
    LayerNormalization,
    LeakyReLU,
    PReLU,
    ReLU,
    Rescaling,
    Residual,
    RMSNormalization,
    Softmax,
)
from ..layers.base import runs_in_python
from ..layers.nested import Nested
from ..model import Sequential
from ..runtime.arguments import shown


class Step(NamedTuple):
    """A layer, or the activation of one.

    Attributes
    ----------
    layer : Layer
    function : Activation or None
        If the step is an activation: which.
    """

    layer: Layer
    function: Function | None = None


_KNOWN = (
    ActivityRegularization, AlphaDropout, BatchNormalization, Dense, Dropout, Embedding, Flatten,
    GaussianDropout, GaussianNoise, Identity, Input, LayerNormalization, PReLU, RMSNormalization,
    Rescaling, Residual,
)  # fmt: skip


def _function_of(layer: Layer) -> Function | None:
    """Return the activation that a layer is nothing else than."""
    match layer:
        case Activation():
            return layer.activation
        case Softmax():
            return activations.softmax
        case ELU():
            return activations.ELU(layer.alpha)
        case LeakyReLU():
            return activations.LeakyReLU(layer.negative_slope)
        case ReLU(max_value=None, negative_slope=0.0, threshold=0.0):
            return activations.relu
    return None


def steps_of(layers: Sequence[Layer], target: str) -> Iterator[Step]:
    """Return the steps of layers; those of nets that are layers among them.

    Raises
    ------
    TypeError
        If a layer is none that others know; ``target`` is what messages call those.
    """
    for layer in layers:
        if isinstance(layer, Nested):
            yield from steps_of(layer.nested, target)
            continue
        own_call = type(layer).call is not Layer.call
        function = _function_of(layer)
        known = function is not None or isinstance(layer, _KNOWN)
        if not known or runs_in_python(layer) or own_call:
            raise TypeError(f"model: {layer!r}, a {type(layer).__name__}, can't be had in {target}")
        if function is not None:
            yield Step(layer, function)
            continue
        yield Step(layer)
        if isinstance(layer, Dense) and layer.activation.name != "linear":
            yield Step(layer, layer.activation)


def built(model: object) -> Sequential:
    """Return a net that has weights.

    Raises
    ------
    TypeError
        If it is no net.
    RuntimeError
        If it has none yet.
    """
    if not isinstance(model, Sequential):
        raise TypeError(f"model: expected a Sequential, got {shown(model)}")
    if not model.built:
        raise RuntimeError("model: it has no weights yet; give it an Input layer")
    return model


def library(name: str, extra: str) -> Any:
    """Return another library.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed, with how to get it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as reason:
        raise ModuleNotFoundError(
            f"{name} is not installed: pip install 'fastmlp[{extra}]' gets it", name=name
        ) from reason
