"""What is done with a packet of a sweep's nets, wherever it is."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..model import Sequential
from ..runtime.arguments import is_real, shown
from ..runtime.data import Data
from ..runtime.many import Outcome
from ..runtime.parallel import train_many
from ..runtime.schedulers import Post, Work
from .halving import Halving
from .row import DIVERGED, DONE, FAILED, HALVED, Row, pack
from .spaces import TAKEN, Config

# What build may return with a net, for this net alone.
OPTIONS = ("batch_size", "epochs", "callbacks", "subset", "sample_weight")

Build = Callable[..., Any]
Measure = Callable[[Sequential], Mapping[str, float]]


class Trial(NamedTuple):
    """A net that is to be trained: a configuration, and a seed."""

    config: Config
    seed: int


@dataclass
class Course:
    """How nets are trained, where ``build`` does not say otherwise."""

    batch_size: int
    epochs: int
    shuffle: bool
    halving: Halving | None
    measure: Measure | None
    keeps_weights: bool


@dataclass(eq=False)
class Candidate:
    """A net of a packet, and what is known of it."""

    row: Row
    model: Sequential
    options: dict[str, Any] = field(default_factory=dict)


class SweepWork(Work):
    """A sweep's data, and what is done with each net."""

    def __init__(
        self,
        build: Build,
        data: tuple[Any, ...],
        validation: tuple[Any, ...] | None,
        course: Course,
    ) -> None:
        self.build, self.data, self.validation, self.course = build, data, validation, course
        self.checked: dict[object, Data] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return what is sent to a worker: it checks and converts the data by itself."""
        return {**vars(self), "checked": {}}

    def train(
        self, items: Sequence[tuple[int, Any]], done: Mapping[int, bytes], jobs: int | None,
        post: Post,
    ) -> None:  # fmt: skip
        """Train a packet's nets; see :class:`Work`."""
        candidates = []
        for number, trial in items:
            if number not in done:
                row = Row(number, trial.config, trial.seed)
                try:
                    candidates.append(Candidate(row, *built(self.build, trial)))
                except Exception as error:
                    self._post_failed(row, error, post)
        _Packet(self, candidates, jobs, post).train(done)

    def post(self, candidate: Candidate, status: str, post: Post) -> None:
        """Post a net that is done, with what is measured of it."""
        row, course = candidate.row, self.course
        row.status = status
        weights = b""
        try:
            if course.measure is not None:
                taken = {*row.figures, *row.config, *TAKEN}
                row.figures |= _checked_figures(course.measure(candidate.model), taken)
            if course.keeps_weights and candidate.model.built:
                weights = _file_of(candidate.model)
        except Exception as error:
            row.status, row.message = FAILED, said(error)
        post(row.net, pack(row, weights), json.dumps(row.rungs).encode())

    def _post_failed(self, row: Row, error: Exception, post: Post) -> None:
        row.status, row.message = FAILED, said(error)
        post(row.net, pack(row), json.dumps(row.rungs).encode())


