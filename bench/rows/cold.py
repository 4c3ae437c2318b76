"""From nothing to the end of the first epoch: a new process, imports and all.

What can be kept on disk has been: fastmlp's machine code and inductor's.
"""

import json
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import peers
from bench.problem import make_problem
from bench.rounds import take_turns
from bench.rows import make_row
from bench.rows.training import fastmlp_peers
from bench.stage import Stage
from bench.worker import all_cores, load_class
from bench.workloads import FIVE_LAYERS

PEERS = [peers.TORCH_EAGER, peers.TORCH_COMPILED, peers.JAX, peers.SKLEARN]
MOST_ROUNDS = 5


def cold_row(stage: Stage) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.pickle"
        path.write_bytes(pickle.dumps(make_problem(FIVE_LAYERS, 1)))
        runs = {}
        for target, options in [*fastmlp_peers(), *((peer, {}) for peer in PEERS)]:
            command = [sys.executable, "-m", "bench.rows.cold", target, json.dumps(options), path]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode:
                reason = result.stderr.strip().splitlines()[-1]
                print(f"left out: {target}: {reason}", flush=True)
                continue
            runs[result.stdout.strip()] = lambda _, command=command: _seconds(command)
        values = take_turns(runs, min(stage.rounds, MOST_ROUNDS))
    return make_row(
        f"new process to the end of the first epoch, {FIVE_LAYERS.net}", "s", len(all_cores()),
        values,
    )  # fmt: skip


def _seconds(command: list) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    target, options, path = sys.argv[1:]
    peer = load_class(target)(**json.loads(options))
    peer.load(pickle.loads(Path(path).read_bytes()))
    peer.epoch(0)
    print(peer.name)


if __name__ == "__main__":
    main()
