"""The folder of a sweep: what is done is appended as it is done, and found by whoever goes on."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from .row import Row
from .table import Table

try:
    import fcntl
except ImportError:  # not a Unix system: nothing keeps two sweeps out of one folder there
    fcntl = None  # type: ignore[assignment]

ROWS, PLAN, TABLE, WEIGHTS, SPOOL = "rows.jsonl", "sweep.json", "table.csv", "weights", "spool"


class Journal:
    """A sweep's folder.

    ``sweep.json`` says what the sweep is; ``rows.jsonl`` has a line for each net that is done,
    written by one call when it is: after a SIGKILL at most the last line has no end, and that net
    is not done.  ``weights/`` has a file for each net, written before its line.

    Raises
    ------
    ValueError
        If the folder is of another sweep, or damaged.
    RuntimeError
        If another process is writing into it.
    """

    def __init__(self, folder: Path, plan: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._file = (folder / ROWS).open("a+b", buffering=0)
        try:
            _lock(self._file, folder)
            _check_plan(folder / PLAN, plan)
            self.rows = _read_rows(folder / ROWS)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, row: Row, weights: bytes) -> None:
        """Put down a net that is done, unless it is there already."""
        if row.net in self.rows:
            return
        if weights:
            row.weights = f"{WEIGHTS}/net-{row.net:07}.safetensors"
            path = self.folder / row.weights
            path.parent.mkdir(exist_ok=True)
            aside = path.with_suffix(".tmp")
            aside.write_bytes(weights)
            aside.replace(path)
        self._file.write(row.to_line() + b"\n")
        self.rows[row.net] = row

    def finish(self, table: Table) -> None:
        """Write the table, and see to it that all is on the disk."""
        os.fsync(self._file.fileno())
        table.to_csv(self.folder / TABLE)


def read_table(folder: str | os.PathLike[str]) -> Table:
    """Return the table of a sweep's folder, with what is done up to now.

    Raises
    ------
    FileNotFoundError
        If it is no sweep's folder.
    ValueError
        If it is damaged.
    """
    path = Path(folder)
    if not (path / PLAN).exists():
        raise FileNotFoundError(f"folder: {str(path)!r} is not the folder of a sweep")
    plan = json.loads((path / PLAN).read_text())
    content = (path / ROWS).read_bytes() if (path / ROWS).exists() else b""
    return Table(list(_rows_of(content[: content.rfind(b"\n") + 1]).values()), plan["nets"])


def digest(*arrays: Any) -> str:
    """Return the SHA-256 of arrays, with their shapes and dtypes."""
    found = hashlib.sha256()
    for given in arrays:
        array = np.ascontiguousarray(given)
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(array.data)
    return found.hexdigest()


def _lock(file: Any, folder: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise RuntimeError(f"out: another process is writing into {str(folder)!r}") from None


def _check_plan(path: Path, plan: Mapping[str, Any]) -> None:
    """Write down what the sweep is, or raise ValueError if another one is written down."""
    text = json.dumps(plan, indent=1)
    if not path.exists():
        aside = path.with_suffix(".tmp")
        aside.write_text(text + "\n")
        aside.replace(path)
        return
    before, now = json.loads(path.read_text()), json.loads(text)
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            raise ValueError(
                f"out: {str(path.parent)!r} has a sweep with another {name}: "
                f"{_short(before.get(name))}, now {_short(now.get(name))}; give this one a folder "
                "of its own"
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else f"{text[:197]}..."


def _read_rows(path: Path) -> dict[int, Row]:
    """Return the rows that are done; a last line without an end is taken off the file."""
    content = path.read_bytes()
    end = content.rfind(b"\n") + 1
    if end < len(content):
        os.truncate(path, end)
    return _rows_of(content[:end])


def _rows_of(content: bytes) -> dict[int, Row]:
    found = {}
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            row = Row.from_line(line)
        except (ValueError, TypeError):
            raise ValueError(f"out: line {number} of {ROWS} is damaged") from None
        found[row.net] = row
    return found
