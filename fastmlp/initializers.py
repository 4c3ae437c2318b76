"""Initializers: how weights are drawn before training.

An initializer is a function ``(shape, fan_in, fan_out, rng) -> float64 array``, so a user's own
is any such function.  Names and scales are those of Keras: the ``normal`` forms are truncated
at two standard deviations, and widened so that the standard deviation is the stated one.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .lookup import by_name

Initializer = Callable[[tuple[int, ...], int, int, np.random.Generator], NDArray[np.float64]]


def fans_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return ``(fan_in, fan_out)`` of a tensor, as Keras computes them from its shape.

    Of a vector, such as a bias, both are its length; of more than two axes, all but the last two
    count as the places of a kernel that slides.
    """
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    places = math.prod(shape[:-2])
    return places * shape[-2], places * shape[-1]


# The standard deviation of a standard normal variable cut off at +-2.
_TRUNCATED_STD = 0.87962566103423978


def _truncated_normal(
    shape: tuple[int, ...], std: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    draws = np.asarray(rng.standard_normal(shape))
    outside = np.abs(draws) > 2
    while outside.any():
        draws[outside] = rng.standard_normal(int(outside.sum()))
        outside = np.abs(draws) > 2
    return draws * (std / _TRUNCATED_STD)


def zeros(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """All 0."""
    return np.zeros(shape)


def ones(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """All 1."""
    return np.ones(shape)


def uniform(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Uniform in [-0.05, 0.05], whatever the layer's size."""
    return rng.uniform(-0.05, 0.05, shape)


def normal(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Normal with standard deviation 0.05, whatever the layer's size."""
    return rng.normal(0.0, 0.05, shape)


def glorot_uniform(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Uniform with variance ``2 / (fan_in + fan_out)`` (Glorot & Bengio, 2010): for tanh."""
    limit = math.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, shape)


def glorot_normal(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Truncated normal with variance ``2 / (fan_in + fan_out)`` (Glorot & Bengio, 2010)."""
    return _truncated_normal(shape, math.sqrt(2 / (fan_in + fan_out)), rng)


def he_uniform(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Uniform with variance ``2 / fan_in`` (He et al., 2015): for ReLU and its kin."""
    limit = math.sqrt(6 / fan_in)
    return rng.uniform(-limit, limit, shape)


def he_normal(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Truncated normal with variance ``2 / fan_in`` (He et al., 2015)."""
    return _truncated_normal(shape, math.sqrt(2 / fan_in), rng)


def lecun_uniform(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Uniform with variance ``1 / fan_in`` (LeCun et al., 1998)."""
    limit = math.sqrt(3 / fan_in)
    return rng.uniform(-limit, limit, shape)


def lecun_normal(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Truncated normal with variance ``1 / fan_in`` (LeCun et al., 1998): for SELU."""
    return _truncated_normal(shape, math.sqrt(1 / fan_in), rng)


def orthogonal(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Orthonormal rows or columns, uniformly distributed (Saxe et al., 2014).

    Raises
    ------
    ValueError
        If ``shape`` has other than two axes.
    """
    if len(shape) != 2:
        raise ValueError(f"orthogonal: expected a matrix, got shape {shape}")
    tall = rng.standard_normal((max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    # The signs make the factorization unique, and so the distribution uniform.
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return q if shape[0] >= shape[1] else q.T


def torch_default(
    shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Uniform in +-1/sqrt(fan_in), weights and biases alike, as ``torch.nn.Linear`` has it."""
    limit = 1 / math.sqrt(fan_in)
    return rng.uniform(-limit, limit, shape)


_KNOWN: dict[str, Initializer] = {
    "zeros": zeros,
    "ones": ones,
    "uniform": uniform,
    "normal": normal,
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "lecun_uniform": lecun_uniform,
    "lecun_normal": lecun_normal,
    "orthogonal": orthogonal,
    "torch_default": torch_default,
}

NAMES = tuple(_KNOWN)


def get(argument: str, initializer: str | Initializer) -> Initializer:
    """Return the initializer of that name, or the function given."""
    return initializer if callable(initializer) else by_name(argument, initializer, _KNOWN)
