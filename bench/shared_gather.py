"""What nets that share the order of their samples could save: ``python -m bench.shared_gather``.

Of nets with one order, each batch could be gathered once.  At best its samples would then lie in
the nearest cache for all nets but the first.  So the time of a step with an order over all samples
is compared with that of an order that visits the same batch again and again, whose samples are
always there: the difference is all that sharing the loads could save.
"""

import argparse
import time
from statistics import median

import numpy as np

from bench import machine
from bench.problem import fastmlp_net
from bench.workloads import MANY
from fastmlp import datasets

STEPS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    (x, y), _ = datasets.fashion_mnist.load_data()
    x = x.reshape(len(x), -1)
    model = fastmlp_net(MANY, 0)
    model.fit(x[:64], y[:64], MANY.batch_size, verbose=0)
    engine, data = model._ready_engine(), model._check_data("{}", x, y)
    size = MANY.batch_size
    rng = np.random.default_rng(0)
    everywhere = rng.permutation(len(x))[: STEPS * size]
    once = np.tile(everywhere[:size], STEPS)
    times: dict[str, list[float]] = {"samples of all memory": [], "the same samples": []}
    for _ in range(rounds + 1):
        for name, order in zip(times, (everywhere, once), strict=True):
            started = time.thread_time()
            engine.train_epoch(
                data, order, size, 0, STEPS, first_step=0, totals=np.zeros(engine.plan.totals)
            )
            times[name].append((time.thread_time() - started) / STEPS * 1e6)
    print(f"{MANY.net}, batch {size}, one thread: µs a step, of its core's time")
    print(machine.describe())
    far, near = (median(found[1:]) for found in times.values())
    print(f"samples of all memory: {far:.3f}; the same samples: {near:.3f}")
    print(f"sharing the loads would save at most {far - near:.3f} µs, {1 - near / far:.1%}")


if __name__ == "__main__":
    main()
