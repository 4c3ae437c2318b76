"""To Keras 3 and back: the ``keras.Sequential`` that computes the same."""

import os
from collections.abc import Sequence
from typing import Any

from .. import activations, layers
from ..model import Sequential
from ..runtime.arguments import shown
from .steps import Step, built, library, steps_of

# What Keras has under the same name, with the same meaning of the number.
_SLOPES = {"leaky_relu": "negative_slope", "elu": "alpha"}
_KERAS_SLOPES = {"leaky_relu": 0.2, "elu": 1.0}
# Layers that Keras has under the same name, and the arguments that outputs depend on.
_LIKE: dict[type[layers.Layer], tuple[str, ...]] = {
    layers.ActivityRegularization: ("l1", "l2"),
    layers.AlphaDropout: ("rate",),
    layers.Dropout: ("rate",),
    layers.Embedding: ("input_dim", "output_dim"),
    layers.Flatten: (),
    layers.GaussianDropout: ("rate",),
    layers.GaussianNoise: ("stddev",),
    layers.Identity: (),
    layers.LayerNormalization: ("epsilon", "center", "scale"),
    layers.PReLU: (),
    layers.RMSNormalization: ("epsilon",),
    layers.Rescaling: ("scale", "offset"),
}


def to_keras(model: Sequential) -> Any:
    """Return a ``keras.Sequential`` that computes what a net does, with copies of its weights.

    It is not compiled.  Penalties, but for those of an ``ActivityRegularization``, constraints,
    seeds, and which layers are trained, do not come along.  Keras runs on the backend that
    ``KERAS_BACKEND`` names.

    Parameters
    ----------
    model : Sequential

    Raises
    ------
    ModuleNotFoundError
        Without Keras.
    RuntimeError, TypeError
        If the net has no weights yet, or a layer that Keras' ``Sequential`` does not have.
    """
    model, keras = built(model), library("keras", "keras")
    assert model._input_shape is not None
    stack = [keras.Input(model._input_shape, dtype=str(model.dtype))]
    stack += [
        _to_layer(keras, step, str(model.dtype))
        for step in steps_of(model._layers, "a keras.Sequential")
        if not isinstance(step.layer, layers.Input)
    ]
    made = keras.Sequential(stack, name=model.name)
    made.set_weights(model.get_weights())
    return made


def from_keras(model: Any, **options: Any) -> Sequential:
    """Return a net that computes what a ``keras.Sequential`` does, with copies of its weights.

    Optimizer, loss and metrics do not come along: compile it.  Nor do penalties, but for those of
    an ``ActivityRegularization``, constraints, seeds, and which layers are trained.

    Parameters
    ----------
    model : keras.Sequential
        That is built, of the layers that fastmlp has; others may be layers of it.
    **options
        For :class:`~fastmlp.Sequential`, such as ``backend``.

    Raises
    ------
    ModuleNotFoundError
        Without Keras.
    TypeError, ValueError
        If it has a layer that fastmlp does not have, or is not built.
    """
    keras = library("keras", "keras")
    if not isinstance(model, keras.Sequential):
        raise TypeError(f"model: expected a keras.Sequential, got {shown(model)}")
    if not model.built:
        raise ValueError("model: it has no weights yet; give it an Input, or call build")
    stack: list[layers.Layer] = [layers.Input(tuple(model.input_shape[1:]))]
    stack += [_from_layer(keras, layer) for layer in _flat(keras, model)]
    options = {"dtype": keras.backend.standardize_dtype(model.dtype), **options}
    made = Sequential(stack, **{"name": model.name, **options})
    made.set_weights(model.get_weights())
    return made


def load_keras_weights(model: Sequential, filepath: str | os.PathLike[str]) -> None:
    """Set a net's weights to those of a file that Keras wrote with ``save_weights``.

    Parameters
    ----------
    model : Sequential
    filepath : str or path
        Such as "net.weights.h5".

    Raises
    ------
    ModuleNotFoundError
        Without Keras.
    ValueError
        If the weights do not fit; nothing has changed then.
    """
    other = to_keras(model)
    other.load_weights(os.fspath(filepath))
    model.set_weights(other.get_weights())


