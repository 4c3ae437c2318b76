"""What training changes in a net, and what a copy of it takes along."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .tensors import Array

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector register


def aligned_zeros(size: int, dtype: np.dtype[Any]) -> Array:
    """Return zeros (size,) that begin at a cache line."""
    memory = np.zeros(size * dtype.itemsize + _ALIGNMENT, np.uint8)
    start = -memory.__array_interface__["data"][0] % _ALIGNMENT
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
    moments : float array (count * size,)
        What the optimizer has gathered: as many vectors, one after the other, as its rule has
        moments, and a running mean of the parameters, if it keeps one; empty before the first fit.
    has_average : bool
        Whether the last of the moments is that mean.
    steps_before : int
        Steps that were taken before the moments began with nothing.
    steps : int
        Steps taken so far, over all fits, whatever their batch sizes: dropout draws the masks of
        step ``steps`` next, and schedules and the optimizer's rule count by it.
    epochs : int
        Epochs completed so far, over all fits.
    draws : int64 array (1,)
        Batches that were run forward as in training, but not in a training: what they draw
        depends on it.
    is_swapped : bool
        Whether the running mean and the parameters have changed places for a while.
    is_shared : bool
        Whether a layer of the net may have its weights in the memory of another one.
    """

    params: Array
    running: Array
    moments: Array = field(init=False)
    has_average: bool = field(init=False)
    steps_before: int = field(init=False)
    steps: int = 0
    epochs: int = 0
    draws: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    is_shared: bool = False
    is_swapped: bool = False

    def __post_init__(self) -> None:
        self.forget_moments()

    def resized(self, params: Array, running: Array) -> "State":
        """Return the state of a net with other weights, whose moments start from nothing."""
        return State(params, running, self.steps, self.epochs, self.draws, self.is_shared)

    def forget_moments(self) -> None:
        """Let the optimizer start from nothing."""
        self.moments = self.params[:0]
        self.has_average, self.steps_before = False, 0

    def has_moments(self, count: int, with_average: bool) -> bool:
        """Whether there are so many moments, of which the last one is a running mean or not."""
        there = self.moments.size, self.has_average
        return there == (count * self.params.size, with_average)

    def take_moments(self, other: "State") -> None:
        """Let the optimizer go on with a copy of what it has gathered in another state."""
        self.moments = aligned_zeros(other.moments.size, other.moments.dtype)
        self.moments[:] = other.moments
        self.has_average, self.steps_before = other.has_average, other.steps_before

    def provide_moments(self, count: int, with_average: bool = False) -> None:
        """Provide memory for so many moments; they start from nothing if there were others.

        The last one may be a running mean of the parameters: NaN before the first step.
        """
        if not self.has_moments(count, with_average):
            self.has_average, self.steps_before = with_average, self.steps
            self.moments = aligned_zeros(count * self.params.size, self.params.dtype)
            if with_average:
                self.average[:] = np.nan

    @property
    def average(self) -> Array:
        """The running mean of the parameters, if the last moment is one."""
        return self.moments[self.moments.size - self.params.size :]

    def become_average(self) -> None:
        """Replace the parameters by their running mean, which the last moment is."""
        if self.is_swapped:
            self.swap_average()
        known = ~np.isnan(self.average)
        self.params[known] = self.average[known]

    def swap_average(self) -> None:
        """Exchange the parameters for their running mean, or the other way round."""
        known = ~np.isnan(self.average)
        kept = self.params[known].copy()
        self.params[known], self.average[known] = self.average[known], kept
        self.is_swapped = not self.is_swapped
