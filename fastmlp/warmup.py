"""Compile ahead of time: ``python -m fastmlp.warmup``, for images, clusters and classrooms."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from . import backends, layers
from .gradcheck import check_gradients
from .model import Sequential
from .runtime.threads import available_cores

DTYPES = ("float32", "float64")
_COMPILE = (
    f"import sys; from {__spec__.parent}.warmup import warm_up; warm_up('numba', sys.argv[1:])"
)


def warm_up(
    backend: str = "auto", dtypes: Sequence[str] = ("float32",), *, console: Console | None = None
) -> float:
    """Make the kernels ready for use, and return the seconds that took.

    Compiled kernels are kept on disk: it takes long once per machine and version.  They are those
    that any net needs, with ``"float64"`` those of the gradient check, too; others are compiled
    when a net needs them, or by ``python -m fastmlp.warmup``.
    """
    started = time.perf_counter()
    console = console or Console(stderr=True)
    what = f"Getting the {' and '.join(dtypes)} kernels ready (once per machine they are compiled)"
    with console.status(what):
        helpers = [_compile_elsewhere(dtype) for dtype in dtypes[1:] if _must_compile(backend)]
        try:
            _run_everything(backend, dtypes[0])
            for helper in helpers:
                helper.wait()
        finally:
            for helper in helpers:
                helper.kill()
                helper.wait()
        for dtype in dtypes[1:]:
            _run_everything(backend, dtype)
    seconds = time.perf_counter() - started
    if seconds > 3:
        console.print(f"[dim]Kernels compiled in {seconds:.0f} s.[/dim]")
    return seconds


def _run_everything(backend: str, dtype: str) -> None:
    model = Sequential([layers.Dense(2, activation="softmax")], backend=backend, dtype=dtype)
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    x, y = np.zeros((2, 2), np.uint8), np.arange(2)
    model.fit(x, y, verbose=0)
    if dtype == "float64":
        check_gradients(model, x, y)


def _must_compile(backend: str) -> bool:
    if backends.resolve(backend) != "numba" or available_cores() == 1:
        return False
    from .kernels.numba.disk_cache import cache_is_empty

    return bool(cache_is_empty())


def _compile_elsewhere(dtype: str) -> "subprocess.Popen[bytes]":
    """Let another process fill the cache: Numba compiles one thing at a time in each.

    If it fails, what it should have compiled is compiled here.
    """
    home = str(Path(__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _COMPILE, dtype],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([home, os.environ.get("PYTHONPATH", "")])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _compile_everything(dtypes: Sequence[str]) -> float:
    """Compile the kernels of all layers, losses and optimizers, and return the seconds."""
    from .kernels.numba.late import compile_everything

    started = time.perf_counter()
    for dtype in dtypes:
        compile_everything(np.dtype(dtype))
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m fastmlp.warmup", description="Compile the kernels, and keep them on disk."
    )
    parser.add_argument("--backend", choices=("auto", *backends.available()), default="auto")
    parser.add_argument("--dtype", choices=DTYPES, action="append", help="default: both")
    options = parser.parse_args()
    dtypes = options.dtype or DTYPES
    seconds = warm_up(options.backend, dtypes)
    name = backends.resolve(options.backend)
    if name == "numba":
        seconds += _compile_everything(dtypes)
    Console().print(f"{name}, {' and '.join(dtypes)}: ready after {seconds:.1f} s")


if __name__ == "__main__":
    main()
