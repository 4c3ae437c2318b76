"""The directory of a run: its files belong together, and appear whole or not at all."""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Write = Callable[[Path], object]

RESULTS = "results.json"
EPOCHS = "epochs.csv"
REPORT = "report.md"
PAGE = "report.html"


class RunFolder:
    """Where a run leaves its results.

    The first call of :meth:`publish` puts this run's files in the place of an earlier run's,
    all at once; until then the earlier run stays as it is. Files that no run has written are
    never touched.

    Parameters
    ----------
    path : Path
        Created if it does not exist.

    Raises
    ------
    OSError
        If nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
        for name in (RESULTS, EPOCHS, REPORT):
            if (path / name).is_dir():
                raise IsADirectoryError(f"{name} in it is a directory")
        self.path = path
        self._own: set[str] = set()

    def publish(self, files: Mapping[str, Write]) -> dict[str, Exception]:
        """Write files and put them in the place of an earlier run's.

        Parameters
        ----------
        files : dict of str to function
            By name, a function that writes the file to the path that it is given.

        Returns
        -------
        dict of str to Exception
            What could not be written, and why. If that is everything, or if RESULTS is among
            it, an earlier run's files stay, and what was written is left in a directory beside
            them that :attr:`path` contains.
        """
        staging = Path(tempfile.mkdtemp(dir=self.path, prefix=".unfinished-"))
        try:
            failed = _write_all(files, staging)
            if RESULTS in failed and (self.path / RESULTS).exists():
                return failed
            written = [name for name in files if name not in failed]
            failed |= self._exchange(staging, written)
            return failed
        finally:
            _remove_if_empty(staging)

    def add(self, files: Mapping[str, Write]) -> dict[str, Exception]:
        """Add files to those of this run, each whole; returns what failed, and why."""
        staging = Path(tempfile.mkdtemp(dir=self.path, prefix=".unfinished-"))
        try:
            failed = _write_all(files, staging)
            for name in files:
                if name not in failed:
                    try:
                        os.replace(staging / name, self.path / name)
                        self._own.add(name)
                    except OSError as reason:
                        failed[name] = reason
            return failed
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _exchange(self, staging: Path, names: list[str]) -> dict[str, Exception]:
        """Move the earlier run's files away and the new ones in; undo all if interrupted."""
        failed: dict[str, Exception] = {}
        old = Path(tempfile.mkdtemp(dir=self.path, prefix=".earlier-"))
        moved: list[str] = []
        placed: list[str] = []
        try:
            for name in sorted((_files_of_run(self.path) | set(names)) - self._own):
                if (self.path / name).is_file():
                    moved.append(name)
                    os.replace(self.path / name, old / name)
            for name in names:
                try:
                    placed.append(name)
                    os.replace(staging / name, self.path / name)
                except OSError as reason:
                    placed.pop()
                    failed[name] = reason
        except BaseException:
            for name in placed:
                if (self.path / name).is_file():
                    os.replace(self.path / name, staging / name)
            for name in moved:
                if (old / name).is_file():
                    os.replace(old / name, self.path / name)
            _remove_if_empty(old)
            raise
        self._own |= set(placed)
        shutil.rmtree(old, ignore_errors=True)
        return failed


def text(content: str) -> Write:
    """Return what writes a text."""
    return lambda path: path.write_text(content, encoding="utf-8")


def as_json(value: Any) -> Write:
    """Return what writes JSON; figures that are not finite are NaN and Infinity, as in Python."""
    return lambda path: path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _write_all(files: Mapping[str, Write], directory: Path) -> dict[str, Exception]:
    failed: dict[str, Exception] = {}
    for name, write in files.items():
        target = directory / name
        try:
            write(target)
        except Exception as reason:  # whatever is wrong with one file, the others are written
            failed[name] = reason
            target.unlink(missing_ok=True)
    return failed


def _files_of_run(path: Path) -> set[str]:
    """Return the names of the files that an earlier run may have left: those it lists."""
    names = {RESULTS, EPOCHS, REPORT}
    with contextlib.suppress(OSError, ValueError):
        results = json.loads((path / RESULTS).read_text(encoding="utf-8"))
        listed = results.get("files", []) if isinstance(results, dict) else []
        names |= {name for name in listed if isinstance(name, str) and Path(name).name == name}
    with contextlib.suppress(OSError, ValueError):
        report = (path / REPORT).read_text(encoding="utf-8")
        pictures = re.findall(r"!\[[^\]]*\]\(([\w.-]+)\.png\)", report)
        names |= {f"{stem}.{suffix}" for stem in pictures for suffix in ("png", "svg")}
    return names


def _remove_if_empty(directory: Path) -> None:
    if not any(directory.iterdir()):
        directory.rmdir()
