"""Nets of other libraries: PyTorch, Keras and ONNX.

Each function says what it can carry over; a layer that the other side does not have, or has with
another meaning, is refused by name.  The other library is an extra, imported at the call.
"""

from .keras import from_keras, load_keras_weights, to_keras
from .onnx import export_onnx, to_onnx
from .torch import from_torch, load_state_dict, state_dict, to_torch

__all__ = [
    "export_onnx",
    "from_keras",
    "from_torch",
    "load_keras_weights",
    "load_state_dict",
    "state_dict",
    "to_keras",
    "to_onnx",
    "to_torch",
]
