"""The lab: trains the nets of an experiment, none twice, and keeps what became of them."""

import pickle
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from .. import (
    DivergenceWarning,
    GradientReport,
    Sequential,
    Telemetry,
    check_gradients,
)
from ..callbacks import Callback, Logs
from ..datasets import Dataset
from ..history import History
from ..layers import Dense
from ..runtime.schedulers import Packet, Pool, scheduler_of
from ..runtime.threads import available_cores
from .course import Yardstick
from .nets import Net, Outcome, label_entropy
from .probe import Probe, probe
from .settings import Settings
from .training import Measure, Training, outcome_of, repeated

OBSERVED_EVERY = 25  # steps


@dataclass(frozen=True)
class Observation:
    """A net watched from the inside while it trained.

    Attributes
    ----------
    steps : (records,)
        The recorded steps.
    layers : list of str
        The dense layers, from the input on.
    gradient_norms : (records, layers)
        Of each layer's weights and biases.
    saturated, dead : (records, hidden layers)
        The share of outputs on a flat piece of the activation, and of units that are so for
        the whole batch.
    before, after : (inputs, width)
        The first layer's kernel before and after training.
    """

    steps: NDArray[np.int64]
    layers: list[str]
    gradient_norms: NDArray[np.float64]
    saturated: NDArray[np.float64]
    dead: NDArray[np.float64]
    before: NDArray[np.floating]
    after: NDArray[np.floating]


class _LeaveEarly(Callback):
    """Ends a fit in a thread of its own after the epoch in which that is wanted."""

    def __init__(self, wanted: threading.Event | None = None) -> None:
        self.wanted = wanted or threading.Event()

    def copy(self) -> "_LeaveEarly":
        """Return one for another fit, which the same wish ends."""
        return _LeaveEarly(self.wanted)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.model.stop_training = self.wanted.is_set()


