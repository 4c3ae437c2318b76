"""Many nets side by side: an epoch of each, on all cores."""

from dataclasses import replace

import numpy as np

from bench import peers
from bench.problem import make_problem
from bench.rounds import take_turns
from bench.rows import make_row
from bench.stage import Stage
from bench.worker import all_cores
from bench.workloads import MANY

NETS = 32
LOSS_TOLERANCE = 0.01


def many_row(stage: Stage, *, same_order: bool) -> dict:
    """Nets that differ in their initial weights, and in the order of their samples unless same."""
    problems = [
        make_problem(MANY, stage.rounds + 1, seed=0 if same_order else seed, weights_seed=seed)
        for seed in range(NETS)
    ]
    # One copy of the samples for all, also after the way to another process.
    problems = [replace(problem, x=problems[0].x, y=problems[0].y) for problem in problems]
    cores = len(all_cores())
    targets = [(peers.FASTMLP_MANY, {"backend": name}) for name in peers.compiled_backends()]
    targets += [(peers.JAX_MANY, {}), (peers.TORCH_MANY, {})]
    contestants = stage.peers(targets, cores, problems)
    losses = [peer.call("epoch", 0)[0] for peer in contestants]
    for peer, own in zip(contestants, losses, strict=True):
        if not np.allclose(own, losses[0], rtol=LOSS_TOLERANCE):
            raise SystemExit(f"{peer.name} has other losses: {own} against {losses[0]}")
    steps = NETS * MANY.steps
    runs = {
        peer.name: lambda number, peer=peer: peer.call("epoch", number)[1] / steps * 1e6
        for peer in contestants
    }
    order = "one order of the samples" if same_order else "each its own order"
    return make_row(
        f"train {NETS} nets {MANY.net}, {order}", "µs a step of a net", cores,
        take_turns(runs, stage.rounds),
    )  # fmt: skip
