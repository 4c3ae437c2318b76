"""Optimizer steps over flat vectors."""

from ..contract import Hyper
from .jit import exact
from .rounding import add_evenly, fma, threshold


@exact
def sgd_step(params, gradient, velocity, hyper):
    """Keras' form: ``v = m v - rate g``, then ``params += v``, or ``m v - rate g`` (Nesterov).

    An empty ``velocity`` means plain gradient descent, ``params -= rate g``.
    """
    rate = params.dtype.type(hyper[Hyper.LEARNING_RATE])
    momentum = params.dtype.type(hyper[Hyper.MOMENTUM])
    if velocity.size == 0:
        for i in range(params.size):
            params[i] = fma(-rate, gradient[i], params[i])
    elif hyper[Hyper.NESTEROV] != 0.0:
        for i in range(params.size):
            step = rate * gradient[i]
            velocity[i] = fma(momentum, velocity[i], -step)
            params[i] += fma(momentum, velocity[i], -step)
    else:
        for i in range(params.size):
            velocity[i] = fma(-rate, gradient[i], momentum * velocity[i])
            params[i] += velocity[i]


@exact
def sgd_step_evenly(step, first, params, gradient, velocity, hyper):
    """The step with momentum for a net with penalties: no ``velocity`` is too small to count.

    Where the data have no gradient, as at a pixel that is always black, a small penalty's
    velocity may be less than the rounding of the weight; see ``rounding.add_evenly``.  The
    vectors are those of all parameters from the number ``first`` on.
    """
    rate = params.dtype.type(hyper[Hyper.LEARNING_RATE])
    momentum = params.dtype.type(hyper[Hyper.MOMENTUM])
    nesterov = hyper[Hyper.NESTEROV] != 0.0
    for i in range(params.size):
        change = rate * gradient[i]
        velocity[i] = fma(momentum, velocity[i], -change)
        change = fma(momentum, velocity[i], -change) if nesterov else velocity[i]
        params[i] = add_evenly(params[i], change, threshold(change, step, first + i))
