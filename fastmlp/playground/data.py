"""What a net of the page learns: toys with two inputs, pictures, or a table of the user's own."""

import csv
import functools
import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import datasets

Array = NDArray[np.floating]

TRAIN, TEST = 400, 200  # samples of a toy
MOST_BYTES, MOST_ROWS, MOST_COLUMNS, MOST_CLASSES = 4_000_000, 100_000, 1_000, 50
FEWEST_ROWS = 10


@dataclass(frozen=True, eq=False)
class Problem:
    """Samples, and what is to be learned of them.

    Attributes
    ----------
    name : str
    train, test : (x, y)
    classes : tuple of str
        Empty: the answer is a number.
    scale : float
        What the net multiplies its inputs by.
    picture : (height, width) or None
        Of a sample, where it is an image.
    note : str
        What the user should know of it.
    """

    name: str
    train: tuple[NDArray[np.number], NDArray[np.number]]
    test: tuple[NDArray[np.number], NDArray[np.number]]
    classes: tuple[str, ...]
    scale: float = 1.0
    picture: tuple[int, int] | None = None
    note: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        return self.train[0].shape[1:]

    @property
    def outputs(self) -> int:
        return len(self.classes) or 1

    @property
    def loss(self) -> str:
        return "sparse_categorical_crossentropy" if self.classes else "mean_squared_error"

    @property
    def metrics(self) -> list[str]:
        return ["accuracy"] if self.classes else ["mean_absolute_error"]

    @property
    def is_plane(self) -> bool:
        """Whether the samples are points of a plane, on which a boundary can be drawn."""
        return self.shape == (2,) and bool(self.classes)

    @property
    def chance(self) -> float:
        """The share of the test set's most frequent class."""
        labels = self.test[1].astype(np.int64)
        return float(np.bincount(labels).max() / labels.size)


def _moons(rng: np.random.Generator, n: int) -> tuple[Array, NDArray[np.int64]]:
    y = np.arange(n) % 2
    angle = rng.uniform(0, math.pi, n)
    x = np.where(y == 0, np.cos(angle), 1 - np.cos(angle)) - 0.5
    return np.stack([x, np.where(y == 0, np.sin(angle), 0.5 - np.sin(angle)) - 0.25], axis=1), y


def _circles(rng: np.random.Generator, n: int) -> tuple[Array, NDArray[np.int64]]:
    y = np.arange(n) % 2
    angle = rng.uniform(0, 2 * math.pi, n)
    radius = np.where(y == 0, 1.0, 0.45)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y


def _squares(rng: np.random.Generator, n: int) -> tuple[Array, NDArray[np.int64]]:
    x = rng.uniform(-1, 1, (n, 2))
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def _spirals(rng: np.random.Generator, n: int) -> tuple[Array, NDArray[np.int64]]:
    y = np.arange(n) % 3
    radius = np.sqrt(rng.uniform(0.01, 1, n))
    angle = 4.5 * radius + y * 2 * math.pi / 3
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y


def _blobs(rng: np.random.Generator, n: int) -> tuple[Array, NDArray[np.int64]]:
    y = np.arange(n) % 4
    middle = np.array([[-0.7, -0.5], [0.6, -0.7], [0.1, 0.7], [-0.8, 0.7]])
    return middle[y] + 0.2 * rng.standard_normal((n, 2)), y


_TOYS: dict[str, Callable[[np.random.Generator, int], tuple[Array, NDArray[np.int64]]]] = {
    "moons": _moons,
    "circles": _circles,
    "squares": _squares,
    "spirals": _spirals,
    "blobs": _blobs,
}
OWN = "csv"
NAMES = (*_TOYS, "fashion-mnist", "digits", OWN)


