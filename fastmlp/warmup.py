"""Compile ahead of time: ``python -m fastmlp.warmup``, for images, clusters and classrooms."""

import argparse
import time

import numpy as np
from rich.console import Console

from . import layers
from .backends import resolve
from .gradcheck import check_gradients
from .model import Sequential


def warm_up(
    backend: str = "auto",
    dtype: str = "float32",
    *,
    gradients: bool = False,
    console: Console | None = None,
) -> float:
    """Make the kernels ready for use, and return the seconds that took.

    Compiled kernels are kept on disk: it takes long once per machine and version.  Those of
    the gradient check are extra.
    """
    started = time.perf_counter()
    console = console or Console(stderr=True)
    what = f"Getting the {dtype} kernels ready (once per machine they must be compiled)"
    with console.status(what):
        model = Sequential([layers.Dense(2, activation="softmax")], backend=backend, dtype=dtype)
        model.compile(loss="sparse_categorical_crossentropy")
        x, y = np.zeros((2, 2), np.uint8), np.arange(2)
        model.fit(x, y, verbose=0)
        if gradients:
            check_gradients(model, x, y)
    seconds = time.perf_counter() - started
    if seconds > 3:
        console.print(f"[dim]Kernels compiled in {seconds:.0f} s, and kept for next time.[/dim]")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m fastmlp.warmup", description="Compile the kernels, and keep them on disk."
    )
    parser.add_argument("--dtype", choices=("float32", "float64"), action="append")
    for dtype in parser.parse_args().dtype or ("float32", "float64"):
        seconds = warm_up(dtype=dtype, gradients=dtype == "float64")
        Console().print(f"{resolve('auto')}, {dtype}: ready after {seconds:.1f} s")


if __name__ == "__main__":
    main()
