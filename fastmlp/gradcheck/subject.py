"""What can be checked: something with a value, a gradient, and tensors that have names."""

from collections.abc import Callable
from dataclasses import dataclass

from .diagnosis import Context
from .slopes import Indices, Question, Vector


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies in the flat vectors, and what could be wrong with it.

    Attributes
    ----------
    layer, name : str
    entries : int64 array
        Positions in the flat vector, in the tensor's shape.
    context : Context
    l1_at_zero : float64 array, in the tensor's shape
        The factor of the L1 penalty where a penalized weight is 0, else 0.
    """

    layer: str
    name: str
    entries: Indices
    context: Context
    l1_at_zero: Vector


@dataclass(frozen=True)
class Subject:
    """A net on a batch, or a function at a point.

    Attributes
    ----------
    tensors : list of Tensor
    entries : int
    call : function
        ``call()`` returns the value and the analytic gradient at the point, computed anew.
    call_nearby : function
        ``call_nearby(seed)`` returns the analytic gradient at a point a few roundings away.
    question : function
        ``question(value)`` returns what is to be differentiated.
    precision : function
        ``precision()``, after ``call()``, returns the relative rounding error of what that
        returns.
    operations_above : dict of str to list of str, or None for a function
        What lies between each layer with parameters and the next one, or the loss.
    """

    tensors: list[Tensor]
    entries: int
    call: Callable[[], tuple[float, Vector]]
    call_nearby: Callable[[int], Vector]
    question: Callable[[float], Question]
    precision: Callable[[], float]
    operations_above: dict[str, list[str]] | None = None
