"""Prediction, from a call in Python to probabilities in NumPy: one sample, and many at once."""

import numpy as np

from bench import peers
from bench.problem import make_problem
from bench.rounds import take_turns
from bench.rows import make_row
from bench.rows.training import fastmlp_peers
from bench.stage import Stage
from bench.workloads import SMALL

PEERS = [peers.TORCH_EAGER, peers.TORCH_COMPILED_STEPS, peers.JAX, peers.SKLEARN]
TOLERANCE = 1e-5  # of a probability
SECONDS_A_TURN = 0.1


def inference_row(stage: Stage, samples: int) -> dict:
    """Each holds its input in the form that suits it; PyTorch runs in ``inference_mode``."""
    problem = make_problem(SMALL, 1)
    x = problem.x[:samples]
    contestants = stage.peers([*fastmlp_peers(), *((peer, {}) for peer in PEERS)], 1, problem)
    runs, outputs = {}, []
    for peer in contestants:
        peer.call("put", x)
        outputs.append(peer.call("predict")[0])
        if not np.allclose(outputs[-1], outputs[0], rtol=0, atol=TOLERANCE):
            raise SystemExit(f"{peer.name} predicts something else")
        _, seconds = peer.call("predict", repeat=20)
        repeat = max(1, round(SECONDS_A_TURN / seconds))
        runs[peer.name] = lambda _, peer=peer, repeat=repeat: (
            peer.call("predict", repeat=repeat)[1] * 1e6
        )
    what = "one sample" if samples == 1 else f"{samples:,} samples"
    values = take_turns(runs, stage.rounds)
    return make_row(f"predict {what}, {SMALL.net}", "µs a call", 1, values)
