"""The command line: ``python -m fastmlp.experiments {q1,q2} [options]``."""

import contextlib
import csv
import dataclasses
import datetime
import os
import platform
import shlex
import sys
import time
from collections.abc import Iterable
from functools import partial
from importlib import metadata
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markdown import Markdown

from .. import __version__, backends, datasets
from ..runtime.schedulers import scheduler_of
from ..warmup import warm_up
from . import options, q1, q2, style
from .folder import EPOCHS, PAGE, REPORT, RESULTS, RunFolder, Write, as_json, text
from .lab import Lab
from .nets import Net
from .page import page
from .pictures import pictures
from .report import Figure, Section, to_markdown

QUESTIONS = {"q1": q1, "q2": q2}
FAILED = 1
INTERRUPTED = 130  # what a shell reports of a command that Ctrl-C ended

_FIGURES = ("loss", "data_loss", "accuracy", "val_loss", "val_data_loss", "val_accuracy")
_COLUMNS = [*(field.name for field in dataclasses.fields(Net)), "epoch", *_FIGURES]


def main(arguments: list[str] | None = None) -> int:
    """Run one question; returns the exit code."""
    parser = options.parser(QUESTIONS)
    chosen = parser.parse_args(arguments)
    console = Console(highlight=False)
    settings = options.settings(chosen)
    question = QUESTIONS[chosen.question]
    path = chosen.out or _new_path(chosen.question)
    existed = path.exists()
    try:
        backends.resolve(settings.backend)
        scheduler_of(settings.scheduler, settings.jobs)
        folder = RunFolder(path)
    except OSError as reason:
        parser.error(f"--out: {path} cannot be written to: {reason}")
    except (ImportError, ValueError) as reason:
        parser.error(str(reason))
    try:
        dataset = settings.cut(datasets.load(settings.dataset))
    except (datasets.DatasetNotFoundError, ValueError) as reason:
        console.print(f"error: --dataset: {reason}", style="red", markup=False)
        if not existed:
            path.rmdir()
        return FAILED
    options_typed = shlex.join(sys.argv[1:] if arguments is None else arguments)
    with contextlib.closing(Lab(dataset, settings, console, question.measure)) as lab:
        run = Run(question, chosen.question, lab, f"{parser.prog} {options_typed}")
        return run.go(folder)


