"""Single kernels at the sizes where they are used, and how fast they run.

A kernel takes microseconds, so it is repeated inside a compiled loop where that is possible: a
call from Python costs a good part of that again.
"""

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

from fastmlp.kernels.contract import FEW_OUTPUTS, Activation, Number, Rule

real = np.float32
SECONDS_A_RUN = 0.005
MODULES = {"numba": "numba", "cython": "c"}  # in fastmlp.kernels


def kernels_of(backend: str):
    """The module that holds a backend's kernels, under the same names in each."""
    return importlib.import_module("fastmlp.kernels." + MODULES.get(backend, backend))


@dataclass(frozen=True)
class Case:
    """A kernel at a size, and the work that a call must at least do.

    Where arithmetic is what counts, ``flops``; else ``bytes``, each array read or written once.
    ``make(rng, *sizes)`` returns the arguments.
    """

    kernel: str
    sizes: tuple[int, ...]
    make: Callable[..., tuple[Any, ...]]
    flops: int = 0
    bytes: int = 0
    note: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, [self.kernel, self.note, str(self.sizes).replace(",)", ")")]))

    def arguments(self) -> tuple[Any, ...]:
        return self.make(np.random.default_rng(0), *self.sizes)

    def smallest_arguments(self) -> tuple[Any, ...]:
        return self.make(np.random.default_rng(0), *(1 for _ in self.sizes))


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(real)


def forward_rows(rng, n, inputs, outputs):
    weights, bias = normal(rng, outputs, inputs), normal(rng, outputs)
    return normal(rng, n, inputs), weights, bias, real(1 / 255), normal(rng, outputs, n)


def forward(rng, n, inputs, outputs):
    x, weights, bias, _, y = forward_rows(rng, n, inputs, outputs)
    return np.ascontiguousarray(x.T), weights, bias, y


def weight_update_rows(rng, n, inputs, outputs):
    x, dy = normal(rng, n, inputs), normal(rng, outputs, n)
    return x, dy, real(-1e-6), normal(rng, outputs, inputs)


def weight_update(rng, n, inputs, outputs):
    x, *rest = weight_update_rows(rng, n, inputs, outputs)
    return np.ascontiguousarray(x.T), *rest


def input_gradient(rng, n, inputs, outputs):
    return normal(rng, outputs, inputs), normal(rng, outputs, n), normal(rng, inputs, n)


def dense(n: int, inputs: int, outputs: int, *, first: bool = False) -> list[Case]:
    """The products of a layer; the first reads samples as rows, and nobody asks for its inputs'."""
    sizes, flops = (n, inputs, outputs), 2 * n * inputs * outputs
    if first:
        forward_case = Case("dense_forward_rows", sizes, forward_rows, flops)
        return [forward_case, Case("dense_weight_update_rows", sizes, weight_update_rows, flops)]
    if outputs <= FEW_OUTPUTS:
        update = Case("dense_weight_update", sizes, weight_update, flops)
    else:
        update = Case("dense_weight_update_rows", sizes, weight_update_rows, flops)
    return [
        Case("dense_forward", sizes, forward, flops),
        Case("dense_input_gradient", sizes, input_gradient, flops),
        update,
    ]


def activation(kind: Activation, size: int) -> list[Case]:
    def make_forward(rng, size):
        return kind, real(0.1), normal(rng, size), normal(rng, size)

    def make_backward(rng, size):
        return kind, real(0.1), *(normal(rng, size) for _ in range(4))

    note = kind.name.lower()
    return [
        Case("activation_forward", (size,), make_forward, bytes=8 * size, note=note),
        Case("activation_backward", (size,), make_backward, bytes=12 * size, note=note),
    ]


def crossentropy(rng, n, classes):
    rows, labels = rng.integers(0, 60_000, n), rng.integers(0, classes, 60_000)
    return normal(rng, classes, n), rows, labels, normal(rng, 2, n), normal(rng, classes, n)


def gather_bytes(rng, n, features):
    data = rng.integers(0, 256, (60_000, features), np.uint8)
    return data, rng.permutation(60_000)[:n], real(1 / 255), real(0), normal(rng, n, features)


def gather_reals(rng, n, features):
    data, *rest = gather_bytes(rng, n, features)
    return data.astype(real), *rest


def sgd(rng, size):
    numbers, nothing = np.zeros(len(Number)), normal(rng, 0)
    params, gradient = normal(rng, size), normal(rng, size)
    return int(Rule.DESCENT), 1e-6, 0.0, 0, False, 0, params, gradient, *[nothing] * 3, numbers


FIRST_LAYER = dense(32, 784, 10, first=True)
CASES = [
    *FIRST_LAYER,
    *dense(64, 784, 128, first=True),
    *dense(128, 784, 512, first=True),
    *dense(32, 10, 10),
    *dense(128, 512, 512),
    *activation(Activation.SIGMOID, 320),
    *activation(Activation.TANH, 320),
    *activation(Activation.RELU, 65_536),
    Case("softmax_crossentropy_labels", (32, 10), crossentropy, bytes=8 * 320 + 16 * 32),
    Case("softmax_crossentropy_labels", (128, 10), crossentropy, bytes=8 * 1_280 + 16 * 128),
    Case("gather_bytes", (32, 784), gather_bytes, bytes=5 * 32 * 784),
    Case("gather_reals", (32, 784), gather_reals, bytes=8 * 32 * 784),
    Case("optimizer_step", (8_290,), sgd, bytes=12 * 8_290),
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
    """A case on a backend, ready to be timed.

    A kernel that is no Numba function has to be called from Python each time.  What a call
    costs is then measured on the smallest arrays, and taken off.
    """

    def __init__(self, backend: str, case: Case) -> None:
        kernel = getattr(kernels_of(backend), case.kernel)
        self.case = case
        self.run = repeated(kernel)
        self.arguments = case.arguments()
        self.overhead, self.times = 0.0, 1
        if not isinstance(kernel, Dispatcher):
            smallest = case.smallest_arguments()
            self.overhead = min(self._time(1_000, smallest) for _ in range(5))
        self._time(1, self.arguments)
        self.times = max(1, round(SECONDS_A_RUN / self._time(10, self.arguments)))

    def seconds(self) -> float:
        """Seconds a call."""
        return self._time(self.times, self.arguments) - self.overhead

    def _time(self, times: int, arguments: tuple[Any, ...]) -> float:
        started = time.perf_counter()
        self.run(times, *arguments)
        return (time.perf_counter() - started) / times


class FirstLayer:
    """The two kernels in which a narrow net spends its time."""

    name = "first layer"

    def __init__(self, backend: str) -> None:
        self.kernels = {case.kernel: Kernel(backend, case) for case in FIRST_LAYER}

    def rate(self, kernel: str) -> float:
        """GFLOP/s, of a core that has woken up."""
        self.kernels[kernel].seconds()
        return self.kernels[kernel].case.flops / self.kernels[kernel].seconds() / 1e9
