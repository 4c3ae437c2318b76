"""Time many nets side by side: ``python -m bench.sweep [--nets N] [--rounds N]``.

The same nets on one thread and on every core, interleaved, and what is reported is the ratio
within a round.  The weights that come out are compared first: they must be the same bits.
"""

import argparse
import statistics
import time

import numpy as np

from bench.workloads import WORKLOADS
from fastmlp import fit_many
from fastmlp.threads import available_cores

WORKLOAD = WORKLOADS["five layers"]


def sweep(count: int, jobs: int) -> tuple[float, list[np.ndarray]]:
    """Return the seconds that an epoch of all nets takes, and their weights."""
    models = [WORKLOAD.model(seed=seed) for seed in range(count)]
    x, y = WORKLOAD.images()
    started = time.perf_counter()
    fit_many(models, x, y, jobs=jobs)
    seconds = time.perf_counter() - started
    return seconds, [weights for model in models for weights in model.get_weights()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    cores = available_cores()
    (_, one), (_, many) = sweep(4, 1), sweep(4, cores)
    if any(a.tobytes() != b.tobytes() for a, b in zip(one, many, strict=True)):
        raise SystemExit("the number of threads changes the result")
    ratios, times = [], []
    for _ in range(arguments.rounds):
        alone, together = sweep(arguments.nets, 1)[0], sweep(arguments.nets, cores)[0]
        ratios.append(alone / together)
        times.append((alone, together))
    alone, together = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"{arguments.nets} nets, an epoch each: {alone:.2f} s on one thread, {together:.2f} s on "
        f"{cores}; {statistics.median(ratios):.2f} times faster "
        f"({min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
