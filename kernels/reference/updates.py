"""Optimizer steps over flat vectors."""

from ..contract import Hyper
from .rounding import add_evenly


def sgd_step(params, gradient, velocity, hyper):
    """Keras' form of gradient descent; an empty ``velocity`` means no momentum."""
    params += change(gradient, velocity, hyper)


def sgd_step_evenly(step, first, params, gradient, velocity, hyper):
    """The step with momentum for a net with penalties: no ``velocity`` is too small to count."""
    params[:] = add_evenly(params, change(gradient, velocity, hyper), step, first)


def change(gradient, velocity, hyper):
    rate = gradient.dtype.type(hyper[Hyper.LEARNING_RATE])
    momentum = gradient.dtype.type(hyper[Hyper.MOMENTUM])
    step = -rate * gradient
    if velocity.size == 0:
        return step
    velocity[:] = momentum * velocity + step
    return momentum * velocity + step if hyper[Hyper.NESTEROV] else velocity
