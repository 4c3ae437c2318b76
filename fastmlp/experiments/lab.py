"""The lab: trains the nets of an experiment, none twice, and keeps what became of them."""

import threading
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
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
    fit_many,
)
from ..callbacks import Callback, Logs
from ..datasets import Dataset
from ..history import History
from ..layers import Dense
from ..runtime.threads import available_cores
from .course import Yardstick
from .nets import Net, Outcome, label_entropy
from .probe import Probe, probe
from .settings import Settings

OBSERVED_EVERY = 25  # steps

Measure = Callable[[Dataset, Net, Sequential], dict[str, float]]


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
    """Trains nets on one data set, side by side on all cores.

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
            for group in _trained_alike(todo):
                self._train_group(group, lambda: progress.advance(task), probed)
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
        x, y = _repeated(self.dataset, net.samples)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DivergenceWarning)
            model.fit(x, y, net.batch_size, 1, verbose=0)
        if np.isfinite(model.params).all():
            self.gradient_checks[net] = check_gradients(model, x[:samples], y[:samples])
        else:
            self.gradient_checks[net] = None

    def _train_group(self, nets: list[Net], advance: Callable[[], None], probed: bool) -> None:
        models = [net.build(self.dataset, self.settings.backend) for net in nets]
        if probed:
            for net, model in zip(nets, models, strict=True):
                self.probes[net] = probe(net, model, self.dataset)

        def keep(index: int, history: History) -> None:
            self._keep(nets[index], models[index], history)
            advance()

        x, y = _repeated(self.dataset, nets[0].samples)
        hot, epochs = nets[0].cool_after, nets[0].epochs
        options: dict[str, Any] = {"validation_data": self.dataset.test, "jobs": self.settings.jobs}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DivergenceWarning)
            if not hot:
                fit_many(models, x, y, nets[0].batch_size, epochs, on_done=keep, **options)
                return
            before = fit_many(models, x, y, nets[0].batch_size, hot, **options)
            for net, model in zip(nets, models, strict=True):
                assert model.optimizer is not None
                model.optimizer.learning_rate = net.learning_rate / net.cool_by
            after = fit_many(models, x, y, nets[0].batch_size, epochs - hot, **options)
        for index, (first, second) in enumerate(zip(before, after, strict=True)):
            keep(index, _joined(first, second))

    def _keep(self, net: Net, model: Sequential, history: History) -> None:
        divergence = history.divergence.message if history.divergence else ""
        measured = self._measure(self.dataset, net, model)
        self.outcomes[net] = Outcome(history.history, divergence, measured)

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


def _joined(first: History, second: History) -> History:
    """Return the history of a training that was done in two parts."""
    figures = {name: first.history[name] + second.history[name] for name in first.history}
    return History(second.params, figures, first.epoch + second.epoch, second.divergence)


def _repeated(
    dataset: Dataset, samples: int | None
) -> tuple[NDArray[np.number], NDArray[np.integer]]:
    """Return the first samples, repeated until there are as many as in the whole set.

    So an epoch has as many steps, and nothing but the data differs.
    """
    x, y = dataset.train
    if samples is None or samples >= len(x):
        return x, y
    order = np.arange(len(x)) % samples
    return x[order], y[order]


def _trained_alike(nets: Iterable[Net]) -> Iterable[list[Net]]:
    """Group the nets by what one call of ``fit_many`` has in common."""
    groups: dict[object, list[Net]] = {}
    for net in nets:
        groups.setdefault((net.batch_size, net.epochs, net.samples, net.cool_after), []).append(net)
    return groups.values()
