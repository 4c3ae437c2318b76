"""Whole epochs on one thread, by a call of the engine that is put together once.

To look at all arguments of a call takes longer than a small net's epoch.  Here the call stays the
same from epoch to epoch, and is given what changes: the order of the samples, which is looked at
each time, the learning rates, and the totals.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..kernels.check import check_order
from ..kernels.prepare import Call
from .data import Data


@dataclass(eq=False)
class WholeEpoch:
    """A call of the engine that takes all steps of an epoch.

    Attributes
    ----------
    data, samples, batch_size
        What the call was put together for: ``samples`` is how many an epoch visits.
    call : callable
    """

    data: Data
    samples: int
    batch_size: int
    call: Call

    def is_for(self, data: Data, samples: int, batch_size: int) -> bool:
        """Whether it is the call for these."""
        return self.data is data and (self.samples, self.batch_size) == (samples, batch_size)

    def run(
        self,
        orders: NDArray[np.int64],
        rates: NDArray[np.float64],
        totals: NDArray[np.float64],
        first_step: int,
    ) -> int:
        """Train for an epoch after the other; see :meth:`fastmlp.kernels.prepare.Call.epochs`."""
        check_order(orders, self.data.count)
        reached: int = self.call.epochs(orders, rates, totals, first_step)
        return reached
