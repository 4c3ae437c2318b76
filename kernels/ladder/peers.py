"""NumPy's rates, for comparison: ``python -m fastmlp.kernels.ladder.peers ROUNDS`` prints JSON.

A process of its own, because a BLAS takes its number of threads from the environment as it loads.
"""

import json
import os
import subprocess
import sys

import numpy as np

from .forward import FORWARD
from .measure import arguments_for
from .sigmoid import SIGMOID
from .timing import Repeated, rates
from .update import UPDATE

ONE_THREAD = dict.fromkeys(
    (
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "OMP_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
STACK = 20  # products in one call of matmul, so that Python's share of the time is small
LARGE = 1024


def peer_rates(rounds: int) -> dict[str, list[float]]:
    """Return NumPy's rates on one thread, in the ladders' units."""
    done = subprocess.run(
        [sys.executable, "-m", "fastmlp.kernels.ladder.peers", str(rounds)],
        env=os.environ | ONE_THREAD,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def _forward() -> Repeated:
    a, b, _, _ = arguments_for(FORWARD, np.float32, FORWARD.sizes)
    outs = np.empty((STACK, len(b), len(a)), np.float32)
    samples = np.broadcast_to(b, (STACK, *b.shape))
    return lambda times: [np.matmul(samples, a.T, out=outs) for _ in range(times)]


def _update() -> Repeated:
    a, b, _, out = arguments_for(UPDATE, np.float32, UPDATE.sizes)
    outs = np.empty((STACK, *out.shape), np.float32)
    deltas = np.broadcast_to(a, (STACK, *a.shape))
    return lambda times: [np.matmul(deltas, b, out=outs) for _ in range(times)]


def _sigmoid() -> Repeated:
    x, y = arguments_for(SIGMOID, np.float32, SIGMOID.sizes)

    def run(times):
        for _ in range(times):
            np.negative(x, out=y)
            np.exp(y, out=y)
            np.add(y, 1, out=y)
            np.divide(1, y, out=y)

    return run


def _large() -> Repeated:
    a, b, _, out = arguments_for(FORWARD, np.float32, (LARGE, LARGE, LARGE))
    return lambda times: [np.matmul(a, b, out=out) for _ in range(times)]


def _main(rounds: int) -> None:
    found = rates([_forward(), _update(), _sigmoid(), _large()], rounds)
    work = {
        "forward": STACK * FORWARD.work(*FORWARD.sizes),
        "update": STACK * UPDATE.work(*UPDATE.sizes),
        "sigmoid": SIGMOID.work(*SIGMOID.sizes),
        "large": 2 * LARGE**3,
    }
    units = zip(work.items(), found, strict=True)
    answer = {name: [each * rate / 1e9 for rate in own] for (name, each), own in units}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
