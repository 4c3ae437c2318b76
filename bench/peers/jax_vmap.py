"""JAX for many nets: ``vmap`` of a step over them, inside the ``scan`` over the epoch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from bench.peers.jax_net import ACTIVATIONS, make_step, parameters_of
from bench.problem import Problem


class JaxVmap:
    name = "JAX vmap"

    def load(self, problems: list[Problem]) -> None:
        self.problems = problems
        workload = problems[0].workload
        self.x, self.y = jnp.array(problems[0].x), jnp.array(problems[0].y, jnp.int32)
        self.parameters = jax.tree.map(
            lambda *arrays: jnp.stack(arrays), *map(parameters_of, problems)
        )
        # Nets that see the same samples at the same time share the gathered batch.
        self.shares_order = all(problem.seed == problems[0].seed for problem in problems)
        samples_axis = None if self.shares_order else 0
        step = jax.vmap(
            make_step(ACTIVATIONS[workload.activation], workload.learning_rate),
            in_axes=(0, samples_axis, samples_axis),
        )

        @functools.partial(jax.jit, donate_argnums=0)
        def train(parameters, x, y, batches):
            def body(parameters, rows):
                return step(parameters, x[rows], y[rows])

            parameters, losses = jax.lax.scan(body, parameters, batches)
            return parameters, losses.mean(0)

        self.train = train

    def epoch(self, number: int) -> list[float]:
        batch_size = self.problems[0].workload.batch_size
        if self.shares_order:
            batches = self.problems[0].orders[number].reshape(-1, batch_size)
        else:
            orders = np.stack([problem.orders[number] for problem in self.problems])
            batches = orders.reshape(len(orders), -1, batch_size).swapaxes(0, 1)
        self.parameters, losses = self.train(
            self.parameters, self.x, self.y, batches.astype(np.int32)
        )
        return np.asarray(losses).tolist()
