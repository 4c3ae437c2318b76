"""Single batches of a size that was seen before, by the shortest way.

For a net of 10,000 weights the checks and preparations of the usual way take several times longer
than the net itself.  Here a size has memory of its own, to which a call of the engine is bound
once; what comes is copied there, and looked at.  Whatever is not as expected goes the usual way,
which takes it or says what is wrong with it.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.contract import Mode
from ..kernels.prepare import Call
from .data import Data
from .tensors import Array

if TYPE_CHECKING:
    from .engine import Engine

_KEPT = 24  # sizes
_LARGEST = 2**18  # numbers in the samples of a size
_FEW = 16  # samples of which one predicts as many again and again


@dataclass
class _Outputs:
    """Memory for a certain number of samples, with the call that predicts them."""

    samples: Array
    outputs: Array
    call: Call

    def outputs_of(self, x: Array) -> Array | None:
        """Return the outputs for samples; None, if they are not finite."""
        self.samples[...] = x
        if not self.call.is_sound(0):
            return None
        self.call()
        return self.outputs.copy()


@dataclass
class _Totals:
    """Memory for a certain number of samples and labels, with the call that judges them."""

    samples: Array
    labels: NDArray[np.int64]
    rates: NDArray[np.float64]
    totals: NDArray[np.float64]
    classes: int
    call: Call

    def totals_of(self, x: Array, y: Array, step: int) -> tuple[NDArray[np.float64], bool] | None:
        """Return the totals, and whether the batch was taken in; None, if it is not valid."""
        self.samples[...] = x
        self.labels[...] = y
        if not self.call.is_sound(self.classes):
            return None
        self.totals.fill(0)
        return self.totals, self.call(step) == 1


class Shortcuts:
    """The short ways through an engine, for the sizes of batches that are expected again.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._outputs: dict[tuple[int, ...], _Outputs] = {}
        self._totals: dict[tuple[Mode, tuple[int, ...]], _Totals] = {}
        self._count = 0  # of samples whose outputs were asked for last

    def forget(self) -> None:
        """Forget all sizes: the engine has other memory now."""
        self._outputs.clear()
        self._totals.clear()

    def forward(self, x: Array) -> Array | None:
        """Return the outputs for a few samples as they come.

        None, if they were not expected: their shape is new, their dtype neither the net's own nor
        uint8, or they are not finite.
        """
        known = self._outputs.get(x.shape)
        if known is None or (x.dtype is not known.samples.dtype and x.dtype != np.uint8):
            return None
        return self._engine.alone(known.outputs_of, x)

    def expect_outputs(self, count: int) -> None:
        """Be ready for so many samples, if they are few or as many as the last time."""
        engine = self._engine
        shape = (count, *engine.plan.input_shape)
        again = count <= _FEW or count == self._count
        self._count = count
        if not again or shape in self._outputs or not self._is_suitable(Mode.PREDICT, count):
            return
        samples = np.zeros(shape, engine.params.dtype)
        outputs = np.zeros((count, engine.plan.outputs), engine.params.dtype)
        call = engine.prepare_alone(Mode.PREDICT, self._data(samples, None), outputs=outputs)
        _make_room(self._outputs)
        self._outputs[shape] = _Outputs(
            samples, outputs.reshape(count, *engine.plan.output_shape), call
        )

    def judge(
        self, mode: Mode, x: Array, y: Array, step: int
    ) -> tuple[NDArray[np.float64], bool] | None:
        """Return the totals of a batch with integer labels, and whether it was taken in.

        In ``Mode.TRAIN`` it is learned from, unless its loss is not finite.  None, if it was not
        expected.  The totals change at the next call.
        """
        known = self._totals.get((mode, x.shape))
        if known is None or (x.dtype is not known.samples.dtype and x.dtype != np.uint8):
            return None
        if y.shape != known.labels.shape:
            if y.shape != (len(x), 1):
                return None
            y = y[:, 0]
        if y.dtype.kind not in "iu":
            return None
        if mode == Mode.TRAIN:
            known.rates[0] = self._engine.rate_of(step)
        return self._engine.alone(known.totals_of, x, y, step)

    def expect_totals(self, mode: Mode, data: Data) -> None:
        """Be ready for a batch like one that was judged before."""
        engine, count = self._engine, data.count
        shape = (count, *engine.plan.input_shape)
        suits = self._is_suitable(mode, count) and data.labels.size and not data.weights.size
        if not suits or (mode, shape) in self._totals:
            return
        samples, labels = np.zeros(shape, engine.params.dtype), np.zeros(count, np.int64)
        rates, totals = np.zeros(1), np.zeros(engine.plan.totals)
        call = engine.prepare_alone(mode, self._data(samples, labels), rates=rates, totals=totals)
        _make_room(self._totals)
        self._totals[mode, shape] = _Totals(
            samples, labels, rates, totals, engine.plan.outputs, call
        )

    def _is_suitable(self, mode: Mode, count: int) -> bool:
        """Whether so many samples may take the short way, which only looks if they are finite."""
        plan = self._engine.plan
        is_kept = count * math.prod(plan.input_shape) <= _LARGEST
        is_small = is_kept and self._engine.is_small(mode, count)
        return is_small and not plan.always_learns and not plan.codes

    def _data(self, samples: Array, labels: NDArray[np.int64] | None) -> Data:
        """Return data whose memory is that of the arguments, and may change."""
        return Data(
            samples.reshape(len(samples), -1).view(np.uint8),
            np.empty(0, np.int64) if labels is None else labels,
            self._engine.params[:0, None],
        )


def _make_room(kept: dict[Any, Any]) -> None:
    """Forget the size that was met first, if there are many."""
    if len(kept) >= _KEPT:
        del kept[next(iter(kept))]
