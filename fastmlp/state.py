"""What training changes in a net, and what a copy of it takes along."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .tensors import Array

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector register


def aligned_zeros(size: int, dtype: np.dtype[Any]) -> Array:
    """Return zeros (size,) that begin at a cache line."""
    memory = np.zeros(size * dtype.itemsize + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size * dtype.itemsize].view(dtype)


@dataclass
class State:
    """The state of a net; an engine works on it, the net owns it.

    Attributes
    ----------
    params : float array (size,)
        The weights, one after the other.
    running : float array
        Running statistics, which training changes without a gradient.
    velocity : float array (size,), or empty
        What momentum has gathered; empty before the first fit with momentum.
    steps : int
        Steps taken so far, over all fits, whatever their batch sizes: dropout draws the masks of
        step ``steps`` next.
    epochs : int
        Epochs completed so far, over all fits.
    """

    params: Array
    running: Array
    velocity: Array = field(init=False)
    steps: int = 0
    epochs: int = 0

    def __post_init__(self) -> None:
        self.velocity = self.params[:0]

    def resized(self, params: Array, running: Array) -> "State":
        """Return the state of a net with other weights, whose momentum starts from nothing."""
        return State(params, running, self.steps, self.epochs)

    def start_momentum(self) -> None:
        """Provide memory for momentum, if there is none yet."""
        if not self.velocity.size:
            self.velocity = aligned_zeros(self.params.size, self.params.dtype)