def _to_layer(keras: Any, step: Step, dtype: str) -> Any:
    """Return Keras' layer of a step."""
    layer, theirs = step.layer, keras.layers
    if step.function is not None:
        return theirs.Activation(_to_function(keras, step.function), dtype=dtype)
    if isinstance(layer, layers.Dense):
        return theirs.Dense(layer.units, use_bias=layer.use_bias, dtype=dtype)
    if isinstance(layer, layers.BatchNormalization):
        return theirs.BatchNormalization(
            momentum=layer.momentum, epsilon=layer.epsilon, center=layer.center, scale=layer.scale,
            dtype=dtype,
        )  # fmt: skip
    if type(layer) in _LIKE:
        options = {name: getattr(layer, name) for name in _LIKE[type(layer)]}
        return getattr(theirs, type(layer).__name__)(**options, dtype=dtype)
    raise TypeError(f"model: {layer!r} can't be had in a keras.Sequential")


def _to_function(keras: Any, function: activations.Activation) -> Any:
    name = function.name
    if name not in _SLOPES and function.known_as is None:
        raise TypeError(f"model: {function!r} can't be had in Keras, which has it without a number")
    if name in _SLOPES and function.alpha != _KERAS_SLOPES[name]:
        kind = {"leaky_relu": keras.layers.LeakyReLU, "elu": keras.layers.ELU}[name]
        return kind(**{_SLOPES[name]: function.alpha})
    return name


def _flat(keras: Any, model: Any) -> Sequence[Any]:
    return [
        inner
        for layer in model.layers
        for inner in (_flat(keras, layer) if isinstance(layer, keras.Sequential) else [layer])
    ]


def _from_layer(keras: Any, layer: Any) -> layers.Layer:
    """Return the layer that computes what Keras' does."""
    theirs = keras.layers
    if type(layer) is theirs.Dense:
        function = _from_function(keras, layer.activation)
        return layers.Dense(layer.units, function, use_bias=layer.use_bias)
    if type(layer) is theirs.BatchNormalization:
        if layer.axis not in (-1, 1):
            raise ValueError(f"model: {layer.name!r} normalizes along the axis {layer.axis}")
        return layers.BatchNormalization(
            momentum=layer.momentum, epsilon=layer.epsilon, center=layer.center, scale=layer.scale
        )
    for kind, arguments in _LIKE.items():
        if type(layer) is getattr(theirs, kind.__name__) and _is_plain(layer):
            return kind(**{name: getattr(layer, name) for name in arguments})
    if type(layer) is theirs.Activation:
        return layers.Activation(_from_function(keras, layer.activation))
    if isinstance(layer, (theirs.LeakyReLU, theirs.ELU, theirs.Softmax, theirs.ReLU)):
        return layers.Activation(_from_function(keras, layer))
    raise TypeError(f"model: fastmlp has no {type(layer).__name__} ({layer.name!r})")


def _is_plain(layer: Any) -> bool:
    """Whether a layer of Keras has no settings that fastmlp's does not have."""
    other_axis = getattr(layer, "axis", -1) not in (-1, 1, [-1], [1])
    shares = getattr(layer, "noise_shape", None) or getattr(layer, "shared_axes", None)
    return not other_axis and not shares and not getattr(layer, "mask_zero", False)


def _from_function(keras: Any, function: Any) -> str | activations.Activation:
    """Return the activation that a function, or a layer, of Keras is."""
    theirs = keras.layers
    if isinstance(function, theirs.LeakyReLU):
        return activations.LeakyReLU(float(function.negative_slope))
    if isinstance(function, theirs.ELU):
        return activations.ELU(float(function.alpha))
    if isinstance(function, theirs.Softmax) and function.axis in (-1, 1):
        return "softmax"
    if isinstance(function, theirs.ReLU):
        plain = (function.max_value, function.negative_slope, function.threshold)
        if plain == (None, 0.0, 0.0):
            return "relu"
    name = getattr(function, "__name__", "")
    if name in activations.NAMES and function is getattr(keras.activations, name, None):
        return name
    raise TypeError(f"model: fastmlp has no activation {shown(function)}")
