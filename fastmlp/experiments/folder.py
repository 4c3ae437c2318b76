"""The directory of a run: files appear in it whole, or not at all."""

import csv
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from matplotlib.figure import Figure as Drawing


class RunFolder:
    """Where a run leaves its results.

    Parameters
    ----------
    path : Path
        Created if it does not exist; files of an earlier run in it are replaced.

    Raises
    ------
    OSError
        If nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
        self.path = path

    @contextmanager
    def _replacing(self, name: str) -> Iterator[Path]:
        handle, temporary = tempfile.mkstemp(
            dir=self.path, prefix=f".{Path(name).stem}-", suffix=Path(name).suffix
        )
        os.close(handle)
        try:
            yield Path(temporary)
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, self.path / name)
        except BaseException:
            os.unlink(temporary)
            raise

    def write_text(self, name: str, text: str) -> None:
        with self._replacing(name) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def write_json(self, name: str, value: Any) -> None:
        self.write_text(name, json.dumps(value, indent=1, default=str) + "\n")

    def write_binary(self, name: str, write: Callable[[IO[bytes]], None]) -> None:
        with self._replacing(name) as temporary, temporary.open("wb") as file:
            write(file)

    def save_figure(self, name: str, drawing: Drawing) -> None:
        """Save a figure as PNG and as SVG."""
        for suffix in ("png", "svg"):
            with self._replacing(f"{name}.{suffix}") as temporary:
                drawing.savefig(temporary, format=suffix)
            drawing.set_layout_engine("none")  # what was laid out once stays so

    @contextmanager
    def table(
        self, name: str, columns: Sequence[str]
    ) -> Iterator[Callable[[dict[str, object]], object]]:
        """Write a CSV file; yields a function that adds a row, on disk at once."""
        with (self.path / name).open("w", newline="", encoding="utf-8", buffering=1) as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            yield writer.writerow


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
