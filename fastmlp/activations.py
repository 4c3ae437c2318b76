"""Activations: functions on arrays, and what a name such as ``"relu"`` stands for in a layer.

As in Keras, each name is a function, ``activations.relu(x)``, that computes in NumPy; the same
object, or its name, is what ``Dense(10, activation=...)`` takes.  A slope or a scale of one's own
comes with :class:`LeakyReLU`, :class:`ELU` and others:
``Dense(10, activation=LeakyReLU(0.01))``.

Where ``exp``, ``tanh``, ``erf`` and ``log1p`` come in, C and Numba have vector code of their own
instead of the C library's.  It was measured, in float32 and float64: exp is off by 1.2 units of the
last place at most, sigmoid by 2.5, tanh by 3, softplus and log-sigmoid by 3, GELU by 4 where x is
above -1; below, where GELU's own size falls like ``exp(-x**2 / 2)``, by 32.

Of Keras' activations, ``glu``, which halves the features, and ``sparsemax``, which sorts them, do
not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .kernels.contract import Activation as Kind
from .kernels.reference.activations import activation_forward
from .kernels.reference.softmax import log_softmax_forward, softmax_forward
from .runtime.arguments import real_array, real_number, shown
from .runtime.configuration import Configurable
from .runtime.elsewhere import refusal
from .runtime.lookup import by_name

# Those of all features of a sample together.
OF_FEATURES = ("softmax", "log_softmax")

_WITHOUT_KERNEL = ("linear", *OF_FEATURES)


@dataclass(frozen=True)
class Activation(Configurable):
    """An elementwise activation, or softmax or its logarithm, or none.

    Called with an array, it returns a new one: float32 for float32, else float64.

    Attributes
    ----------
    name : str
        As in Keras.
    kind : fastmlp.kernels.contract.Activation or None
        Which kernel; None for those that have no elementwise one: ``linear``, ``softmax`` and
        ``log_softmax``.
    alpha : float
        The number of an activation that has one, such as the slope of leaky ReLU below 0.
    """

    name: str
    kind: Kind | None = None
    alpha: float = 0.0

    def __post_init__(self) -> None:
        has_kernel = isinstance(self.kind, Kind)
        if not has_kernel and (self.kind is not None or self.name not in _WITHOUT_KERNEL):
            raise ValueError(f"kind: expected a kernel for {self.name!r}, got {self.kind!r}")
        if has_kernel and self.name in _WITHOUT_KERNEL:
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


class _OfFeatures(Activation):
    def __call__(self, x: ArrayLike, axis: int = -1) -> NDArray[Any]:
        """Return the softmax of ``x``, or its logarithm, along an axis, by default the last.

        Raises
        ------
        TypeError, ValueError
            If ``x`` does not hold real numbers, or has no such axis.
        """
        array = self._compute(x, 0.0)
        if array.ndim == 0:
            raise ValueError(
                f"x: {self.name} expects an array with at least one axis, got a number"
            )
        features = np.moveaxis(array, axis, 0)
        y = np.empty_like(features)
        forward = softmax_forward if self.name == "softmax" else log_softmax_forward
        forward(features, np.empty((2, *features.shape[1:]), y.dtype), y)
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


class _WithNumber(Activation):
    """An activation with a positive number, of a name and a default of its own."""

    argument: ClassVar[str]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal activation."""
        return {self.argument: self.alpha}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the activation of a configuration."""
        return cls(**config)

    def _take(self, name: str, kind: Kind, number: float) -> None:
        what = "a number of at least 1e-30"
        checked = real_number(self.argument, number, what, low=1e-30)
        super().__init__(name, kind, checked)


class CELU(_WithNumber):
    """``x`` above 0 and ``alpha * (exp(x / alpha) - 1)`` below (Barron, 2017).

    Parameters
    ----------
    alpha : float, positive
    """

    argument = "alpha"

    def __init__(self, alpha: float = 1.0) -> None:
        self._take("celu", Kind.CELU, alpha)


class HardShrink(_WithNumber):
    """``x``, but 0 where ``abs(x)`` is at most the threshold.

    Parameters
    ----------
    threshold : float, positive
    """

    argument = "threshold"

    def __init__(self, threshold: float = 0.5) -> None:
        self._take("hard_shrink", Kind.HARD_SHRINK, threshold)


class SoftShrink(_WithNumber):
    """``x``, brought nearer to 0 by the threshold, at most to it.

    Parameters
    ----------
    threshold : float, positive
    """

    argument = "threshold"

    def __init__(self, threshold: float = 0.5) -> None:
        self._take("soft_shrink", Kind.SOFT_SHRINK, threshold)


class Squareplus(_WithNumber):
    """``(x + sqrt(x**2 + b)) / 2`` (Barron, 2021).

    Parameters
    ----------
    b : float, positive
    """

    argument = "b"

    def __init__(self, b: float = 4.0) -> None:
        self._take("squareplus", Kind.SQUAREPLUS, b)


class Threshold(_WithNumber):
    """``x`` above the threshold, else 0.

    Parameters
    ----------
    threshold : float, positive
    """

    argument = "threshold"

    def __init__(self, threshold: float) -> None:
        self._take("threshold", Kind.THRESHOLD, threshold)


linear = Activation("linear")
sigmoid = Activation("sigmoid", Kind.SIGMOID)
tanh = Activation("tanh", Kind.TANH)
relu = Activation("relu", Kind.RELU)
leaky_relu = LeakyReLU()
elu = ELU()
selu = Activation("selu", Kind.SELU)
gelu = Activation("gelu", Kind.GELU)
silu = swish = Activation("silu", Kind.SILU)
softplus = Activation("softplus", Kind.SOFTPLUS)
mish = Activation("mish", Kind.MISH)
celu = CELU()
exponential = Activation("exponential", Kind.EXPONENTIAL)
hard_shrink = HardShrink()
hard_sigmoid = Activation("hard_sigmoid", Kind.HARD_SIGMOID)
hard_silu = hard_swish = Activation("hard_silu", Kind.HARD_SILU)
hard_tanh = Activation("hard_tanh", Kind.HARD_TANH)
log_sigmoid = Activation("log_sigmoid", Kind.LOG_SIGMOID)
relu6 = Activation("relu6", Kind.CLIPPED_RELU, 6.0)
soft_shrink = SoftShrink()
softsign = Activation("softsign", Kind.SOFTSIGN)
sparse_plus = Activation("sparse_plus", Kind.SPARSE_PLUS)
sparse_sigmoid = Activation("sparse_sigmoid", Kind.SPARSE_SIGMOID)
squareplus = Squareplus()
tanh_shrink = Activation("tanh_shrink", Kind.TANH_SHRINK)
softmax = _OfFeatures("softmax")
log_softmax = _OfFeatures("log_softmax")

_KNOWN: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        linear, sigmoid, tanh, relu, leaky_relu, elu, selu, gelu, silu, softplus, mish, celu,
        exponential, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, log_sigmoid, relu6,
        soft_shrink, softsign, sparse_plus, sparse_sigmoid, squareplus, tanh_shrink, softmax,
        log_softmax,
    )
}  # fmt: skip
_KNOWN |= {"swish": silu, "hard_swish": hard_silu}

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


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("activations", name)
