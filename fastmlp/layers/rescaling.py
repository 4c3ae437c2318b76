"""Rescaling."""

from typing import TYPE_CHECKING

from ..arguments import real_number
from .base import Layer

if TYPE_CHECKING:
    from ..plan import Builder


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

    def __init__(self, scale: float, offset: float = 0.0, name: str | None = None) -> None:
        super().__init__(name)
        self.scale = real_number("scale", scale)
        self.offset = real_number("offset", offset)

    def lower(self, builder: "Builder") -> None:
        builder.rescale(self.scale, self.offset)
