"""Optimizers: an update rule of the engine, its numbers with their bounds, and its learning rate.

An optimizer is a dataclass whose fields are its arguments.  It names its rule (``rule``, see
:class:`fastmlp.kernels.contract.Rule`), and hands the engine the rule's numbers and a learning
rate for each step.  The algebra of a step is in ``kernels/*/optimizers.*`` alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from . import schedules as schedules  # Keras has them in here
from .kernels.contract import MOMENTS, Number, Rule
from .runtime.arguments import positive_integer, real_number, truth
from .runtime.attributes import refuse_methods, unknown
from .runtime.choices import Choice
from .runtime.configuration import Configurable
from .runtime.elsewhere import refusal
from .runtime.lookup import by_name
from .schedules import RATE, rates_of

_NUMBERS = tuple(number.name.lower() for number in Number)
_METHODS_OF_KERAS = ("build", "update_step", "apply", "apply_gradients")  # of a rule of one's own
_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


@dataclass
class Optimizer(Configurable):
    """What all optimizers share; use one of the classes below.

    Parameters
    ----------
    learning_rate : float, not negative, or callable
        A callable, such as one of :mod:`fastmlp.schedules`, is given the number of a step, which
        counts from 0 over all fits of the net, and returns that step's rate.
    weight_decay : float, not negative, or None
        Of all weights and biases, apart from the gradient (Loshchilov & Hutter, 2019):
        ``w -= learning_rate * weight_decay * w`` in the same step.  None is 0.
    clipnorm, clipvalue, global_clipnorm : float of at least 1e-30, or None
        One of them at most.  What the gradient, with that of penalties, is brought to before a
        step: each number to ``[-clipvalue, clipvalue]``, or the norm of each tensor to at most
        ``clipnorm``, or that of all together to at most ``global_clipnorm``, by a factor.  If a
        norm is not finite, what it is the norm of becomes NaN, so that it shows.
    use_ema : bool
        Whether to keep a running mean of the weights, with which a fit replaces them when it ends.
        It begins with the weights after the first step; ``mean = ema_momentum * mean +
        (1 - ema_momentum) * w`` after the others.
    ema_momentum : float in [0, 1)
    ema_overwrite_frequency : int, positive, or None
        Let the weights become their mean after so many steps each, too.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    learning_rate: float | Callable[[Any], Any] = 0.01
    _: KW_ONLY
    weight_decay: float | None = None
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None
    use_ema: bool = False
    ema_momentum: float = 0.99
    ema_overwrite_frequency: int | None = None

    _undecayed: Choice | None = field(init=False, repr=False, default=None)
    _rate_factors: list[tuple[float, Choice]] = field(init=False, repr=False, default_factory=list)
    _decay_factors: list[tuple[float, Choice]] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        self.check()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        refuse_methods(cls, _METHODS_OF_KERAS, "the rules are those of kernels")

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
        if self.weight_decay is not None:
            self.weight_decay = real_number("weight_decay", self.weight_decay, RATE, low=0)
        limits = {name: getattr(self, name) for name in _CLIPS}
        given = [name for name, limit in limits.items() if limit is not None]
        for name in given:
            kind = "a number of at least 1e-30, or None"
            setattr(self, name, real_number(name, limits[name], kind, low=1e-30))
        if len(given) > 1:
            raise ValueError(f"{given[1]}: expected None beside {given[0]}, got {limits[given[1]]}")
        self.use_ema = truth("use_ema", self.use_ema)
        self.fraction("ema_momentum")
        if self.ema_overwrite_frequency is not None:
            every = positive_integer("ema_overwrite_frequency", self.ema_overwrite_frequency)
            self.ema_overwrite_frequency = every

    @property
    def needs_whole_gradient(self) -> bool:
        """Whether a step can only be taken once the gradient of all weights is known."""
        clips = any(getattr(self, name) for name in _CLIPS)
        return bool(self.weight_decay or clips or self._rate_factors)

    @property
    def moments(self) -> int:
        """How many vectors, as long as the parameters, it keeps between two steps."""
        return int(MOMENTS[self.rule]) + self.use_ema

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[NDArray[Any] | str] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Let these weights not decay; a second call replaces the first.

        Parameters
        ----------
        var_list : sequence of array or str, optional
            Weights of the net, such as ``layer.kernel``, or their names, ``"dense/kernel"``.
        var_names : sequence of str, optional
            Regular expressions: excluded is what one of them is found in the name of, with that of
            the layer, ``"dense/kernel"``. (Keras searches the weight's own name alone.)

        Raises
        ------
        TypeError, ValueError
            If one is no array, no name or no regular expression; in the next use of the net, if a
            weight is none of it.
        """
        self._undecayed = Choice(var_list, var_names)

    def scale_learning_rate(
        self,
        factor: float,
        var_list: Sequence[NDArray[Any] | str] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Multiply the learning rate of these weights; the last call that names a weight counts.

        Their decay, which is a share of the learning rate, is multiplied with it.  Keras has no
        such method.

        Parameters
        ----------
        factor : float, not negative
        var_list, var_names
            As of :meth:`exclude_from_weight_decay`.

        Raises
        ------
        TypeError, ValueError
            If the factor is out of its range, or as :meth:`exclude_from_weight_decay`.
        """
        number = real_number("factor", factor, RATE, low=0)
        self._rate_factors = [*self._rate_factors, (number, Choice(var_list, var_names))]

    def scale_weight_decay(
        self,
        factor: float,
        var_list: Sequence[NDArray[Any] | str] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Multiply the decay of these weights; the last call that names a weight counts.

        What is excluded from decay stays so. Keras has no such method.

        Parameters
        ----------
        factor : float, not negative
        var_list, var_names
            As of :meth:`exclude_from_weight_decay`.

        Raises
        ------
        TypeError, ValueError
            If the factor is out of its range, or as :meth:`exclude_from_weight_decay`.
        """
        number = real_number("factor", factor, RATE, low=0)
        self._decay_factors = [*self._decay_factors, (number, Choice(var_list, var_names))]

    @property
    def choices(self) -> tuple[object, ...]:
        """Which weights it treats apart, and how: other objects when that has changed."""
        return self._undecayed, self._rate_factors, self._decay_factors

    @property
    def has_choices(self) -> bool:
        """Whether it treats some weights apart, which it must recognize first."""
        return bool(self._choices())

    def recognize(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Know the arrays that were named as the tensors of a net; ValueError if they are not."""
        for choice in self._choices():
            choice.recognize(tensors)

    def factors(self, name: str) -> tuple[float, float]:
        """Return what the learning rate and the decay of a weight are multiplied with."""
        rate = _factor_of(name, self._rate_factors)
        if self._undecayed is not None and name in self._undecayed:
            return rate, 0.0
        return rate, _factor_of(name, self._decay_factors)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer, and which weights it treats apart."""
        config = super().get_config()
        if self._undecayed is not None:
            config["excluded_from_weight_decay"] = self._undecayed.get_config()
        for key, factors in (
            ("learning_rate_factors", self._rate_factors),
            ("weight_decay_factors", self._decay_factors),
        ):
            if factors:
                config[key] = [{"factor": f, **choice.get_config()} for f, choice in factors]
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the optimizer of a configuration."""
        arguments = dict(config)
        excluded = arguments.pop("excluded_from_weight_decay", None)
        rates = arguments.pop("learning_rate_factors", [])
        decays = arguments.pop("weight_decay_factors", [])
        optimizer = super().from_config(arguments)
        if excluded is not None:
            optimizer.exclude_from_weight_decay(**excluded)
        for one in rates:
            optimizer.scale_learning_rate(**one)
        for one in decays:
            optimizer.scale_weight_decay(**one)
        return optimizer

    def _choices(self) -> list[Choice]:
        excluded = [] if self._undecayed is None else [self._undecayed]
        return excluded + [choice for _, choice in [*self._rate_factors, *self._decay_factors]]

    def numbers(self) -> NDArray[np.float64]:
        """Return the numbers, which are checked, as the engine reads them."""
        return np.array([getattr(self, name, 0) or 0 for name in _NUMBERS], np.float64)

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


def _factor_of(name: str, factors: Sequence[tuple[float, Choice]]) -> float:
    """Return the last of the factors that a weight is named with, or 1."""
    return next((factor for factor, choice in reversed(factors) if name in choice), 1.0)


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
    weight_decay, clipnorm, clipvalue, global_clipnorm
        As all optimizers have them: see :class:`Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    momentum: float = 0.0
    nesterov: bool = False

    @property
    def rule(self) -> Rule:
        """Momentum, or plain descent, whose step the layers take themselves if that is all."""
        if self.momentum:
            return Rule.MOMENTUM
        return Rule.WHOLE_DESCENT if self.needs_whole_gradient else Rule.DESCENT

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        super().check()
        self.fraction("momentum")
        self.nesterov = truth("nesterov", self.nesterov)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov: True needs a momentum above 0, got momentum=0")


@dataclass
class RMSprop(Optimizer):
    """Gradient descent, scaled by the root of a running mean of the gradient's square.

    Hinton (2012), in Keras' form: per step, with gradient ``g``,
    ``s = rho * s + (1 - rho) * g**2`` and ``v = momentum * v - learning_rate * g / sqrt(s +
    epsilon)``, then ``w += v``.  Centered (Graves, 2013), the square of the gradient's mean
    ``a = rho * a + (1 - rho) * g`` is subtracted from ``s`` in the root; not below 0, where
    rounding in Keras may give NaN.

    PyTorch adds its epsilon, 1e-8, to the root instead of what it is taken of, calls ``rho`` alpha,
    with 0.99 as the default, and keeps the learning rate out of ``v``.

    Parameters
    ----------
    learning_rate : float, not negative, or callable
        A schedule (:mod:`fastmlp.schedules`), or any function of the step's number.
    rho, momentum : float in [0, 1)
    epsilon : float of at least 1e-30
    centered : bool
    weight_decay, clipnorm, clipvalue, global_clipnorm
        As all optimizers have them: see :class:`Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    learning_rate: float | Callable[[Any], Any] = 0.001
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7
    centered: bool = False

    @property
    def rule(self) -> Rule:
        """A rule with no more moments than are needed."""
        if self.centered:
            return Rule.RMSPROP_CENTERED
        return Rule.RMSPROP_MOMENTUM if self.momentum else Rule.RMSPROP

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        super().check()
        self.fraction("rho")
        self.fraction("momentum")
        self.epsilon = denominator("epsilon", self.epsilon)
        self.centered = truth("centered", self.centered)


@dataclass
class Adagrad(Optimizer):
    """Gradient descent, scaled by the root of the sum of all squares of the gradient.

    Duchi, Hazan & Singer (2011), in Keras' form: ``s`` is ``initial_accumulator_value`` at first;
    per step, with gradient ``g``, ``s += g**2`` and
    ``w -= learning_rate * g / sqrt(s + epsilon)``.

    PyTorch adds its epsilon, 1e-10, to the root, and begins with 0.

    Parameters
    ----------
    learning_rate : float, not negative, or callable
        A schedule (:mod:`fastmlp.schedules`), or any function of the step's number.
    initial_accumulator_value : float, not negative
    epsilon : float of at least 1e-30
    weight_decay, clipnorm, clipvalue, global_clipnorm
        As all optimizers have them: see :class:`Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    learning_rate: float | Callable[[Any], Any] = 0.001
    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-7

    @property
    def rule(self) -> Rule:
        """The engine's rule of this name."""
        return Rule.ADAGRAD

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        super().check()
        self.initial_accumulator_value = real_number(
            "initial_accumulator_value", self.initial_accumulator_value, RATE, low=0
        )
        self.epsilon = denominator("epsilon", self.epsilon)


@dataclass
class Adadelta(Optimizer):
    """Steps as long as the mean of those before, along the scaled gradient.

    Algorithm 1 of Zeiler (2012): per step, with gradient ``g``,
    ``s = rho * s + (1 - rho) * g**2``, ``d = g * sqrt(c + epsilon) / sqrt(s + epsilon)``,
    ``c = rho * c + (1 - rho) * d**2`` and ``w -= learning_rate * d``.

    PyTorch has the same formula, with the paper's learning rate, 1, and another epsilon, 1e-6,
    and another rho, 0.9, as defaults; Keras' are these.

    Parameters
    ----------
    learning_rate : float, not negative, or callable
        A schedule (:mod:`fastmlp.schedules`), or any function of the step's number.
    rho : float in [0, 1)
    epsilon : float of at least 1e-30
    weight_decay, clipnorm, clipvalue, global_clipnorm
        As all optimizers have them: see :class:`Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    learning_rate: float | Callable[[Any], Any] = 0.001
    rho: float = 0.95
    epsilon: float = 1e-7

    @property
    def rule(self) -> Rule:
        """The engine's rule of this name."""
        return Rule.ADADELTA

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        super().check()
        self.fraction("rho")
        self.epsilon = denominator("epsilon", self.epsilon)


@dataclass
class _Adaptive(Optimizer):
    """What Adam and its relatives share: two decay rates and an epsilon."""

    learning_rate: float | Callable[[Any], Any] = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        super().check()
        self.fraction("beta_1")
        self.fraction("beta_2")
        self.epsilon = denominator("epsilon", self.epsilon)


@dataclass
class Adam(_Adaptive):
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
    amsgrad : bool
        Divide by the largest ``v`` so far (Reddi, Kale & Kumar, 2018), before its correction.
    weight_decay, clipnorm, clipvalue, global_clipnorm
        As all optimizers have them: see :class:`Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    amsgrad: bool = False

    @property
    def rule(self) -> Rule:
        """The engine's rule of this name."""
        return Rule.AMSGRAD if self.amsgrad else Rule.ADAM

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        super().check()
        self.amsgrad = truth("amsgrad", self.amsgrad)


@dataclass(init=False)
class AdamW(Adam):
    """Adam with Keras' default decay of weights, its second argument; see :class:`Adam`."""

    def __init__(
        self,
        learning_rate: float | Callable[[Any], Any] = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options
        )


@dataclass
class Adamax(_Adaptive):
    """Adam with a decaying maximum in place of the root of the mean square.

    Section 7.1 of Kingma & Ba (2015): per step t, with gradient ``g``,
    ``m += (1 - beta_1) * (g - m)``, ``u = max(beta_2 * u, abs(g))``, and
    ``w -= learning_rate / (1 - beta_1**t) * m / (u + epsilon)``.

    PyTorch adds its epsilon to ``abs(g)`` instead, so that it decays with ``u``.

    Parameters
    ----------
    learning_rate : float, not negative, or callable
        A schedule (:mod:`fastmlp.schedules`), or any function of the step's number.
    beta_1, beta_2 : float in [0, 1)
    epsilon : float of at least 1e-30
    weight_decay, clipnorm, clipvalue, global_clipnorm
        As all optimizers have them: see :class:`Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    @property
    def rule(self) -> Rule:
        """The engine's rule of this name."""
        return Rule.ADAMAX


@dataclass
class Nadam(_Adaptive):
    """Adam with Nesterov's momentum.

    Dozat (2016): ``m`` and ``v`` as in :class:`Adam`; with ``u_t = beta_1 * (1 - 0.96**t / 2)``
    and ``p_t``, the product of ``u_1`` to ``u_t``, step t is
    ``w -= learning_rate * (u_(t+1) * m / (1 - p_(t+1)) + (1 - u_t) * g / (1 - p_t)) /
    (sqrt(v / (1 - beta_2**t)) + epsilon)``.  If beta_1 is changed between two steps, the product is
    that of the new one for all steps.

    PyTorch's NAdam is the same with its ``momentum_decay`` at 1, which is 0.004 by default:
    0.96 to the power of t times that.

    Parameters
    ----------
    learning_rate : float, not negative, or callable
        A schedule (:mod:`fastmlp.schedules`), or any function of the step's number.
    beta_1, beta_2 : float in [0, 1)
    epsilon : float of at least 1e-30
    weight_decay, clipnorm, clipvalue, global_clipnorm
        As all optimizers have them: see :class:`Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    @property
    def rule(self) -> Rule:
        """The engine's rule of this name."""
        return Rule.NADAM


@dataclass
class Lion(Optimizer):
    """Steps of one length, along the sign of a running mean of the gradient.

    Chen et al. (2023): per step, with gradient ``g``,
    ``w -= learning_rate * sign(beta_1 * m + (1 - beta_1) * g)``, then
    ``m = beta_2 * m + (1 - beta_2) * g``.  PyTorch has none.

    Parameters
    ----------
    learning_rate : float, not negative, or callable
        A schedule (:mod:`fastmlp.schedules`), or any function of the step's number.
    beta_1, beta_2 : float in [0, 1)
    weight_decay, clipnorm, clipvalue, global_clipnorm
        As all optimizers have them: see :class:`Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another type, or out of its range.
    """

    learning_rate: float | Callable[[Any], Any] = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.99

    @property
    def rule(self) -> Rule:
        """The engine's rule of this name."""
        return Rule.LION

    def check(self) -> None:
        """Raise an error if a number is out of its range: they may be changed at any time."""
        super().check()
        self.fraction("beta_1")
        self.fraction("beta_2")


_OPTIMIZERS = {
    "sgd": SGD, "rmsprop": RMSprop, "adagrad": Adagrad, "adadelta": Adadelta, "adam": Adam,
    "adamw": AdamW, "adamax": Adamax, "nadam": Nadam, "lion": Lion,
}  # fmt: skip


def denominator(argument: str, value: object) -> float:
    """Return what is added to a number before a division by it: large enough for a float32."""
    return real_number(argument, value, "a number of at least 1e-30", low=1e-30)


def get(optimizer: str | Optimizer) -> Optimizer:
    """Return an optimizer of that name with its default numbers, or the optimizer given."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    chosen: type[Optimizer] = by_name("optimizer", optimizer, _OPTIMIZERS)
    return chosen()


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("optimizers", name)