class Lab:
    """Trains nets on one data set, side by side on all cores, or where the settings say.

    Parameters
    ----------
    dataset : Dataset
    settings : Settings
    console : Console
    measure : callable
        Tells what a question wants to know of a trained net beyond its history.

    Attributes
    ----------
    outcomes : dict of Net to Outcome
        All that is done, also after an interruption.
    observations : dict of Net to Observation
    probes : dict of Net to Probe
    gradient_checks : dict of Net to GradientReport or None
        None: an epoch of training left weights that are not finite, and there is no gradient.
    looked : dict of Net to int
        Of how many seeds a cell of the map consists, by its net of seed 0: nets that another part
        trains later, and that would belong to it, too, do not change it.
    notes : dict
        What else a question measured, by a name of its own.
    entropy : float
        Of the test labels: the loss of a net that knows nothing but their frequencies.
    chance : float
        The share of the test set's most frequent class.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        console: Console,
        measure: Measure,
    ) -> None:
        self.dataset = dataset
        self.settings = settings
        self.console = console
        self.outcomes: dict[Net, Outcome] = {}
        self.observations: dict[Net, Observation] = {}
        self.probes: dict[Net, Probe] = {}
        self.gradient_checks: dict[Net, GradientReport | None] = {}
        self.looked: dict[Net, int] = {}
        self.notes: dict[str, Any] = {}
        labels = dataset.test[1]
        self.entropy = label_entropy(labels)
        self.chance = float(np.bincount(labels).max() / len(labels))
        self._measure = measure
        self._pool: Pool | None = None
        self._open = ExitStack()
        self._ceiling: float | None = None
        self._courses: dict[Net, str] = {}  # by the fixed ceiling

    @property
    def yardstick(self) -> Yardstick:
        """What tells a net that learned from one that did not, and how well one can do."""
        ceiling = self._best() if self._ceiling is None else self._ceiling
        test, train = len(self.dataset.test[1]), len(self.dataset.train[1])
        return Yardstick.of(self.chance, test, train, ceiling)

    def fix_ceiling(self) -> None:
        """Let the best net up to now stay what the others are held against."""
        self._ceiling = self._best()
        self._courses.clear()

    def _best(self) -> float:
        reached = [
            np.nanmax([-1.0, *outcome.figures["val_accuracy"]])
            for outcome in self.outcomes.values()
        ]
        return float(max(reached, default=self.chance))

    def course(self, net: Net) -> str:
        if self._ceiling is None:
            return self.yardstick.course(self.outcomes[net])
        if net not in self._courses:
            self._courses[net] = self.yardstick.course(self.outcomes[net])
        return self._courses[net]

    def is_stuck(self, net: Net) -> bool:
        return self.outcomes[net].is_stuck(self.entropy)

    def test_accuracy(self, net: Net) -> float:
        """Return the final test accuracy; that of a net that diverged is chance."""
        accuracy = self.outcomes[net].final("val_accuracy")
        return accuracy if np.isfinite(accuracy) else self.chance

    def done(self, nets: Iterable[Net]) -> list[Net]:
        """Return those of the nets that have been trained."""
        return [net for net in nets if net in self.outcomes]

    def train(self, title: str, nets: Iterable[Net], *, probed: bool = False) -> None:
        """Train those of the nets that have not been trained yet; ``probed`` looks at them first.

        So :attr:`probes` has all of them that are done.
        """
        todo = [net for net in dict.fromkeys(nets) if net not in self.outcomes]
        if not todo:
            return
        started = time.perf_counter()
        with self._progress() as progress:
            task = progress.add_task(title, total=len(todo))
            if probed:
                for net in todo:
                    model = net.build(self.dataset, self.settings.backend)
                    self.probes[net] = probe(net, model, self.dataset)
            self._train(todo, lambda: progress.advance(task))
        seconds = time.perf_counter() - started
        self.console.print(f"[dim]{title}: {len(todo)} trained in {seconds:.1f} s[/dim]")

    def observe(self, nets: Iterable[Net]) -> None:
        """Look at nets, and train them watched from the inside, side by side."""
        todo = [net for net in dict.fromkeys(nets) if net not in self.observations]
        leave = _LeaveEarly()
        with warnings.catch_warnings():  # around all threads: filters are not of one thread
            warnings.simplefilter("ignore", DivergenceWarning)
            pool = ThreadPoolExecutor(self.settings.jobs or available_cores())
            try:
                for done in [pool.submit(self._observe, net, leave.copy()) for net in todo]:
                    done.result()
            except BaseException:
                leave.wanted.set()
                raise
            finally:
                pool.shutdown(cancel_futures=True)
                for known in (self.observations, self.probes, self.outcomes):
                    _order(known, todo)

    def _observe(self, net: Net, leave: "_LeaveEarly") -> None:
        model = net.build(self.dataset, self.settings.backend)
        first = next(layer for layer in model.layers if isinstance(layer, Dense))
        before = first.get_weights()[0]
        looked = probe(net, model, self.dataset)
        telemetry = Telemetry(OBSERVED_EVERY)
        history = model.fit(
            *self.dataset.train,
            net.batch_size,
            net.epochs,
            verbose=0,
            callbacks=[leave],
            validation_data=self.dataset.test,
            telemetry=telemetry,
        )
        if leave.wanted.is_set():
            return
        dense = [r for r, row in enumerate(telemetry.rows) if "/" not in row]
        hidden = [r for r, row in enumerate(telemetry.rows) if "/" in row]
        self.observations[net] = Observation(
            np.array(telemetry.steps),
            [telemetry.rows[r] for r in dense],
            telemetry["gradient_norm"][:, dense],
            telemetry["saturated"][:, hidden],
            telemetry["dead"][:, hidden],
            before,
            first.get_weights()[0],
        )
        self.probes[net] = looked
        self._keep(net, model, history)

    def check_gradients(self, net: Net, samples: int) -> None:
        """Check a net's gradient on the first samples, after an epoch of training."""
        model = net.build(self.dataset, self.settings.backend)
        x, y = self.dataset.train
        rows = repeated(self.dataset, net.samples)
        x, y = (x, y) if rows is None else (x[rows], y[rows])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DivergenceWarning)
            model.fit(x, y, net.batch_size, 1, verbose=0)
        if np.isfinite(model.params).all():
            self.gradient_checks[net] = check_gradients(model, x[:samples], y[:samples])
        else:
            self.gradient_checks[net] = None

    def _train(self, nets: list[Net], advance: Callable[[], None]) -> None:
        """Train nets, wherever the settings say."""
        if self._pool is None:
            settings = self.settings
            work = Training(self.dataset, settings.backend, self._measure)
            spreads = scheduler_of(settings.scheduler, settings.jobs)
            self._pool = self._open.enter_context(spreads.open(work))
        size = self._pool.packet_size(len(nets))
        numbered = list(enumerate(nets))
        packets = [
            Packet(tuple(numbered[first : first + size])) for first in range(0, len(nets), size)
        ]

        def take(number: int, result: bytes) -> None:
            if nets[number] not in self.outcomes:
                self.outcomes[nets[number]] = pickle.loads(result)
                advance()

        try:
            self._pool.run(packets, take)
        finally:
            _order(self.outcomes, nets)

    def close(self) -> None:
        """Let go of the workers."""
        self._pool = None
        self._open.close()

    def _keep(self, net: Net, model: Sequential, history: History) -> None:
        self.outcomes[net] = outcome_of(self.dataset, self._measure, net, model, history)

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(30),
            MofNCompleteColumn(),
            TextColumn("nets"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )


def _order(known: dict[Net, Any], nets: Iterable[Net]) -> None:
    """Let what is known of nets come in their order, not in that in which threads were done."""
    for net in nets:
        if net in known:
            known[net] = known.pop(net)
