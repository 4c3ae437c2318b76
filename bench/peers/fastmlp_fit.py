"""fastmlp: ``model.fit`` and ``model.predict``."""

from dataclasses import replace

import numpy as np

from bench.problem import Problem, fastmlp_net
from fastmlp import Sequential


def start(model: Sequential, weights: list[np.ndarray]) -> None:
    """Give a net other weights to begin with; running means stay as they are."""
    for own, weight in zip(model.trainable_weights, weights, strict=True):
        own[...] = weight


class Fastmlp:
    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.name = f"fastmlp ({backend})"

    def load(self, problem: Problem) -> None:
        # As users have them, in memory that NumPy has asked for: what comes out of a pickle is a
        # view of Python's bytes.  The other peers make their own copies, as float32.
        self.problem = replace(problem, x=problem.x.copy())
        self.reset()

    def reset(self) -> None:
        self.model = fastmlp_net(self.problem.workload, self.problem.seed, self.backend)
        start(self.model, self.problem.weights)

    def steps(self, order: np.ndarray) -> float:
        return self._fit(self.problem.x[order], self.problem.y[order], shuffle=False)

    def epoch(self, number: int) -> float:
        # The net's seed gives the order: that of the problem, if it has come as far.
        assert number == self.model.epochs_trained
        return self._fit(self.problem.x, self.problem.y, shuffle=True)

    def _fit(self, x: np.ndarray, y: np.ndarray, shuffle: bool) -> float:
        batch_size = self.problem.workload.batch_size
        history = self.model.fit(x, y, batch_size, verbose=0, shuffle=shuffle)
        return history.history["loss"][0]

    def weights(self) -> list[np.ndarray]:
        return [np.array(weight) for weight in self.model.trainable_weights]

    def put(self, x: np.ndarray) -> None:
        self.inputs = x

    def predict(self) -> np.ndarray:
        return self.model.predict(self.inputs)
