"""Initializers: how weights are drawn before training.

Names, arguments and scales are those of Keras: the ``normal`` forms that are scaled by the size of
a layer are truncated at two standard deviations, and widened so that the standard deviation is the
stated one.  Each class is also known by its name in lower case, ``he_normal`` for
:class:`HeNormal`.

An initializer of one's own is any function ``(shape, fan_in, fan_out, rng) -> array``.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .runtime.arguments import real_number, seed_integer, shape_of
from .runtime.configuration import Configurable
from .runtime.elsewhere import refusal
from .runtime.frozen import frozen
from .runtime.lookup import by_name

Values = NDArray[np.float64]


@functools.cache
def no_draws() -> "np.random.Generator":
    """Return the generator that is handed to initializers that draw nothing."""
    return np.random.default_rng(0)


def fans_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return ``(fan_in, fan_out)`` of a tensor, as Keras computes them from its shape.

    Of a vector, such as a bias, both are its length; of more than two axes, all but the last two
    count as the places of a kernel that slides.
    """
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    places = math.prod(shape[:-2])
    return places * shape[-2], places * shape[-1]


@frozen
class Initializer(Configurable):
    """What initializers share; use one of the classes below, or any function like it."""

    def __call__(
        self,
        shape: tuple[int, ...],
        fan_in: int | None = None,
        fan_out: int | None = None,
        rng: "np.random.Generator | None" = None,
    ) -> Values:
        """Return values of a shape.

        Parameters
        ----------
        shape : tuple of int
        fan_in, fan_out : int, optional
            By default what Keras makes of the shape.
        rng : numpy.random.Generator, optional
            Where random numbers come from; an initializer with a ``seed`` does not use it, and
            draws the same values at each call.
        """
        shape = shape_of("shape", shape)
        own_fan_in, own_fan_out = fans_of(shape)
        seed = getattr(self, "seed", None)
        if seed is not None or (rng is None and draws(self)):
            rng = np.random.default_rng(seed)
        fans = own_fan_in if fan_in is None else fan_in, own_fan_out if fan_out is None else fan_out
        return self.draw(shape, *fans, no_draws() if rng is None else rng)

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        """Return values of a shape, drawn from ``rng``."""
        raise NotImplementedError


@frozen
class Zeros(Initializer):
    """All 0."""

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        return np.zeros(shape)


@frozen
class Ones(Initializer):
    """All 1."""

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        return np.ones(shape)


@frozen
class Constant(Initializer):
    """All ``value``.

    Raises
    ------
    ValueError
        If it is not a finite number.
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        real_number("value", self.value)

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        return np.full(shape, float(self.value))


@frozen
class Identity(Initializer):
    """``gain`` on the diagonal of a matrix, 0 elsewhere.

    Raises
    ------
    ValueError
        If ``gain`` is not a finite number; or, when it is to be drawn, for other than a matrix.
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        real_number("gain", self.gain)

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        _check_matrix("identity", shape)
        rows, columns = shape
        return self.gain * np.eye(rows, columns)


@frozen
class _Random(Initializer):
    """An initializer that draws random numbers: from a seed of its own, or those of the net."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name == "seed":
                if value is not None:
                    seed_integer("seed", value)
            elif not isinstance(value, str):
                real_number(name, value)


@frozen
class RandomUniform(_Random):
    """Uniform in [minval, maxval), whatever the layer's size.

    Raises
    ------
    ValueError
        If an argument is not what it should be.
    """

    minval: float = -0.05
    maxval: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.minval <= self.maxval:
            raise ValueError(f"maxval: expected at least {self.minval}, got {self.maxval}")

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        return rng.uniform(self.minval, self.maxval, shape)


@frozen
class RandomNormal(_Random):
    """Normal with a standard deviation, whatever the layer's size.

    Raises
    ------
    ValueError
        If an argument is not what it should be.
    """

    mean: float = 0.0
    stddev: float = 0.05
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        real_number("stddev", self.stddev, "a number that is not negative", low=0)

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        return rng.normal(self.mean, self.stddev, shape)


@frozen
class TruncatedNormal(RandomNormal):
    """Normal, but never more than two standard deviations from the mean.

    As in Keras, ``stddev`` is that of the normal distribution before it is cut off.
    """

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        return self.mean + self.stddev * _cut_normal(shape, rng)


@frozen
class RandomSign(_Random):
    """1 or -1, each half of the time: what tells the members of an ensemble apart.

    Wen et al. (2020); Keras has no such initializer.
    """

    seed: int | None = None

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        return np.where(rng.integers(0, 2, shape) == 0, -1.0, 1.0)


# The standard deviation of a standard normal variable cut off at +-2.
_TRUNCATED_STD = 0.87962566103423978


def _cut_normal(shape: tuple[int, ...], rng: "np.random.Generator") -> Values:
    draws = np.asarray(rng.standard_normal(shape))
    outside = np.abs(draws) > 2
    while outside.any():
        draws[outside] = rng.standard_normal(int(outside.sum()))
        outside = np.abs(draws) > 2
    return draws


_FANS: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}
# Of a shape, the variance's scale and what divides it, and a generator.  The uniform one's limit is
# rounded once, which it would not be if it were made from the variance.
_DISTRIBUTIONS: dict[
    str, Callable[[tuple[int, ...], float, float, "np.random.Generator"], Values]
] = {
    "truncated_normal": lambda shape, scale, n, rng: (
        _cut_normal(shape, rng) * (math.sqrt(scale / n) / _TRUNCATED_STD)
    ),
    "untruncated_normal": lambda shape, scale, n, rng: rng.normal(0, math.sqrt(scale / n), shape),
    "uniform": lambda shape, scale, n, rng: rng.uniform(
        -math.sqrt(3 * scale / n), math.sqrt(3 * scale / n), shape
    ),
}


@frozen
class VarianceScaling(_Random):
    """Mean 0 and variance ``scale / n``, with ``n`` that which ``mode`` counts.

    Parameters
    ----------
    scale : float, positive
    mode : {"fan_in", "fan_out", "fan_avg"}
        The number of inputs, of outputs, or the mean of the two.
    distribution : {"truncated_normal", "untruncated_normal", "uniform"}
    seed : int, optional

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    scale: float = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = "truncated_normal"
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale <= 0:
            raise ValueError(f"scale: expected a positive number, got {self.scale}")
        by_name("mode", self.mode, _FANS)
        by_name("distribution", self.distribution, _DISTRIBUTIONS)

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        n = max(_FANS[self.mode](fan_in, fan_out), 1)
        return _DISTRIBUTIONS[self.distribution](shape, self.scale, n, rng)


