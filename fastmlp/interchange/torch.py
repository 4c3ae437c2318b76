"""To PyTorch and back: the ``torch.nn.Sequential`` that computes the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import activations, layers
from ..model import Sequential
from ..runtime.arguments import shown
from ..runtime.tensors import Shape
from .steps import Step, built, library, steps_of

_PLAIN = {
    "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU", "selu": "SELU", "silu": "SiLU",
    "softplus": "Softplus", "mish": "Mish", "hard_sigmoid": "Hardsigmoid", "hard_silu": "Hardswish",
    "hard_tanh": "Hardtanh", "log_sigmoid": "LogSigmoid", "relu6": "ReLU6", "softsign": "Softsign",
    "tanh_shrink": "Tanhshrink",
}  # fmt: skip
# Those with a number, which is an argument of the module and an attribute of it.
_WITH_NUMBER = {
    "leaky_relu": ("LeakyReLU", "negative_slope", activations.LeakyReLU),
    "elu": ("ELU", "alpha", activations.ELU),
    "celu": ("CELU", "alpha", activations.CELU),
    "hard_shrink": ("Hardshrink", "lambd", activations.HardShrink),
    "soft_shrink": ("Softshrink", "lambd", activations.SoftShrink),
}


def to_torch(model: Sequential) -> Any:
    """Return a ``torch.nn.Sequential`` that computes what a net does, with copies of its weights.

    A ``Dense`` with an activation becomes two modules; kernels are turned round, as PyTorch has
    them (outputs, inputs).  It is in evaluation mode, and its parameters are of the net's dtype.
    Penalties, constraints, and which layers are trained, do not come along.

    Parameters
    ----------
    model : Sequential

    Raises
    ------
    ModuleNotFoundError
        Without PyTorch.
    RuntimeError, TypeError
        If the net has no weights yet, or a layer that PyTorch does not have.
    """
    model, torch = built(model), library("torch", "torch")
    return torch.nn.Sequential(*_modules(steps_of(model._layers, "PyTorch"))).eval()


def state_dict(model: Sequential) -> dict[str, Any]:
    """Return the ``state_dict`` of :func:`to_torch`."""
    found: dict[str, Any] = to_torch(model).state_dict()
    return found


def load_state_dict(model: Sequential, state_dict: Mapping[str, Any]) -> None:
    """Set a net's weights to those of the equivalent ``torch.nn.Sequential``.

    Names count, as in PyTorch.

    Raises
    ------
    ValueError
        If a name or a shape is not that of the equivalent; nothing has changed then.
    """
    module = to_torch(model)
    try:
        module.load_state_dict(state_dict)
    except RuntimeError as reason:
        raise ValueError(f"state_dict: {' '.join(str(reason).split())}") from None
    model.set_weights([w for part in module for w in _weights_of(part)])


def from_torch(module: Any, input_shape: int | Shape | None = None, **options: Any) -> Sequential:
    """Return a net that computes what a ``torch.nn.Sequential`` does, with copies of its weights.

    All of them are trained, also those that do not require a gradient.

    Parameters
    ----------
    module : torch.nn.Sequential
        Of ``Linear``, ``BatchNorm1d``, ``LayerNorm``, ``RMSNorm``, ``PReLU``, ``Embedding``,
        ``Dropout``, ``AlphaDropout``, ``Flatten``, ``Identity``, and activations.
    input_shape : int or tuple, optional
        Of one sample; by default what the first ``Linear`` takes.
    **options
        For :class:`~fastmlp.Sequential`, such as ``dtype``.

    Raises
    ------
    ModuleNotFoundError
        Without PyTorch.
    TypeError, ValueError
        If the module has parts that fastmlp does not have, or no shape is known.
    """
    nn = library("torch", "torch").nn
    if not isinstance(module, nn.Sequential):
        raise TypeError(f"module: expected a torch.nn.Sequential, got {shown(module)}")
    parts = list(_flat(nn, module))
    if input_shape is None:
        sizes = [p.in_features for p in parts if isinstance(p, nn.Linear)]
        if not sizes or isinstance(parts[0], nn.Flatten):
            raise ValueError("input_shape: expected that of one sample, as the module has none")
        input_shape = (sizes[0],)
    stack: list[layers.Layer] = []
    for part in parts:
        stack += _layers_of(nn, part)
    shape = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
    model = Sequential([layers.Input(shape), *stack], **options)
    model.set_weights([weight for part in parts for weight in _weights_of(part)])
    return model


def _modules(steps: Iterator[Step]) -> list[Any]:
    """Return the modules of steps."""
    nn = library("torch", "torch").nn
    found = []
    for step in steps:
        layer = step.layer
        if step.function is not None:
            found.append(_activation(nn, step.function))
        elif isinstance(layer, layers.Dense):
            found.append(_linear(nn, layer))
        elif isinstance(layer, layers.BatchNormalization):
            found.append(_norm(nn, layer))
        elif isinstance(layer, (layers.LayerNormalization, layers.RMSNormalization)):
            found.append(_sample_norm(nn, layer))
        elif isinstance(layer, (layers.PReLU, layers.Embedding)):
            found.append(_copied(_empty(nn, layer), list(layer.weights)))
        elif isinstance(layer, layers.Dropout):
            found.append(nn.Dropout(layer.rate))
        elif isinstance(layer, layers.AlphaDropout):
            found.append(nn.AlphaDropout(layer.rate))
        elif isinstance(layer, (layers.GaussianNoise, layers.GaussianDropout)):
            raise TypeError(f"model: {layer!r} can't be had in PyTorch, which has no such noise")
        elif isinstance(layer, layers.Flatten):
            found.append(nn.Flatten())
        elif isinstance(layer, layers.Rescaling):
            from ._torch_modules import Scale

            found.append(Scale(layer.scale, layer.offset))
        elif isinstance(layer, layers.Residual):
            from ._torch_modules import Add

            found.append(Add(*_modules(steps_of(layer.layers, "PyTorch"))))
    return found


def _linear(nn: Any, layer: layers.Dense) -> Any:
    torch = library("torch", "torch")
    kernel = torch.from_numpy(np.ascontiguousarray(layer.kernel.T))
    made = nn.Linear(*layer.kernel.shape, bias=layer.use_bias, dtype=kernel.dtype)
    with torch.no_grad():
        made.weight.copy_(kernel)
        if layer.use_bias:
            made.bias.copy_(torch.from_numpy(np.array(layer.bias)))
    return made


def _norm(nn: Any, layer: layers.BatchNormalization) -> Any:
    torch = library("torch", "torch")
    weights = {n: torch.from_numpy(np.array(layer.weights[n])) for n in layer.weights.names}
    mean = weights["moving_mean"]
    if layer.scale != layer.center:
        raise TypeError(f"model: {layer!r} has one of gamma and beta; PyTorch has both or none")
    made = nn.BatchNorm1d(
        len(mean), layer.epsilon, 1 - layer.momentum, affine="gamma" in weights, dtype=mean.dtype
    )
    with torch.no_grad():
        made.running_mean.copy_(mean)
        made.running_var.copy_(weights["moving_variance"])
        if "gamma" in weights:
            made.weight.copy_(weights["gamma"])
            made.bias.copy_(weights["beta"])
    return made


def _copied(module: Any, weights: Sequence[Any]) -> Any:
    """Return a module whose parameters have these values."""
    torch = library("torch", "torch")
    with torch.no_grad():
        for parameter, values in zip(module.parameters(), weights, strict=True):
            parameter.copy_(torch.from_numpy(np.array(values)))
    return module


def _dtype_of(layer: layers.Layer) -> Any:
    return getattr(library("torch", "torch"), str(layer.weights[0].dtype))


def _empty(nn: Any, layer: layers.PReLU | layers.Embedding) -> Any:
    """Return the module of a layer, with other weights."""
    shape, dtype = layer.weights[0].shape, _dtype_of(layer)
    if isinstance(layer, layers.Embedding):
        return nn.Embedding(*shape, dtype=dtype)
    return nn.PReLU(*shape, dtype=dtype)


def _sample_norm(nn: Any, layer: layers.LayerNormalization | layers.RMSNormalization) -> Any:
    if isinstance(layer, layers.RMSNormalization):
        made = nn.RMSNorm(layer.weights[0].shape, layer.epsilon, dtype=_dtype_of(layer))
        return _copied(made, list(layer.weights))
    if not layer.scale:
        raise TypeError(f"model: {layer!r} has no gamma; PyTorch has one or none of both")
    shape = layer.weights[0].shape
    made = nn.LayerNorm(shape, layer.epsilon, bias=layer.center, dtype=_dtype_of(layer))
    return _copied(made, list(layer.weights))


def _activation(nn: Any, function: activations.Activation) -> Any:
    special: dict[str, Callable[[], Any]] = {
        "linear": nn.Identity,
        "softmax": lambda: nn.Softmax(dim=-1),
        "log_softmax": lambda: nn.LogSoftmax(dim=-1),
        "gelu": nn.GELU,
        "threshold": lambda: nn.Threshold(function.alpha, 0),
    }
    if function.name in special:
        return special[function.name]()
    if function.name in _WITH_NUMBER:
        return getattr(nn, _WITH_NUMBER[function.name][0])(function.alpha)
    if function.name not in _PLAIN:
        raise TypeError(f"model: the activation {function.name!r} can't be had in PyTorch")
    return getattr(nn, _PLAIN[function.name])()


def _flat(nn: Any, module: Any) -> Iterator[Any]:
    for part in module:
        if type(part) is nn.Sequential:
            yield from _flat(nn, part)
        else:
            yield part


def _layers_of(nn: Any, part: Any) -> Sequence[layers.Layer]:
    """Return the layers that compute what a module does."""
    if isinstance(part, nn.Linear):
        return [layers.Dense(part.out_features, use_bias=part.bias is not None)]
    if isinstance(part, nn.BatchNorm1d):
        if part.running_mean is None or part.momentum is None:
            raise ValueError("module: BatchNorm1d needs running statistics, and a momentum")
        return [
            layers.BatchNormalization(
                momentum=1 - part.momentum, epsilon=part.eps, center=part.affine, scale=part.affine
            )
        ]
    if isinstance(part, nn.Dropout):
        return [layers.Dropout(part.p)]
    if isinstance(part, nn.AlphaDropout):
        return [layers.AlphaDropout(part.p)]
    if isinstance(part, nn.Embedding):
        return [layers.Embedding(part.num_embeddings, part.embedding_dim)]
    if isinstance(part, (nn.LayerNorm, nn.RMSNorm, nn.PReLU)):
        return [_of_vectors(nn, part)]
    if isinstance(part, nn.Flatten) and (part.start_dim, part.end_dim) == (1, -1):
        return [layers.Flatten()]
    if isinstance(part, nn.Identity):
        return []
    return [layers.Activation(_function_of(nn, part))]


def _of_vectors(nn: Any, part: Any) -> layers.Layer:
    """Return the layer that computes what a module with vectors of weights does."""
    if isinstance(part, nn.PReLU):
        if part.num_parameters == 1:
            raise ValueError("module: PReLU has one slope, and fastmlp's one for each feature")
        return layers.PReLU()
    if len(part.normalized_shape) != 1 or not part.elementwise_affine:
        raise ValueError(f"module: {part!r} is not along one axis, with weights, as fastmlp's is")
    if isinstance(part, nn.RMSNorm):
        if part.eps is None:
            raise ValueError("module: RMSNorm needs an eps of its own")
        return layers.RMSNormalization(epsilon=part.eps)
    return layers.LayerNormalization(epsilon=part.eps, center=part.bias is not None)


def _function_of(nn: Any, part: Any) -> str | activations.Activation:
    """Return the activation that a module is."""
    for kind, attribute, function in _WITH_NUMBER.values():
        if type(part) is getattr(nn, kind):
            return function(getattr(part, attribute))
    if isinstance(part, nn.Threshold) and part.value == 0:
        return activations.Threshold(part.threshold)
    if isinstance(part, (nn.Softmax, nn.LogSoftmax)) and part.dim in (-1, 1):
        return "softmax" if isinstance(part, nn.Softmax) else "log_softmax"
    if isinstance(part, nn.Hardtanh) and (part.min_val, part.max_val) not in ((-1, 1), (0, 6)):
        raise ValueError(f"module: {part!r} has bounds that fastmlp does not have")
    if isinstance(part, nn.GELU) and part.approximate == "none":
        return "gelu"
    if isinstance(part, nn.Softplus) and (part.beta, part.threshold) != (1, 20):
        raise ValueError(f"module: {part!r} has a beta or a threshold that fastmlp does not have")
    for name, kind in _PLAIN.items():
        if type(part) is getattr(nn, kind):
            return name
    raise TypeError(f"module: fastmlp has no {shown(part)}")


def _weights_of(part: Any) -> list[Any]:
    """Return a module's weights in the order and the shapes that a layer has them in."""
    if hasattr(part, "parts"):
        return [weight for inner in part.parts for weight in _weights_of(inner)]
    names = ["weight", "bias", "running_mean", "running_var"]
    found = [getattr(part, name, None) for name in names]
    arrays = [w.detach().cpu().numpy() for w in found if w is not None]
    is_dense = type(part).__name__ == "Linear"
    return [arrays[0].T, *arrays[1:]] if is_dense else arrays
