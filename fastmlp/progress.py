"""The progress display of ``fit``, as Keras has it: a bar per epoch, then the epoch's figures."""

import sys
import time
from functools import cached_property
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def resolve_verbose(verbose: str | int) -> int:
    """Return 0, 1 or 2; ``"auto"`` is 1 on a terminal and 0 elsewhere.

    Raises
    ------
    ValueError
        If ``verbose`` is none of these.
    """
    if verbose == "auto":
        return 1 if sys.stdout.isatty() else 0
    if verbose not in (0, 1, 2):
        raise ValueError(f"verbose: expected 'auto', 0, 1 or 2, got {verbose!r}")
    return int(verbose)


def format_figures(figures: dict[str, float]) -> str:
    """Return ``loss: 0.5123 - accuracy: 0.8211``."""
    return " - ".join(f"{name}: {value:.4f}" for name, value in figures.items())


class FitProgress:
    """Shows a fit's course: 1 with a moving bar, 2 with a line per epoch, 0 not at all."""

    def __init__(self, verbose: int, epochs: int) -> None:
        self._verbose = verbose
        self._epochs = epochs
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop_bar()

    @cached_property
    def _console(self) -> Console:
        return Console(highlight=False)  # which takes as long as some steps of a small net

    def begin_epoch(self, epoch: int, steps: int) -> None:
        self._steps = steps
        self._started = time.perf_counter()
        if self._verbose:
            self._console.print(f"Epoch {epoch + 1}/{self._epochs}")
        if self._verbose == 1:
            self._bar = Progress(
                MofNCompleteColumn(),
                BarColumn(30),
                TimeRemainingColumn(),
                TextColumn("{task.description}"),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=steps)

    def advance(self, step: int, figures: dict[str, float]) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=step, description=format_figures(figures))

    def end_epoch(self, figures: dict[str, float]) -> None:
        self._stop_bar()
        if self._verbose:
            seconds = time.perf_counter() - self._started
            per_step = seconds / self._steps * 1e6
            self._console.print(
                f"{self._steps}/{self._steps} - {seconds:.2f} s - {per_step:.0f} µs/step - "
                + format_figures(figures),
                soft_wrap=True,
            )

    def _stop_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
