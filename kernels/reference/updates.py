"""Optimizer steps over flat vectors."""

from ..table import Hyper


def sgd_step(params, gradient, velocity, hyper):
    """Keras' form of gradient descent; an empty ``velocity`` means no momentum."""
    rate = params.dtype.type(hyper[Hyper.LEARNING_RATE])
    momentum = params.dtype.type(hyper[Hyper.MOMENTUM])
    step = -rate * gradient
    if velocity.size == 0:
        params += step
        return
    velocity[:] = momentum * velocity + step
    params += momentum * velocity + step if hyper[Hyper.NESTEROV] else velocity
