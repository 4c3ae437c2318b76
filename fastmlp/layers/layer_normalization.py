"""Normalization of each sample by itself."""

import math
from typing import Any

from ..kernels.contract import Column, Op, Scalar, Spread
from ..runtime.arguments import is_integer, real_number, shown
from ..runtime.lowering import Buffer, Builder, Param
from ..runtime.tensors import Shape
from .gamma_and_beta import GammaAndBeta
from .of_features import OfFeatures


def _checked_axis(axis: Any) -> int:
    """Return the axis.

    Raises
    ------
    ValueError
        If it is not that of the features.
    """
    given = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    if len(given) != 1 or not is_integer(given[0]) or given[0] not in (-1, 1):
        raise ValueError(f"axis: expected -1, the axis of the features, got {shown(axis)}")
    return int(given[0])


def _normalized(
    builder: Builder, x: Buffer, spread: Spread, epsilon: float, params: list[Param]
) -> Buffer:
    """Add the row that normalizes each sample by itself."""
    return builder.row(
        Op.LAYER_NORMALIZATION,
        builder.along_batch(x),
        params=params,
        columns={Column.KIND: int(spread), Column.BIAS: builder.start_of("beta")},
        reals={Scalar.EPSILON: epsilon},
    )


class LayerNormalization(GammaAndBeta):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, for each sample by itself.

    The mean and the variance are those of a sample's features (Ba, Kiros & Hinton, 2016), in
    training and after it alike.  The variance is biased, as in Keras and PyTorch; PyTorch's
    epsilon is 1e-5.

    Parameters
    ----------
    axis : -1
        That of the features: inputs are (n, features).
    epsilon : float, at least 1e-30
    center, scale : bool
        Whether there is a beta, and a gamma.
    beta_initializer, gamma_initializer : str or function
    beta_regularizer, gamma_regularizer : str or fastmlp.regularizers.L1L2, optional
        A penalty to add to the loss.
    beta_constraint, gamma_constraint : str or fastmlp.constraints.Constraint, optional
        What they are brought to after each step.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range, ``center`` or ``scale`` is no truth value, or a name is
        unknown.
    """

    _settings = ("axis",)

    def __init__(self, axis: int = -1, **options: Any) -> None:
        super().__init__(**options)
        self.axis = _checked_axis(axis)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        params = self._params(x.features)
        return _normalized(builder, x, Spread.VARIANCE, self.epsilon, params)


class RMSNormalization(OfFeatures):
    """``scale * x / sqrt(mean(x**2) + epsilon)``, for each sample by itself.

    The mean is that of a sample's features (Zhang & Sennrich, 2019).

    Parameters
    ----------
    axis : -1
        That of the features: inputs are (n, features).
    epsilon : float, at least 1e-30

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    _settings = ("axis", "epsilon")

    def __init__(
        self, axis: int = -1, epsilon: float = 1e-6, name: str | None = None, **options: Any
    ) -> None:
        super().__init__(name, **options)
        self.axis = _checked_axis(axis)
        self.epsilon = real_number("epsilon", epsilon, "a number from 1e-30 on", low=1e-30)

    def build(self, input_shape: Shape) -> None:
        self.add_weight("scale", input_shape, "ones")

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        scale = Param("scale", (x.features,))
        return _normalized(builder, x, Spread.MEAN_SQUARE, self.epsilon, [scale])


class UnitNormalization(OfFeatures):
    """``x / |x|``, for each sample by itself: all have the Euclidean norm 1.

    The square of a norm counts as 1e-12 more than it is, so that zeros stay zeros (Keras: as 1e-12
    at least).

    Parameters
    ----------
    axis : -1
        That of the features: inputs are (n, features).

    Raises
    ------
    ValueError
        If it is another axis.
    """

    _settings = ("axis",)

    def __init__(self, axis: int = -1, name: str | None = None, **options: Any) -> None:
        super().__init__(name, **options)
        self.axis = _checked_axis(axis)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        """Divide by the root of the mean square, and by that of the number of features."""
        y = _normalized(builder, x, Spread.MEAN_SQUARE, 1e-12 / x.features, [])
        return builder.row(Op.RESCALE, y, reals={Scalar.SCALE: 1 / math.sqrt(x.features)})