class Run:
    """A question on its way: trains, says what it finds, and leaves it in a folder."""

    def __init__(self, question: ModuleType, name: str, lab: Lab, command: str) -> None:
        self.question = question
        self.name = name
        self.lab = lab
        self.command = command
        self.sections: list[Section] = []
        self.interrupted = False
        self.started = time.perf_counter()
        self.seconds = 0.0
        self.failed: dict[str, Exception] = {}

    def go(self, folder: RunFolder) -> int:
        """Run the question; numbers are written first, then words, then pictures and the page."""
        console = self.lab.console
        if self.lab.dataset.note:
            console.print(self.lab.dataset.note, style="yellow", markup=False)
        try:
            self.train()
        except Exception as error:
            folder.publish({RESULTS: as_json(self.results(f"{type(error).__name__}: {error}"))})
            raise
        self.seconds = time.perf_counter() - self.started
        try:
            self._publish(folder)
        except KeyboardInterrupt:  # once more: what is done is worth a second attempt
            self.interrupted = True
            self._publish(folder)
        try:
            self._draw(folder)
            self.failed |= folder.add({PAGE: partial(self._write_page, pictures=folder.path)})
        except KeyboardInterrupt:
            self.interrupted = True
            console.print("\nInterrupted: some figures are missing.", style="yellow")
        return self._conclude(folder)

    def train(self) -> None:
        question, console = self.question, self.lab.console
        try:
            warm_up(self.lab.settings.backend, question.DTYPES, console=console)
            for part in question.PARTS:
                part.train(self.lab)
                self._add(part.describe(self.lab))
        except KeyboardInterrupt:
            self.interrupted = True
            console.print("\nInterrupted: writing what is done.", style="yellow")
            self.sections = []
            for part in question.PARTS:
                self._add(part.describe(self.lab))

    def _add(self, section: Section | None) -> None:
        if section is not None:
            self.sections.append(section)
            self.lab.console.print(Markdown(f"## {section.title}\n\n{section.text}"))
            self.lab.console.print()

    def _publish(self, folder: RunFolder) -> None:
        arrays = self.question.arrays(self.lab)
        self.failed |= folder.publish(
            {
                RESULTS: as_json(self.results()),
                EPOCHS: self._write_epochs,
                **{name: _npz(values) for name, values in arrays.items()},
                REPORT: text(self._report()),
            }
        )

    def _draw(self, folder: RunFolder) -> None:
        with self.lab.console.status("Drawing the figures"), style.applied():
            for figure in _figures(self.sections):
                try:
                    drawing = figure.draw()
                except Exception as reason:  # one picture must not cost the others
                    self.failed[f"{figure.name}.png"] = reason
                    continue
                self.failed |= folder.add(
                    {f"{figure.name}.{kind}": write for kind, write in pictures(drawing).items()}
                )

    def _conclude(self, folder: RunFolder) -> int:
        console = self.lab.console
        if self.failed and REPORT not in self.failed:
            folder.add({REPORT: text(self._report())})
        for name, reason in self.failed.items():
            console.print(
                f"error: {name} could not be written: {reason}", style="red", markup=False
            )
        seconds = time.perf_counter() - self.started  # with the words and the pictures
        console.print(
            f"{'Interrupted after' if self.interrupted else 'Done in'} {seconds:.0f} s: "
            f"{folder.path / PAGE}, with {REPORT}, the figures, {RESULTS} and {EPOCHS} beside it.",
            soft_wrap=True, markup=False,
        )  # fmt: skip
        return INTERRUPTED if self.interrupted else FAILED if self.failed else 0

    def _report(self) -> str:
        return to_markdown(self.question.TITLE, self._preface(), self._sections())

    def _write_page(self, path: Path, pictures: Path) -> None:
        made = page(
            self.question.TITLE, self._preface(), self._sections(), self._manifest(), self.lab,
            self.question.CHARTS, pictures,
        )  # fmt: skip
        path.write_text(made, encoding="utf-8")

    def _preface(self) -> str:
        preface = _preface(self._manifest())
        if self.failed:
            names = ", ".join(self.failed)
            preface += f"\n\n**Missing, because they could not be written: {names}.**"
        return preface

    def _sections(self) -> list[Section]:
        """Return the sections with those of their figures that could be drawn."""
        return [
            dataclasses.replace(
                section,
                figures=[f for f in section.figures if f"{f.name}.png" not in self.failed],
            )
            for section in self.sections
        ]

    def results(self, error: str = "") -> dict[str, object]:
        """Return all numbers; after an error those of the nets, which need no words."""
        lab = self.lab
        parts = () if error else self.question.PARTS
        found = {part.__name__.rpartition(".")[2]: part.results(lab) for part in parts}
        return {
            **self._manifest(),
            **({"error": error} if error else {}),
            "files": [
                RESULTS, EPOCHS, REPORT, PAGE, *self.question.ARRAYS,
                *(f"{f.name}.{kind}" for f in _figures(self.sections) for kind in ("png", "svg")),
            ],
            "statements": [
                {"section": section.title, **dataclasses.asdict(statement)}
                for section in self.sections
                for statement in section.statements
            ],
            "findings": found,
            "nets": [
                {
                    **dataclasses.asdict(net),
                    **dataclasses.asdict(outcome),
                    "stuck": lab.is_stuck(net),
                    "course": lab.course(net),
                }
                for net, outcome in lab.outcomes.items()
            ],
        }  # fmt: skip

    def _write_epochs(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, _COLUMNS)
            writer.writeheader()
            for net, outcome in self.lab.outcomes.items():
                for epoch in range(len(outcome.figures["loss"])):
                    figures = {name: values[epoch] for name, values in outcome.figures.items()}
                    writer.writerow({**dataclasses.asdict(net), "epoch": epoch + 1, **figures})

    def _manifest(self) -> dict[str, object]:
        manifest = _manifest(self.name, self.lab, self.interrupted, self.seconds)
        return {"command": self.command, **manifest}


def _figures(sections: Iterable[Section]) -> list[Figure]:
    return [figure for section in sections for figure in section.figures]


def _npz(arrays: dict[str, NDArray[np.floating]]) -> Write:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    return write


def _new_path(question: str) -> Path:
    """Return a directory below runs/ that does not exist yet."""
    stem = f"{question}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    names = (stem, *(f"{stem}-{n}" for n in range(2, 1000)))
    return next(path for path in (Path("runs") / name for name in names) if not path.exists())


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
            "threshold": lab.yardstick.threshold,
            "ceiling": lab.yardstick.ceiling,
        },
        "backend": backends.resolve(lab.settings.backend),
        "versions": {
            "fastmlp": __version__,
            "python": platform.python_version(),
            **_installed("numpy", "numba", "scipy", "matplotlib"),
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
        f"samples. Trained by fastmlp {__version__} ({manifest['backend']}) in "
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


if __name__ == "__main__":
    sys.exit(main())
