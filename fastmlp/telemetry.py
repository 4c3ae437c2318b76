"""Looking inside a net while it trains."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .callbacks import Logs
from .kernels.contract import Telemetry as Field
from .layers.base import Layer
from .runtime.arguments import positive_integer
from .runtime.run import Part
from .runtime.tensors import Array


@dataclass(eq=False)
class Telemetry:
    """Pass one to ``fit`` to have every layer measured inside the compiled loop.

    Observing changes no result.  A recorded step costs about two; the others nothing.  Use one for
    each net; it goes on over several fits, of which there can be one at a time.

    Parameters
    ----------
    every : int, positive
        Record each step whose index within its epoch is a multiple of this.

    Attributes
    ----------
    rows : list of str
        What is measured: ``"dense_1"`` for the layer, ``"dense_1/relu"`` for its activation.
    steps : list of int
        The recorded steps, counted over all epochs.  Its length is that of ``records``.
    records : float64 array (steps, rows, fields)
        NaN where a row has no such figure.

    Raises
    ------
    ValueError
        If ``every`` is not a positive integer.
    """

    every: int
    rows: list[str] = field(init=False, default_factory=list)
    _layer: weakref.ref[Layer] | None = field(init=False, default=None, repr=False)
    # The steps and the records of each call, added together lest Ctrl-C come in between.
    _parts: list[tuple[range, Array]] = field(init=False, default_factory=list, repr=False)

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
    def steps(self) -> list[int]:
        """The recorded steps, counted over all epochs."""
        return [step for steps, _ in self._parts for step in steps]

    @property
    def records(self) -> NDArray[np.float64]:
        """All figures (steps, rows, fields)."""
        if not self._parts:
            return np.empty((0, len(self.rows), len(Field)))
        return np.concatenate([records for _, records in self._parts])

    def __getstate__(self) -> dict[str, Any]:
        """Return what is copied and pickled: all but whose records these are."""
        return {**vars(self), "_layer": None}

    def recorder(self, layer: Layer, rows: Sequence[str | None]) -> "Recorder":
        """Return what records a fit.

        Parameters
        ----------
        layer : Layer
            The net's first, by which it is known: a layer is part of one net alone.
        rows : sequence of str or None
            The names of the plan's rows, None for those that are not measured.

        Raises
        ------
        ValueError
            If this holds records of another net.
        """
        names = [name for name in rows if name is not None]
        same_net = self._layer is None or self._layer() is layer
        if self._parts and (names != self.rows or not same_net):
            raise ValueError(
                f"telemetry: expected the net whose records it holds, with the rows "
                f"{', '.join(self.rows)}, got another, with {', '.join(names)}; "
                "use a new Telemetry for each net"
            )
        return Recorder(self, layer, rows)

    def add(self, layer: Layer, rows: list[str], steps: range, records: Array) -> None:
        """Keep the ``records`` (steps, rows, fields) of a call of the engine."""
        self._layer, self.rows = weakref.ref(layer), rows
        self._parts.append((steps, records))


class Recorder(Part):
    """Records one fit: as ``telemetry.every`` is when it begins, whoever changes it meanwhile.

    Attributes
    ----------
    every : int
    """

    def __init__(self, telemetry: Telemetry, layer: Layer, rows: Sequence[str | None]) -> None:
        self.every = positive_integer("telemetry.every", telemetry.every)
        self._telemetry = telemetry
        self._layer = layer
        self._rows = rows
        self._first_step = 0
        self._kept = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Provide the array that the engine fills in the epoch to come."""
        self._first_step = self.run.state.steps
        self._kept = 0
        records = -(-self.run.job.batches // self.every)
        self.run.records = np.full((records, len(self._rows), len(Field)), np.nan)

    def on_call_end(self) -> None:
        """Keep what was recorded in the batches of a call."""
        assert self.run.records is not None
        keep = [r for r, name in enumerate(self._rows) if name is not None]
        steps = range(self._first_step, self._first_step + self.run.reached, self.every)
        if len(steps) > self._kept:
            names = [name for name in self._rows if name is not None]
            records = self.run.records[self._kept : len(steps), keep]
            self._telemetry.add(self._layer, names, steps[self._kept :], records)
            self._kept = len(steps)
