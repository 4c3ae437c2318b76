"""Activations with numbers of their own, as layers."""

from typing import Any

from .. import activations, constraints, initializers, regularizers
from ..kernels.contract import Activation as Kind
from ..kernels.contract import Column, Op, Scalar
from ..runtime.arguments import real_number
from ..runtime.lowering import Buffer, Builder, Param
from ..runtime.tensors import Shape
from .activation import lower_activation
from .base import Layer
from .of_features import OfFeatures

_NOT_NEGATIVE = "a number of at least 0"


class LeakyReLU(Layer):
    """``x`` above 0 and ``negative_slope * x`` below (Maas et al., 2013).

    Parameters
    ----------
    negative_slope : float, not negative

    Raises
    ------
    ValueError
        If it is out of its range.
    """

    _settings = ("negative_slope",)

    def __init__(
        self, negative_slope: float = 0.3, name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        self.negative_slope = real_number("negative_slope", negative_slope, _NOT_NEGATIVE, low=0)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        activation = activations.LeakyReLU(self.negative_slope)
        return lower_activation(builder, x, activation, self.name)


class ELU(Layer):
    """``x`` above 0 and ``alpha * (exp(x) - 1)`` below (Clevert et al., 2016).

    Parameters
    ----------
    alpha : float

    Raises
    ------
    ValueError
        If it is not a finite number.
    """

    _settings = ("alpha",)

    def __init__(self, alpha: float = 1.0, name: str | None = None, **options: Any) -> None:
        super().__init__(name, **options)
        self.alpha = real_number("alpha", alpha)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        return lower_activation(builder, x, activations.ELU(self.alpha), self.name)


class ReLU(Layer):
    """``x`` above a threshold, at most ``max_value``; below, ``negative_slope * (x - threshold)``.

    Parameters
    ----------
    max_value : float, not negative, optional
    negative_slope, threshold : float, not negative

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    _settings = ("max_value", "negative_slope", "threshold")

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        kind = "a number of at least 0, or None"
        self.max_value = (
            None if max_value is None else real_number("max_value", max_value, kind, low=0)
        )
        self.negative_slope = real_number("negative_slope", negative_slope, _NOT_NEGATIVE, low=0)
        self.threshold = real_number("threshold", threshold, _NOT_NEGATIVE, low=0)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        """Add one row, or several that together are the function."""
        if not self.negative_slope and not self.threshold:
            if self.max_value is None:
                return lower_activation(builder, x, activations.relu, self.name)
            return self._row(builder, x, Kind.CLIPPED_RELU, self.max_value)
        if not self.negative_slope:
            x = self._row(builder, x, Kind.THRESHOLD, self.threshold)
        else:
            if self.threshold:
                reals = {Scalar.SCALE: 1.0, Scalar.OFFSET: -self.threshold}
                x = builder.row(Op.RESCALE, x, reals=reals)
            x = self._row(builder, x, Kind.LEAKY_RELU, self.negative_slope)
            if self.threshold:
                x = self._row(builder, x, Kind.JUMP, self.threshold)
        if self.max_value is not None:
            x = self._row(builder, x, Kind.MINIMUM, self.max_value)
        return x

    def _row(self, builder: Builder, x: Buffer, kind: Kind, number: float) -> Buffer:
        label = f"{self.name}/{kind.name.lower()}"
        columns, reals = {Column.KIND: int(kind)}, {Scalar.ALPHA: number}
        return builder.row(Op.ACTIVATION, x, columns=columns, reals=reals, label=label)


class Softmax(OfFeatures):
    """The softmax of each sample's features.

    A loss of cross-entropy after it is computed with it as one, as after a ``Dense`` layer with
    that activation.
    """

    _settings = ()

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        return lower_activation(builder, x, activations.softmax, self.name)


class PReLU(OfFeatures):
    """``x`` above 0 and ``alpha * x`` below, with an alpha for each feature (He et al., 2015).

    Parameters
    ----------
    alpha_initializer : str or function
    alpha_regularizer : str or fastmlp.regularizers.L1L2, optional
        A penalty to add to the loss.
    alpha_constraint : str or fastmlp.constraints.Constraint, optional
        What it is brought to after each step.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown.
    """

    _settings = ("alpha_initializer", "alpha_regularizer", "alpha_constraint")

    def __init__(
        self,
        alpha_initializer: initializers.Given = "zeros",
        alpha_regularizer: str | regularizers.L1L2 | None = None,
        alpha_constraint: str | constraints.Constraint | None = None,
        *,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.alpha_initializer = initializers.get("alpha_initializer", alpha_initializer)
        self.alpha_regularizer = regularizers.get("alpha_regularizer", alpha_regularizer)
        self.alpha_constraint = constraints.get("alpha_constraint", alpha_constraint)

    def build(self, input_shape: Shape) -> None:
        self._add_with_options("alpha", input_shape)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        params = [Param("alpha", (x.features,))]
        return builder.row(Op.PRELU, builder.along_batch(x), params=params)
