"""Optimizers: an update rule of the engine, its numbers with their bounds, and its learning rate.

An optimizer is a dataclass whose fields are its arguments.  It names its rule (``rule``, see
:class:`fastmlp.kernels.contract.Rule`), and hands the engine the rule's numbers and a learning
rate for each step.  The algebra of a step is in ``kernels/*/optimizers.*`` alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kernels.contract import Number, Rule
from .runtime.arguments import real_number, truth
from .runtime.attributes import unknown
from .runtime.configuration import Configurable
from .runtime.lookup import by_name
from .schedules import RATE, rates_of


@dataclass
class Optimizer(Configurable):
    """What all optimizers share; use one of the classes below.

    Attributes
    ----------
    learning_rate : float, not negative, or callable
        A callable, such as one of :mod:`fastmlp.schedules`, is given the number of a step, which
        counts from 0 over all fits of the net, and returns that step's rate.
    """

    learning_rate: float | Callable[[Any], Any] = 0.01

    def __post_init__(self) -> None:
        self.check()

    def __setattr__(self, name: str, value: object) -> None:
        own = type(self).__module__ == __name__
        if own and name not in self.__dataclass_fields__:
            raise unknown(self, name, self.__dataclass_fields__)
        object.__setattr__(self, name, value)

    @property
    def rule(self) -> Rule:
        """How the engine turns a gradient into a step."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        if not callable(self.learning_rate):
            self.learning_rate = real_number("learning_rate", self.learning_rate, RATE, low=0)

    def numbers(self) -> NDArray[np.float64]:
        """Return the numbers, which are checked, as the engine reads them."""
        values = np.zeros(len(Number))
        for number in Number:
            values[number] = getattr(self, number.name.lower(), 0)
        return values

    def rates(self, first: int, count: int) -> NDArray[np.float64]:
        """Return the learning rates of ``count`` steps, from the number ``first`` on.

        Raises
        ------
        TypeError, ValueError
            If the learning rate, or what a schedule returns, is no finite number of at least 0.
        """
        if callable(self.learning_rate):
            return rates_of(self.learning_rate, first, count)
        return np.full(count, real_number("learning_rate", self.learning_rate, RATE, low=0))

    def fraction(self, name: str) -> None:
        """Check that a number is in [0, 1)."""
        value = real_number(name, getattr(self, name), "a number in [0, 1)", low=0, below=1)
        setattr(self, name, value)


@dataclass
class SGD(Optimizer):
    """Gradient descent, with momentum if asked for.

    Per step, with gradient ``g`` of the batch's mean loss (Keras' form):
    ``v = momentum * v - learning_rate * g``, then ``w += v``; with ``nesterov``,
    ``w += momentum * v - learning_rate * g`` instead (Sutskever et al., 2013).

    Parameters
    ----------
    learning_rate : float, not negative, or callable
        A schedule (:mod:`fastmlp.schedules`), or any function of the step's number.  With 0 nothing
        is learned.
    momentum : float in [0, 1)
    nesterov : bool
        Needs a momentum above 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    momentum: float = 0.0
    nesterov: bool = False

    @property
    def rule(self) -> Rule:
        """Plain descent, whose step the layers take themselves, or momentum."""
        return Rule.MOMENTUM if self.momentum else Rule.DESCENT

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        super().check()
        self.fraction("momentum")
        self.nesterov = truth("nesterov", self.nesterov)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov: True needs a momentum above 0, got momentum=0")


@dataclass
class Adam(Optimizer):
    """Steps that are scaled by running means of the gradient and of its square.

    Algorithm 1 of Kingma & Ba (2015): per step t, with gradient ``g``,
    ``m += (1 - beta_1) * (g - m)``, ``v += (1 - beta_2) * (g**2 - v)``, and
    ``w -= learning_rate * (m / (1 - beta_1**t) / (sqrt(v / (1 - beta_2**t)) + epsilon))``.
    Keras adds its epsilon to ``sqrt(v)`` before the correction (the paper's epsilon hat), PyTorch
    does as here.

    Parameters
    ----------
    learning_rate : float, not negative, or callable
        A schedule (:mod:`fastmlp.schedules`), or any function of the step's number.
    beta_1, beta_2 : float in [0, 1)
    epsilon : float of at least 1e-30
    weight_decay : float, not negative
        Of all weights and biases, apart from the gradient (Loshchilov & Hutter, 2019):
        ``w -= learning_rate * weight_decay * w`` in the same step.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    learning_rate: float | Callable[[Any], Any] = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    weight_decay: float = 0.0

    @property
    def rule(self) -> Rule:
        """The engine's rule of this name."""
        return Rule.ADAM

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        super().check()
        self.fraction("beta_1")
        self.fraction("beta_2")
        self.weight_decay = real_number("weight_decay", self.weight_decay, RATE, low=0)
        self.epsilon = real_number("epsilon", self.epsilon, "a number of at least 1e-30", low=1e-30)


@dataclass(init=False)
class AdamW(Adam):
    """Adam with Keras' default decay of weights, its second argument; see :class:`Adam`."""

    def __init__(
        self,
        learning_rate: float | Callable[[Any], Any] = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, weight_decay)


_OPTIMIZERS = {"sgd": SGD, "adam": Adam, "adamw": AdamW}


def get(optimizer: str | Optimizer) -> Optimizer:
    """Return an optimizer of that name with its default numbers, or the optimizer given."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    chosen: type[Optimizer] = by_name("optimizer", optimizer, _OPTIMIZERS)
    return chosen()
