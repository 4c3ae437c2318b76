"""What ``fit``, ``evaluate`` and ``predict`` show of their course, as Keras has it.

A bar needs a place where text can be replaced: a terminal, or a notebook's output.  Everywhere
else, such as in a log file, only whole lines of plain text are written.
"""

import contextlib
import sys
import time
from types import TracebackType
from typing import Any, Protocol, Self

from ..callbacks import Logs
from .arguments import is_integer, shown
from .figures import figures_of
from .run import Part

_LINES = 100  # epochs that a log shows, if nobody chose
_BAR_WIDTH = 30
_SECONDS_PER_UPDATE = 0.1

BAR, LINES, FEW_LINES = 1, 2, 3


def resolve_verbose(verbose: str | int, *, automatic: int | None = None) -> int:
    """Return 0 (nothing), ``BAR``, ``LINES`` or ``FEW_LINES``.

    ``"auto"`` is ``automatic``; if that is None, a bar on a terminal and in a notebook, and
    elsewhere a few lines.

    Raises
    ------
    ValueError
        If ``verbose`` is none of "auto", 0, 1 and 2; False and True are 0 and 1.
    """
    if isinstance(verbose, str) and verbose == "auto":
        if automatic is not None:
            return automatic
        return BAR if is_terminal() or is_notebook() else FEW_LINES
    if isinstance(verbose, bool):
        return int(verbose)
    if not is_integer(verbose) or verbose not in (0, BAR, LINES):
        raise ValueError(f"verbose: expected 'auto', 0, 1 or 2, got {shown(verbose)}")
    return int(verbose)


def is_terminal() -> bool:
    """Return whether standard output is a terminal."""
    try:
        return sys.stdout.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def is_notebook() -> bool:
    """Return whether standard output is a cell of a notebook."""
    return type(sys.stdout).__module__.partition(".")[0] == "ipykernel"


def format_figures(figures: dict[str, float]) -> str:
    """Return ``loss: 0.5123 - accuracy: 0.8211``."""
    return " - ".join(f"{name}: {value:.4f}" for name, value in figures.items())


class Display(Protocol):
    """Where text goes: lines that stay, and below them one that is replaced."""

    def line(self, text: str) -> None: ...

    def replace(self, text: str) -> None: ...


class PlainDisplay:
    """Whole lines, and nothing else: for files, and whatever else reads along."""

    def line(self, text: str) -> None:
        if sys.stdout is not None:
            print(text, flush=True)  # noqa: T201

    def replace(self, text: str) -> None:
        pass


class TerminalDisplay:
    """The last line is written over, with nothing but a carriage return and spaces."""

    def __init__(self) -> None:
        self._width = 0

    def line(self, text: str) -> None:
        self.replace("")
        print(f"\r{text}", flush=True)  # noqa: T201
        self._width = 0

    def replace(self, text: str) -> None:
        # A text that fills the line or more could not be written over.
        import shutil

        columns = shutil.get_terminal_size().columns - 1
        text = text[:columns]
        print(f"\r{text:<{min(self._width, columns)}}", end="", flush=True)  # noqa: T201
        self._width = len(text)


class NotebookDisplay:
    """An output of the cell, whose text is replaced as a whole: its last state is saved."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._handle: Any = None

    def line(self, text: str) -> None:
        self._lines.append(text)
        self._show(self._lines)

    def replace(self, text: str) -> None:
        self._show([*self._lines, text] if text else self._lines)

    def _show(self, lines: list[str]) -> None:
        from IPython.display import display

        content = {"text/plain": "\n".join(lines)}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def _display(verbose: int) -> Display:
    if is_notebook():
        return NotebookDisplay()
    return TerminalDisplay() if verbose == BAR and is_terminal() else PlainDisplay()


def _bar(share: float) -> str:
    """Return a bar of which a share is full."""
    full = int(_BAR_WIDTH * share)
    return "━" * full + "─" * (_BAR_WIDTH - full)


class BatchProgress:
    """Shows how many of some batches are done: by a bar, if wanted, and then by a line."""

    def __init__(self, verbose: int, batches: int, display: Display | None = None) -> None:
        self._has_bar = verbose == BAR
        self._batches = batches
        self._display = _display(verbose) if display is None else display
        self._started = self._updated = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.clear()

    def clear(self) -> None:
        """Remove the bar, as an error ends what it shows."""
        if self._has_bar:
            with contextlib.suppress(Exception):  # of the display: the error itself matters more
                self._display.replace("")

    def advance(self, done: int, figures: dict[str, float]) -> None:
        """Move the bar, unless it has just moved."""
        now = time.perf_counter()
        if not self._has_bar or now - self._updated < _SECONDS_PER_UPDATE:
            return
        self._updated = now
        left = (now - self._started) / max(done, 1) * (self._batches - done)
        parts = [f"{done}/{self._batches} {_bar(done / self._batches)} {left:.0f} s left"]
        self._display.replace(" - ".join([*parts, *([format_figures(figures)] if figures else [])]))

    def end(self, figures: dict[str, float]) -> None:
        """Put a line in the bar's place."""
        seconds = time.perf_counter() - self._started
        per_step = seconds / self._batches * 1e6
        parts = [f"{self._batches}/{self._batches}", f"{seconds:.2f} s", f"{per_step:.0f} µs/step"]
        self._display.line(" - ".join([*parts, *([format_figures(figures)] if figures else [])]))