class _Packet:
    """Nets that are trained side by side."""

    def __init__(
        self, work: SweepWork, candidates: list[Candidate], jobs: int | None, post: Post
    ) -> None:
        self._work, self._jobs, self._post = work, jobs, post
        self._alive = candidates

    def train(self, done: Mapping[int, bytes]) -> None:
        """Train all nets to their end, or to the rung where they are stopped."""
        course = self._work.course
        if course.halving is None:
            self._train_to(None, 0, is_last=True)
            return
        known = {number: json.loads(note) for number, note in done.items() if note}
        before = 0
        rungs = course.halving.rungs(course.epochs)
        for rung, epochs in enumerate(rungs):
            is_last = rung + 1 == len(rungs)
            values = {number: r[rung] for number, r in known.items() if len(r) > rung}
            values |= self._train_to(epochs, before, is_last)
            if not is_last:
                self._halve(course.halving.best(values) if values else set())
            before = epochs

    def _halve(self, best: set[int]) -> None:
        """Stop all nets but the best ones."""
        for candidate in self._alive:
            if candidate.row.net not in best:
                candidate.model._become_average()  # as at the end of a fit
                self._work.post(candidate, HALVED, self._post)
        self._alive = [one for one in self._alive if one.row.net in best]

    def _train_to(self, epochs: int | None, before: int, is_last: bool) -> dict[int, float]:
        """Train the nets that are left from one rung to the next.

        Returns by what each is compared.  Those that are done, or have failed, are posted.
        """
        values: dict[int, float] = {}
        remaining: list[Candidate] = []
        candidates, halving = self._alive, self._work.course.halving

        def report(group: list[Candidate], outcome: Outcome) -> None:
            candidate = group[outcome.index]
            status = _take(candidate.row, outcome)
            if halving is not None:
                fine = status == DONE
                value = halving.value(candidate.row.figures) if fine else float("inf")
                candidate.row.rungs.append(value)
                values[candidate.row.net] = value
            if status == FAILED:
                self._work._post_failed(candidate.row, outcome.error, self._post)  # type: ignore[arg-type]
            elif is_last or status != DONE:
                self._work.post(candidate, status, self._post)
            else:
                remaining.append(candidate)

        self._run(candidates, epochs, before, not is_last, report)
        self._alive = sorted(remaining, key=lambda candidate: candidate.row.net)
        return values

    def _run(
        self,
        group: list[Candidate],
        epochs: int | None,
        before: int,
        goes_on: bool,
        report: Callable[[list[Candidate], Outcome], None],
    ) -> None:
        """Train a group; if it is refused, find out whose fault that is."""
        work, course = self._work, self._work.course
        if not group:
            return

        def options(name: str, default: Any) -> list[Any]:
            return [candidate.options.get(name, default) for candidate in group]

        try:
            fits = train_many(
                [candidate.model for candidate in group], work.data[0], work.data[1],
                options("batch_size", course.batch_size),
                options("epochs", course.epochs) if epochs is None else epochs,
                options("callbacks", None), subsets=options("subset", None),
                sample_weight=options("sample_weight", None),
                validation_data=work.validation, shuffle=course.shuffle, initial_epoch=before,
                goes_on=goes_on, jobs=self._jobs, checked=work.checked,
                report=lambda outcome: report(group, outcome),
            )  # fmt: skip
        except (TypeError, ValueError, RuntimeError) as error:
            if len(group) == 1:
                work._post_failed(group[0].row, error, self._post)
                return
            for candidate in group:  # nothing has changed: a net was refused
                self._run([candidate], epochs, before, goes_on, report)
            return
        if fits.interrupted:
            raise KeyboardInterrupt


def built(build: Build, trial: Trial) -> tuple[Sequential, dict[str, Any]]:
    """Return the net of a trial, and what ``build`` says of its training.

    Raises
    ------
    TypeError, ValueError
        If ``build`` returns something else.
    """
    found = build(seed=trial.seed, **trial.config)
    model, options = found if isinstance(found, tuple) and len(found) == 2 else (found, {})
    if not isinstance(model, Sequential) or not isinstance(options, dict):
        raise TypeError(
            "build: expected a function that returns a compiled Sequential, or a pair of one and "
            f"a dict, got {shown(found)}"
        )
    for name in options:
        if name not in OPTIONS:
            raise ValueError(
                f"build: expected options out of {', '.join(OPTIONS)}, got {shown(name)}"
            )
    return model, options


def said(error: Exception) -> str:
    """Return an error in a line."""
    return f"{type(error).__name__}: {error}"


def _take(row: Row, outcome: Outcome) -> str:
    """Put down what became of a net; return its status."""
    history = outcome.history
    row.seconds += outcome.seconds
    if history.epoch:
        row.epochs = history.epoch[-1] + 1
        row.figures = {name: values[-1] for name, values in history.history.items()}
    if outcome.error is not None:
        row.message = said(outcome.error)
        return FAILED
    if history.divergence is not None:
        row.message = history.divergence.message
        return DIVERGED
    return DONE


def _checked_figures(given: Any, taken: set[str]) -> dict[str, float]:
    """Return what ``measure`` has found; TypeError or ValueError if it is no figures."""
    if not isinstance(given, Mapping):
        raise TypeError(f"measure: expected a dict of numbers, got {shown(given)}")
    for name, value in given.items():
        if not isinstance(name, str) or not is_real(value):
            raise TypeError(f"measure: expected names and numbers, got {name!r}: {shown(value)}")
        if name in taken:
            raise ValueError(f"measure: {name!r} is the name of a column already")
    return {name: float(value) for name, value in given.items()}


def _file_of(model: Sequential) -> bytes:
    """Return the file that :meth:`Sequential.save` writes."""
    with tempfile.TemporaryDirectory(prefix="fastmlp-") as folder:
        path = Path(folder) / "net.safetensors"
        model.save(path)
        return path.read_bytes()
