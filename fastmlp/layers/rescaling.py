"""Rescaling."""

from typing import Any

from ..kernels.contract import Op, Scalar
from ..runtime.arguments import real_number
from ..runtime.lowering import LARGEST_FACTOR, Buffer, Builder
from .base import Layer


class Rescaling(Layer):
    """``x * scale + offset``.

    As the first layer it takes uint8 samples as they are and converts them on the way in:
    ``Rescaling(1 / 255)`` for images reads a quarter of the memory that floats would take.

    Parameters
    ----------
    scale : float
    offset : float

    Raises
    ------
    ValueError
        If one is not a finite number.
    """

    _settings = ("scale", "offset")

    def __init__(
        self, scale: float, offset: float = 0.0, name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        self.scale = real_number("scale", scale)
        self.offset = real_number("offset", offset)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        """Rescale as part of reading the samples, or in a row; or in several, for a large step.

        Between two rows, values lie between those before and those after.
        """
        scale = self.scale
        while scale and not 1 / LARGEST_FACTOR <= abs(scale) <= LARGEST_FACTOR:
            factor = LARGEST_FACTOR if abs(scale) > 1 else 1 / LARGEST_FACTOR
            x = _rescaled(builder, x, factor, 0.0)
            scale /= factor
        return _rescaled(builder, x, scale, self.offset)


def _rescaled(builder: Builder, x: Buffer, scale: float, offset: float) -> Buffer:
    if builder.rescale_source(x, scale, offset):
        return x
    return builder.row(Op.RESCALE, x, reals={Scalar.SCALE: scale, Scalar.OFFSET: offset})
