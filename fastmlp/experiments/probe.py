"""What the first step of a net shows before any learning."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import Sequential
from ..activations import get
from ..datasets import Dataset
from ..kernels.reference.activations import activation_forward
from ..runtime.shuffling import epoch_order
from .nets import Net

SAMPLES = 128


@dataclass(frozen=True)
class Probe:
    """A net as it was drawn.

    Attributes
    ----------
    gradient : list of float
        Each layer's gradient norm at the first step, from the input on.
    signal : list of float
        For each hidden layer, how much its outputs differ from sample to sample: the standard
        deviation over samples, root mean square over units.
    """

    gradient: list[float]
    signal: list[float]

    @property
    def gradient_ratio(self) -> float:
        """The first layer's gradient norm over the last's; 0 if both are 0, or not finite."""
        return _ratio(self.gradient[0], self.gradient[-1])

    @property
    def signal_ratio(self) -> float:
        """The last hidden layer's signal over the first's."""
        return _ratio(self.signal[-1], self.signal[0])


def _ratio(a: float, b: float) -> float:
    with np.errstate(all="ignore"):
        ratio = float(np.float64(a) / np.float64(b))
    return ratio if np.isfinite(ratio) else 0.0


def probe(net: Net, model: Sequential, dataset: Dataset) -> Probe:
    """Look at what the first step of a net that is not trained yet would be."""
    x, y = (array[: net.samples] for array in dataset.train)
    first = epoch_order(net.seed, 0, len(x))[: net.batch_size]
    gradient = model.loss_and_gradient(x[first], y[first])[1]
    norms = [_norm(*layer) for layer in zip(gradient[::2], gradient[1::2], strict=True)]
    return Probe(norms, _signal(net, model, dataset))


def _norm(kernel: NDArray[np.floating], bias: NDArray[np.floating]) -> float:
    with np.errstate(all="ignore"):
        squares = (np.square(part, dtype=np.float64).sum() for part in (kernel, bias))
        return math.sqrt(sum(squares))


def _signal(net: Net, model: Sequential, dataset: Dataset) -> list[float]:
    x = dataset.train[0][:SAMPLES]
    h = x.reshape(len(x), -1) * np.float64(dataset.scale)
    weights = [np.asarray(w, np.float64) for w in model.get_weights()[:-2]]
    activation = get(net.activation)
    signal = []
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        # Not h @ kernel: BLAS would wake threads for it, and sums in an order of their own.
        z = np.einsum("ni,ui->nu", h, np.ascontiguousarray(kernel.T)) + bias
        h = np.empty_like(z)
        if activation.kind is None:
            h[:] = z
        else:
            activation_forward(activation.kind, activation.alpha, z.ravel(), h.reshape(-1))
        signal.append(float(np.sqrt(h.var(axis=0).mean())))
    return signal
