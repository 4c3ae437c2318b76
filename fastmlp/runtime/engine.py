"""The engine: a plan with its memory and a backend, and the four things one can do with it."""

import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from operator import is_
from typing import Any, TypeVar
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from .. import backends
from ..kernels.contract import (
    Batches,
    Course,
    Factor,
    Memory,
    Mode,
    Net,
    Number,
    Rule,
    Team,
    Telemetry,
    Total,
)
from ..kernels.prepare import Call
from ..optimizers import Optimizer
from .data import Data
from .members import columns_of, mean_of_members
from .pace import SECONDS_PER_CALL, Pace
from .plan import Plan
from .shortcuts import Shortcuts
from .stand_in import StandIns, standing_in
from .state import State, aligned_zeros
from .team import run_together
from .tensors import Array
from .threads import get_num_threads
from .whole_epoch import WholeEpoch

PREDICT_BATCH = 128  # samples that go through a net at once when it does not learn
_KEPT_WORKSPACES = 2  # whatever their size: of the training and of the validation of a fit
_KEPT_BYTES = 32 << 20  # of all the workspaces that are kept beyond those

# A step with fewer multiplications is done sooner than threads have waited for each other.
_WORTH_SHARING = 2_000_000

# So many such steps a call must take, for threads to be started.  Measured on two cores of a Zen 3:
# a single step of 6 million multiplications (a gradient for L-BFGS) took 0.5 ms alone and 0.8 ms on
# two threads, and they were even at 20 million.  Alone, a net also trains several epochs in one
# call: those of 9 steps were even at 90 to 120 million.
_STEPS_WORTH_THREADS = 10
_STEPS_WORTH_THREADS_IN_EPOCHS = 50
_BARRIER_SIZE = 32

# Steps of a training are counted from 0, and so are batches that draw masks outside of one: these
# steps begin where no training comes.
_FIRST_DRAW = 2**48

_RUNS_ITSELF = "this net is running: a layer, or what else it calls, cannot call the same net"

T = TypeVar("T")

_engines: "WeakSet[Engine]" = WeakSet()


@dataclass
class Workspace:
    """Values and their gradients, for batches of up to a capacity, bound to the engine."""

    memory: Memory
    prepare: backends.Prepare
    epoch: WholeEpoch | None = None  # the last one that was trained in it by a single call

    @property
    def bytes(self) -> int:
        return int(self.memory.values.nbytes + self.memory.deltas.nbytes)


