"""JAX at its strongest: ``jit`` of a ``scan`` over the whole epoch, parameters donated.

Batches are gathered from uint8 samples inside; gathering them beforehand, or unrolling the
scan, is slower.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from bench.peers.jax_net import (
    answers_of,
    make_training,
    outputs_of,
    parameters_of,
    weights_of,
)
from bench.problem import Problem


class JaxScan:
    name = "JAX scan"

    def load(self, problem: Problem) -> None:
        self.problem = problem
        self.x, self.y = jnp.array(problem.x), answers_of(problem)
        self.start, step = make_training(problem.workload)

        @functools.partial(jax.jit, donate_argnums=0)
        def train(state, x, y, batches):
            def body(state, rows):
                return step(state, x[rows], y[rows])

            state, losses = jax.lax.scan(body, state, batches)
            return state, losses.mean()

        @jax.jit
        def probabilities(parameters, x):
            return jax.nn.softmax(outputs_of(problem.workload, parameters, x))

        self.train, self.probabilities = train, probabilities
        self.reset()

    def reset(self) -> None:
        self.state = self.start(parameters_of(self.problem))

    def steps(self, order: np.ndarray) -> float:
        batches = order.reshape(-1, self.problem.workload.batch_size).astype(np.int32)
        self.state, loss = self.train(self.state, self.x, self.y, batches)
        return float(loss)

    def epoch(self, number: int) -> float:
        return self.steps(self.problem.orders[number])

    def weights(self) -> list[np.ndarray]:
        return weights_of(self.state[0])

    def put(self, x: np.ndarray) -> None:
        self.inputs = jnp.array(x)

    def predict(self) -> np.ndarray:
        return np.asarray(self.probabilities(self.state[0], self.inputs))
