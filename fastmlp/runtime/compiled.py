"""A net that can run: a stack of layers, what it is compiled with, and its engine."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from numpy.typing import ArrayLike

from .. import backends, optimizers
from ..callbacks import Callback, check_callbacks
from ..history import History
from ..layers.stack import learning
from . import lowering
from .arguments import check_memory
from .attributes import assign
from .data import Data, check_data
from .engine import Engine
from .job import Job
from .plan import Plan
from .run import Run
from .shown import Shown, as_shown
from .stack import Stack
from .stand_in import StandIns
from .training import train
from .weights import Weights

if TYPE_CHECKING:
    from ..losses import Loss
    from ..metrics import Metric
    from ..model import Sequential


class Compiled(Stack):
    """What :class:`~fastmlp.Sequential` is beneath its face: checks, and the way to the engine.

    Attributes
    ----------
    optimizer, loss, metrics
        Set by the methods alone, as ``compile`` says.
    """

    optimizer: optimizers.Optimizer | None
    loss: "Loss | None"
    metrics: "list[Metric]"
    weighted_metrics: "list[Metric]"
    history: History | None
    _is_training = False

    @property
    def built(self) -> bool:
        """Whether the weights exist."""
        return self._input_shape is not None

    @property
    def shown_metrics(self) -> tuple[Shown, ...]:
        """All metrics, in the order in which they are shown."""
        return as_shown(self.metrics, self.weighted_metrics)

    def checked_plan(self, x: ArrayLike) -> "tuple[Plan, Loss]":
        """Return the plan of the compiled net, built for samples like ``x`` if need be."""
        loss = self._compiled_loss()
        with self._built_for(x):
            return self._ready_engine().plan, loss

    def run_job(
        self, job: Job, threads: int | None = None, stand_ins: StandIns | None = None
    ) -> History:
        """Train as a checked job says; whoever calls this has a claim.

        Parameters
        ----------
        job : Job
        threads : int, optional
            How many may share a step.
        stand_ins : StandIns, optional
            Of the calling thread, which trains one net after the other.
        """
        engine = self._ready_engine()
        self._warn_of_changes()
        if self._state.is_shared:
            self._become_home()
        engine.threads, engine.stand_ins = threads, stand_ins
        self._follow_optimizer(engine)
        state = self._state
        previous, steps = self.history, state.steps
        self.history = history = History(
            {"batch_size": job.batch_size, "epochs": job.epochs, "samples": job.count}
        )
        run = Run(cast("Sequential", self), engine, job, history, state)
        assign(self, stop_training=False, _is_training=True)
        try:
            train(run)
        except Exception:
            if state.steps == steps and not history.epoch:
                self.history = previous  # nothing has happened
            raise
        finally:
            engine.work_alone()
            state.epochs = run.epochs_before + len(history.epoch)
            assign(self, _is_training=False)
        return history

    def _follow_optimizer(self, engine: Engine) -> None:
        """Have the engine train by the optimizer's numbers as they are now."""
        assert self.optimizer is not None
        if engine.follows(self.optimizer, self._state.moments):
            return
        self.optimizer.check()  # before the state changes
        if not engine.has_choices_of(self.optimizer):
            self._recognize_tensors(self.optimizer)
        self._state.provide_moments(self.optimizer.moments, self.optimizer.use_ema)
        engine.use_optimizer(self.optimizer, self._state)

    def follow_changes(self) -> None:
        """Take over what callbacks have changed: the optimizer's numbers, and those of layers.

        The learning rate is asked for in any case.
        """
        assert self.optimizer is not None
        engine = self._ready_engine()
        if not engine.has_numbers_of(self.optimizer):
            self._follow_optimizer(engine)

    def _become_average(self) -> None:
        """Let the weights become their running mean, if there is one: their training has ended."""
        if self.optimizer is not None and self.optimizer.use_ema:
            self._state.become_average()

    def _compile(
        self,
        optimizer: optimizers.Optimizer,
        loss: "Loss",
        metrics: "list[Metric]",
        weighted: "list[Metric]",
    ) -> None:
        if self.built:
            shown = as_shown(metrics, weighted)
            lowering.finish(self._written_rows(), loss, shown)
            self._recognize_tensors(optimizer)
        self._take_trainable(self._layers)
        assign(self, optimizer=optimizer, loss=loss, metrics=metrics, weighted_metrics=weighted)
        self._state.forget_moments()
        self._engine = None

    def _recognize_tensors(self, optimizer: optimizers.Optimizer) -> None:
        """Let an optimizer know which of the weights it was told to treat apart."""
        if not optimizer.has_choices:
            return
        slots = [slot for slot in self._slots if slot.weight.trainable]
        optimizer.recognize({slot.name: slot.of(self._state) for slot in slots})

    def _warn_of_changes(self) -> None:
        """Warn if ``trainable`` is not what it was when the net was compiled."""
        now, known = learning(self._layers, self.trainable), self._learning
        changed = [layer for layer, learns in now if known[id(layer)] != learns]
        if changed:
            message = f"trainable: {changed[0]!r} has changed since compile(), which takes it over"
            warnings.warn(message, UserWarning, stacklevel=3)

    def _check_data(
        self,
        argument: str,
        x: ArrayLike,
        y: ArrayLike,
        checked: dict[object, Data] | None = None,
    ) -> Data:
        """Return the data, if they fit the net; or those that ``checked`` has already."""
        lowered = self._ready_engine().plan
        loss = self._compiled_loss()
        expected = lowered.input_shape, lowered.outputs, loss, self.dtype, lowered.codes
        if checked is not None and (argument, expected) in checked:
            return checked[argument, expected]
        data = check_data(argument, x, y, *expected)
        if checked is not None:
            checked[argument, expected] = data
        return data

    def _weighed_data(self, x: ArrayLike, y: ArrayLike, weights: Weights) -> Data:
        """Return the data with the samples' weights, if they fit the net."""
        return weights.of(self._check_data("{}", x, y), self._ready_engine().plan.outputs)

    def _introduced(self, callbacks: Sequence[Callback] | None) -> tuple[Callback, ...]:
        """Return the callbacks of an evaluation or a prediction, which now know the net."""
        called = check_callbacks(callbacks)
        for callback in called:
            callback.set_model(cast("Sequential", self))
        return called

    def _check_workspace(self, argument: str, batch_size: int) -> None:
        """Raise ValueError if the values and gradients of a batch do not fit into memory."""
        plan = self._ready_engine().plan
        what = f"the values of a batch of {batch_size:,} samples and their gradients"
        numbers = 2 * plan.features * plan.members * batch_size
        check_memory(argument, what, numbers * self.dtype.itemsize)

    def _compiled_loss(self) -> "Loss":
        if self.loss is None:
            raise RuntimeError("call compile(optimizer, loss) before this")
        return self.loss

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs; one that is made in a fit is not in that fit."""
        return super().__getstate__() | {"_is_training": False}

    def _ready_engine(self) -> Engine:
        """Return the engine, in whose memory the weights are as they are now."""
        if self._state.is_shared:
            self._check_parts()
            self._fetch()
        if self._engine is None:
            if self._input_shape is None:
                raise RuntimeError("the net does not know its input shape yet; add an Input layer")
            lowered = lowering.finish(self._written_rows(), self.loss, self.shown_metrics)
            how = self.backend, lowered.python_layers
            self._engine = Engine(
                lowered, backends.bind_of(*how), self._state.params, self._state.running,
                backends.runs_python(*how), self._state.draws,
            )  # fmt: skip
            self._rows = None  # a matter of memory: it is seldom that there is another one
        self._engine.plan.refresh()
        return self._engine
