"""JAX at its strongest: ``jit`` of a ``scan`` over the whole epoch, parameters donated.

Batches are gathered from uint8 samples inside; gathering them beforehand, or unrolling the
scan, is slower.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from bench.peers.jax_net import ACTIVATIONS, logits, make_step, parameters_of, weights_of
from bench.problem import Problem


class JaxScan:
    name = "JAX scan"

    def load(self, problem: Problem) -> None:
        self.problem = problem
        self.x, self.y = jnp.array(problem.x), jnp.array(problem.y, jnp.int32)
        activation = ACTIVATIONS[problem.workload.activation]
        step = make_step(activation, problem.workload.learning_rate)

        @functools.partial(jax.jit, donate_argnums=0)
        def train(parameters, x, y, batches):
            def body(parameters, rows):
                return step(parameters, x[rows], y[rows])

            parameters, losses = jax.lax.scan(body, parameters, batches)
            return parameters, losses.mean()

        @jax.jit
        def probabilities(parameters, x):
            return jax.nn.softmax(logits(activation, parameters, x))

        self.train, self.probabilities = train, probabilities
        self.reset()

    def reset(self) -> None:
        self.parameters = parameters_of(self.problem)

    def steps(self, order: np.ndarray) -> float:
        batches = order.reshape(-1, self.problem.workload.batch_size).astype(np.int32)
        self.parameters, loss = self.train(self.parameters, self.x, self.y, batches)
        return float(loss)

    def epoch(self, number: int) -> float:
        return self.steps(self.problem.orders[number])

    def weights(self) -> list[np.ndarray]:
        return weights_of(self.parameters)

    def put(self, x: np.ndarray) -> None:
        self.inputs = jnp.array(x)

    def predict(self) -> np.ndarray:
        return np.asarray(self.probabilities(self.parameters, self.inputs))
