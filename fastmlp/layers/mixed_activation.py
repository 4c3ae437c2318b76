"""An activation of which each feature learns how much of it there is."""

from typing import Any

from .. import activations, initializers
from ..kernels.contract import Column, Op, Scalar
from ..runtime.lowering import Buffer, Builder, Param
from ..runtime.tensors import Array, Shape
from .of_features import OfFeatures


class MixedActivation(OfFeatures):
    """``x + weight * (activation(x) - x)``, with a weight for each feature that is learned.

    With a weight of 1, which all have at first, it is the activation, and with 0 the identity: the
    parametric activation of Holzmueller, Grinsztajn & Steinwart (2024), "Better by default".  Keras
    has no such layer.

    Parameters
    ----------
    activation : str or fastmlp.activations.Activation
        Any but "linear", with which there is nothing to mix, and those of all features of a sample,
        such as a softmax.

    Raises
    ------
    TypeError, ValueError
        If the activation is unknown, or none of these.

    Notes
    -----
    What is kept as ``negative_weight`` is the weight times -1: the layer computes
    ``x + negative_weight * (x - activation(x))``.
    """

    _settings = ("activation",)

    def __init__(
        self, activation: str | activations.Activation, name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        self.activation = activations.get(activation)
        if self.activation.kind is None:
            raise ValueError(
                "activation: expected one of single values that is not the identity, "
                f"got {self.activation.name!r}"
            )

    @property
    def weight(self) -> Array:
        """The weight of each feature (features,): a copy."""
        if "negative_weight" not in self._weights:
            raise AttributeError(f"weight: {self!r} has no weights yet", name="weight", obj=self)
        return -self._weights["negative_weight"]

    def build(self, input_shape: Shape) -> None:
        self.add_weight("negative_weight", input_shape, initializers.Constant(-1.0))

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        assert self.activation.kind is not None
        return builder.row(
            Op.MIXED_ACTIVATION,
            builder.along_batch(x),
            params=[Param("negative_weight", (x.features,))],
            columns={Column.KIND: int(self.activation.kind), Column.BIAS: -1},
            reals={Scalar.ALPHA: self.activation.alpha},
        )
