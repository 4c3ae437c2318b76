"""Training: an epoch of each workload."""

import numpy as np

from bench import peers
from bench.problem import Problem, make_problem
from bench.rounds import spread, take_turns
from bench.rows import make_row
from bench.stage import Stage
from bench.worker import Worker
from bench.workloads import Workload

FIRST_STEPS = 10
WEIGHT_TOLERANCE = 0.03  # of the weights' change: rounding, and where Adam has its epsilon
LOSS_TOLERANCE = 0.01  # relative: float32 trajectories drift apart over an epoch


def training_row(stage: Stage, workload: Workload, cores: int) -> dict:
    problem = make_problem(workload, stage.rounds + 1)
    contestants = stage.peers([*fastmlp_peers(), *others_for(workload)], cores, problem)
    compare(contestants, problem)
    runs = {peer.name: microseconds_a_step(peer, workload) for peer in contestants}
    values = take_turns({**runs, "peak": lambda _: stage.peak(cores)}, stage.rounds)
    peak = max(values.pop("peak"))
    row = make_row(
        f"train {workload.title}",
        "µs a step", cores, values,
        flops_per_step=workload.flops_per_step, steps=workload.steps,
    )  # fmt: skip
    for entry, times in zip(row["entries"], values.values(), strict=True):
        entry["share_of_peak"] = spread([workload.flops_per_step / t * 1e6 / peak for t in times])
    return row


def others_for(workload: Workload) -> list[tuple[str, dict]]:
    """Return the peers that can train a workload; Adam has two forms in PyTorch."""
    eager = [(peers.TORCH_EAGER, {})]
    if workload.optimizer == "Adam":
        eager.append((peers.TORCH_EAGER, {"form": "foreach"}))
    compiled = [(peers.TORCH_COMPILED, {}), (peers.TORCH_COMPILED_STEPS, {})]
    if workload.normalized:
        # The functional graph has no place for running means; scikit-learn has no normalization.
        return [*eager, compiled[0], (peers.JAX, {})]
    return [*eager, *compiled, (peers.JAX, {}), (peers.SKLEARN, {})]


def fastmlp_peers() -> list[tuple[str, dict]]:
    return [(peers.FASTMLP, {"backend": name}) for name in peers.compiled_backends()]


def microseconds_a_step(peer: Worker, workload: Workload):
    return lambda number: peer.call("epoch", number)[1] / workload.steps * 1e6


def compare(contestants: list[Worker], problem: Problem) -> None:
    """Stop unless all have the same weights after a few steps, and the same loss after an epoch.

    They are left where that epoch ends.
    """
    order = problem.orders[0][: FIRST_STEPS * problem.workload.batch_size]
    weights, losses = [], []
    for peer in contestants:
        peer.call("steps", order)
        weights.append(peer.call("weights")[0])
        peer.call("reset")
        losses.append(peer.call("epoch", 0)[0])
    change = _apart(weights[0], problem.weights)
    for peer, own, loss in zip(contestants, weights, losses, strict=True):
        if own is None:
            continue  # another net, that does the same
        apart = _apart(own, weights[0])
        if not apart <= WEIGHT_TOLERANCE * change:
            raise SystemExit(
                f"{peer.name} has other weights after {FIRST_STEPS} steps: {apart:.2g} apart, "
                f"where they have changed by {change:.2g}"
            )
        if not abs(loss - losses[0]) <= LOSS_TOLERANCE * losses[0]:
            raise SystemExit(f"{peer.name} has another loss: {loss} against {losses[0]}")


def _apart(some: list[np.ndarray], others: list[np.ndarray]) -> float:
    """Return the root mean square of the differences."""
    squares = [((a - b) ** 2).ravel() for a, b in zip(some, others, strict=True)]
    return float(np.sqrt(np.concatenate(squares).mean()))
