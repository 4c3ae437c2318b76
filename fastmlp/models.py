"""Nets, under the name that Keras has for their module."""

from collections.abc import Callable
from typing import Any

from .layers import Input, Layer
from .layers.nested import shown_as
from .model import Sequential
from .runtime.arguments import shown
from .runtime.configuration import clone
from .runtime.elsewhere import refusal
from .saving import load_model, model_from_json, save_model

__all__ = ["Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


def clone_model(
    model: Sequential, clone_function: Callable[[Layer], Layer] | None = None
) -> Sequential:
    """Return a net like another one, with layers of its own, not compiled.

    Its weights are the first ones again, as its seed is the same: ``copy.copy`` of a net keeps
    the weights that it has.

    Parameters
    ----------
    model : Sequential
    clone_function : callable, optional
        Given a layer, returns the one to put in its place; by default one that is made alike.

    Raises
    ------
    TypeError
        If an argument is not what it should be.
    """
    if not isinstance(model, Sequential):
        raise TypeError(f"model: expected a Sequential, got {shown(model)}")
    if clone_function is None:
        copied: Sequential = clone(model)
        return copied
    if not callable(clone_function):
        raise TypeError(f"clone_function: expected a function, got {shown(clone_function)}")
    layers: list[Any] = [
        clone_model(layer, clone_function) if isinstance(layer, Sequential)
        else layer if isinstance(layer, Input) else clone_function(layer)
        for layer in map(shown_as, model._layers)
    ]  # fmt: skip
    return Sequential(
        layers, seed=model.seed, dtype=str(model.dtype), backend=model.backend, name=model.name
    )


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("models", name)
