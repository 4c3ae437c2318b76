"""Optimizers: the numbers of an update rule, with their bounds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arguments import real_number, truth
from .attributes import unknown
from .kernels.contract import Hyper
from .lookup import by_name


@dataclass
class SGD:
    """Gradient descent, with momentum if asked for.

    Per step, with gradient ``g`` of the batch's mean loss (Keras' form):
    ``v = momentum * v - learning_rate * g``, then ``w += v``; with ``nesterov``,
    ``w += momentum * v - learning_rate * g`` instead (Sutskever et al., 2013).

    Parameters
    ----------
    learning_rate : float, not negative
        With 0 nothing is learned.
    momentum : float in [0, 1)
    nesterov : bool
        Needs a momentum above 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        self.check()

    def __setattr__(self, name: str, value: object) -> None:
        if type(self) is SGD and name not in SGD.__dataclass_fields__:
            raise unknown(self, name, SGD.__dataclass_fields__)
        object.__setattr__(self, name, value)

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        kind = "a finite number that is not negative"
        self.learning_rate = real_number("learning_rate", self.learning_rate, kind, low=0)
        self.momentum = real_number("momentum", self.momentum, "a number in [0, 1)", low=0, below=1)
        self.nesterov = truth("nesterov", self.nesterov)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov: True needs a momentum above 0, got momentum=0")

    def hyper(self) -> NDArray[np.float64]:
        """Return the numbers as the engine reads them."""
        self.check()
        values = np.zeros(len(Hyper))
        values[Hyper.LEARNING_RATE] = self.learning_rate
        values[Hyper.MOMENTUM] = self.momentum
        values[Hyper.NESTEROV] = self.nesterov
        return values


def get(optimizer: str | SGD) -> SGD:
    """Return an optimizer of that name with its default numbers, or the optimizer given."""
    return (
        optimizer if isinstance(optimizer, SGD) else by_name("optimizer", optimizer, {"sgd": SGD})()
    )
