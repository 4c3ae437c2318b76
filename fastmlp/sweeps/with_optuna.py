"""Configurations from Optuna, a packet at a time, by its ask-and-tell interface."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..runtime.arguments import positive_integer, seed_integer, shown
from .spaces import TAKEN, Config, Source, Space, Told


class Optuna(Space):
    """Configurations that one of Optuna's samplers suggests.

    A packet of configurations is asked for at once; their nets are trained, and the sampler is
    told the monitored figure of each, the mean over its seeds, before the next packet.  Each
    packet has a sampler of its own, whose seed follows from ``seed`` and the packet's number, and
    a study that knows all packets before: so a sweep that was killed asks for the same ones again.

    Parameters
    ----------
    distributions : dict
        Of names to ``optuna.distributions``.
    count : int, positive
        How many configurations.
    monitor : str
        The figure that is to be made small or large.
    direction : {"minimize", "maximize"}
    batch : int, positive
        How many configurations are asked for at once.
    sampler : callable, optional
        Called with a seed, returns a sampler; by default ``optuna.samplers.TPESampler``, which
        supposes the worst of those that are still being trained.
    seed : int

    Attributes
    ----------
    study : optuna.Study
        Of the last sweep, with all trials.

    Raises
    ------
    ImportError
        If Optuna is not installed.
    TypeError, ValueError
        If an argument is not what it should be.
    """

    def __init__(
        self,
        distributions: Mapping[str, Any],
        count: int,
        monitor: str = "val_loss",
        direction: str = "minimize",
        *,
        batch: int = 32,
        sampler: Callable[[int], Any] | None = None,
        seed: int = 0,
    ) -> None:
        optuna = _optuna()
        if not isinstance(distributions, Mapping) or not distributions:
            raise TypeError(
                f"distributions: expected a dict of optuna.distributions, got "
                f"{shown(distributions)}"
            )
        for name, distribution in distributions.items():
            is_one = isinstance(distribution, optuna.distributions.BaseDistribution)
            if not is_one or not isinstance(name, str) or not name.isidentifier() or name in TAKEN:
                raise TypeError(
                    f"distributions: expected the names of arguments of build, other than "
                    f"{', '.join(TAKEN)}, with optuna.distributions, got {shown(name)}: "
                    f"{shown(distribution)}"
                )
        if direction not in ("minimize", "maximize"):
            raise ValueError(
                f"direction: expected 'minimize' or 'maximize', got {shown(direction)}"
            )
        if sampler is not None and not callable(sampler):
            raise TypeError(f"sampler: expected a function of a seed, got {shown(sampler)}")
        self.distributions = dict(distributions)
        self._count, self.batch = positive_integer("count", count), positive_integer("batch", batch)
        self.monitor, self.direction = monitor, direction
        self.sampler, self.seed = sampler, seed_integer("seed", seed)
        self.study: Any = None

    @property
    def names(self) -> list[str]:
        """The names of the settings."""
        return list(self.distributions)

    @property
    def count(self) -> int:
        """How many configurations there are."""
        return self._count

    def open(self) -> Source:
        """Return the configurations from the first on."""
        self.study = _optuna().create_study(direction=self.direction)
        return _Asked(self)

    def describe(self) -> Any:
        """Return all that the configurations follow from, as plain data."""
        sampler = self.sampler
        return {
            "kind": "Optuna",
            "distributions": {name: repr(d) for name, d in self.distributions.items()},
            "count": self.count, "monitor": self.monitor, "direction": self.direction,
            "batch": self.batch, "seed": self.seed,
            "sampler": None if sampler is None else getattr(sampler, "__qualname__", repr(sampler)),
        }  # fmt: skip


class _Asked(Source):
    def __init__(self, space: Optuna) -> None:
        self._space = space
        self._asked = 0
        self._trials: list[Any] = []

    def ask(self) -> list[Config]:
        space = self._space
        count = min(space.batch, space.count - self._asked)
        if not count:
            return []
        number = self._asked // space.batch
        seed = int(np.random.SeedSequence([space.seed, number]).generate_state(1)[0])
        space.study.sampler = _tpe(seed) if space.sampler is None else space.sampler(seed)
        self._trials = [space.study.ask(space.distributions) for _ in range(count)]
        self._asked += count
        return [{name: trial.params[name] for name in space.names} for trial in self._trials]

    def tell(self, rows: Told) -> None:
        failed, monitor = _optuna().trial.TrialState.FAIL, self._space.monitor
        for trial, (_, of_seeds) in zip(self._trials, rows, strict=True):
            is_fine = all(row["status"] in ("done", "halved") for row in of_seeds)
            if is_fine and monitor not in of_seeds[0]["figures"]:
                names = ", ".join(of_seeds[0]["figures"])
                raise ValueError(f"space: expected to monitor one of {names}, got {shown(monitor)}")
            found = [row["figures"].get(monitor, math.nan) for row in of_seeds]
            mean = math.fsum(found) / len(found) if is_fine else math.nan
            if math.isfinite(mean):
                self._space.study.tell(trial, mean)
            else:
                self._space.study.tell(trial, state=failed)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as reason:
        raise ImportError(
            "Optuna: it is not installed; install it, or fastmlp with the extra 'sweeps'"
        ) from reason
    return optuna


def _tpe(seed: int) -> Any:
    return _optuna().samplers.TPESampler(seed=seed, constant_liar=True)
