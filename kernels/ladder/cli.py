"""The command line: ``python -m fastmlp.kernels``."""

import argparse
import importlib.util
import os
import shlex
import sys
from pathlib import Path

import numba
import numpy as np
from rich.console import Console

from . import show
from .forward import FORWARD
from .machine import core, cpu, vector_bytes
from .machine_code import compile_anew
from .measure import Limits, arguments_for, is_numba, measure
from .peers import peer_rates
from .sigmoid import SIGMOID
from .step import Ladder, Step
from .update import UPDATE

LADDERS = {"forward": FORWARD, "update": UPDATE, "sigmoid": SIGMOID}


def main(arguments: list[str] | None = None) -> int:
    """Show the ladders and their rates, or one step's machine code; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if numba.config.DISABLE_JIT:
        parser.error("NUMBA_DISABLE_JIT is set: there is no machine code to show or to measure")
    if options.plot and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib, which the extra `experiments` installs")
    if options.html and importlib.util.find_spec("pygments") is None:
        parser.error("--html needs pygments, which the extra `report` installs")
    console = Console(highlight=False)
    if options.asm or options.llvm:
        for language in ("asm", "llvm"):
            if chosen := getattr(options, language):
                _show_code(console, *chosen, language, options.whole)
        return 0
    names = options.ladders or list(LADDERS)
    vector = vector_bytes()
    console.print(f"{cpu()}, {core()}, vectors of {vector} bytes: {vector // 4} float32.\n")
    with console.status("Measuring NumPy"):
        peers = peer_rates(options.rounds)
    found = {}
    for name in names:
        with console.status(f"Compiling, checking and measuring {name}"):
            found[name] = _measured(LADDERS[name], options.rounds)
        if not options.brief:
            limits, rates = found[name]
            show.show_ladder(console, name, LADDERS[name], rates, limits)
    for name, (limits, rates) in found.items():
        console.print(show.rates_table(name, LADDERS[name], rates, limits, peers))
        console.print(show.limits_line(limits))
        own = show.peers_of(name, LADDERS[name], peers)
        console.print(show.above_the_roof(LADDERS[name], rates, limits, own), "\n")
    if options.plot:
        from .plot import draw_roofline

        draw_roofline(options.plot, {n: (LADDERS[n], *found[n]) for n in names}, peers)
        console.print(f"Drawn: {options.plot}", soft_wrap=True)
    if options.html:
        from .page import page

        with console.status("Compiling anew, for the machine code"):
            typed = shlex.join(sys.argv[1:] if arguments is None else arguments)
            made = page({n: (LADDERS[n], *found[n]) for n in names}, peers, typed)
        options.html.write_text(made, encoding="utf-8")
        console.print(f"Written: {options.html}", soft_wrap=True)
    return 0


def _measured(ladder: Ladder, rounds: int) -> tuple[Limits, list[list[float]]]:
    """Measure the limits before and after the steps: the clock may change in between."""
    before = Limits.of(ladder)
    rates = measure(ladder, rounds)
    return before.or_higher(Limits.of(ladder)), rates


def pin_to_one_core() -> None:
    """Stay on one core, where the system can do that: rates are of one."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _show_code(
    console: Console, name: str, ladder: Ladder, step: Step, language: str, whole: bool
) -> None:
    code = compile_anew(step.kernel, arguments_for(ladder, np.float32, ladder.sizes))
    show.show_code(console, name, code[language], language, whole)
    console.print(show.counts_table(code["asm"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fastmlp.kernels",
        description="From the naive loop to the shipped kernel: each step's source, the idea, and "
        "its rate on this machine.",
    )
    parser.add_argument("ladders", nargs="*", metavar="LADDER", type=_ladder, help=_listed(LADDERS))
    parser.add_argument("--rounds", type=_positive, default=20, help="measurements of each step")
    parser.add_argument("--brief", action="store_true", help="the rates without the sources")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the roofline, as PNG")
    parser.add_argument(
        "--html", type=Path, metavar="FILE",
        help="write a page: source and machine code side by side, and the roofline",
    )  # fmt: skip
    parser.add_argument(
        "--asm", type=_step, metavar="STEP", help="show a step's assembly, as forward/vectors"
    )
    parser.add_argument("--llvm", type=_step, metavar="STEP", help="or what LLVM made of it before")
    parser.add_argument("--whole", action="store_true", help="not only the inner loop")
    return parser


def _ladder(name: str) -> str:
    if name not in LADDERS:
        raise argparse.ArgumentTypeError(f"there is no ladder {name!r}, but {_listed(LADDERS)}")
    return name


def _step(name: str) -> tuple[str, Ladder, Step]:
    steps = {
        f"{key}/{s.name}": (ladder, s) for key, ladder in LADDERS.items() for s in ladder.steps
    }
    if name not in steps:
        raise argparse.ArgumentTypeError(f"there is no step {name!r}, but {_listed(steps)}")
    ladder, step = steps[name]
    if not is_numba(step.kernel):
        raise argparse.ArgumentTypeError(f"{name} is not compiled by Numba")
    return name, ladder, step


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, got {text}")
    return value


def _listed(names: dict[str, object]) -> str:
    return ", ".join(names)
