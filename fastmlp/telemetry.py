"""Looking inside a net while it trains."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .arguments import positive_integer
from .kernels.table import Telemetry as Field
from .layers.base import Array


@dataclass
class Telemetry:
    """Pass one to ``fit`` to have every layer measured inside the compiled loop.

    Observing changes no result.  A recorded step costs about two; the others nothing.

    Parameters
    ----------
    every : int, positive
        Record each step whose index within its epoch is a multiple of this.

    Attributes
    ----------
    rows : list of str
        What is measured: ``"dense_1"`` for the layer, ``"dense_1/relu"`` for its activation.
    steps : list of int
        The recorded steps, counted over all epochs.
    records : float64 array (steps, rows, fields)
        NaN where a row has no such figure.

    Raises
    ------
    ValueError
        If ``every`` is not a positive integer.
    """

    every: int
    rows: list[str] = field(init=False, default_factory=list)
    steps: list[int] = field(init=False, default_factory=list)
    _parts: list[Array] = field(init=False, default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.every = positive_integer("every", self.every)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """Return one figure (steps, rows).

        ``"gradient_norm"``, ``"update_ratio"`` (|step| / |weights|), ``"mean"`` and ``"std"``
        of the outputs, ``"saturated"`` (share of outputs with a slope below 0.01) or ``"dead"``
        (share of units that are saturated on the whole batch).
        """
        names = [member.name.lower() for member in Field]
        if name not in names:
            raise KeyError(f"{name!r}: expected one of {', '.join(names)}")
        return self.records[:, :, names.index(name)]

    @property
    def records(self) -> NDArray[np.float64]:
        """All figures (steps, rows, fields)."""
        if not self._parts:
            return np.empty((0, len(self.rows), len(Field)))
        return np.concatenate(self._parts)

    def begin_epoch(self, batches: int, rows: int) -> Array:
        """Return the array that the engine fills in the epoch to come."""
        return np.full((-(-batches // self.every), rows, len(Field)), np.nan)

    def end_epoch(self, records: Array, first_step: int, batches: int, keep: list[int]) -> None:
        """Keep what was recorded, of the rows ``keep``, if ``batches`` batches were run."""
        count = -(-batches // self.every)
        self.steps.extend(range(first_step, first_step + batches, self.every))
        self._parts.append(records[:count, keep])
