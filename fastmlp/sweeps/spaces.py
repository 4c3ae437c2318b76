"""Spaces: which configurations a sweep tries."""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from ..runtime.arguments import positive_integer, seed_integer, shown
from .dimensions import Choice, Dimension, choice

Config = dict[str, Any]
Told = list[tuple[Config, list[dict[str, Any]]]]

# Columns that every table has.
TAKEN = ("net", "seed", "status", "epochs", "message", "weights", "seconds")


class Source(ABC):
    """Gives configurations, some at a time, and is told what became of them."""

    @abstractmethod
    def ask(self) -> list[Config]:
        """Return the next configurations; none if there are no more."""

    @abstractmethod
    def tell(self, rows: Told) -> None:
        """Take the rows of each configuration that was asked for last, in their order."""


class Space(ABC):
    """A space of configurations."""

    @abstractmethod
    def open(self) -> Source:
        """Return the configurations from the first on."""

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """The names of the settings."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many configurations there are."""

    @abstractmethod
    def describe(self) -> Any:
        """Return all that the configurations follow from, as plain data."""


class _All(Source):
    """All configurations at once."""

    def __init__(self, configurations: list[Config]) -> None:
        self._left = configurations

    def ask(self) -> list[Config]:
        """Return all, and then none."""
        now, self._left = self._left, []
        return now

    def tell(self, rows: Told) -> None:
        """Nothing follows from it."""


class _Listed(Space):
    """A space whose configurations are known from the start."""

    _dimensions: dict[str, Dimension]

    @abstractmethod
    def configurations(self) -> list[Config]:
        """Return all configurations, in their order."""

    def open(self) -> Source:
        """Return the configurations from the first on."""
        return _All(self.configurations())

    @property
    def names(self) -> list[str]:
        """The names of the settings."""
        return list(self._dimensions)

    def describe(self) -> Any:
        """Return all that the configurations follow from, as plain data."""
        dimensions: dict[str, Any] = {}
        for name, dimension in self._dimensions.items():
            assert is_dataclass(dimension)
            assert not isinstance(dimension, type)
            dimensions[name] = {type(dimension).__name__: asdict(dimension)}
        return {"kind": type(self).__name__, "dimensions": dimensions}


class Grid(_Listed):
    """All combinations; the last setting changes fastest.

    Parameters
    ----------
    settings : dict of lists
        The values of each setting, by its name.

    Raises
    ------
    TypeError, ValueError
        If they are no such lists.
    """

    def __init__(self, settings: Mapping[str, Sequence[Any]]) -> None:
        self._dimensions = _checked(settings)
        for name, dimension in self._dimensions.items():
            if not isinstance(dimension, Choice):
                raise TypeError(
                    f"settings[{name!r}]: a Grid needs a list of values, got {shown(dimension)}; "
                    "Random and Sobol draw from it"
                )

    @property
    def count(self) -> int:
        """How many configurations there are."""
        return math.prod(len(values) for values in self._values)

    @property
    def _values(self) -> list[tuple[Any, ...]]:
        return [d.values for d in self._dimensions.values() if isinstance(d, Choice)]

    def configurations(self) -> list[Config]:
        """Return all combinations."""
        return [dict(zip(self.names, row, strict=True)) for row in itertools.product(*self._values)]


class Random(_Listed):
    """Configurations drawn at random.

    The k-th follows from the seed and k alone, so a larger ``count`` adds to the same ones.

    Parameters
    ----------
    settings : dict
        Lists of values, or dimensions such as :func:`log_uniform`.
    count : int, positive
        How many configurations.
    seed : int

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    def __init__(self, settings: Mapping[str, Any], count: int, seed: int = 0) -> None:
        self._dimensions = _checked(settings)
        self._count, self.seed = positive_integer("count", count), seed_integer("seed", seed)

    @property
    def count(self) -> int:
        """How many configurations there are."""
        return self._count

    def configurations(self) -> list[Config]:
        """Return the configurations that are drawn."""
        return [self._at(self._point(number)) for number in range(self.count)]

    def _point(self, number: int) -> Any:
        source = np.random.SeedSequence(self.seed, spawn_key=(number,))
        return np.random.default_rng(source).random(len(self._dimensions))

    def _at(self, point: Any) -> Config:
        places = zip(self._dimensions.items(), point, strict=True)
        return {name: dimension.at(float(share)) for (name, dimension), share in places}

    def describe(self) -> Any:
        """Return all that the configurations follow from, as plain data."""
        return {**super().describe(), "count": self.count, "seed": self.seed}


class Sobol(Random):
    """Configurations that fill the space evenly: a scrambled Sobol sequence.

    The first so many points of it, from ``scipy.stats.qmc``; their balance is best for a power
    of two.

    Parameters
    ----------
    settings, count, seed
        As of :class:`Random`.

    Raises
    ------
    ImportError
        If SciPy is not installed.
    """

    def configurations(self) -> list[Config]:
        """Return the configurations that are drawn."""
        try:
            from scipy.stats import qmc
        except ImportError as reason:
            raise ImportError(
                "Sobol needs SciPy; install it, or fastmlp with the extra 'sweeps'"
            ) from reason
        rng = np.random.default_rng(self.seed)
        points = qmc.Sobol(len(self._dimensions), scramble=True, rng=rng).random_base2(
            max(0, (self.count - 1).bit_length())
        )
        return [self._at(point) for point in points[: self.count]]


def _checked(settings: Any) -> dict[str, Dimension]:
    """Return the dimensions of settings.

    Raises
    ------
    TypeError, ValueError
        If they are none.
    """
    if not isinstance(settings, Mapping) or not settings:
        raise TypeError(f"settings: expected a dict with lists of values, got {shown(settings)}")
    found: dict[str, Dimension] = {}
    for name, given in settings.items():
        if not isinstance(name, str) or not name.isidentifier() or name in TAKEN:
            raise ValueError(
                f"settings: expected the names of arguments of build, other than "
                f"{', '.join(TAKEN)}, got {shown(name)}"
            )
        found[name] = given if hasattr(given, "at") else choice(f"settings[{name!r}]", given)
    return found


def space_of(space: Any) -> Space:
    """Return a space; a dict of lists is a Grid.

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    if isinstance(space, Space):
        return space
    if isinstance(space, Mapping):
        return Grid(space)
    raise TypeError(
        f"space: expected a dict of lists, or a Grid, Random, Sobol or Optuna of fastmlp.sweeps, "
        f"got {shown(space)}"
    )
