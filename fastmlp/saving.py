"""Nets in files: what is saved of one, and how it comes back.

A file is what :mod:`fastmlp.runtime.checkpoint` writes.  Of a net it holds the architecture, the
weights, the optimizer with its moments, the loss and the metrics, the numbers of steps and epochs,
and the history of the last fit: it trains on, after loading, as if it had never stopped.  What a
user's own layer keeps outside its weights is not part of it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from .history import Divergence, History
from .model import Sequential
from .runtime import checkpoint
from .runtime.arguments import truth
from .runtime.configuration import (
    custom_object_scope,
    deserialize,
    register_keras_serializable,
    serialize,
)
from .runtime.tensors import Array
from .version import __version__

__all__ = ["custom_object_scope", "load_model", "register_keras_serializable"]

_MOMENTS = "moments"  # weights have a slash in their names


def save_model(model: Sequential, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Save a net in a file; see :meth:`Sequential.save`."""
    model._check_parts()
    model._name_apart()
    content = {
        "kind": "model",
        "version": __version__,
        "model": serialize(model),
        "compile": model.get_compile_config(),
        "steps": model.steps_trained,
        "epochs": model.epochs_trained,
        "draws": int(model._state.draws[0]),
        "history": None if model.history is None else asdict(model.history),
        "weights": [slot.name for slot in model._slots],
    }
    tensors = _weights_of(model)
    state, optimizer = model._state, model.optimizer
    # If the optimizer has been changed since, and has others now, those begin with nothing.
    if optimizer is not None and state.has_moments(optimizer.moments, optimizer.use_ema):
        tensors[_MOMENTS] = state.moments
        content["steps_before"] = state.steps_before
    checkpoint.write(filepath, content, tensors, truth("overwrite", overwrite))


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    *,
    backend: str | None = None,
) -> Sequential:
    """Return the net that :meth:`Sequential.save` has written to a file.

    Parameters
    ----------
    filepath : str or path
    custom_objects : dict, optional
        The classes and functions of your own that the net was made with, by their names.
    compile : bool
        Whether the net is compiled as it was, and with the optimizer's moments.
    backend : {"auto", "cython", "numba", "numpy"}, optional
        By default the one that the net was saved with, which goes on with the same bits.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError, ValueError
        If an argument is not what it should be, if the file is damaged or was not written by
        fastmlp, or for a class that is not among the custom objects.
    """
    truth("compile", compile)
    content, tensors = _read(filepath)
    if content["kind"] != "model":
        raise ValueError(
            f"filepath: {os.fspath(filepath)!r} holds weights alone: make the net, and then call "
            "its load_weights"
        )
    if backend is not None:
        content["model"]["config"]["backend"] = backend
    with custom_object_scope({} if custom_objects is None else custom_objects):
        model: Sequential = deserialize(content["model"])
        if compile and content["compile"] is not None:
            model.compile_from_config(content["compile"])
    _give_weights(model, filepath, content["weights"], tensors)
    state = model._state
    state.steps, state.epochs = content["steps"], content["epochs"]
    state.draws[0] = content.get("draws", 0)
    if model.optimizer is not None and _MOMENTS in tensors:
        state.provide_moments(model.optimizer.moments, model.optimizer.use_ema)
        if state.moments.shape != tensors[_MOMENTS].shape:
            raise ValueError(f"filepath: {model.optimizer!r} has other moments than those saved")
        state.moments[:] = tensors[_MOMENTS]
        state.steps_before = content.get("steps_before", 0)
    model.history = _history_from(content["history"])
    return model


def save_weights(
    model: Sequential, filepath: str | os.PathLike[str], overwrite: bool = True
) -> None:
    """Save the weights alone; see :meth:`Sequential.save_weights`."""
    if not model.built:
        raise RuntimeError("save_weights: the net has no weights yet; give it an Input layer")
    model._name_apart()
    names = [slot.name for slot in model._slots]
    content = {"kind": "weights", "version": __version__, "weights": names}
    checkpoint.write(filepath, content, _weights_of(model), truth("overwrite", overwrite))


def load_weights(model: Sequential, filepath: str | os.PathLike[str]) -> None:
    """Take weights from a file; see :meth:`Sequential.load_weights`."""
    if not model.built:
        raise RuntimeError("load_weights: the net has no weights yet; give it an Input layer")
    content, tensors = _read(filepath)
    _give_weights(model, filepath, content["weights"], tensors)


def model_from_json(
    json_string: str, custom_objects: Mapping[str, Any] | None = None
) -> Sequential:
    """Return a net with the architecture that :meth:`Sequential.to_json` has described.

    Its weights are new ones: those that the seed gives, which is part of the description.

    Raises
    ------
    TypeError, ValueError
        If it is no such text, or for a class that is not among the custom objects.
    """
    try:
        config = json.loads(json_string)
    except ValueError as reason:
        raise ValueError(f"json_string: expected the text of to_json: {reason}") from None
    with custom_object_scope({} if custom_objects is None else custom_objects):
        model = deserialize(config)
    if not isinstance(model, Sequential):
        raise ValueError("json_string: expected the text of a net's to_json")
    return model


def _read(filepath: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    content, tensors = checkpoint.read(filepath)
    if content.get("kind") not in ("model", "weights"):
        raise ValueError(f"filepath: {os.fspath(filepath)!r} holds no net, and no weights of one")
    return content, tensors


def _weights_of(model: Sequential) -> dict[str, Array]:
    views = zip(model._slots, model.weights, strict=True)
    return {slot.name: np.array(view, order="C") for slot, view in views}


def _give_weights(
    model: Sequential,
    filepath: str | os.PathLike[str],
    names: list[str],
    tensors: dict[str, Array],
) -> None:
    """Set a net's weights to those of a file, in their order; or raise ValueError."""
    slots, path = model._slots, os.fspath(filepath)
    if len(names) != len(slots):
        raise ValueError(
            f"filepath: {path!r} has {len(names)} weights, and the net has {len(slots)}"
        )
    for name, slot in zip(names, slots, strict=True):
        if tensors[name].shape != slot.weight.shape:
            raise ValueError(
                f"filepath: {path!r} has {name!r} of shape {tensors[name].shape}, and the net "
                f"{slot.name!r} of shape {slot.weight.shape}"
            )
    # Whatever the values are: a net that has diverged comes back as it was.
    fresh = model._state.resized(model._state.params.copy(), model._state.running.copy())
    for name, slot in zip(names, slots, strict=True):
        slot.of(fresh)[...] = tensors[name]
    model._give(fresh)


def _history_from(saved: dict[str, Any] | None) -> History | None:
    if saved is None:
        return None
    divergence = saved.pop("divergence")
    return History(**saved, divergence=None if divergence is None else Divergence(**divergence))
