"""Where others overtake: nets with two hidden layers, narrow to wide."""

from bench import peers
from bench.problem import make_problem
from bench.rounds import ratio, spread, take_turns
from bench.rows.training import compare, fastmlp_peers, microseconds_a_step
from bench.stage import Stage
from bench.worker import all_cores
from bench.workloads import Workload

WIDTHS = (16, 32, 64, 128, 256, 512, 1024, 2048)
BATCH_SIZES = (32, 128)
PEERS = [peers.TORCH_EAGER, peers.JAX]
FLOPS_A_TURN = 3e9
MOST_ROUNDS = 3


def crossover_row(stage: Stage) -> dict:
    """A point is a width, a batch size and a peer: its time over fastmlp's, on all cores."""
    cores, rounds = len(all_cores()), min(stage.rounds, MOST_ROUNDS)
    points = []
    for batch_size in BATCH_SIZES:
        for width in WIDTHS:
            workload = _workload(width, batch_size)
            problem = make_problem(workload, rounds + 1)
            contestants = stage.peers(
                [*fastmlp_peers()[:1], *((peer, {}) for peer in PEERS)], cores, problem
            )
            compare(contestants, problem)
            runs = {peer.name: microseconds_a_step(peer, workload) for peer in contestants}
            values = take_turns(runs, rounds)
            base = values[contestants[0].name]
            points += [
                {
                    "width": width, "batch_size": batch_size, "name": name,
                    "value": spread(times), "ratio": ratio(times, base),
                }
                for name, times in values.items()
            ]  # fmt: skip
    return {
        "title": "train 784-w-w-10, ReLU", "unit": "µs a step", "cores": cores, "points": points
    }  # fmt: skip


def _workload(width: int, batch_size: int) -> Workload:
    widths = (784, width, width, 10)
    one_step = Workload(widths, "relu", batch_size, batch_size, 0.05)
    steps = min(400, max(20, round(FLOPS_A_TURN / one_step.flops_per_step / 5) * 5))
    return Workload(widths, "relu", batch_size, steps * batch_size, 0.05)


def standing(point: dict) -> str:
    """Tell who is faster at a point: a ratio's whole spread must lie on one side of 1."""
    if point["ratio"]["high"] < 1:
        return "faster"
    return "slower" if point["ratio"]["low"] > 1 else "undecided"
