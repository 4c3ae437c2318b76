"""Calls of an engine that is a function in Python: all that one needs, put together once."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from .contract import Batches, Column, Course, Memory, Net, Team

Run = Callable[[Net, Memory, Batches, Course, Team], int]
Array = np.ndarray[Any, Any]


class Call(Protocol):
    """A call of the engine that has all its arguments."""

    def __call__(self, first_step: int | None = None) -> int:
        """Run; from another first step than when it was prepared, if one is given."""

    def is_sound(self, classes: int) -> bool:
        """Return whether the samples are finite, and the labels below the number of classes.

        Whoever changes the memory that a call was prepared with asks this before it runs.
        """

    def epochs(self, orders: Array, rates: Array, totals: Array, first_step: int) -> int:
        """Run an epoch after the other, with orders, rates and totals of their own.

        It ends after one in which the loss, or a parameter or running statistic at its end, is
        not finite: those behind it have no samples in their totals.

        Parameters
        ----------
        orders : int64 array (epochs, samples)
        rates : float64 array (epochs, batches)
        totals : float64 array (epochs, totals), changed
        first_step : int
            Of the first epoch.

        Returns
        -------
        int
            What the call of the last epoch that was run returned.
        """


class PythonCall:
    """A call of an engine that is a function in Python; see :class:`Call`."""

    def __init__(
        self, run: Run, net: Net, memory: Memory, batches: Batches, course: Course, team: Team
    ) -> None:
        self._run, self._net, self._memory = run, net, memory
        self._batches, self._course, self._team = batches, course, team

    def __call__(self, first_step: int | None = None) -> int:
        """Run; from another first step than when it was prepared, if one is given."""
        course = self._course
        now = course if first_step is None else course._replace(first_step=first_step)
        return self._run(self._net, self._memory, self._batches, now, self._team)

    def is_sound(self, classes: int) -> bool:
        """Return whether the samples are finite, and the labels below the number of classes."""
        # Seen without a sign, numbers below 0 are large.
        labels, samples = self._batches.labels.view(np.uint64), self._batches.samples
        if labels.size and labels.max() >= classes:
            return False
        is_uint8 = samples.shape[1] == self._net.table[0, Column.OUTPUTS]
        return bool(is_uint8 or np.isfinite(samples.view(self._net.params.dtype)).all())

    def epochs(self, orders: Array, rates: Array, totals: Array, first_step: int) -> int:
        """Run an epoch after the other."""
        stop, reached = self._batches.stop, 0
        for epoch, order in enumerate(orders):
            course = self._course._replace(
                rates=rates[epoch], totals=totals[epoch], first_step=first_step + epoch * stop
            )
            batches = self._batches._replace(order=order)
            reached = self._run(self._net, self._memory, batches, course, self._team)
            left = (self._net.params, self._net.running)
            if reached < stop or not all(np.isfinite(values).all() for values in left):
                break
        return reached


def prepare_with(run: Run, net: Net, memory: Memory) -> Callable[[Batches, Course, Team], Call]:
    """Return ``prepare``, whose calls run the engine on a net and its memory."""

    def prepare(batches: Batches, course: Course, team: Team) -> Call:
        return PythonCall(run, net, memory, batches, course, team)

    return prepare
