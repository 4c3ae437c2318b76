"""A fit under way, and the callbacks that are part of the library."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..callbacks import Callback
from ..history import History
from .engine import Engine
from .state import State

if TYPE_CHECKING:
    from ..model import Sequential
    from .job import Job
    from .shuffling import EpochOrders


class StopError(Exception):
    """A wish to stop was found, and ends what is being done."""


@dataclass
class Start:
    """Where a fit begins: at a batch of an epoch, with what the batches before it add up to."""

    epoch: int
    batch: int = 0
    totals: NDArray[np.float64] | None = None


@dataclass(eq=False)
class Run:
    """A fit under way.

    Attributes
    ----------
    model, engine, job, history, state
    totals : float64 array
        What the epoch's batches add up to, in the same memory for all epochs; see
        :class:`fastmlp.kernels.contract.Total`.
    reached : int
        The batch before which the epoch ended: all of them; or it is the one whose loss was not
        finite; or a callback stopped the fit there.
    is_cut_short : bool
        Whether the epoch ended at a batch whose loss was not finite.
    records : float64 array (records, rows of the plan, fields), or None
        Where the engine puts what it measures.
    epochs_before : int
        How many epochs the net had been trained for.
    start : Start
        A callback may change it before the first epoch.
    first_step : int
        The number of the first step of the epoch that is running.
    """

    model: "Sequential"
    engine: Engine
    job: "Job"
    history: History
    state: State
    totals: NDArray[np.float64] = field(init=False)
    reached: int = 0
    is_cut_short: bool = False
    records: NDArray[np.float64] | None = None
    start: Start = field(init=False)
    epochs_before: int = field(init=False)
    first_step: int = 0
    _orders: "EpochOrders | None" = field(init=False)

    def __post_init__(self) -> None:
        self.start = Start(self.job.course.initial_epoch)
        self.epochs_before = self.state.epochs
        self.totals = np.zeros(self.engine.plan.totals)
        from .shuffling import EpochOrders  # and numpy.random: when a net learns

        job, backend = self.job, self.model.backend
        self._orders = EpochOrders(job.seed, job.count, backend) if job.shuffle else None

    def orders_of(self, first: int, epochs: int = 1) -> NDArray[np.int64]:
        """Return the orders (epochs, samples) in which so many epochs visit their samples.

        ``first`` is the number of the first one, over all fits of the net.
        """
        job = self.job
        if self._orders is not None:
            orders = self._orders.of(first, epochs)
        else:
            orders = np.tile(np.arange(job.count), (epochs, 1))
        return orders if job.rows is None else job.rows[orders]

    @property
    def is_over(self) -> bool:
        """Whether the epoch that has just ended is the last, however many were wanted."""
        return self.history.divergence is not None or self.model.stop_training

    def check_stop(self) -> None:
        """Raise StopError if somebody wishes that the fit ends now."""
        if self.job.stop.is_wanted:
            raise StopError


class Part(Callback):
    """A callback that is part of the library: it knows the whole run, and has hooks of its own.

    Attributes
    ----------
    run : Run
        Set before the first hook is called.
    looks_into_memory : bool
        Whether it reads what an epoch has left in the engine, so that it is told only of the last
        of several that were taken in one call.
    """

    run: Run
    looks_into_memory = False

    def _join(self, run: Run) -> None:
        self.run = run

    def on_call_end(self) -> None:
        """After each call of the engine: a long epoch takes several."""

    def on_train_error(self) -> None:
        """Instead of :meth:`on_train_end`, if an error or Ctrl-C ends the fit."""
