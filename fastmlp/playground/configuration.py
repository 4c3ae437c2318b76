"""What a net of the page is: checked and bounded, as a link, as a net, and as Python code."""

import dataclasses
import math
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import Sequential, activations, initializers, layers, optimizers, regularizers, schedules
from . import data
from .data import Problem

ACTIVATIONS = tuple(name for name in activations.NAMES if name not in activations.OF_FEATURES)
SCHEDULES = ("constant", "cosine", "exponential", "one_cycle")
OPTIMIZERS: dict[str, type[optimizers.Optimizer]] = {
    cls.__name__.lower(): cls
    for cls in (
        optimizers.SGD, optimizers.RMSprop, optimizers.Adagrad, optimizers.Adadelta,
        optimizers.Adam, optimizers.AdamW, optimizers.Adamax, optimizers.Nadam, optimizers.Lion,
    )
}  # fmt: skip

MOST_LAYERS, MOST_UNITS, MOST_PARAMETERS = 32, 512, 2_000_000
_MOST_TEXT = 4_000
_HIDDEN = ",".join(["10:tanh"] * 2)


class ConfigurationError(ValueError):
    """A wish that cannot be met; the message names the field."""


@dataclass(frozen=True)
class Hidden:
    """A hidden layer."""

    units: int
    activation: str


def _choice(*names: str) -> Callable[[str, str], str]:
    def read(field: str, text: str) -> str:
        if text not in names:
            raise ConfigurationError(f"{field}: expected one of {', '.join(names)}, got {text!r}")
        return text

    return read


def _integer(low: int, high: int) -> Callable[[str, str], int]:
    def read(field: str, text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 12):
            raise ConfigurationError(f"{field}: expected a whole number, got {text!r}")
        if not low <= int(text) <= high:
            raise ConfigurationError(f"{field}: expected {low:,} to {high:,}, got {int(text):,}")
        return int(text)

    return read