class _Scaled(VarianceScaling):
    """A scaling of variance that has a name; the one argument that is left is the seed."""

    _scaling: tuple[float, Any, Any]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self._scaling, seed)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(seed={self.seed})"


class GlorotUniform(_Scaled):
    """Uniform with variance ``2 / (fan_in + fan_out)`` (Glorot & Bengio, 2010): for tanh."""

    _scaling = 1.0, "fan_avg", "uniform"


class GlorotNormal(_Scaled):
    """Truncated normal with variance ``2 / (fan_in + fan_out)`` (Glorot & Bengio, 2010)."""

    _scaling = 1.0, "fan_avg", "truncated_normal"


class HeUniform(_Scaled):
    """Uniform with variance ``2 / fan_in`` (He et al., 2015): for ReLU and its kin."""

    _scaling = 2.0, "fan_in", "uniform"


class HeNormal(_Scaled):
    """Truncated normal with variance ``2 / fan_in`` (He et al., 2015)."""

    _scaling = 2.0, "fan_in", "truncated_normal"


class LecunUniform(_Scaled):
    """Uniform with variance ``1 / fan_in`` (LeCun et al., 1998)."""

    _scaling = 1.0, "fan_in", "uniform"


class LecunNormal(_Scaled):
    """Truncated normal with variance ``1 / fan_in`` (LeCun et al., 1998): for SELU."""

    _scaling = 1.0, "fan_in", "truncated_normal"


class TorchDefault(_Scaled):
    """Uniform in +-1/sqrt(fan_in), weights and biases alike, as ``torch.nn.Linear`` has it."""

    _scaling = 1 / 3, "fan_in", "uniform"

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        limit = 1 / math.sqrt(fan_in)  # sqrt(3 * (1 / 3) / fan_in) would be rounded twice
        return rng.uniform(-limit, limit, shape)


@frozen
class Orthogonal(_Random):
    """``gain`` times orthonormal rows or columns, uniformly distributed (Saxe et al., 2014).

    Raises
    ------
    ValueError
        If an argument is not what it should be; or, when it is to be drawn, for other than a
        matrix.
    """

    gain: float = 1.0
    seed: int | None = None

    def draw(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, rng: "np.random.Generator"
    ) -> Values:
        _check_matrix("orthogonal", shape)
        tall = rng.standard_normal((max(shape), min(shape)))
        q, r = np.linalg.qr(tall)
        # The signs make the factorization unique, and so the distribution uniform.
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return self.gain * (q if shape[0] >= shape[1] else q.T)


def _check_matrix(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) != 2:
        raise ValueError(f"{name}: expected a matrix, got shape {shape}")


# Keras' names in lower case, which are the same classes.
zeros = Zeros
ones = Ones
constant = Constant
identity = Identity
random_uniform = RandomUniform
random_normal = RandomNormal
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal
orthogonal = OrthogonalInitializer = Orthogonal
IdentityInitializer = Identity
random_sign = RandomSign
torch_default = TorchDefault

_FIXED = (Zeros, Ones, Constant, Identity)

Function = Callable[[tuple[int, ...], int, int, "np.random.Generator"], Any]
Given = str | Function | type[Initializer]

_KNOWN: dict[str, type[Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "uniform": RandomUniform,
    "normal": RandomNormal,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "orthogonal": Orthogonal,
    "torch_default": TorchDefault,
    "random_uniform": RandomUniform,
    "random_normal": RandomNormal,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "random_sign": RandomSign,
    "constant": Constant,
    "identity": Identity,
}
# With default arguments, the same ones for all: nothing changes them.
_DEFAULT: dict[str, Initializer] = {name: kind() for name, kind in _KNOWN.items()}
_BY_CLASS_NAME = {kind.__name__: _DEFAULT[name] for name, kind in _KNOWN.items()}

NAMES = tuple(_KNOWN)


def draws(initializer: Function) -> bool:
    """Return whether an initializer may draw random numbers: to make a generator takes a while."""
    return type(initializer) not in _FIXED


def get(argument: str, initializer: Given) -> Function:
    """Return the initializer of that name, that class' with its defaults, or the one given."""
    if isinstance(initializer, type) and issubclass(initializer, Initializer):
        return initializer()
    if callable(initializer):
        return initializer
    if initializer in _BY_CLASS_NAME:
        return _BY_CLASS_NAME[initializer]
    return by_name(argument, initializer, _DEFAULT)


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("initializers", name)
