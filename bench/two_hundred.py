"""Two hundred nets 784-10×5, each with an order of its own: ``python -m bench.two_hundred``.

fastmlp on one core and on all, and JAX's ``vmap`` on all, take turns; a loop of PyTorch fits, which
takes as long a net as for any number of them, trains every tenth net.  Prints microseconds a step
of a net, and changes no file.
"""

import argparse
from dataclasses import replace

import numpy as np

from bench import machine, peers
from bench.problem import make_problem
from bench.rounds import ratio, take_turns
from bench.rows.many import LOSS_TOLERANCE
from bench.stage import Stage
from bench.worker import all_cores
from bench.workloads import MANY

FEWER = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", type=int, default=200)
    parser.add_argument("--samples", type=int, default=MANY.samples)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    workload = replace(MANY, samples=arguments.samples)
    problems = [
        make_problem(workload, arguments.rounds + 1, seed=seed) for seed in range(arguments.nets)
    ]
    problems = [replace(problem, x=problems[0].x, y=problems[0].y) for problem in problems]
    stage, cores = Stage(arguments.rounds), len(all_cores())
    backend = {"backend": peers.compiled_backends()[0]}
    contestants = {}
    for name, target, options, count, part in (
        ("fastmlp, all cores", peers.FASTMLP_MANY, backend, cores, problems),
        ("fastmlp, one core", peers.FASTMLP_MANY, backend, 1, problems),
        ("JAX vmap, all cores", peers.JAX_MANY, {}, cores, problems),
        ("PyTorch, a loop", peers.TORCH_MANY, {}, cores, problems[::FEWER]),
    ):
        for peer in stage.peers([(target, options)], count, part):
            contestants[name] = peer, len(part)
    first = None
    for name, (peer, count) in contestants.items():
        losses = peer.call("epoch", 0)[0]
        first = losses if first is None else first
        wanted = first if count == len(problems) else first[::FEWER]
        if not np.allclose(losses, wanted, rtol=LOSS_TOLERANCE):
            raise SystemExit(f"{name} has other losses: {losses} against {wanted}")
    times = take_turns(
        {
            name: lambda number, peer=peer, count=count: (
                peer.call("epoch", number)[1] / (count * workload.steps) * 1e6
            )
            for name, (peer, count) in contestants.items()
        },
        arguments.rounds,
    )
    stage.close()
    print(f"{arguments.nets} nets {workload.net}, batch {workload.batch_size}: µs a step of a net")
    print(machine.describe())
    base = times["fastmlp, all cores"]
    for name, found in times.items():
        against = ratio(found, base)
        print(f"{name}: {np.median(found):.2f}, {against['median']:.2f} times "
              f"({against['low']:.2f}-{against['high']:.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