def _number(low: float, high: float) -> Callable[[str, str], float]:
    def read(field: str, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ConfigurationError(
                f"{field}: expected a number from {low:g} to {high:g}, got {text!r}"
            )
        return value

    return read


def _truth(field: str, text: str) -> bool:
    return _choice("0", "1")(field, text) == "1"


def _hidden_layers(field: str, text: str) -> tuple[Hidden, ...]:
    """Read such as ``10:tanh,8:relu``."""
    if not text:
        return ()
    parts = text.split(",")
    if len(parts) > MOST_LAYERS:
        raise ConfigurationError(
            f"{field}: expected at most {MOST_LAYERS} hidden layers, got {len(parts)}"
        )
    found = []
    for number, part in enumerate(parts, 1):
        units, colon, activation = part.partition(":")
        if not colon:
            raise ConfigurationError(
                f"{field}: layer {number}: expected units and activation as in 10:tanh, "
                f"got {part!r}"
            )
        where = f"{field}: layer {number}"
        found.append(
            Hidden(_integer(1, MOST_UNITS)(where, units), _choice(*ACTIVATIONS)(where, activation))
        )
    return tuple(found)


@dataclass(frozen=True)
class Configuration:
    """A net, what it learns, and how.

    ``residual`` leads a connection around each hidden layer that has as many units as the one
    before it; ``normalized`` puts batch normalization before each activation.  ``noise`` is that
    of the data sets with two inputs.
    """

    data: str = "moons"
    noise: float = 0.1
    hidden: tuple[Hidden, ...] = _hidden_layers("hidden", _HIDDEN)
    init: str = "glorot_uniform"
    normalized: bool = False
    residual: bool = False
    optimizer: str = "sgd"
    rate: float = 0.1
    momentum: float = 0.0
    schedule: str = "constant"
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    batch: int = 32
    epochs: int = 100
    seed: int = 0

    @classmethod
    def parse(cls, query: str) -> "Configuration":
        """Read a link's part behind the question mark; what it does not say is as by default.

        Raises
        ------
        ConfigurationError
            If a name is unknown, or a value is not what it should be.
        """
        if len(query) > _MOST_TEXT:
            raise ConfigurationError(
                f"link: expected at most {_MOST_TEXT:,} letters, got {len(query):,}"
            )
        try:
            pairs = urllib.parse.parse_qsl(
                query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=40
            )
        except ValueError as reason:
            raise ConfigurationError(f"link: {reason}") from None
        found: dict[str, Any] = {}
        for name, text in pairs:
            if name not in _READERS:
                raise ConfigurationError(
                    f"{name[:40]!r}: there is no such setting; expected one of "
                    f"{', '.join(_READERS)}"
                )
            if name in found:
                raise ConfigurationError(f"{name}: expected once, got it twice")
            found[name] = _READERS[name](name, text)
        return cls(**found)

    def query(self) -> str:
        """Return the link's part behind the question mark, of all that is not as by default."""
        defaults = Configuration().values()
        own = {
            name: text
            for name, text in self.values().items()
            if name in ("data", "hidden") or text != defaults[name]
        }
        return urllib.parse.urlencode(own, safe=":,")

    def values(self) -> dict[str, str]:
        """Return all settings as a link has them."""
        return {f.name: _text(getattr(self, f.name)) for f in dataclasses.fields(self)}

    def build(self, problem: Problem) -> Sequential:
        """Return the net, compiled for a problem.

        Raises
        ------
        ConfigurationError
            If it has too many parameters.
        """
        stack: list[layers.Layer] = [layers.Input(problem.shape)]
        if len(problem.shape) > 1:
            stack.append(layers.Flatten())
        if problem.scale != 1:
            stack.append(layers.Rescaling(problem.scale))
        before = 0
        for one in self.hidden:
            made = self._made(one)
            around = self.residual and one.units == before
            stack += [layers.Residual(made)] if around else made
            before = one.units
        stack.append(
            layers.Dense(
                problem.outputs,
                activation="softmax" if problem.classes else None,
                kernel_initializer=self.init,
                kernel_regularizer=self._penalty(),
            )
        )
        self._check_size(problem)
        model = Sequential(stack, seed=self.seed)
        model.compile(self._optimizer(problem), loss=problem.loss, metrics=problem.metrics)
        return model

    def steps(self, problem: Problem) -> int:
        """Return how many steps a whole training has."""
        return self.epochs * -(-len(problem.train[0]) // self.batch)

    def _made(self, one: Hidden) -> list[layers.Layer]:
        """Return what a hidden layer is made of."""
        made: list[layers.Layer] = [
            layers.Dense(
                one.units,
                activation=None if self.normalized else one.activation,
                kernel_initializer=self.init,
                kernel_regularizer=self._penalty(),
            )
        ]
        if self.normalized:
            made += [layers.BatchNormalization(), layers.Activation(one.activation)]
        if self.dropout:
            made.append(layers.Dropout(self.dropout))
        return made

    def _penalty(self) -> regularizers.L1L2 | None:
        return regularizers.L1L2(self.l1, self.l2) if self.l1 or self.l2 else None

    def _optimizer(self, problem: Problem) -> optimizers.Optimizer:
        rate = self._rate(self.steps(problem))
        if self.optimizer == "sgd":
            return optimizers.SGD(rate, self.momentum)
        return OPTIMIZERS[self.optimizer](rate)

    def _rate(self, steps: int) -> float | schedules.LearningRateSchedule:
        if self.schedule == "cosine":
            return schedules.CosineDecay(self.rate, steps)
        if self.schedule == "exponential":
            return schedules.ExponentialDecay(self.rate, max(1, steps // 4), 0.5)
        if self.schedule == "one_cycle":
            return schedules.OneCycle(self.rate, max(2, steps))
        return self.rate

    def _check_size(self, problem: Problem) -> None:
        widths = [math.prod(problem.shape), *(one.units for one in self.hidden), problem.outputs]
        size = sum((a + 1) * b for a, b in zip(widths, widths[1:], strict=False))
        if size > MOST_PARAMETERS:
            raise ConfigurationError(
                f"hidden: expected a net of at most {MOST_PARAMETERS:,} parameters, got {size:,}"
            )

    def code(self, problem: Problem) -> str:
        """Return Python code that makes and trains the same net."""
        from .export import code

        return code(self, problem)


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "data": _choice(*data.NAMES),
    "noise": _number(0, 1),
    "hidden": _hidden_layers,
    "init": _choice(*initializers.NAMES),
    "normalized": _truth,
    "residual": _truth,
    "optimizer": _choice(*OPTIMIZERS),
    "rate": _number(1e-6, 100),
    "momentum": _number(0, 0.999),
    "schedule": _choice(*SCHEDULES),
    "l1": _number(0, 10),
    "l2": _number(0, 10),
    "dropout": _number(0, 0.95),
    "batch": _integer(1, 4096),
    "epochs": _integer(1, 10_000),
    "seed": _integer(0, 2**31 - 1),
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return ",".join(f"{one.units}:{one.activation}" for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