@dataclass(eq=False)
class Engine:
    """A net ready to run.

    Attributes
    ----------
    plan : Plan
    bind : callable
        Binds the plan and its memory to the backend.
    params : float array (plan.size,)
    running : float array (plan.running_size,)
        Running statistics.
    runs_python : bool
        Whether rows are walked in Python, hence on one thread.
    gradient : float array (plan.size,)
    moments : float array
        The optimizer's; see :meth:`use_optimizer`.
    rate : float
        The learning rate of the last step of a training that was tried.
    draws : int64 array (1,), changed
        How many batches were run forward as in training, but not in one.
    threads : int, optional
        How many may share a step; by default :func:`fastmlp.get_num_threads`.
    stand_ins : StandIns, optional
        Where whole epochs are trained, instead of in memory of its own.
    shortcuts : Shortcuts
        The same for batches of a few sizes, by a shorter way.
    """

    plan: Plan
    bind: backends.Bind
    params: Array
    running: Array
    runs_python: bool
    draws: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    gradient: Array = field(init=False)
    moments: Array = field(init=False)
    rate: float = field(init=False, default=math.nan)
    _before: Array = field(init=False)
    _numbers: NDArray[np.float64] = field(init=False)
    _rule: Rule = field(init=False, default=Rule.DESCENT)
    _optimizer: Optimizer | None = field(init=False, default=None)
    _settings: dict[str, Any] = field(init=False, default_factory=dict)
    _choices: tuple[object, ...] = field(init=False, default=())
    threads: int | None = field(init=False, default=None)
    stand_ins: StandIns | None = field(init=False, default=None)
    _stand_in: "Engine | None" = field(init=False, default=None)  # of the last call
    _connections: int = field(init=False)
    # Threads may use a net at the same time: its memory is for one after the other.  The lock lets
    # a thread in that is in already, such as when a layer calls its own net; `_is_running` tells.
    # Both are used line by line, not by a context manager of our own: Ctrl-C could come between
    # two lines of that.
    _lock: threading.RLock = field(init=False)
    _is_running: bool = field(init=False)
    _kind: tuple[object, ...] = field(init=False, default=())  # until a layer changes its reals
    shortcuts: Shortcuts = field(init=False)
    _workspaces: dict[int, Workspace] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.params.shape != (self.plan.size,):
            raise ValueError(
                f"params: expected shape ({self.plan.size},), as the layers declare it, "
                f"got {self.params.shape}"
            )
        if self.running.shape != (self.plan.running_size,):
            raise ValueError(
                f"running: expected shape ({self.plan.running_size},), got {self.running.shape}"
            )
        self.gradient = aligned_zeros(self.plan.size, self.params.dtype)
        self.moments = self._before = self.params[:0]
        self._numbers = np.zeros(len(Number))
        self._connections = self.plan.connections
        self.shortcuts = Shortcuts(self)
        self.let_all_in()
        _engines.add(self)

    def let_all_in(self) -> None:
        """Forget who is running this, as the child of a fork must: those threads are no more."""
        self._lock = threading.RLock()
        self._is_running = False

    def use_optimizer(self, optimizer: Optimizer, state: State) -> None:
        """Train by an optimizer's rule, with a state's moments in its memory, until told otherwise.

        What is changed about the optimizer later counts from the next call of this on, but for the
        learning rate, which is asked for before each call of the backend.
        """
        moments = state.moments
        with self._lock:
            if moments is not self.moments or self._rule != optimizer.rule:
                self.shortcuts.forget()  # bound to the other ones, as these are; if Ctrl-C comes in
                self._workspaces.clear()  # between, they are made anew, and this is done again
                self.moments, self._rule = moments, optimizer.rule
            for workspace in self._workspaces.values():
                workspace.epoch = None  # the numbers may ask for other kernels
            if not self.has_choices_of(optimizer):
                self._optimizer = None  # if Ctrl-C comes in between, this is done again
                for own, slot in zip(self.plan.factors, self.plan.param_slots, strict=True):
                    if not slot.frozen:
                        own[Factor.RATE], own[Factor.DECAY] = optimizer.factors(slot.name)
            self._numbers[:] = optimizer.numbers()
            self._numbers[Number.STEPS_BEFORE] = state.steps_before
            self._settings, self._choices, self._kind = dict(vars(optimizer)), optimizer.choices, ()
            self._optimizer = optimizer

    def follows(self, optimizer: Optimizer, moments: Array) -> bool:
        """Whether it trains by this optimizer, of which nothing has changed since."""
        if optimizer is not self._optimizer or moments is not self.moments:
            return False
        now, known = vars(optimizer), self._settings
        return len(now) == len(known) and all(map(is_, now.values(), known.values()))

    def has_choices_of(self, optimizer: Optimizer) -> bool:
        """Whether it knows which weights its optimizer treats apart."""
        return optimizer is self._optimizer and all(map(is_, optimizer.choices, self._choices))

    def has_numbers_of(self, optimizer: Optimizer) -> bool:
        """Whether nothing but the learning rate of its optimizer has changed since."""
        return optimizer is self._optimizer and all(
            name in self._settings and value is self._settings[name]
            for name, value in vars(optimizer).items()
            if name != "learning_rate"
        )

    def forward(
        self,
        data: Data,
        batch_size: int = PREDICT_BATCH,
        advance: Callable[[int], None] | None = None,
        *,
        training: bool = False,
    ) -> Array:
        """Return the outputs (n, outputs) for the samples (n, ...); of members, their mean.

        ``advance`` is told now and then how many batches are done.  With ``training``, all rows
        run as in training, with masks that no batch before has had.
        """
        plan = self.plan
        outputs = np.empty((data.count * plan.members, plan.outputs), self.params.dtype)
        mode = Mode.SAMPLE if training else Mode.PREDICT
        self._run_all(mode, data, batch_size, advance, outputs=outputs)
        return mean_of_members(outputs, min(batch_size, data.count), plan.members)

    def is_small(self, mode: Mode, count: int) -> bool:
        """Whether so many samples as one batch are soon done, on one thread, by a single net."""
        if self.plan.members > 1 or self.plan.python_layers:
            return False
        return _passes(mode) * count * self._connections < _WORTH_SHARING * _STEPS_WORTH_THREADS

    def loss_and_gradient(self, data: Data, step: int = 0) -> tuple[float, Array]:
        """Return the mean loss over all samples as one batch, and its flat gradient (a copy).

        Both include penalties; dropout draws the masks of ``step``.
        """
        totals = np.zeros(len(Total))
        self._run(Mode.GRADIENT, data, None, data.count, first_step=step, totals=totals)
        loss = (totals[Total.LOSS] + totals[Total.PENALTY]) / totals[Total.SAMPLES]
        return float(loss), self.gradient.copy()

    def activations(self, data: Data) -> dict[str, Array]:
        """Return the outputs (features, samples) of each activation, by its row's label.

        All samples are one batch, and dropout is off.  Of members, one's samples follow another's.
        """
        plan, count = self.plan, data.count * self.plan.members
        outputs = np.empty((count, plan.outputs), self.params.dtype)
        with self._lock:
            self._run(Mode.PREDICT, data, None, data.count, outputs=outputs)
            values = self.workspace(data.count).memory.values
            return {label: buffer.copy() for label, buffer in plan.activations(values, count)}

    def evaluate(
        self,
        data: Data,
        batch_size: int = PREDICT_BATCH,
        advance: Callable[[int, NDArray[np.float64]], None] | None = None,
        totals: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Return the totals over all samples; see :class:`fastmlp.kernels.contract.Total`.

        They are added to ``totals``, if there are some already.

        All samples count, whether their loss is finite or not.  ``advance`` is told now and then
        how many batches are done, with the totals so far.
        """
        totals = np.zeros(self.plan.totals) if totals is None else totals
        self._run_all(
            Mode.EVALUATE, data, batch_size,
            None if advance is None else lambda done: advance(done, totals), totals=totals,
        )  # fmt: skip
        return totals

    def train_epoch(
        self,
        data: Data,
        order: Array,
        batch_size: int,
        first: int,
        stop: int,
        *,
        first_step: int,
        totals: Array,
        telemetry: Array | None = None,
        telemetry_every: int = 0,
    ) -> int:
        """Train on the batches ``first`` to ``stop`` of an epoch, and add to ``totals``.

        Parameters
        ----------
        data : Data
        order : int64 array (samples per epoch,)
            Which sample comes when: batch ``b`` is ``order[b * batch_size :][:batch_size]``.
        batch_size, first, stop : int
        first_step : int
            The number of the epoch's first step, from which dropout draws its masks.
        totals : float64 array, changed
        telemetry : float64 array (records, rows of the plan, fields), changed
        telemetry_every : int
            Record each batch whose index is a multiple of this; 0 is never.

        Returns
        -------
        int
            ``stop``, or the index of the first batch whose loss was not finite: training
            stopped there, before that batch's step.
        """
        assert self._optimizer is not None
        rates = self._optimizer.rates(first_step + first, stop - first)
        is_whole = first == 0 and stop * batch_size >= order.size and telemetry is None
        if is_whole and self.takes_whole_epochs(batch_size, stop):
            one = order[None], rates[None], totals[None]
            reached = self.alone(self._run_epochs, data, batch_size, *one, first_step)
            self.rate = float(rates[min(reached, stop - 1)])
            return reached
        if telemetry is not None and self._before.size < self.params.size:
            self._before = np.zeros_like(self.params)
        reached = self._run(
            Mode.TRAIN, data, order, batch_size, first, stop, first_step, totals,
            rates, None, telemetry, telemetry_every,
        )  # fmt: skip
        self.rate = float(rates[min(reached, stop - 1) - first])
        return reached

    def takes_whole_epochs(self, batch_size: int, batches: int) -> bool:
        """Whether :meth:`train_epochs` has such epochs: of a net on one thread, not in Python."""
        if self.plan.members > 1 or self.runs_python:
            return False
        return self._threads_for(Mode.TRAIN, batch_size, batches) == 1

    def train_epochs(
        self,
        data: Data,
        orders: NDArray[np.int64],
        batch_size: int,
        *,
        first_step: int,
        totals: NDArray[np.float64],
    ) -> int:
        """Train for several whole epochs in one call, up to one that is the last for what it left.

        Parameters
        ----------
        data : Data
        orders : int64 array (epochs, samples per epoch)
        batch_size : int
        first_step : int
            The number of the first epoch's first step.
        totals : float64 array (epochs, totals), 0, changed
            Of an epoch that was not begun they stay 0.

        Returns
        -------
        int
            Of the last epoch that was begun, what :meth:`train_epoch` returns.  It is the last one
            also if a weight or a running statistic is not finite then.
        """
        assert self._optimizer is not None
        count, batches = len(orders), -(-orders.shape[1] // batch_size)
        rates = self._optimizer.rates(first_step, count * batches).reshape(count, batches)
        these = orders, rates, totals
        reached = self.alone(self._run_epochs, data, batch_size, *these, first_step)
        begun = np.count_nonzero(totals[:, Total.SAMPLES])
        self.rate = float(rates[begun - 1, min(reached, batches - 1)])
        return reached

    def _run_epochs(
        self,
        data: Data,
        batch_size: int,
        orders: NDArray[np.int64],
        rates: NDArray[np.float64],
        totals: NDArray[np.float64],
        first_step: int,
    ) -> int:
        """Train for whole epochs, in the memory of this or of its stand-in."""
        twin = self if self.stand_ins is None else self.stand_ins.of(self)
        epoch = twin._whole_epoch(data, orders.shape[1], batch_size)
        if twin is self:
            return epoch.run(orders, rates, totals, first_step)
        self._stand_in = twin
        with standing_in(twin, self):
            return epoch.run(orders, rates, totals, first_step)

    @property
    def kind(self) -> object:
        """All that its calls depend on, but for what training changes, and the data."""
        if not self._kind:
            net = self.net
            read = (net.table, net.tensors, net.factors, net.thresholds, net.numbers)
            sizes = (net.params.size, net.moments.size, net.running.size)
            self._kind = (self.bind, net.params.dtype, net.rule, sizes,
                          *(array.tobytes() for array in read))  # fmt: skip
        return self._kind, self.plan.reals.tobytes()

    def twin(self) -> "Engine":
        """Return an engine with equal tables and numbers, in memory of its own."""
        names = ("table", "reals", "tensors", "factors", "thresholds")
        plan = replace(self.plan, **{name: getattr(self.plan, name).copy() for name in names})
        params, running, moments = (
            aligned_zeros(array.size, array.dtype)
            for array in (self.params, self.running, self.moments)
        )
        twin = Engine(plan, self.bind, params, running, self.runs_python)
        twin.moments, twin._rule = moments, self._rule
        twin._numbers[:] = self._numbers
        return twin

    def values_of_last_step(self, batch_size: int) -> Array:
        """Return the workspace that holds what a training has left there."""
        workspace = (self._stand_in or self).workspace(batch_size)
        values: Array = workspace.memory.values
        return values

    def work_alone(self) -> None:
        """Have its own memory again, and as many threads as others."""
        self.threads = self.stand_ins = self._stand_in = None

    def _whole_epoch(self, data: Data, samples: int, batch_size: int) -> WholeEpoch:
        """Return the call for an epoch: the one that was used last, if it is the same again."""
        with self._lock:
            workspace = self.workspace(min(batch_size, samples))
            known = workspace.epoch
            if known is None or not known.is_for(data, samples, batch_size):
                order, rates = np.zeros(samples, np.int64), np.zeros(-(-samples // batch_size))
                totals = np.zeros(self.plan.totals)
                calls, _ = self._prepare(
                    Mode.TRAIN, data, order, batch_size, 0, rates.size, 0, totals, rates, threads=1
                )
                known = workspace.epoch = WholeEpoch(data, samples, batch_size, calls[0])
            return known

    def rate_of(self, step: int) -> float:
        """Return the learning rate of a step."""
        assert self._optimizer is not None
        rate = self._optimizer.learning_rate
        self.rate = float(self._optimizer.rates(step, 1)[0]) if callable(rate) else rate
        return self.rate

    def workspace(self, batch_size: int) -> Workspace:
        """Return the memory for batches of that size, for all members.

        It stays the same one while it is in use: the two that were used last are kept, and others
        while all are small.
        """
        columns = batch_size * self.plan.members
        capacity = -(-columns // 16) * 16  # so that every buffer begins at a cache line
        if capacity in self._workspaces:
            self._workspaces[capacity] = self._workspaces.pop(capacity)  # now the last one used
        else:
            self._forget_workspaces()
            size = self.plan.features * capacity
            memory = Memory(*(aligned_zeros(size, self.params.dtype) for _ in range(2)))
            prepare = self.bind(self.net, memory)
            self._workspaces[capacity] = Workspace(memory, prepare)
        return self._workspaces[capacity]

    @property
    def net(self) -> Net:
        """The plan, with what training changes."""
        plan = self.plan
        return Net(
            plan.table, plan.reals, plan.tensors, plan.factors, plan.thresholds, self.params,
            self.gradient, self.moments, self.running, int(self._rule), self._numbers,
        )  # fmt: skip

    def _forget_workspaces(self) -> None:
        """Make room for one more workspace: forget those used longest ago."""
        kept = list(self._workspaces.values())
        for capacity in list(self._workspaces)[: 1 - _KEPT_WORKSPACES]:
            if sum(workspace.bytes for workspace in kept) > _KEPT_BYTES:
                del kept[0], self._workspaces[capacity]

    def _run_all(
        self,
        mode: Mode,
        data: Data,
        batch_size: int,
        advance: Callable[[int], None] | None,
        **options: Any,
    ) -> None:
        """Run all batches in calls so short that Ctrl-C need not wait, as one for other threads."""
        order, batches = np.arange(data.count), -(-data.count // batch_size)
        with self._lock:
            if mode == Mode.SAMPLE or self.plan.always_learns:
                options["first_step"] = _FIRST_DRAW + int(self.draws[0])
                self.draws[0] += batches
            for first, stop in Pace(self.seconds_at_most(batch_size)).calls(batches):
                self._run(mode, data, order, batch_size, first, stop, **options)
                if advance is not None:
                    advance(stop)

    def _run(self, mode: Mode, data: Data, order: Array | None, *rest: Any, **options: Any) -> int:
        self._stand_in = None
        return self.alone(lambda: run_together(*self._prepare(mode, data, order, *rest, **options)))

    def alone(self, call: Callable[..., T], *arguments: Any) -> T:
        """Return what a call that uses the net's memory does, with no other thread in it."""
        with self._lock:
            if self._is_running:
                raise RuntimeError(_RUNS_ITSELF)
            try:
                self._is_running = True
                return call(*arguments)
            finally:
                self._is_running = False

    def prepare_alone(self, mode: Mode, data: Data, **options: Any) -> Call:
        """Return a call that runs all of some data as one batch, on one thread."""
        with self._lock:
            calls, _ = self._prepare(mode, data, None, data.count, threads=1, **options)
            return calls[0]

    def _prepare(
        self,
        mode: Mode,
        data: Data,
        order: Array | None,
        batch_size: int,
        first: int = 0,
        stop: int | None = None,
        first_step: int = 0,
        totals: Array | None = None,
        rates: Array | None = None,
        outputs: Array | None = None,
        telemetry: Array | None = None,
        telemetry_every: int = 0,
        threads: int | None = None,
    ) -> tuple[list[Call], Array]:
        """Return the calls of the engine, one for each thread that shares the steps.

        By default there are as many as the steps are worth.  With the calls comes the memory of the
        barrier where they meet.
        """
        dtype = self.params.dtype
        # C counts in 64 bits.  A batch larger than the data is all of them, and a step that is
        # never reached is not recorded.
        batch_size = min(batch_size, data.count if order is None else order.size)
        telemetry_every = min(telemetry_every, max(data.count, 1))
        workspace, members = self.workspace(batch_size), self.plan.members
        order = columns_of(np.arange(data.count) if order is None else order, batch_size, members)
        batch_size *= members
        stop = -(-order.size // batch_size) if stop is None else stop
        batches = Batches(
            data.samples,
            data.labels,
            data.targets,
            data.weights,
            order,
            batch_size,
            first,
            stop,
        )
        course = Course(
            int(mode),
            first_step,
            np.empty(0) if rates is None else rates,
            np.zeros(self.plan.totals) if totals is None else totals,
            np.empty((0, self.plan.outputs), dtype) if outputs is None else outputs,
            np.empty((0, 0, len(Telemetry))) if telemetry is None else telemetry,
            telemetry_every,
            self._before,
        )
        if threads is None:
            threads = self._threads_for(mode, batch_size, stop - first)
        barrier = aligned_zeros(_BARRIER_SIZE, np.dtype(np.int64))
        calls = [
            workspace.prepare(batches, course, Team(thread, threads, barrier))
            for thread in range(threads)
        ]
        return calls, barrier

    def seconds_at_most(self, batch_size: int) -> float:
        """Return a time in which any core in use does a training step; an epoch begins with it."""
        if self.runs_python:
            return SECONDS_PER_CALL  # a layer may do anything
        batch_size *= self.plan.members
        multiplications = 3 * batch_size * self._connections
        return 2e-6 + (multiplications + 10 * batch_size * self.plan.features) * 1e-9

    def _threads_for(self, mode: Mode, batch_size: int, steps: int) -> int:
        wanted = _STEPS_WORTH_THREADS_IN_EPOCHS if mode == Mode.TRAIN else _STEPS_WORTH_THREADS
        work = _passes(mode) * batch_size * self._connections * min(steps, wanted)
        if self.runs_python or work < _WORTH_SHARING * wanted:
            return 1
        return self.threads or get_num_threads()


def _passes(mode: Mode) -> int:
    """Return how many products of the size of each layer's a step computes."""
    return 3 if mode in (Mode.GRADIENT, Mode.TRAIN) else 1


def _let_all_in() -> None:
    for engine in _engines:
        engine.let_all_in()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_all_in)
