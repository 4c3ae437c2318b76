"""What a task of a sweep costs a scheduler: ``python -m bench.schedulers``.

Packets whose nets take no time are sent through a dask cluster on this machine, and through joblib;
so all that is measured is the way there and back.  Then small tabular nets are trained here, to
say what one costs.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from bench import machine
from bench.small_nets import BATCH, data, net
from fastmlp import sweep
from fastmlp.runtime.schedulers import Packet, Post, Work, scheduler_of
from fastmlp.runtime.threads import available_cores

TASKS = 400
NETS = 256


class Nothing(Work):
    """Posts a row's worth of bytes for each net."""

    def train(
        self, items: Sequence[tuple[int, Any]], done: Mapping[int, bytes], jobs: int | None,
        post: Post,
    ) -> None:  # fmt: skip
        for number, _ in items:
            post(number, b"x" * 300, b"[]")


def main() -> None:
    print(machine.describe())
    for name in ("dask", "loky"):
        for nets in (1, NETS):
            with scheduler_of(name, None).open(Nothing()) as pool:
                config = {"width": 32, "rate": 0.001}
                packets = [
                    Packet(tuple((k * nets + j, (config, j)) for j in range(nets)))
                    for k in range(TASKS)
                ]
                pool.run(packets[:8], lambda number, result: None)
                started = time.perf_counter()
                pool.run(packets[8:], lambda number, result: None)
                seconds = (time.perf_counter() - started) / (TASKS - 8)
            print(f"{name}: a packet of {nets} nets takes {seconds * 1e3:.2f} ms on its way")
    x, y = data(1024)
    started, busy = time.perf_counter(), time.process_time()
    table = sweep({"number": range(2000)}, lambda seed, number: net(number), x, y,
                  batch_size=BATCH, epochs=10, verbose=0)  # fmt: skip
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    print(f"a sweep of {len(table)} nets 8-32-32-1, 10 epochs of 32 steps: a net takes "
          f"{seconds / len(table) * 1e3:.2f} ms on {available_cores()} cores, "
          f"{busy / len(table) * 1e3:.2f} ms of the cores' time")  # fmt: skip


if __name__ == "__main__":
    main()
