"""Single kernels at the sizes where they are used, and how fast they run.

A kernel takes microseconds, so it is repeated inside a compiled loop: a call from Python would
cost a good part of that again.
"""

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

from fastmlp.kernels.table import Activation, Hyper

Arrays = tuple[Any, ...]
real = np.float32


def kernels_of(backend: str):
    """The module that holds a backend's kernels, under the same names in each."""
    return importlib.import_module("fastmlp.kernels." + {"numba": "compiled"}.get(backend, backend))


@dataclass(frozen=True)
class Case:
    """A kernel with its arguments, and the work that a call must at least do.

    Where arithmetic is what counts, ``flops``; else ``bytes``, each array read or written once.
    """

    kernel: str
    what: str
    make: Callable[[np.random.Generator], Arrays]
    flops: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        return f"{self.kernel} {self.what}"


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(real)


def dense(n: int, inputs: int, outputs: int, *, rows: bool) -> list[Case]:
    """Forward, weight update and, where there is one, input gradient of a layer."""
    what = f"({n}, {inputs}, {outputs})"
    flops = 2 * n * inputs * outputs
    suffix = "_rows" if rows else ""

    def x(rng):
        return normal(rng, n, inputs) if rows else normal(rng, inputs, n)

    cases = [
        Case(
            f"dense_forward{suffix}", what,
            lambda rng: (
                x(rng), normal(rng, outputs, inputs), normal(rng, outputs), normal(rng, outputs, n)
            ),
            flops,
        ),
        Case(
            f"dense_weight_update{suffix}", what,
            lambda rng: (
                normal(rng, n, inputs), normal(rng, outputs, n), real(-1e-6),
                normal(rng, outputs, inputs),
            ),
            flops,
        ),
    ]  # fmt: skip
    if not rows:
        cases.append(
            Case(
                "dense_input_gradient", what,
                lambda rng: (
                    normal(rng, outputs, inputs), normal(rng, outputs, n), normal(rng, inputs, n)
                ),
                flops,
            )
        )  # fmt: skip
    return cases


def activation(kind: Activation, size: int) -> list[Case]:
    what = f"{kind.name.lower()} ({size},)"
    return [
        Case(
            "activation_forward", what,
            lambda rng: (kind, real(0.1), normal(rng, size), normal(rng, size)),
            bytes=8 * size,
        ),
        Case(
            "activation_backward", what,
            lambda rng: (kind, real(0.1), *(normal(rng, size) for _ in range(4))),
            bytes=12 * size,
        ),
    ]  # fmt: skip


def crossentropy(n: int, classes: int = 10) -> Case:
    def make(rng):
        labels = rng.integers(0, classes, 60_000)
        return (
            normal(rng, classes, n), rng.integers(0, 60_000, n), labels,
            normal(rng, 2, n), normal(rng, classes, n),
        )  # fmt: skip

    size = 8 * classes * n + 16 * n
    return Case("softmax_crossentropy_labels", f"({n}, {classes})", make, bytes=size)


def gather(n: int, features: int = 784) -> list[Case]:
    """Rows from all over a data set: of bytes, and of floats."""

    def make(rng, dtype):
        data = rng.integers(0, 256, (60_000, features), np.uint8).astype(dtype)
        return data, rng.permutation(60_000)[:n], real(1 / 255), real(0), normal(rng, n, features)

    what = f"({n}, {features})"
    size = n * features
    return [
        Case("gather_bytes", what, lambda rng: make(rng, np.uint8), bytes=5 * size),
        Case("gather_reals", what, lambda rng: make(rng, real), bytes=8 * size),
    ]


def sgd(size: int) -> Case:
    def make(rng):
        hyper = np.zeros(len(Hyper))
        hyper[Hyper.LEARNING_RATE] = 1e-6
        return normal(rng, size), normal(rng, size), normal(rng, 0), hyper

    return Case("sgd_step", f"({size},)", make, bytes=12 * size)


FIRST_LAYER = dense(32, 784, 10, rows=True)
CASES = [
    *FIRST_LAYER,
    *dense(64, 784, 128, rows=True),
    *dense(128, 784, 512, rows=True),
    *dense(32, 10, 10, rows=False),
    *dense(128, 512, 512, rows=False),
    *activation(Activation.SIGMOID, 320),
    *activation(Activation.TANH, 320),
    *activation(Activation.RELU, 65_536),
    crossentropy(32),
    crossentropy(128),
    *gather(32),
    sgd(8_290),
]


def repeated(kernel: Callable[..., Any]) -> Callable[..., None]:
    """Return ``run(times, *arguments)``, which calls the kernel so many times."""
    if not isinstance(kernel, Dispatcher):

        def run(times, *arguments):
            for _ in range(times):
                kernel(*arguments)

        return run

    # What is inlined into the engine is compiled like it, on its own.
    options = {**kernels_of("numba").matmul_nn.targetoptions}
    del options["nopython"]
    function = numba.njit(**options)(kernel.py_func)

    @numba.njit(**options)
    def run_compiled(times, *arguments):
        for _ in range(times):
            function(*arguments)

    return run_compiled


class Kernel:
    """A case on a backend, ready to be timed."""

    def __init__(self, backend: str, case: Case) -> None:
        self.case = case
        self.run = repeated(getattr(kernels_of(backend), case.kernel))
        self.arguments = case.make(np.random.default_rng(0))
        self.times = 1
        self.run(self.times, *self.arguments)
        self.times = max(1, round(0.005 / self.seconds()))

    def seconds(self) -> float:
        """Seconds a call, over about 5 ms of them."""
        started = time.perf_counter()
        self.run(self.times, *self.arguments)
        return (time.perf_counter() - started) / self.times


class FirstLayer:
    """The two kernels in which a narrow net spends its time."""

    name = "first layer"

    def __init__(self, backend: str) -> None:
        self.kernels = {case.kernel: Kernel(backend, case) for case in FIRST_LAYER}

    def rate(self, kernel: str) -> float:
        """GFLOP/s."""
        return self.kernels[kernel].case.flops / self.kernels[kernel].seconds() / 1e9
