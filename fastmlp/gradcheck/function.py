"""A function of an array, with its gradient, as what is to be checked."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..runtime.arguments import real_array
from .diagnosis import Context
from .slopes import STEP, Flags, Indices, Question, Vector
from .subject import Subject, Tensor

_EPS = float(np.finfo(np.float64).eps)
_COARSE_TYPES = (np.float16, np.float32)
_SAMPLES = 4
_UNEVEN = 0.737  # of a step: leaves no trailing zeros by which a number could look coarse


class Function:
    """The function and its gradient, called with copies of the point.

    Parameters
    ----------
    function, gradient : as for :func:`fastmlp.check_gradients`
    x : array

    Raises
    ------
    TypeError, ValueError
        If one is not what it should be.
    """

    def __init__(self, function: Callable[[Any], float], gradient: Any, x: ArrayLike) -> None:
        point = real_array("x", x).astype(np.float64)
        if not point.size or not np.isfinite(point).all():
            raise ValueError(f"x: expected finite numbers, at least one, got {x!r}")
        self._function, self._gradient = function, gradient
        self.shape, self.flat = point.shape, point.ravel()
        self._value_precision = self._gradient_precision = _EPS

    def subject(self) -> Subject:
        """Return what is to be checked."""
        entries = np.arange(self.flat.size).reshape(self.shape)
        tensor = Tensor("x", "x", entries, Context(), np.zeros(self.shape))
        return Subject(
            [tensor], self.flat.size, self._call, self._call_nearby, self._question, self._precision
        )

    def _precision(self) -> float:
        """Return the relative rounding error of the values, or of the gradient if coarser.

        It is float64's, unless what they return are numbers of float32 or float16.
        """
        self._value_precision = max(self._value_precision, self._precision_of_values())
        return max(self._value_precision, self._gradient_precision)

    def _call(self) -> tuple[float, Vector]:
        """Return the value and the gradient (entries,) at the point."""
        value = self._value_at(self.flat)
        if not np.isfinite(value):
            raise ValueError(f"f: expected a finite number at x, got {value}")
        return value, self._gradient_at(self.flat)

    def _call_nearby(self, seed: int) -> Vector:
        signs = np.where(np.random.default_rng(seed).random(self.flat.size) < 0.5, -1.0, 1.0)
        nearby = self.flat * (1 + 4 * max(self._value_precision, self._gradient_precision) * signs)
        self._value_at(nearby)  # a gradient may use what its function has left behind
        return self._gradient_at(nearby)

    def _gradient_at(self, flat: Vector) -> Vector:
        given = self._gradient
        if callable(given):
            given = given(flat.reshape(self.shape).copy())
        gradient = real_array("grad", given)
        if gradient.shape != self.shape:
            raise ValueError(f"grad: expected shape {self.shape} like x, got {gradient.shape}")
        self._gradient_precision = max(self._gradient_precision, _precision_of(gradient))
        return gradient.astype(np.float64).ravel()

    def _value_at(self, flat: Vector) -> float:
        value = real_array("f", self._function(flat.reshape(self.shape).copy()))
        if value.size != 1:
            raise ValueError(f"f: expected a single number, got shape {value.shape}")
        self._value_precision = max(self._value_precision, _precision_of(value))
        return float(value.reshape(()))

    def _moved_value(self, index: int, step: float) -> float:
        """Return the value with one entry moved: NaN where the function refuses to have one."""
        moved = self.flat.copy()
        moved[index] += step
        try:
            return self._value_at(moved)
        except (ArithmeticError, ValueError):  # math.log(-1), 1 / 0, math.exp(1000)
            return np.nan

    def _precision_of_values(self) -> float:
        """Return the precision of the coarsest type that holds all of some values exactly."""
        indices = np.linspace(0, self.flat.size - 1, _SAMPLES).astype(int)
        steps = _UNEVEN * STEP * np.maximum(1.0, np.abs(self.flat[indices]))
        with np.errstate(all="ignore"):
            values = {
                self._moved_value(index, sign * step)
                for index, step in zip(indices, steps, strict=True)
                for sign in (1, -1)
            }
            values = {value for value in values if math.isfinite(value)}
            for kind in _COARSE_TYPES:
                exact = all(float(kind(value)) == value for value in values)
                if exact and len(values) > 2 and _have_digits(values, np.finfo(kind).nmant // 2):
                    return float(np.finfo(kind).eps)
        return _EPS

    def _question(self, here: float) -> Question:
        def losses(indices: Indices, steps: Vector, keeps_branches: bool) -> tuple[Vector, Flags]:
            found = np.full((indices.size, 2), here)
            with np.errstate(all="ignore"):
                for k, (index, step) in enumerate(zip(indices, steps, strict=True)):
                    if step:
                        found[k] = [self._moved_value(index, sign * step) for sign in (1, -1)]
            return found, np.zeros(indices.size, np.bool_)

        # Truncation and rounding are in balance where the step is like precision ^ (1/5).
        stretch = 2.0 ** round(np.log2(self._value_precision / _EPS) / 5)
        steps = stretch * STEP * np.maximum(1.0, np.abs(self.flat))
        return Question(
            losses, self.flat, steps, here, 0.0,
            has_hidden_kinks=True, precision=self._value_precision,
        )  # fmt: skip


def _have_digits(values: set[float], bits: int) -> bool:
    """Tell whether a number among the values needs more than so many bits."""
    return any((math.frexp(value)[0] * 2.0**bits) % 1 for value in values)


def _precision_of(array: Any) -> float:
    return float(np.finfo(array.dtype).eps) if array.dtype.type in _COARSE_TYPES else _EPS
