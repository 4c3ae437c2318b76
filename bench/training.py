"""Time training epochs: ``python -m bench.training [--workload NAME] [--rounds N]``.

All peers start from the same weights and visit the same batches; their losses are compared
before anything is timed.  Rounds are interleaved (A B A B ...), so that a machine that slows
down slows all alike, and what is reported are ratios within a round.
"""

import argparse
import statistics
import time

from bench.peers.fastmlp_peer import Fastmlp
from bench.workloads import WORKLOADS, Workload

LOSS_TOLERANCE = 0.02  # relative: float32 trajectories drift apart over an epoch


def peers_for(workload: Workload, threads: int) -> list:
    """fastmlp, and every peer that is installed; the others are named."""
    found = [Fastmlp(workload, threads)]
    try:
        from bench.peers.torch_eager import TorchEager
    except ImportError as reason:
        print(f"left out: PyTorch eager ({reason})")
    else:
        found.append(TorchEager(workload, threads))
    return found


def measure(workload: Workload, threads: int, rounds: int) -> None:
    """Print a line per peer: microseconds a step, and its time over fastmlp's."""
    peers = peers_for(workload, threads)
    losses = [peer.epoch(0) for peer in peers]
    for peer, loss in zip(peers, losses, strict=True):
        if abs(loss - losses[0]) > LOSS_TOLERANCE * losses[0]:
            raise SystemExit(f"{peer.name} computes another loss: {loss} against {losses[0]}")
    seconds: list[list[float]] = [[] for _ in peers]
    for number in range(1, rounds + 1):
        for times, peer in zip(seconds, peers, strict=True):
            started = time.perf_counter()
            peer.epoch(number)
            times.append(time.perf_counter() - started)
    print(f"\n{workload.name}: {'-'.join(map(str, workload.widths))}, batch {workload.batch_size}")
    for peer, times in zip(peers, seconds, strict=True):
        ratios = sorted(t / t0 for t, t0 in zip(times, seconds[0], strict=True))
        step = statistics.median(times) / workload.steps * 1e6
        print(
            f"  {peer.name:16} {step:8.1f} µs a step   "
            f"{statistics.median(ratios):6.2f} x fastmlp's time "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", choices=WORKLOADS, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    for name in arguments.workload or WORKLOADS:
        measure(WORKLOADS[name], arguments.threads, arguments.rounds)


if __name__ == "__main__":
    main()
