"""Optimizer steps over flat vectors."""

from ..table import Hyper
from .jit import fast


@fast
def sgd_step(params, gradient, velocity, hyper):
    """Keras' form: ``v = m v - rate g``, then ``params += v``, or ``m v - rate g`` (Nesterov).

    An empty ``velocity`` means plain gradient descent, ``params -= rate g``.
    """
    rate = params.dtype.type(hyper[Hyper.LEARNING_RATE])
    momentum = params.dtype.type(hyper[Hyper.MOMENTUM])
    if velocity.size == 0:
        for i in range(params.size):
            params[i] -= rate * gradient[i]
    elif hyper[Hyper.NESTEROV] != 0.0:
        for i in range(params.size):
            step = rate * gradient[i]
            velocity[i] = momentum * velocity[i] - step
            params[i] += momentum * velocity[i] - step
    else:
        for i in range(params.size):
            velocity[i] = momentum * velocity[i] - rate * gradient[i]
            params[i] += velocity[i]
