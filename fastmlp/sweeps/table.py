"""The table of a sweep: a row for each net."""

import csv
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..runtime.arguments import shown
from .row import Row

_ENDS = ("net", "message", "weights", "seconds")


class Table(Sequence[dict[str, Any]]):
    """What became of the nets of a sweep, in the order of their numbers.

    Each row is a dict: ``net``, the settings, ``seed``, ``status``, ``epochs``, the figures of the
    last epoch by their names in a history, ``message``, ``weights`` and ``seconds``.  What a net
    does not have, such as a figure if it failed, is None.

    Two tables are the same if all but ``seconds`` is, bit for bit: no two runs take the same time.
    :attr:`digest` says so in 64 letters.

    Attributes
    ----------
    columns : list of str
    wanted : int
        How many nets the sweep has; :func:`len` is how many are done.
    """

    def __init__(self, rows: Sequence[Row], wanted: int) -> None:
        self.wanted = wanted
        flat = [row.flat() for row in sorted(rows, key=lambda row: row.net)]
        names = dict.fromkeys(name for row in flat for name in row if name not in _ENDS)
        self.columns = ["net", *names, *_ENDS[1:]]
        self._rows = [{name: row.get(name) for name in self.columns} for row in flat]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return f"<Table of {len(self)} of {self.wanted} nets: {', '.join(self.columns)}>"

    @property
    def is_complete(self) -> bool:
        """Whether all nets are done."""
        return len(self) == self.wanted

    @property
    def digest(self) -> str:
        """The SHA-256 of all but the seconds."""
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in self._rows]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    def column(self, name: str) -> list[Any]:
        """Return a column.

        Raises
        ------
        ValueError
            If there is none of that name.
        """
        if name not in self.columns:
            raise ValueError(f"name: expected one of {', '.join(self.columns)}, got {shown(name)}")
        return [row[name] for row in self._rows]

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame``.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as reason:
            raise ImportError("to_pandas needs pandas; install it") from reason
        return pd.DataFrame(self._rows, columns=self.columns)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a file of comma-separated values; numbers are written so that none is changed."""
        with _Aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self._rows)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write a Parquet file.

        A setting that is a number here and a text there becomes a text.

        Raises
        ------
        ImportError
            If PyArrow is not installed.
        """
        try:
            import pyarrow
            import pyarrow.parquet as parquet
        except ImportError as reason:
            raise ImportError(
                "to_parquet needs PyArrow; install it, or fastmlp with the extra 'sweeps'"
            ) from reason
        columns = {name: _alike(self.column(name)) for name in self.columns}
        with _Aside(path) as aside:
            parquet.write_table(pyarrow.table(columns), aside)


class _Aside:
    """A file that is written aside and renamed, so that there is the old one or the new one."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._aside = self._path.with_name(f".{self._path.name}.tmp")

    def __enter__(self) -> Path:
        return self._aside

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is None:
            self._aside.replace(self._path)
        else:
            self._aside.unlink(missing_ok=True)


def _alike(values: list[Any]) -> list[Any]:
    """Return values of one type, as a column of Parquet has; None fits everywhere."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and len(kinds) == 2:
        return [None if value is None else float(value) for value in values]
    if len(kinds) > 1:
        return [None if value is None else str(value) for value in values]
    return values
