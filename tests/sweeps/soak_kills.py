"""Kill a sweep with SIGKILL again and again: ``python -m tests.sweeps.soak_kills [--kills N]``.

It is started anew each time, and must end with the table and the weights of a sweep that nobody
killed, bit for bit, without having lost a net that was done.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fastmlp
from fastmlp.sweeps import Halving, read_table
from fastmlp.sweeps.journal import ROWS

from .tabular import build, data

MODULE = "tests.sweeps.soak_kills"  # as __main__ it has another name
WAYS = ("plain", "halving", "loky")


def run(out, nets, way, epochs):
    """Run the sweep, or go on with it."""
    x, y = data(256)
    return fastmlp.sweep(
        {"width": [2, 4, 8, 12], "rate": [0.003, 0.01, 0.03, 0.1]}, build, x, y,
        seeds=-(-nets // 16), batch_size=8, epochs=epochs, validation_data=(x, y), out=out,
        halving=Halving("val_loss", 2, 2) if way == "halving" else None, weights=True, packet=50,
        scheduler="loky" if way == "loky" else "local", jobs=2, verbose=0,
    )  # fmt: skip


def lines(out):
    path = out / ROWS
    return path.read_bytes().splitlines() if path.exists() else []


def files(out):
    return {path.name: path.read_bytes() for path in (out / "weights").iterdir()}


def start(out, nets, way, epochs):
    command = [sys.executable, "-m", MODULE, "--nets", str(nets), "--way", way,
               "--epochs", str(epochs), "--out", str(out)]  # fmt: skip
    return subprocess.Popen(command, start_new_session=True)


def kill(child):
    """Kill a sweep and its workers, so that none of them goes on."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def soak(folder, nets, kills, way="plain", epochs=8, seed=0):
    """Run a sweep once as it is, and once with kills; return how many came before its end."""
    rng = random.Random(seed)
    whole = run(folder / "whole", nets, way, epochs)
    out = folder / "killed"
    came = 0
    for number in range(kills):
        at = len(whole) * (number + rng.random()) / (kills + 1)
        child = start(out, nets, way, epochs)
        while len(lines(out)) < at and child.poll() is None:
            time.sleep(0.002)
        came += child.poll() is None
        kill(child)
        before = lines(out)
        done = read_table(out)
        assert len(done) >= len(before) - 1  # the last line may have no end
        if number == 0 and way == "plain":
            with (out / ROWS).open("ab") as file:
                file.write(b'{"net": 3, "config": {"wi')  # as if it came within a line
    table = run(out, nets, way, epochs)
    after = lines(out)
    assert len(after) == len(whole)
    assert {line for line in before if line.endswith(b"}")} <= set(after)
    assert table.is_complete
    assert table.digest == whole.digest
    assert files(out) == files(folder / "whole")
    assert not (out / "spool").exists()
    return came


def main():
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--nets", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--way", choices=WAYS, default="plain")
    parser.add_argument("--out", type=Path, help="be the one that is killed")
    arguments = parser.parse_args()
    if arguments.out is not None:
        run(arguments.out, arguments.nets, arguments.way, arguments.epochs)
        return
    with tempfile.TemporaryDirectory() as folder:
        came = soak(Path(folder), arguments.nets, arguments.kills, arguments.way, arguments.epochs)
    print(f"{arguments.way}: the same table and weights after {came} kills of {arguments.kills}")


if __name__ == "__main__":
    main()
