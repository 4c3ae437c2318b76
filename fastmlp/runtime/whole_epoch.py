"""Whole epochs on one thread, by a call of the engine that is put together once.

To look at all arguments of a call takes longer than a small net's epoch.  Here the memory that a
call is bound to stays the same from epoch to epoch, and its contents are replaced: the order of the
samples, which is looked at each time, and the learning rates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..kernels.check import check_order
from ..kernels.prepare import Call
from .data import Data
from .tensors import Array


@dataclass(eq=False)
class WholeEpoch:
    """A call of the engine that takes all steps of an epoch.

    Attributes
    ----------
    data, batch_size, totals
        What the call was put together for.
    order : int64 array (samples per epoch,), changed before each call
    rates : float64 array (batches,), likewise
    call : callable
        Of the number of the epoch's first step.
    """

    data: Data
    batch_size: int
    totals: NDArray[np.float64]
    order: NDArray[np.int64]
    rates: NDArray[np.float64]
    call: Call

    def is_for(self, data: Data, order: Array, batch_size: int, totals: Array) -> bool:
        """Whether it is the call for these."""
        return (
            self.data is data
            and self.totals is totals
            and self.batch_size == batch_size
            and self.order.shape == order.shape
        )

    def run(self, order: Array, rates: Array, first_step: int) -> int:
        """Train, and return what :meth:`fastmlp.runtime.engine.Engine.train_epoch` does."""
        self.order[...], self.rates[...] = order, rates
        check_order(self.order, self.data.count)
        reached: int = self.call(first_step)
        return reached

    def run_several(
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
