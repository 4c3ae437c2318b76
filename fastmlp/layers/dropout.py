"""Dropout."""

from collections.abc import Mapping
from typing import Any, Self

from ..kernels.contract import Column, Op, Scalar
from ..runtime.arguments import real_number, seed_integer, shown
from ..runtime.attributes import assign, refuse
from ..runtime.lowering import Buffer, Builder
from .base import Layer


def check_noise_shape(noise_shape: object) -> None:
    """Raise ValueError if values are to share a number of the mask."""
    if noise_shape is not None:
        raise ValueError(
            "noise_shape: expected None, for each value has a number of its own in the mask, got "
            f"{shown(noise_shape)}; a seed is given as seed=..."
        )


class Dropout(Layer):
    """In training, sets each value to 0 with probability ``rate``, and scales up the others.

    Those kept are multiplied by ``1 / (1 - rate)`` ("inverted" dropout), so that prediction has
    nothing to do (Srivastava et al., 2014).  A mask is a function of the seed, the step's number
    and the value's place in the batch: it is the same on every backend, and in every repetition.

    Parameters
    ----------
    rate : float in [0, 1)
        0 leaves everything as it is.  It is an attribute, too, that a callback may set before an
        epoch; of a layer that was made with 0 it stays 0.
    noise_shape : None
        Each value has a number of its own in the mask; Keras can let some share one.
    seed : int, optional
        By default one that follows from the net's seed and the layer's place in it.

    Raises
    ------
    ValueError
        If ``rate`` is out of its range: at 1 nothing would be left to scale up; or if values are
        to share a number of the mask.
    """

    _settings = ("rate", "noise_shape", "seed")

    rate: float
    _is_there: bool  # whether it has a row in a plan

    def __init__(
        self,
        rate: float,
        noise_shape: None = None,
        seed: int | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.rate = rate
        check_noise_shape(noise_shape)
        self.noise_shape = None
        self.seed = None if seed is None else seed_integer("seed", seed)

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute: the rate at any time."""
        if name != "rate":
            super().__setattr__(name, value)
            return
        rate = real_number("rate", value, "a number in [0, 1)", low=0, below=1)
        if not hasattr(self, "_is_there"):
            assign(self, _is_there=rate > 0)
        elif rate and not self._is_there:
            raise refuse(self, name, "was made with rate=0, which leaves it out of the net")
        assign(self, rate=rate)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; and if its rate is 0 for now, that."""
        config = super().get_config()
        return config if bool(self.rate) == self._is_there else config | {"had_a_rate": True}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the layer of a configuration, whose rate may be changed as that of the first."""
        layer = super().from_config({k: v for k, v in config.items() if k != "had_a_rate"})
        if "had_a_rate" in config:
            assign(layer, _is_there=True)
        return layer

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        if not self._is_there:
            return x
        columns = {Column.KEY: builder.random_key(self.seed)}
        return builder.row(
            Op.DROPOUT,
            x,
            columns=columns,
            reals={Scalar.RATE: self.rate},
            changing=lambda: {Scalar.RATE: self.rate},
        )
