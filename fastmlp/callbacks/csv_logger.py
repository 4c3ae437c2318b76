"""A table of the epochs in a file."""

import csv
import os
from typing import IO, Any

from ..runtime.arguments import shown, truth
from .base import Callback, Logs


class CSVLogger(Callback):
    """Writes a row for each epoch, at once, with its number from 0 and its figures.

    The columns are those of the first epoch, in alphabetical order, and where none of them is of
    the validation also those that it would have, as in Keras: it may come in a later epoch.  What
    an epoch does not have is NA.

    Parameters
    ----------
    filename : str or path
    separator : str
        One character.
    append : bool
        Whether to go on with a file that there is, instead of starting it anew.

    Raises
    ------
    TypeError
        If an argument is not what it should be.
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        if not isinstance(filename, (str, os.PathLike)) or not str(filename):
            raise TypeError(f"filename: expected a path, got {shown(filename)}")
        if not isinstance(separator, str) or len(separator) != 1:
            raise TypeError(f"separator: expected one character, got {shown(separator)}")
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = truth("append", append)
        self._columns: list[str] | None = None
        self._has_begun = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin the file, unless it is to be gone on with."""
        self._columns = None
        self._has_begun = self.append and self._size() > 0
        if not self._has_begun:
            self._open("w").close()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's row."""
        logs = logs or {}
        if self._columns is None:
            self._columns = sorted(logs)
            if not any(name.startswith("val_") for name in self._columns):
                self._columns += [f"val_{name}" for name in self._columns]
        with self._open("a") as file:
            writer: Any = csv.writer(file, delimiter=self.separator)
            if not self._has_begun:
                writer.writerow(["epoch", *self._columns])
                self._has_begun = True
            writer.writerow([epoch, *(logs.get(name, "NA") for name in self._columns)])

    def _size(self) -> int:
        return os.path.getsize(self.filename) if os.path.exists(self.filename) else 0

    def _open(self, mode: str) -> IO[Any]:
        return open(self.filename, mode, newline="", encoding="utf-8")
