"""Activations: functions on arrays, and what a name such as ``"relu"`` stands for in a layer.

As in Keras, each name is a function, ``activations.relu(x)``, that computes in NumPy; the same
object, or its name, is what ``Dense(10, activation=...)`` takes.  A slope or a scale of one's own
comes with :class:`LeakyReLU` and :class:`ELU`: ``Dense(10, activation=LeakyReLU(0.01))``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .kernels.contract import Activation as Kind
from .kernels.reference.activations import activation_forward
from .kernels.reference.softmax import softmax_forward
from .runtime.arguments import real_array, real_number, shown
from .runtime.configuration import Configurable
from .runtime.lookup import by_name


@dataclass(frozen=True)
class Activation(Configurable):
    """An elementwise activation, or softmax, or none.

    Called with an array, it returns a new one: float32 for float32, else float64.

    Attributes
    ----------
    name : str
        As in Keras.
    kind : fastmlp.kernels.contract.Activation or None
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

    def __call__(self, x: ArrayLike) -> NDArray[Any]:
        """Return the activation of every value of ``x``, of any shape.

        Raises
        ------
        TypeError, ValueError
            If ``x`` does not hold real numbers.
        """
        return self._compute(x, self.alpha)

    @property
    def known_as(self) -> str | None:
        """The name that :func:`get` knows this very activation by, if there is one."""
        return self.name if _KNOWN.get(self.name) == self else None

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal activation."""
        kind = None if self.kind is None else self.kind.name
        return {"name": self.name, "kind": kind, "alpha": self.alpha}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the activation of a configuration."""
        kind = config["kind"]
        return cls(config["name"], None if kind is None else Kind[kind], config["alpha"])

    def _compute(self, x: ArrayLike, alpha: float) -> NDArray[Any]:
        array = real_array("x", x)
        array = array.astype(array.dtype if array.dtype == np.float32 else np.float64)
        if self.kind is None:
            return array
        y = np.empty_like(array, order="C")
        activation_forward(self.kind, array.dtype.type(alpha), array.ravel(), y.reshape(-1))
        return y


class _Softmax(Activation):
    def __call__(self, x: ArrayLike, axis: int = -1) -> NDArray[Any]:
        """Return the softmax of ``x`` along an axis, by default the last.

        Raises
        ------
        TypeError, ValueError
            If ``x`` does not hold real numbers, or has no such axis.
        """
        array = self._compute(x, 0.0)
        if array.ndim == 0:
            raise ValueError("x: softmax expects an array with at least one axis, got a number")
        features = np.moveaxis(array, axis, 0)
        y = np.empty_like(features)
        softmax_forward(features, np.empty((2, *features.shape[1:]), y.dtype), y)
        return np.moveaxis(y, 0, axis)


class LeakyReLU(Activation):
    """``x`` above 0 and ``negative_slope * x`` below (Maas et al., 2013).

    Parameters
    ----------
    negative_slope : float

    Raises
    ------
    ValueError
        If it is not a finite number.
    """

    def __init__(self, negative_slope: float = 0.2) -> None:
        slope = real_number("negative_slope", negative_slope)
        super().__init__("leaky_relu", Kind.LEAKY_RELU, slope)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal activation."""
        return {"negative_slope": self.alpha}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the activation of a configuration."""
        return cls(**config)

    def __call__(self, x: ArrayLike, negative_slope: float | None = None) -> NDArray[Any]:
        """Return the activation of every value of ``x``, with another slope if one is given."""
        slope = self.alpha if negative_slope is None else negative_slope
        return self._compute(x, real_number("negative_slope", slope))


class ELU(Activation):
    """``x`` above 0 and ``alpha * (exp(x) - 1)`` below (Clevert et al., 2016).

    Parameters
    ----------
    alpha : float

    Raises
    ------
    ValueError
        If it is not a finite number.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__("elu", Kind.ELU, real_number("alpha", alpha))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal activation."""
        return {"alpha": self.alpha}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the activation of a configuration."""
        return cls(**config)

    def __call__(self, x: ArrayLike, alpha: float | None = None) -> NDArray[Any]:
        """Return the activation of every value of ``x``, with another scale if one is given."""
        scale = self.alpha if alpha is None else alpha
        return self._compute(x, real_number("alpha", scale))


linear = Activation("linear")
sigmoid = Activation("sigmoid", Kind.SIGMOID)
tanh = Activation("tanh", Kind.TANH)
relu = Activation("relu", Kind.RELU)
leaky_relu = LeakyReLU()
elu = ELU()
selu = Activation("selu", Kind.SELU)
gelu = Activation("gelu", Kind.GELU)
silu = Activation("silu", Kind.SILU)
softplus = Activation("softplus", Kind.SOFTPLUS)
mish = Activation("mish", Kind.MISH)
softmax = _Softmax("softmax")

_KNOWN: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        linear, sigmoid, tanh, relu, leaky_relu, elu, selu, gelu, silu, softplus, mish,
        softmax,
    )
}  # fmt: skip

NAMES = tuple(_KNOWN)


def get(activation: str | Activation | None) -> Activation:
    """Return the activation of that name (``None``: linear), or the activation given."""
    if isinstance(activation, Activation):
        return activation
    if activation is not None and not isinstance(activation, str):
        raise TypeError(
            f"activation: expected one of {', '.join(map(repr, NAMES))}, or an Activation such as "
            f"activations.LeakyReLU(negative_slope=0.1) or activations.ELU(alpha=0.5); "
            f"got {shown(activation)}"
        )
    return by_name("activation", "linear" if activation is None else activation, _KNOWN)