@functools.lru_cache(maxsize=16)
def load(name: str, noise: float = 0.1) -> Problem:
    """Return a problem of the page by its name, or one of a toy with so much noise."""
    if name in _TOYS:
        rng = np.random.default_rng(0)
        x, y = _TOYS[name](rng, TRAIN + TEST)
        x = (x + noise * rng.standard_normal(x.shape)).astype(np.float32)
        names = tuple(f"class {number}" for number in range(y.max() + 1))
        return Problem(name, (x[:TRAIN], y[:TRAIN]), (x[TRAIN:], y[TRAIN:]), names)
    found = datasets.load(name)
    shape = found.input_shape
    height = shape[0] if len(shape) > 1 else math.isqrt(shape[0])
    return Problem(
        found.name, found.train, found.test, tuple(found.classes), found.scale,
        (height, math.prod(shape) // height), found.note or "",
    )  # fmt: skip


def read_csv(text: str) -> Problem:
    """Return the problem of a table, the last column of which is to be told from the others.

    It is a class if it holds words, or at most twenty different whole numbers; else a number.
    Inputs are standardized; every fifth row, in a fixed random order, is for the test.

    Raises
    ------
    ValueError
        If it is no such table; the message says in which line.
    """
    if len(text) > MOST_BYTES:
        raise ValueError(f"CSV: expected at most {MOST_BYTES:,} letters, got {len(text):,}")
    rows = _rows(text)
    width = len(rows[0][1])
    first = rows[0][1]
    header = first if not all(map(_is_number, first[:-1])) else None
    body = rows[1:] if header is not None else rows
    if len(body) < FEWEST_ROWS:
        raise ValueError(f"CSV: expected at least {FEWEST_ROWS} rows of data, got {len(body)}")
    x = np.empty((len(body), width - 1), np.float32)
    for place, (line, cells) in enumerate(body):
        for column, cell in enumerate(cells[:-1]):
            if not _is_number(cell):
                raise ValueError(
                    f"CSV, line {line}: expected a number in column {column + 1}, got {cell[:40]!r}"
                )
            x[place, column] = float(cell)
    classes, y = _targets([cells[-1] for _, cells in body])
    order = np.random.default_rng(0).permutation(len(x))
    test, train = order[::5], np.delete(order, np.s_[::5])
    spread = x[train].std(axis=0)
    x = (x - x[train].mean(axis=0)) / np.where(spread > 0, spread, 1)
    target = header[-1] if header is not None else f"column {width}"
    kind = f"{len(classes)} classes" if classes else "a number, standardized"
    note = f"{len(x):,} rows; {width - 1} inputs; {target} is to be told: {kind}."
    return Problem(OWN, (x[train], y[train]), (x[test], y[test]), classes, note=note)


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return the lines that are not empty, with their numbers; all are equally long."""
    first = text.lstrip("\ufeff")
    delimiter = max(",;\t", key=first.partition("\n")[0].count)
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(first), delimiter=delimiter)
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            rows.append((reader.line_num, [cell.strip() for cell in cells]))
            if len(cells) != len(rows[0][1]):
                raise ValueError(
                    f"CSV, line {reader.line_num}: expected {len(rows[0][1])} columns, "
                    f"got {len(cells)}"
                )
            if len(rows) > MOST_ROWS + 1:
                raise ValueError(f"CSV: expected at most {MOST_ROWS:,} rows")
    except csv.Error as reason:
        raise ValueError(f"CSV, line {reader.line_num}: {reason}") from None
    if not rows or not 2 <= len(rows[0][1]) <= MOST_COLUMNS:
        got = len(rows[0][1]) if rows else 0
        raise ValueError(f"CSV: expected 2 to {MOST_COLUMNS:,} columns, got {got}")
    return rows


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell)) and abs(float(cell)) < 1e30
    except ValueError:
        return False


def _targets(cells: list[str]) -> tuple[tuple[str, ...], NDArray[np.number]]:
    """Return the classes, none for a number, and the targets."""
    if all(map(_is_number, cells)):
        values = np.array([float(cell) for cell in cells])
        different = np.unique(values)
        if len(different) > 20 or not np.array_equal(different, different.round()):
            spread = values.std()
            if spread == 0:
                raise ValueError("CSV: the last column has one value only: nothing can be learned")
            return (), ((values - values.mean()) / spread).astype(np.float32)[:, None]
        cells = [f"{value:g}" for value in values]
    names = sorted(set(cells), key=lambda name: (not _is_number(name), name))
    if _is_number(names[0]) and _is_number(names[-1]):
        names.sort(key=float)
    if not 2 <= len(names) <= MOST_CLASSES:
        raise ValueError(
            f"CSV: expected 2 to {MOST_CLASSES} classes in the last column, got {len(names)}"
        )
    place = {name: number for number, name in enumerate(names)}
    return tuple(names), np.array([place[cell] for cell in cells])
