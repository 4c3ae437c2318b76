"""Constraints: what the weights of a layer are brought to after each step of the optimizer.

As in Keras, a constraint can also be called with an array, and returns a new one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .kernels.contract import Constraint as Kind
from .kernels.reference.constraints import constrain
from .runtime.arguments import is_integer, real_array, real_number, shown
from .runtime.arguments import items as several
from .runtime.attributes import fixed
from .runtime.configuration import Configurable
from .runtime.elsewhere import refusal
from .runtime.lookup import by_name


class _Form(NamedTuple):
    """What a kernel is told: what norms are brought to, and by which share of the distance."""

    kind: Kind
    lowest: float = 0.0
    highest: float = 0.0
    share: float = 0.0


class Constraint(Configurable):
    """What all constraints share; use one of the classes below.

    Attributes
    ----------
    axes : tuple of int
        Over which axes of a tensor, as users see it, a norm is taken.
    """

    axes: tuple[int, ...] = ()

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, unless it is one that nets may have been built with."""
        if name in vars(self):
            raise fixed(self, name)
        object.__setattr__(self, name, value)

    @property
    def form(self) -> _Form:
        """What a kernel is told."""
        raise NotImplementedError

    def __call__(self, w: ArrayLike) -> NDArray[Any]:
        """Return what the values of ``w`` are brought to.

        Raises
        ------
        TypeError, ValueError
            If ``w`` does not hold real numbers, or has no such axis.
        """
        array = real_array("w", w)
        array = array.astype(array.dtype if array.dtype == np.float32 else np.float64)
        group, stride = self.groups("w", array.shape, transposed=False)
        flat = array.reshape(-1)
        constrain(*self.form, group, stride, 0, flat.size // max(group, 1), flat)
        return array

    def groups(self, argument: str, shape: tuple[int, ...], *, transposed: bool) -> tuple[int, int]:
        """Return how many numbers have a norm together, and how far apart they lie in memory.

        Raises
        ------
        ValueError
            If the tensor has no such axes, or they are not next to each other.
        """
        if not self.axes:
            return 1, 1
        for axis in self.axes:
            if not -len(shape) <= axis < len(shape):
                raise ValueError(f"{argument}: a constraint over axis {axis} of shape {shape}")
        axes = sorted({axis % len(shape) for axis in self.axes})
        if transposed:
            shape = shape[::-1]
            axes = sorted(len(shape) - 1 - axis for axis in axes)
        first, stop = axes[0], axes[-1] + 1
        if axes != list(range(first, stop)):
            raise ValueError(f"{argument}: a constraint over axes that are apart, {self.axes}")
        group, stride = int(np.prod(shape[first:stop])), int(np.prod(shape[stop:]))
        return group, stride

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Constraint)
            and type(self) is type(other)
            and (self.axes, self.form) == (other.axes, other.form)
        )

    def __hash__(self) -> int:
        return hash((type(self), self.axes, self.form))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({given})"


class NonNeg(Constraint):
    """No weight is below 0: those that are become 0."""

    @property
    def form(self) -> _Form:
        """What a kernel is told."""
        return _Form(Kind.NON_NEGATIVE)


class _OfNorms(Constraint):
    """A constraint on norms: Keras adds 1e-7 to a norm before it divides by it."""

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        axes = [axis] if isinstance(axis, int) else several("axis", "integers", axis)
        if not axes or not all(is_integer(one) for one in axes):
            raise TypeError(f"axis: expected an integer, or several, got {shown(axis)}")
        self.axes = tuple(int(one) for one in axes)
        self.axis = self.axes[0] if isinstance(axis, int) else list(self.axes)


class MaxNorm(_OfNorms):
    """The weights of each unit have a norm of at most ``max_value`` (Srivastava et al., 2014).

    As in Keras, the formula is ``w * min(norm, max_value) / (1e-7 + norm)``, so that a step
    shrinks also what is within the bound, by 1e-7 of a norm of 1.

    Parameters
    ----------
    max_value : float, not negative
    axis : int or sequence of int
        Over which axes norms are taken. A ``Dense`` layer's kernel is (inputs, units), so that 0,
        the default, takes the norm of all weights that lead to a unit.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        super().__init__(axis)
        self.max_value = real_number("max_value", max_value, "a number of at least 0", low=0)

    @property
    def form(self) -> _Form:
        """What a kernel is told."""
        return _Form(Kind.NORM, 0.0, self.max_value, 1.0)


class UnitNorm(_OfNorms):
    """The weights of each unit have a norm of 1: ``w / (1e-7 + norm)``.

    Parameters
    ----------
    axis : int or sequence of int
        As of :class:`MaxNorm`.

    Raises
    ------
    TypeError
        If it is no integer, and no sequence of them.
    """

    @property
    def form(self) -> _Form:
        """What a kernel is told."""
        return _Form(Kind.NORM, 1.0, 1.0, 1.0)


class MinMaxNorm(_OfNorms):
    """The norms of each unit's weights are brought towards ``[min_value, max_value]``.

    ``w * (rate * clip(norm, min_value, max_value) + (1 - rate) * norm) / (1e-7 + norm)``.

    Parameters
    ----------
    min_value, max_value : float, not negative
        The first at most as large as the second.
    rate : float in [0, 1]
        The share of the distance that a step takes.
    axis : int or sequence of int
        As of :class:`MaxNorm`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ) -> None:
        super().__init__(axis)
        self.min_value = real_number("min_value", min_value, "a number of at least 0", low=0)
        self.max_value = real_number("max_value", max_value, "a number of at least 0", low=0)
        if self.min_value > self.max_value:
            raise ValueError(
                f"min_value: expected at most max_value, {self.max_value}, got {self.min_value}"
            )
        self.rate = real_number("rate", rate, "a number in [0, 1]", low=0, high=1)

    @property
    def form(self) -> _Form:
        """What a kernel is told."""
        return _Form(Kind.NORM, self.min_value, self.max_value, self.rate)


_KNOWN: dict[str, type[Constraint]] = {
    "max_norm": MaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm, "min_max_norm": MinMaxNorm,
}  # fmt: skip

# Keras' names in lower case, which are the same classes.
max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm


def get(argument: str, constraint: "str | Constraint | None") -> Constraint | None:
    """Return the constraint of that name with its default numbers, or the one given."""
    if constraint is None:
        return None
    if isinstance(constraint, Constraint):
        if type(constraint).__call__ is not Constraint.__call__:
            raise TypeError(
                f"{argument}: {type(constraint).__name__} has a __call__ of its own, which the "
                f"kernels would not call; expected one of {list(_KNOWN)}"
            )
        return constraint
    return by_name(argument, constraint, _KNOWN)()


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("constraints", name)
