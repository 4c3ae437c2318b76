"""A net of the page in training: in a thread of its own, by the ordinary ``fit``."""

import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from .. import DivergenceWarning, Sequential
from ..callbacks import Callback, Logs
from .configuration import Configuration
from .data import Problem
from .diagnosis import Course, diagnose
from .measure import Measure, short

FRAMES = 40  # a second, at most
LOOKS = 6  # of what takes longer to look at, a second
# Seconds that the engine runs before it is asked for a frame.  With calls of 1/90 s it loses 13 %
# of its speed to them.
_CALL = 1 / 40
SLOW = 20  # steps a second, if that is wanted

Send = Callable[[dict[str, Any]], None]


class Trainer:
    """Trains a net; all its methods return at once, and may be called from another thread.

    Parameters
    ----------
    configuration : Configuration
    problem : Problem
    send : callable
        Gets frames, in the training thread: what is new, as JSON takes it.
    slow : bool
        Whether to take so few steps a second that one can follow.

    Raises
    ------
    ConfigurationError
        If there is no such net.
    """

    def __init__(
        self, configuration: Configuration, problem: Problem, send: Send, *, slow: bool = False
    ) -> None:
        self.model = configuration.build(problem)
        self._configuration, self._problem, self._send = configuration, problem, send
        batches = -(-len(problem.train[0]) // configuration.batch)
        self.measure = Measure(self.model, problem, len(configuration.hidden), batches)
        self.wish = Wish(slow)
        self._thread = threading.Thread(target=self._run, name="playground", daemon=True)

    def start(self, *, paused: bool = False) -> None:
        """Begin, or wait for the first step."""
        self.wish.change(paused=paused)
        self._thread.start()

    def stop(self) -> None:
        """Have it end at its next call."""
        self.wish.change(stopped=True)

    def join(self, seconds: float) -> bool:
        """Wait until it has ended; return whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        watcher = Watcher(self._problem, self.measure, self.wish, self._send)
        try:
            watcher.look(self.model, "running")
            if self.wish.wait(lambda: None):
                self._fit(watcher)
        except Exception as error:  # the page must know, whatever it was
            self._send({"type": "failed", "message": f"{type(error).__name__}: {error}"})

    def _fit(self, watcher: "Watcher") -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DivergenceWarning)
            history = self.model.fit(
                *self._problem.train,
                batch_size=self._configuration.batch,
                epochs=self._configuration.epochs,
                verbose=0,
                callbacks=[watcher],
                validation_data=self._problem.test,
                telemetry=self.measure.telemetry,
            )
        if history.divergence is not None:
            watcher.course.divergence = history.divergence.message
        if not self.wish.stopped:
            watcher.look(self.model, "diverged" if history.divergence else "done")


class Wish:
    """What the user wants of a training, for the thread that trains."""

    def __init__(self, slow: bool) -> None:
        self._condition = threading.Condition()
        self.paused = self.stopped = False
        self.slow = slow
        self._steps = 0

    def change(
        self, *, paused: bool | None = None, stopped: bool = False, slow: bool | None = None,
        steps: int = 0,
    ) -> None:  # fmt: skip
        """Want something else."""
        with self._condition:
            self.paused = self.paused if paused is None else paused
            self.slow = self.slow if slow is None else slow
            self.stopped = self.stopped or stopped
            self._steps += steps
            self._condition.notify_all()

    @property
    def one_by_one(self) -> bool:
        """Whether each batch is to be a call of its own."""
        return self.paused or self.slow

    def wait(self, tell: Callable[[], None]) -> bool:
        """Return when the next call is wanted: False if none is any more.

        If it is paused, ``tell`` is called once before it waits.
        """
        with self._condition:
            if self.slow and not self.paused:
                self._condition.wait_for(lambda: self.stopped or self.paused, 1 / SLOW)
            waits = self.paused and not self._steps and not self.stopped
        if waits:
            tell()
        with self._condition:
            self._condition.wait_for(lambda: self.stopped or not self.paused or self._steps > 0)
            if self.paused and self._steps:
                self._steps -= 1
            return not self.stopped


class Watcher(Callback):
    """Sends frames while a net trains, and has it wait when the user wants that."""

    def __init__(self, problem: Problem, measure: Measure, wish: Wish, send: Send) -> None:
        self.course = Course()
        self._problem, self._measure, self._wish, self._send = problem, measure, wish, send
        self._epoch = 0
        self._sums: dict[str, float] = {}  # of the epoch's figures, by sample
        self._samples = 0
        self._latest: dict[str, float] = {}  # since the last frame
        self._sent = self._looked = 0.0
        self.seconds_per_call = _CALL

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch, self._sums, self._samples = epoch, {}, 0
        self.seconds_per_call = 0.0 if self._wish.one_by_one else _CALL

    def on_train_batches_end(self, batch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        self._learn(batch, logs)
        now = time.perf_counter()
        if self._wish.slow or now - self._sent >= 1 / FRAMES:
            self._frame("running", self._wish.slow or now - self._looked >= 1 / LOOKS)
        if not self._wish.wait(lambda: self._frame("running", True)):
            self.model.stop_training = True
        self.seconds_per_call = 0.0 if self._wish.one_by_one else _CALL

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        assert logs is not None
        self.course.add(logs)

    def look(self, model: Sequential, state: str) -> None:
        """Send a whole frame."""
        self.model = model
        self._frame(state, True)

    def _learn(self, batch: int, logs: Logs) -> None:
        """Tell what the batches since the last frame had from what the epoch has."""
        count = min((batch + 1) * int(self.params["batch_size"]), int(self.params["samples"]))
        sums = {name: value * count for name, value in logs.items()}
        new = count - self._samples
        if new > 0:
            self._latest = {
                name: (value - self._sums.get(name, 0.0)) / new for name, value in sums.items()
            }
        self._sums, self._samples = sums, count

    def _frame(self, state: str, whole: bool) -> None:
        self._sent = time.perf_counter()
        layers = self._measure.layers()
        figures = {**self._latest}
        for name in ("val_loss", "val_accuracy"):
            if self.course.figures.get(name):
                figures[name] = self.course.figures[name][-1]
        frame: dict[str, Any] = {
            "type": "frame", "state": "paused" if state == "running" and self._wish.paused
            else state,
            "step": self.model.steps_trained, "epoch": self._epoch + 1,
            "figures": {name: short(value) for name, value in figures.items()},
            "layers": layers,
        }  # fmt: skip
        if whole:
            self._looked = self._sent
            frame |= {
                "change": self._measure.change(),
                "histograms": self._measure.histograms(),
                "boundary": self._measure.boundary(),
                "images": self._measure.images(),
                "diagnosis": diagnose(self._problem, self.course, layers),
            }
        self._send(frame)
