"""A large matrix product by NumPy's BLAS: the rate that numerical libraries are known for."""

import time

import numpy as np

SIZE = 1024


class Blas:
    name = f"BLAS, {SIZE}³"

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.a, self.b, self.out = (
            rng.standard_normal((SIZE, SIZE)).astype(np.float32) for _ in range(3)
        )
        self.rate()

    def rate(self) -> float:
        """GFLOP/s, of a core that has woken up."""
        np.matmul(self.a, self.b, out=self.out)
        started = time.perf_counter()
        np.matmul(self.a, self.b, out=self.out)
        return 2 * SIZE**3 / (time.perf_counter() - started) / 1e9
