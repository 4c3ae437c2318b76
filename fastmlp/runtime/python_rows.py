"""Layers and losses written in Python, as the walk over a plan's rows calls them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .tensors import Array, Shape, Weight


class PythonLayer(Protocol):
    """What a layer's own code computes; see :class:`fastmlp.layers.Layer`."""

    name: str

    @property
    def declared(self) -> tuple[Weight, ...]: ...

    def forward(self, x: Array, training: bool) -> Array: ...

    def backward(self, dy: Array) -> tuple[Array, dict[str, Array]]: ...


@dataclass
class PythonRows:
    """A layer written in Python, as the walk calls it: with samples as flat rows."""

    layer: PythonLayer
    input_shape: Shape
    output_shape: Shape

    def forward_rows(self, x: Array, training: bool) -> Array:
        found = self.layer.forward(_read_only(x.reshape(-1, *self.input_shape)), training)
        y = self._expect("forward", "outputs", found, (len(x), *self.output_shape))
        return y.reshape(len(x), -1)

    def backward_rows(self, dy: Array, dparams: Array) -> Array:
        found = self.layer.backward(_read_only(dy.reshape(-1, *self.output_shape)))
        if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[1], Mapping):
            raise TypeError(f"{self.layer!r}.backward: expected dL/dx and a dict of gradients")
        gradients = found[1]
        dx = self._expect("backward", "dL/dx", found[0], (len(dy), *self.input_shape))
        declared = [weight for weight in self.layer.declared if weight.trainable]
        for name in gradients:
            if name not in [weight.name for weight in declared]:
                raise ValueError(f"{self.layer!r}.backward: a gradient for {name!r}, no weight")
        start = 0
        for weight in declared:
            if weight.name not in gradients:
                raise ValueError(f"{self.layer!r}.backward: no gradient for {weight.name!r}")
            given = gradients[weight.name]
            gradient = self._expect("backward", f"dL/d{weight.name}", given, weight.shape)
            flat = (gradient.T if weight.transposed else gradient).ravel()
            dparams[start : start + flat.size] = flat
            start += flat.size
        return dx.reshape(len(dy), -1)

    def _expect(self, method: str, what: str, given: object, shape: Shape) -> Array:
        return _expected(self.layer, method, what, given, shape)


class OwnLoss(Protocol):
    """What a loss's own code computes; see :class:`fastmlp.losses.Loss`."""

    def call(self, y_true: Array, y_pred: Array) -> Array: ...

    def gradient(self, y_true: Array, y_pred: Array) -> Array: ...


@dataclass
class PythonLoss:
    """A loss written in Python, as the walk calls it; arrays are (n, outputs), or labels (n,)."""

    loss: OwnLoss

    def values(self, y_true: Array, y_pred: Array) -> Array:
        """Return the loss of each sample."""
        found = self.loss.call(_read_only(y_true), _read_only(y_pred))
        return _expected(self.loss, "call", "a loss for each sample", found, (len(y_pred),))

    def slopes(self, y_true: Array, y_pred: Array) -> Array:
        """Return the slopes of each sample's loss."""
        found = self.loss.gradient(_read_only(y_true), _read_only(y_pred))
        return _expected(self.loss, "gradient", "the slopes of losses", found, y_pred.shape)


class OwnMetric(Protocol):
    """What a metric's own code computes; see :class:`fastmlp.metrics.Metric`."""

    def update_state(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None = None
    ) -> None: ...

    def reset_state(self) -> None: ...


@dataclass
class PythonMetric:
    """A metric written in Python, as the walk calls it; its total is the number of batches.

    So its state begins anew when the totals do.
    """

    metric: OwnMetric

    def update(self, y_true: Array, y_pred: Array, weights: Array | None, totals: Array) -> None:
        """Let the metric take in a batch."""
        if not totals[0]:
            self.metric.reset_state()
        self.metric.update_state(_read_only(y_true), _read_only(y_pred), sample_weight=weights)
        totals[0] += 1


@dataclass
class PythonMean:
    """A function of samples whose mean is a metric, as the walk calls it.

    Its totals are the sum of its values, and that of their weights.
    """

    function: Callable[[Array, Array], object]

    def update(self, y_true: Array, y_pred: Array, weights: Array | None, totals: Array) -> None:
        """Add a batch to the totals."""
        found = np.asarray(self.function(_read_only(y_true), _read_only(y_pred)))
        if found.dtype.kind not in "fiub" or found.shape[:1] not in ((), (len(y_pred),)):
            raise TypeError(
                f"{self.function!r}: expected a number for each of {len(y_pred)} samples, or one, "
                f"got {found.dtype} {found.shape}"
            )
        values = found.reshape(len(found), -1).mean(axis=1) if found.ndim else found
        weight = np.ones(values.shape) if weights is None else weights.astype(np.float64)
        totals += (values * weight).sum(), weight.sum()


PythonJudge = PythonLoss | PythonMetric | PythonMean


def _expected(owner: object, method: str, what: str, given: object, shape: Shape) -> Array:
    """Return what a method of a user's class gave as an array, if that has a shape."""
    array = np.asarray(given)
    if array.dtype.kind not in "fiub" or np.ma.is_masked(given):
        kind = "masked values" if np.ma.is_masked(given) else f"dtype {array.dtype}"
        raise TypeError(f"{owner!r}.{method}: expected {what} in real numbers, got {kind}")
    if array.shape != shape:
        raise ValueError(f"{owner!r}.{method}: expected {what} of shape {shape}, got {array.shape}")
    return array


def _read_only(array: Array) -> Array:
    """Return a view that a user's code cannot write into: the memory is the net's own."""
    view = array.view()
    view.flags.writeable = False
    return view
