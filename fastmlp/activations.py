"""Activations: what a name such as ``"relu"`` stands for."""

import math
from dataclasses import dataclass

from .kernels.table import Activation as Kind
from .lookup import by_name


@dataclass(frozen=True)
class Activation:
    """An elementwise activation, or softmax, or none.

    Attributes
    ----------
    name : str
        As in Keras.
    kind : fastmlp.kernels.table.Activation or None
        Which kernel; None for ``linear`` and ``softmax``, which are no elementwise kernels.
    alpha : float
        The slope of leaky ReLU below 0; the scale of ELU below 0.
    """

    name: str
    kind: Kind | None = None
    alpha: float = 0.0

    def __post_init__(self) -> None:
        has_kernel = isinstance(self.kind, Kind)
        if not has_kernel and (self.kind is not None or self.name not in ("linear", "softmax")):
            raise ValueError(f"kind: expected a kernel for {self.name!r}, got {self.kind!r}")
        if has_kernel and self.name in ("linear", "softmax"):
            raise ValueError(f"kind: expected None for {self.name!r}, got {self.kind!r}")


_KNOWN = {
    "linear": Activation("linear"),
    "sigmoid": Activation("sigmoid", Kind.SIGMOID),
    "tanh": Activation("tanh", Kind.TANH),
    "relu": Activation("relu", Kind.RELU),
    "leaky_relu": Activation("leaky_relu", Kind.LEAKY_RELU, 0.2),
    "elu": Activation("elu", Kind.ELU, 1.0),
    "selu": Activation("selu", Kind.SELU),
    "gelu": Activation("gelu", Kind.GELU),
    "silu": Activation("silu", Kind.SILU),
    "softplus": Activation("softplus", Kind.SOFTPLUS),
    "softmax": Activation("softmax"),
}

NAMES = tuple(_KNOWN)


def get(activation: str | Activation | None) -> Activation:
    """Return the activation of that name (``None``: linear), or the activation given."""
    if isinstance(activation, Activation):
        return activation
    return by_name("activation", "linear" if activation is None else activation, _KNOWN)


def leaky_relu(negative_slope: float = 0.2) -> Activation:
    """``x`` above 0 and ``negative_slope * x`` below (Maas et al., 2013)."""
    return Activation("leaky_relu", Kind.LEAKY_RELU, _finite("negative_slope", negative_slope))


def elu(alpha: float = 1.0) -> Activation:
    """``x`` above 0 and ``alpha * (exp(x) - 1)`` below (Clevert et al., 2016)."""
    return Activation("elu", Kind.ELU, _finite("alpha", alpha))


def _finite(argument: str, value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{argument}: expected a finite number, got {value!r}")
    return float(value)
