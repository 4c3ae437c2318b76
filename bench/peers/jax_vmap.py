"""JAX for many nets: ``vmap`` of a step over them, inside the ``scan`` over the epoch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from bench.peers.jax_net import answers_of, make_training, parameters_of
from bench.problem import Problem


class JaxVmap:
    name = "JAX vmap"

    def load(self, problems: list[Problem]) -> None:
        self.problems = problems
        workload = problems[0].workload
        self.x, self.y = jnp.array(problems[0].x), answers_of(problems[0])
        start, step = make_training(workload)
        states = [start(parameters_of(problem)) for problem in problems]
        self.state = jax.tree.map(lambda *arrays: jnp.stack(arrays), *states)
        # Nets that see the same samples at the same time share the gathered batch.
        self.shares_order = all(problem.seed == problems[0].seed for problem in problems)
        samples_axis = None if self.shares_order else 0
        step = jax.vmap(step, in_axes=(0, samples_axis, samples_axis))

        @functools.partial(jax.jit, donate_argnums=0)
        def train(state, x, y, batches):
            def body(state, rows):
                return step(state, x[rows], y[rows])

            state, losses = jax.lax.scan(body, state, batches)
            return state, losses.mean(0)

        self.train = train

    def epoch(self, number: int) -> list[float]:
        batch_size = self.problems[0].workload.batch_size
        if self.shares_order:
            batches = self.problems[0].orders[number].reshape(-1, batch_size)
        else:
            orders = np.stack([problem.orders[number] for problem in self.problems])
            batches = orders.reshape(len(orders), -1, batch_size).swapaxes(0, 1)
        self.state, losses = self.train(self.state, self.x, self.y, batches.astype(np.int32))
        return np.asarray(losses).tolist()
