"""Noise: what is done to values in training alone, beside dropout."""

import math
from typing import Any

from ..kernels.contract import SELU_ALPHA, SELU_SCALE, Column, Noise, Op, Scalar
from ..runtime.arguments import real_number, seed_integer
from ..runtime.lowering import Buffer, Builder
from .base import Layer
from .dropout import check_noise_shape


class _Noise(Layer):
    """What these layers share: a seed, and a row of noise that is drawn by the step's number."""

    def _take_seed(self, seed: int | None) -> None:
        self.seed = None if seed is None else seed_integer("seed", seed)

    def _row(self, builder: Builder, x: Buffer, kind: Noise, reals: dict[Scalar, float]) -> Buffer:
        columns = {Column.KIND: int(kind), Column.KEY: builder.random_key(self.seed)}
        return builder.row(Op.DROPOUT, x, columns=columns, reals=reals)


class GaussianNoise(_Noise):
    """In training, adds normal numbers with mean 0.

    They are a function of the seed, the step's number and the value's place in the batch, by the
    transform of Box & Muller (1958).

    Parameters
    ----------
    stddev : float, not negative
        Their standard deviation; 0 leaves everything as it is.
    seed : int, optional
        By default one that follows from the net's seed and the layer's place in it.

    Raises
    ------
    ValueError
        If ``stddev`` is out of its range.
    """

    _settings = ("stddev", "seed")

    def __init__(
        self, stddev: float, seed: int | None = None, name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        self.stddev = real_number("stddev", stddev, "a number of at least 0", low=0)
        self._take_seed(seed)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        if not self.stddev:
            return x
        return self._row(builder, x, Noise.GAUSSIAN_NOISE, {Scalar.RATE: self.stddev})


class GaussianDropout(_Noise):
    """In training, multiplies by normal numbers with mean 1 (Srivastava et al., 2014).

    Their standard deviation is ``sqrt(rate / (1 - rate))``, that of a mask of dropout.

    Parameters
    ----------
    rate : float in [0, 1)
        0 leaves everything as it is.
    seed : int, optional
        By default one that follows from the net's seed and the layer's place in it.

    Raises
    ------
    ValueError
        If ``rate`` is out of its range.
    """

    _settings = ("rate", "seed")

    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        self.rate = real_number("rate", rate, "a number in [0, 1)", low=0, below=1)
        self._take_seed(seed)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        if not self.rate:
            return x
        deviation = math.sqrt(self.rate / (1 - self.rate))
        return self._row(builder, x, Noise.GAUSSIAN_DROPOUT, {Scalar.RATE: deviation})


class AlphaDropout(_Noise):
    """In training, sets values to SELU's limit, and keeps their mean and variance.

    With ``s = -1.7581`` (SELU far below 0) in place of a share ``rate`` of the values, all are
    multiplied by ``a = 1 / sqrt((1 - rate) * (1 + rate * s**2))``, and ``-a * rate * s`` is added
    (Klambauer et al., 2017).

    Parameters
    ----------
    rate : float in [0, 1)
        0 leaves everything as it is.
    noise_shape : None
        As of :class:`Dropout`.
    seed : int, optional
        By default one that follows from the net's seed and the layer's place in it.

    Raises
    ------
    ValueError
        If ``rate`` is out of its range.
    """

    _settings = ("rate", "noise_shape", "seed")

    def __init__(
        self,
        rate: float,
        noise_shape: None = None,
        seed: int | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.rate = real_number("rate", rate, "a number in [0, 1)", low=0, below=1)
        check_noise_shape(noise_shape)
        self.noise_shape = None
        self._take_seed(seed)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        if not self.rate:
            return x
        limit = -SELU_SCALE * SELU_ALPHA
        scale = 1 / math.sqrt((1 - self.rate) * (1 + self.rate * limit**2))
        offset = -scale * self.rate * limit
        reals = {Scalar.RATE: self.rate, Scalar.SCALE: scale, Scalar.OFFSET: offset}
        reals[Scalar.ALPHA] = scale * limit + offset
        return self._row(builder, x, Noise.ALPHA_DROPOUT, reals)
