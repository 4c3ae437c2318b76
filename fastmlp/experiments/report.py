"""What an experiment has to say: sections of text, each with its figures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure as Drawing
from tabulate import tabulate


@dataclass(frozen=True)
class Figure:
    """A picture: the stem of its file's name, what it shows, and the function that draws it."""

    name: str
    caption: str
    draw: Callable[[], Drawing]


@dataclass(frozen=True)
class Statement:
    """A sentence that the numbers made, with these numbers: results.json keeps both.

    Attributes
    ----------
    kind : str
        What is stated, as one word for all sentences of that sort.
    text : str
        Markdown.
    quantities : dict
        What the sentence rests on, as JSON takes it: enough to check it without this program.
    """

    kind: str
    text: str
    quantities: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A part of a report; ``text`` is Markdown and contains the statements' texts."""

    title: str
    text: str
    figures: Sequence[Figure] = ()
    statements: Sequence[Statement] = ()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], text_columns: int = 1) -> str:
    """Return a Markdown table; all but the first ``text_columns`` are aligned right."""
    align = ["left"] * text_columns + ["right"] * (len(columns) - text_columns)
    return tabulate(
        [[str(cell) for cell in row] for row in rows],
        headers=list(columns),
        tablefmt="pipe",
        colalign=align,
        disable_numparse=True,
    )


def to_markdown(title: str, preface: str, sections: Iterable[Section]) -> str:
    """Return a whole report."""
    parts = [f"# {title}", preface]
    for section in sections:
        parts += [f"## {section.title}", section.text]
        parts += [f"![{f.caption}]({f.name}.png)\n\n*{f.caption}*" for f in section.figures]
    return "\n\n".join(parts) + "\n"


def count(number: int, noun: str) -> str:
    """Return ``1 net`` or ``3 nets``."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def depths(numbers: Sequence[int], noun: str = "hidden layer") -> str:
    """Return ``1-4, 6 hidden layers``, or ``1 hidden layer``; the numbers ascend."""
    return f"{ranges(numbers)} {noun}" + ("" if list(numbers) == [1] else "s")


def listing(words: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, or ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def ranges(numbers: Iterable[int]) -> str:
    """Return ``1-4, 6``; the numbers ascend."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if run[1:] else str(run[0]) for run in runs)