class FitProgress(Part):
    """Shows a fit's course, epoch by epoch."""

    def __init__(self, verbose: int, epochs: int) -> None:
        self._verbose = verbose
        self._epochs = epochs
        self._every = -(-epochs // _LINES) if verbose == FEW_LINES else 1
        self._display = _display(verbose) if verbose else PlainDisplay()
        self._batches: BatchProgress | None = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Show that an epoch begins, if it is one of those that are shown."""
        is_last = epoch + 1 == self._epochs
        self._batches = None
        if self._verbose and (is_last or epoch % self._every == 0):
            self._display.line(f"Epoch {epoch + 1}/{self._epochs}")
            self._batches = BatchProgress(self._verbose, self.run.job.batches, self._display)

    def on_call_end(self) -> None:
        """Move the bar."""
        if self._batches is not None:
            run = self.run
            figures = figures_of(run.engine, run.totals, run.job.metrics)
            self._batches.advance(run.reached, figures)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Show an epoch's figures."""
        if self._batches is not None:
            self._batches.end(logs or {})
            self._batches = None

    def on_train_error(self) -> None:
        """Remove the bar."""
        if self._batches is not None:
            self._batches.clear()


class NetsProgress:
    """Shows how many of some nets are done, with a bar that moves with their epochs.

    Parameters
    ----------
    verbose : int
        0 is nothing, ``BAR`` a bar and then a line, ``LINES`` a line for each net.
    nets, epochs : int
        How many there are; the epochs are those of all nets together.
    display : Display, optional
    """

    def __init__(
        self, verbose: int, nets: int, epochs: int, display: Display | None = None
    ) -> None:
        self._verbose, self._nets, self._epochs = verbose, nets, epochs
        self._display = _display(verbose) if display is None and verbose else display
        self._done, self._troubled, self._before = 0, 0, 0
        self._started = self._updated = time.perf_counter()

    def resume(self, nets: int, troubled: int, epochs: int) -> None:
        """Begin with nets and epochs that were done earlier: the time left is that of the rest."""
        self._done, self._troubled, self._before = nets, troubled, epochs

    def add(self, name: str, said: str, is_troubled: bool) -> None:
        """Count a net that is done; ``said`` is what became of it."""
        self._done += 1
        self._troubled += is_troubled
        if self._display is not None and self._verbose == LINES:
            self._display.line(f"{self._done}/{self._nets} - {name}: {said}")

    def advance(self, epochs: float) -> None:
        """Move the bar, unless it has just moved; so many epochs are done."""
        now = time.perf_counter()
        if self._verbose != BAR or now - self._updated < _SECONDS_PER_UPDATE:
            return
        self._updated = now
        assert self._display is not None
        share = min(1.0, epochs / max(1, self._epochs))
        new = epochs - self._before
        left = (now - self._started) * (self._epochs - epochs) / new if new > 0 else 0.0
        time_left = f"{max(0.0, left):.0f} s left" if new > 0 else "no epoch is done yet"
        troubled = f" - {self._troubled} in trouble" if self._troubled else ""
        self._display.replace(f"{self._done}/{self._nets} nets {_bar(share)} {time_left}{troubled}")

    def end(self, summary: str) -> None:
        """Put a line in the bar's place."""
        if self._display is not None:
            self._display.line(f"{summary} - {time.perf_counter() - self._started:.1f} s")

    def clear(self) -> None:
        """Remove the bar, as an error ends what it shows."""
        if self._verbose == BAR and self._display is not None:
            with contextlib.suppress(Exception):  # of the display: the error itself matters more
                self._display.replace("")
