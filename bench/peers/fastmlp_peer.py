"""fastmlp."""

from bench.workloads import Workload


class Fastmlp:
    name = "fastmlp"

    def __init__(self, workload: Workload, threads: int, backend: str = "numba") -> None:
        self.model = workload.model(backend=backend)
        self.batch_size = workload.batch_size
        self.x, self.y = workload.images()

    def epoch(self, number: int) -> float:
        history = self.model.fit(self.x, self.y, batch_size=self.batch_size, verbose=0)
        return history.history["loss"][0]
