"""A penalty on what passes."""

from typing import Any

from .. import regularizers
from ..runtime.lowering import Buffer, Builder
from .base import Layer


class ActivityRegularization(Layer):
    """A penalty on what passes: ``l1 * sum |x| + l2 * sum x^2``, over the size of the batch.

    It is added to the loss, also where that is only evaluated.  The same of the outputs of any
    layer is its ``activity_regularizer``.

    Parameters
    ----------
    l1, l2 : float, not negative

    Raises
    ------
    ValueError
        If a factor is negative or not finite.
    """

    _settings = ("l1", "l2")
    _not_attributes = ("input_shape", "input_dim", "activity_regularizer")

    def __init__(
        self, l1: float = 0.0, l2: float = 0.0, name: str | None = None, **options: Any
    ) -> None:
        if "activity_regularizer" in options:
            raise TypeError("activity_regularizer: this layer has l1 and l2")
        penalty = regularizers.L1L2(l1, l2)
        super().__init__(name, activity_regularizer=penalty, **options)
        self.l1, self.l2 = penalty.l1, penalty.l2

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        return x
