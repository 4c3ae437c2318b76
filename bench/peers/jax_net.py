"""The net in JAX, as pure functions of its parameters.

Kernels are stored (outputs, inputs): XLA then takes two thirds of the time on narrow nets.
"""

import jax
import jax.numpy as jnp
import numpy as np

from bench.problem import Problem
from bench.workloads import Workload

ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}
EPSILON = 1e-3  # of batch normalization, as in Keras


def parameters_of(problem: Problem) -> list[tuple[jax.Array, ...]]:
    return [(jnp.array(kernel.T), *map(jnp.array, rest)) for kernel, *rest in problem.layers]


def weights_of(parameters) -> list[np.ndarray]:
    return [np.array(array).T for layer in parameters for array in layer]


def answers_of(problem: Problem) -> jax.Array:
    kind = jnp.float32 if problem.workload.learns_a_number else jnp.int32
    return jnp.array(problem.y, kind)


def outputs_of(workload: Workload, parameters, x):
    """Return logits, or numbers; a normalization uses the batch's own statistics."""
    activation = ACTIVATIONS[workload.activation]
    *hidden, (kernel, bias) = parameters
    h = x.astype(jnp.float32) * (1 / 255) if workload.data == "images" else x
    for inner_kernel, inner_bias, *normalization in hidden:
        h = activation(h @ inner_kernel.T + inner_bias)
        if normalization:
            gamma, beta = normalization
            h = (h - h.mean(0)) * jax.lax.rsqrt(h.var(0) + EPSILON) * gamma + beta
    return h @ kernel.T + bias


def make_training(workload: Workload):
    """Return ``start(parameters) -> state`` and ``step(state, x, y) -> state, loss``.

    A state is the parameters, and what the optimizer keeps beside them.
    """

    def loss_of(parameters, x, y):
        outputs = outputs_of(workload, parameters, x)
        if workload.learns_a_number:
            return jnp.mean((outputs - y) ** 2)
        return -jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None], 1).mean()

    slopes_of, rate = jax.value_and_grad(loss_of), workload.learning_rate

    def descend(state, x, y):
        loss, gradients = slopes_of(state[0], x, y)
        return (jax.tree.map(lambda w, g: w - rate * g, state[0], gradients), ()), loss

    if workload.optimizer == "SGD":
        return lambda parameters: (parameters, ()), descend

    import optax

    optimizer = optax.adam(rate, eps=1e-7)

    def step(state, x, y):
        parameters, moments = state
        loss, gradients = slopes_of(parameters, x, y)
        updates, moments = optimizer.update(gradients, moments)
        return (optax.apply_updates(parameters, updates), moments), loss

    return lambda parameters: (parameters, optimizer.init(parameters)), step
