"""Where peers meet: their processes, and who had to be left out."""

from bench.worker import LeftOutError, Worker

PEAK = "bench.peak:Peak"


class Stage:
    """Processes that stay from row to row, so that nothing is imported twice."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.left_out: dict[str, str] = {}
        self._workers: dict[tuple, Worker] = {}

    def peers(self, targets: list[tuple[str, dict]], cores: int, problem: object) -> list[Worker]:
        """Return those of the targets that can load the problem, in this order."""
        found = []
        for target, options in targets:
            name = target.partition(":")[2] + "".join(f" {value}" for value in options.values())
            if name in self.left_out:
                continue
            key = (name, cores)
            try:
                if key not in self._workers:
                    self._workers[key] = Worker(target, cores, **options)
                self._workers[key].call("load", problem)
                found.append(self._workers[key])
            except LeftOutError as reason:
                self._drop(name, reason)
        return found

    def worker(self, target: str, cores: int, **options: object) -> Worker:
        """Return the process of something that is no peer, and must work."""
        key = (target, cores, *options.values())
        if key not in self._workers:
            self._workers[key] = Worker(target, cores, **options)
        return self._workers[key]

    def peak(self, cores: int) -> float:
        """FLOP/s that so many cores can do, measured now."""
        return self.worker(PEAK, cores).call("rate")[0]

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()

    def _drop(self, name: str, reason: LeftOutError) -> None:
        print(f"left out: {name}: {reason}", flush=True)
        self.left_out[name] = str(reason)
        for key in [key for key in self._workers if key[0] == name]:
            self._workers.pop(key).close()
