"""The command's options: what a student may turn, and what each may be."""

import argparse
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from .. import activations, backends, initializers
from .settings import Settings

# A rate is a float32 in the kernels: outside of this range it could be 0 or infinite there.
_SMALLEST, _LARGEST = 1e-30, 1e30

_ACTIVATIONS = tuple(name for name in activations.NAMES if name not in activations.OF_FEATURES)


def parser(questions: Mapping[str, ModuleType]) -> argparse.ArgumentParser:
    """Return the parser; a question may leave out options that have no meaning for it."""
    whole = argparse.ArgumentParser(
        prog="python -m fastmlp.experiments",
        description="The course's questions, answered by measurement.",
    )
    commands = whole.add_subparsers(dest="question", required=True, metavar="question")
    for name, question in questions.items():
        one = commands.add_parser(
            name,
            help=question.TITLE,
            description=question.TITLE + ".",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        _add_run(one)
        _add_nets(one, question.OPTIONS)
    return whole


def settings(chosen: argparse.Namespace) -> Settings:
    """Return the settings that were chosen."""
    return Settings(
        **{field.name: getattr(chosen, field.name) for field in dataclasses.fields(Settings)}
    )


def _add_run(one: argparse.ArgumentParser) -> None:
    one.add_argument("--dataset", choices=("auto", "fashion-mnist", "digits"), default="auto")
    one.add_argument("--quick", action="store_true", help="fewer samples and seeds")
    one.add_argument(
        "--out", type=_directory, metavar="DIR", help="default: runs/<question>-<time>"
    )
    one.add_argument("--backend", choices=backends.NAMES, default="auto")
    one.add_argument("--jobs", type=_integer(1024), help="nets at once; default: one per core")
    one.add_argument(
        "--scheduler", default="local",
        help="where the maps' and sweeps' nets are trained: 'local', 'dask', a backend of joblib "
        "such as 'loky', or the address or file of a dask scheduler",
    )  # fmt: skip


def _add_nets(one: argparse.ArgumentParser, words: Mapping[str, str]) -> None:
    """Add what the nets of a question can be; ``words`` are a question's own, by option."""
    group = one.add_argument_group("the nets (default: the report's)")
    group.add_argument(
        "--activations", "--activation", type=_activations, metavar="NAME[,NAME...]",
        help=words["activations"] + f"; of {', '.join(_ACTIVATIONS)}",
    )  # fmt: skip
    for option, convert, default in (
        ("depth", _integer(200), None),
        ("width", _integer(4096), None),
        ("initializer", _initializer, None),
        ("learning-rate", _number(_SMALLEST, _LARGEST), None),
        ("momentum", _number(0, 1, below=True), None),
        ("l1", _number(0, _LARGEST), None),
        ("l2", _number(0, _LARGEST), None),
        ("dropout", _number(0, 1, below=True), None),
        ("batch-size", _integer(1_000_000), 32),
        ("epochs", _integer(10_000), None),
        ("seeds", _integer(1_000), None),
    ):
        said = {**_WORDS, **words}[option.replace("-", "_")]
        group.add_argument(f"--{option}", type=convert, default=default, help=said)


_WORDS = {
    "width": "units of each hidden layer",
    "initializer": f"of all weights: {', '.join(initializers.NAMES)}",
    "learning_rate": "instead of the report's",
    "momentum": "of SGD, from 0 up to, but not including, 1",
    "l1": "factor of the sum of |w|",
    "l2": "factor of the sum of w^2",
    "dropout": "rate, after each hidden layer",
    "batch_size": "samples a step",
    "epochs": "of each training",
    "seeds": "nets of each kind",
}


def _directory(given: str) -> Path:
    if not given or "\0" in given:
        raise argparse.ArgumentTypeError(f"expected a directory, got {given!r}")
    return Path(given)


def _activations(given: str) -> tuple[str, ...]:
    names = tuple(given.split(","))
    for name in names:
        if name not in _ACTIVATIONS:
            raise argparse.ArgumentTypeError(
                f"expected names out of {', '.join(_ACTIVATIONS)}, with commas between, "
                f"got {given!r}"
            )
    if len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"expected each name once, got {given!r}")
    return names


def _initializer(given: str) -> str:
    if given not in initializers.NAMES:
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(initializers.NAMES)}, got {given!r}"
        )
    return given


def _integer(largest: int) -> Callable[[str], int]:
    def convert(given: str) -> int:
        if not (given.isascii() and given.isdecimal()) or not given.strip("0"):
            raise argparse.ArgumentTypeError(f"expected a positive integer, got {given}")
        if len(given) > 20 or int(given) > largest:
            raise argparse.ArgumentTypeError(f"expected at most {largest:,}, got {given}")
        return int(given)

    return convert


def _number(smallest: float, largest: float, *, below: bool = False) -> Callable[[str], float]:
    """Return what reads a number in [smallest, largest], or [smallest, largest) if ``below``."""

    def convert(given: str) -> float:
        try:
            value = float(given)
        except ValueError:
            value = float("nan")
        if not 0 <= value < float("inf") or (smallest > 0 and value == 0):
            kind = "a positive number" if smallest > 0 else "a number that is not negative"
            raise argparse.ArgumentTypeError(f"expected {kind}, got {given}")
        if not smallest <= value <= largest or (below and value == largest):
            end = ")" if below else "]"
            raise argparse.ArgumentTypeError(
                f"expected a number in [{smallest:g}, {largest:g}{end}, got {given}"
            )
        return value

    return convert
