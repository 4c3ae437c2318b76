"""The command line: ``python -m fastmlp.experiments {q1,q2} [options]``."""

import argparse
import contextlib
import dataclasses
import datetime
import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.markdown import Markdown

from .. import __version__, backends, datasets
from ..warmup import warm_up
from . import q1, q2, style
from .folder import RunFolder
from .lab import Lab
from .nets import Net, Outcome
from .report import Section, to_markdown
from .settings import Settings

QUESTIONS = {"q1": q1, "q2": q2}
INTERRUPTED = 130  # what a shell reports of a command that Ctrl-C ended

_FIGURES = ("loss", "data_loss", "accuracy", "val_loss", "val_data_loss", "val_accuracy")


def main(arguments: list[str] | None = None) -> int:
    """Run one question; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    settings = Settings(
        **{field.name: getattr(options, field.name) for field in dataclasses.fields(Settings)}
    )
    question = QUESTIONS[options.question]
    path = (
        options.out or Path("runs") / f"{options.question}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    )
    try:
        backends.resolve(settings.backend)
        folder = RunFolder(path)
    except OSError as reason:
        parser.error(f"--out: {path} cannot be written to: {reason}")
    except ValueError as reason:
        parser.error(str(reason))
    try:
        dataset = settings.cut(datasets.load(settings.dataset))
    except (datasets.DatasetNotFoundError, ValueError) as reason:
        console.print(f"error: --dataset: {reason}", style="red", markup=False)
        return 1
    return _run(question, options.question, settings, dataset, folder, console)


def _run(
    question: ModuleType,
    name: str,
    settings: Settings,
    dataset: datasets.Dataset,
    folder: RunFolder,
    console: Console,
) -> int:
    started = time.perf_counter()
    columns = [*(field.name for field in dataclasses.fields(Net)), "epoch", *_FIGURES]
    interrupted = False
    with folder.table("epochs.csv", columns) as add_row:

        def record(net: Net, outcome: Outcome) -> None:
            for epoch in range(len(outcome.figures["loss"])):
                figures = {key: values[epoch] for key, values in outcome.figures.items()}
                add_row({**dataclasses.asdict(net), "epoch": epoch + 1, **figures})

        lab = Lab(dataset, settings, console, record, question.measure)
        if dataset.note:
            console.print(dataset.note, style="yellow", markup=False)
        sections: list[Section] = []
        try:
            warm_up(settings.backend, question.DTYPES, console=console)
            for part in question.PARTS:
                part.train(lab)
                _add(part.describe(lab), sections, console)
        except KeyboardInterrupt:
            interrupted = True
            console.print("\nInterrupted: writing what is done.", style="yellow")
            for part in question.PARTS[len(sections) :]:
                _add(part.describe(lab), sections, console)
    with console.status("Drawing the figures"):
        _draw(question, lab, folder, sections)
    seconds = time.perf_counter() - started
    _write(question, name, lab, folder, sections, interrupted, seconds)
    console.print(
        f"{'Interrupted after' if interrupted else 'Done in'} {seconds:.0f} s: "
        f"{folder.path / 'report.md'}, with its figures, results.json and epochs.csv beside it.",
        soft_wrap=True,
    )
    return INTERRUPTED if interrupted else 0


def _add(section: Section | None, sections: list[Section], console: Console) -> None:
    if section is not None:
        sections.append(section)
        console.print(Markdown(f"## {section.title}\n\n{section.text}"))
        console.print()


def _draw(question: ModuleType, lab: Lab, folder: RunFolder, sections: list[Section]) -> None:
    with style.applied():
        for figure in (figure for section in sections for figure in section.figures):
            folder.save_figure(figure.name, figure.draw())
    question.write_arrays(lab, folder)


def _write(
    question: ModuleType,
    name: str,
    lab: Lab,
    folder: RunFolder,
    sections: list[Section],
    interrupted: bool,
    seconds: float,
) -> None:
    manifest = _manifest(name, lab, interrupted, seconds)
    found = {part.__name__.rpartition(".")[2]: part.results(lab) for part in question.PARTS}
    nets = [
        {**dataclasses.asdict(net), **dataclasses.asdict(outcome), "stuck": lab.is_stuck(net)}
        for net, outcome in lab.outcomes.items()
    ]
    folder.write_json("results.json", {**manifest, "findings": found, "nets": nets})
    folder.write_text("report.md", to_markdown(question.TITLE, _preface(manifest), sections))


def _manifest(name: str, lab: Lab, interrupted: bool, seconds: float) -> dict[str, object]:
    x_train, x_test = lab.dataset.train[0], lab.dataset.test[0]
    return {
        "question": name,
        "finished": not interrupted,
        "seconds": round(seconds, 1),
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "settings": dataclasses.asdict(lab.settings),
        "dataset": {
            "name": lab.dataset.name,
            "note": lab.dataset.note,
            "train": len(x_train),
            "test": len(x_test),
            "input_shape": lab.dataset.input_shape,
            "classes": lab.dataset.classes,
            "entropy": lab.entropy,
            "chance": lab.chance,
        },
        "backend": backends.resolve(lab.settings.backend),
        "versions": {
            "fastmlp": __version__,
            "python": platform.python_version(),
            **_installed("numpy", "numba", "matplotlib"),
        },
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
        },
    }


def _preface(manifest: dict[str, object]) -> str:
    dataset, machine = manifest["dataset"], manifest["machine"]
    assert isinstance(dataset, dict)
    assert isinstance(machine, dict)
    parts = [
        f"Data: {dataset['name']}, {dataset['train']:,} training and {dataset['test']:,} test "
        f"samples. Made by fastmlp {__version__} ({manifest['backend']}) in "
        f"{manifest['seconds']:.0f} s on {machine['processor']}, {machine['cores']} cores."
    ]
    if not manifest["finished"]:
        parts.append("**This run was interrupted: what follows rests on the nets done by then.**")
    if dataset["note"]:
        parts.append(f"**{dataset['note']}**")
    return "\n\n".join(parts)


def _installed(*packages: str) -> dict[str, str]:
    versions = {}
    for package in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):  # not every backend needs Numba
            versions[package] = metadata.version(package)
    return versions


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fastmlp.experiments",
        description="The course's questions, answered by measurement.",
    )
    questions = parser.add_subparsers(dest="question", required=True, metavar="question")
    for name, question in QUESTIONS.items():
        one = questions.add_parser(
            name, help=question.TITLE, description=question.TITLE + ".",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )  # fmt: skip
        one.add_argument("--dataset", choices=("auto", "fashion-mnist", "digits"), default="auto")
        one.add_argument("--quick", action="store_true", help="fewer samples and seeds")
        one.add_argument("--epochs", type=_positive, help="of each training")
        one.add_argument("--seeds", type=_positive, help="nets of each kind")
        one.add_argument("--batch-size", type=_positive, default=32)
        one.add_argument("--learning-rate", type=_rate, help="instead of the report's")
        one.add_argument("--out", type=Path, metavar="DIR", help="default: runs/<question>-<time>")
        one.add_argument("--backend", choices=backends.NAMES, default="auto")
        one.add_argument("--jobs", type=_positive, help="nets at once; default: one per core")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, got {text}")
    return int(text)


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
