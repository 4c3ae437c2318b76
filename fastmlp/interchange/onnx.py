"""To ONNX: plain float tensors in and out, for any runtime."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from .. import activations, layers
from ..model import Sequential
from ..runtime.tensors import Array
from ..version import __version__
from .steps import built, library, steps_of

_OPSET = 20  # the first with Gelu
_IR_VERSION = 9
_PLAIN = {
    "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "softplus": "Softplus", "mish": "Mish",
    "selu": "Selu", "gelu": "Gelu", "exponential": "Exp", "hard_silu": "HardSwish",
    "softsign": "Softsign",
}  # fmt: skip


def to_onnx(model: Sequential) -> Any:
    """Return an ``onnx.ModelProto`` that computes what a net does.

    Its input is "x", (samples, *input_shape), and its output "y", (samples, *output_shape), both
    tensors of the net's dtype.  It uses operator set 20 of ONNX, and has passed its checker.

    Parameters
    ----------
    model : Sequential

    Raises
    ------
    ModuleNotFoundError
        Without the package onnx.
    RuntimeError, TypeError
        If the net has no weights yet, or a layer of one's own.
    """
    model, onnx = built(model), library("onnx", "onnx")
    graph = _Graph(onnx, model.dtype)
    graph.add_layers(model._layers)
    graph.node("Identity", name="y")
    helper = onnx.helper
    kind = helper.np_dtype_to_tensor_dtype(model.dtype)
    output_shape = model._ready_engine().plan.output_shape
    assert model._input_shape is not None
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            model.name,
            [helper.make_tensor_value_info("x", kind, ["samples", *model._input_shape])],
            [helper.make_tensor_value_info("y", kind, ["samples", *output_shape])],
            graph.tensors,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="fastmlp",
        producer_version=__version__,
    )
    onnx.checker.check_model(made, full_check=True)
    return made


def export_onnx(model: Sequential, filepath: str | os.PathLike[str]) -> None:
    """Write :func:`to_onnx` of a net to a file, such as ``"net.onnx"``."""
    Path(filepath).write_bytes(to_onnx(model).SerializeToString())


class _Graph:
    """Nodes, one after the other, each of which reads what the last one gives.

    Attributes
    ----------
    nodes, tensors : list
        What ONNX makes a graph of.
    last : str
        The name of what the last node gives.
    """

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self._onnx, self._dtype = onnx, dtype
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []
        self.last = "x"

    def add_layers(self, stack: Any) -> None:
        """Add the nodes of layers."""
        for layer, function in steps_of(stack, "ONNX"):
            if function is not None:
                self._activation(function)
            elif isinstance(layer, layers.Dense):
                self.node("MatMul", np.array(layer.kernel))
                if layer.use_bias:
                    self.node("Add", np.array(layer.bias))
            elif isinstance(layer, layers.BatchNormalization):
                self._normalize(layer)
            elif isinstance(layer, layers.LayerNormalization):
                self._normalize_samples(layer)
            elif isinstance(layer, layers.RMSNormalization):
                self._divide_by_root(layer)
            elif isinstance(layer, layers.PReLU):
                self.node("PRelu", layer.weights["alpha"])
            elif isinstance(layer, layers.Embedding):
                self._embed(layer)
            elif isinstance(layer, layers.Flatten):
                self.node("Flatten", axis=1)
            elif isinstance(layer, layers.Rescaling):
                self.node("Mul", np.array(layer.scale))
                self.node("Add", np.array(layer.offset))
            elif isinstance(layer, layers.Residual):
                start = self.last
                self.add_layers(layer.layers)
                self.node("Add", start)

    def node(self, op: str, *others: Array | str, name: str = "", **options: Any) -> None:
        """Add a node that reads what the last one gives, and then constants or other results."""
        helper = self._onnx.helper
        name = name or f"{op.lower()}_{len(self.nodes)}"
        inputs = [self.last]
        for index, other in enumerate(others):
            if not isinstance(other, str):
                array = np.asarray(other, self._dtype)
                other = f"{name}_{index}"
                self.tensors.append(self._onnx.numpy_helper.from_array(array, other))
            inputs.append(other)
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"node_{name}", **options))
        self.last = name

    def _normalize(self, layer: layers.BatchNormalization) -> None:
        weights = layer.weights
        mean = weights["moving_mean"]
        gamma = weights["gamma"] if layer.scale else np.ones_like(mean)
        beta = weights["beta"] if layer.center else np.zeros_like(mean)
        self.node(
            "BatchNormalization", gamma, beta, mean, weights["moving_variance"],
            epsilon=layer.epsilon,
        )  # fmt: skip

    def _normalize_samples(self, layer: layers.LayerNormalization) -> None:
        features = layer._built_shape
        gamma = layer.weights["gamma"] if layer.scale else np.ones(features or ())
        beta = layer.weights["beta"] if layer.center else np.zeros(features or ())
        self.node("LayerNormalization", gamma, beta, axis=-1, epsilon=layer.epsilon)

    def _divide_by_root(self, layer: layers.RMSNormalization) -> None:
        """Operators of their own: ONNX has one for it from operator set 23 on."""
        start = self.last
        self.node("Mul", start)
        self.node("ReduceMean", self._integers(-1), keepdims=1)
        self.node("Add", np.array(layer.epsilon))
        self.node("Sqrt")
        self.node("Reciprocal")
        self.node("Mul", start)
        self.node("Mul", layer.weights["scale"])

    def _embed(self, layer: layers.Embedding) -> None:
        numbers = self._onnx.TensorProto.INT64
        self.node("Cast", to=numbers)
        table = self._constant(np.asarray(layer.embeddings, self._dtype))
        indices, self.last = self.last, table
        self.node("Gather", indices)

    def _integers(self, *values: int) -> str:
        return self._constant(np.array(values, np.int64))

    def _constant(self, array: Array) -> str:
        """Add a constant, and return its name."""
        name = f"constant_{len(self.tensors)}"
        self.tensors.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def _activation(self, function: activations.Activation) -> None:
        name = function.name
        alpha, start = function.alpha, self.last
        with_options: dict[str, tuple[str, dict[str, Any]]] = {
            "softmax": ("Softmax", {"axis": -1}),
            "log_softmax": ("LogSoftmax", {"axis": -1}),
            "leaky_relu": ("LeakyRelu", {"alpha": alpha}),
            "elu": ("Elu", {"alpha": alpha}),
            "celu": ("Celu", {"alpha": alpha}),
            "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
            "sparse_sigmoid": ("HardSigmoid", {"alpha": 0.5, "beta": 0.5}),
            "hard_shrink": ("Shrink", {"lambd": alpha, "bias": 0.0}),
            "soft_shrink": ("Shrink", {"lambd": alpha, "bias": alpha}),
            "threshold": ("ThresholdedRelu", {"alpha": alpha}),
        }
        if name in with_options:
            op, options = with_options[name]
            self.node(op, **options)
        elif name in ("hard_tanh", "relu6"):
            low, high = (-1.0, 1.0) if name == "hard_tanh" else (0.0, 6.0)
            self.node("Clip", np.array(low), np.array(high))
        elif name == "silu":
            self.node("Sigmoid")
            self.node("Mul", start)
        elif name == "log_sigmoid":
            for op in ("Neg", "Softplus", "Neg"):
                self.node(op)
        elif name == "tanh_shrink":
            for op in ("Tanh", "Neg"):
                self.node(op)
            self.node("Add", start)
        elif name == "squareplus":
            self.node("Mul", start)
            self.node("Add", np.array(alpha))
            self.node("Sqrt")
            self.node("Add", start)
            self.node("Mul", np.array(0.5))
        elif name in _PLAIN:
            self.node(_PLAIN[name])
        elif name != "linear":
            raise TypeError(f"model: the activation {name!r} can't be had in ONNX")
