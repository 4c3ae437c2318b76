"""Normalization of the features by statistics of the data."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..kernels.contract import Column, Op, Scalar
from ..runtime.arguments import real_array
from ..runtime.arrays import finite
from ..runtime.lowering import Buffer, Builder
from ..runtime.tensors import Array, Shape
from .base import Layer

_SMALLEST = 1e-14  # what is added to a variance


class Normalization(Layer):
    """``(x - mean) / sqrt(variance + 1e-14)``, for each feature, by statistics of the data.

    (Keras divides by ``max(sqrt(variance), 1e-7)``.)

    They are given, or those of the data that :meth:`adapt` is shown before the net is built:
    put the layer at the beginning of a net.  They are weights that are not trained, ``mean`` and
    ``variance``; Keras keeps a third one, the count of samples.

    Parameters
    ----------
    axis : -1
        That of the features: inputs are (n, features).
    mean, variance : float or array (features,), optional
        Both or none of them.

    Raises
    ------
    TypeError, ValueError
        If they are no real numbers, a variance is negative, or one is given without the other.

    Examples
    --------
    >>> from fastmlp import Sequential, layers
    >>> layer = layers.Normalization()
    >>> layer.adapt([[0.0, 1.0], [2.0, 5.0]])
    >>> Sequential([layers.Input(2), layer]).predict([[1.0, 5.0]])
    array([[0., 1.]], dtype=float32)
    """

    _settings = ("axis", "mean", "variance")

    def __init__(
        self,
        axis: int = -1,
        mean: ArrayLike | None = None,
        variance: ArrayLike | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        if axis not in (-1, 1):
            raise ValueError(f"axis: expected -1, the axis of the features, got {axis!r}")
        if (mean is None) != (variance is None):
            given, other = ("mean", "variance") if variance is None else ("variance", "mean")
            raise ValueError(f"{other}: expected a number for each feature, as {given} is given")
        self.axis = axis
        self.mean = None if mean is None else _numbers("mean", mean)
        self.variance = None if variance is None else _numbers("variance", variance)
        if self.variance is not None and (np.asarray(self.variance) < 0).any():
            raise ValueError(f"variance: expected no number below 0, got {variance!r}")

    def adapt(self, data: ArrayLike) -> None:
        """Take the mean and the variance of each feature of ``data`` (n, features).

        A second call replaces what the first has found.

        Raises
        ------
        RuntimeError
            If the layer was given its statistics.
        TypeError, ValueError
            If ``data`` is no such array, or not finite.
        """
        if self.mean is not None:
            raise RuntimeError("adapt: the layer was made with a mean and a variance")
        array = real_array("data", data)
        if array.ndim != 2 or not array.size:
            raise ValueError(f"data: expected shape (n, features), got {array.shape}")
        array = finite("data", array, np.dtype(np.float64))
        found = {"mean": array.mean(axis=0), "variance": array.var(axis=0)}
        for name, values in found.items():
            place = self._weights.get(name)
            if place is not None and place.shape != values.shape:
                raise ValueError(
                    f"data: the layer is built for {place.size} features, got {values.size}"
                )
        for name, values in found.items():
            if name in self._weights:
                self._weights[name][...] = values
            else:
                self._weights[name] = values

    def build(self, input_shape: Shape) -> None:
        for name, given, default in (
            ("mean", self.mean, "zeros"), ("variance", self.variance, "ones")
        ):  # fmt: skip
            if given is not None:
                values = np.broadcast_to(np.asarray(given, np.float64), input_shape)
                self._weights[name] = np.array(values)
            self.add_weight(name, input_shape, default, trainable=False)

    def output_shape(self, input_shape: Shape) -> Shape:
        self._check_features(input_shape)
        for name in ("mean", "variance"):
            size = np.size(getattr(self, name)) if getattr(self, name) is not None else 1
            if size not in (1, *input_shape):
                raise ValueError(f"{name}: expected a number for each of {input_shape[0]} features")
        return input_shape

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        """A normalization of batches that is frozen, and has no gamma and no beta."""
        return builder.row(
            Op.BATCH_NORMALIZATION,
            builder.along_batch(x),
            columns={Column.FROZEN: 1},
            reals={Scalar.EPSILON: _SMALLEST},
        )


def _numbers(argument: str, given: ArrayLike) -> float | list[float]:
    """Return a number, or one for each feature, as plain data."""
    array: Array = finite(argument, real_array(argument, given), np.dtype(np.float64))
    if array.ndim > 1:
        raise ValueError(f"{argument}: expected a number for each feature, got {array.shape}")
    values: float | list[float] = array.tolist()
    return values
