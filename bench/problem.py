"""What every peer is given: the same samples, initial weights and order of samples, as arrays.

fastmlp makes them, and peers never import it: they get plain NumPy.
"""

from dataclasses import dataclass

import numpy as np

from bench.workloads import Workload


@dataclass(frozen=True)
class Problem:
    """A workload with its data.

    Attributes
    ----------
    workload : Workload
    seed : int
    x : uint8 array (samples, 784)
        Peers rescale to [0, 1], when and how they like.
    y : int64 array (samples,)
    weights : list of float32 arrays
        Keras' order and shapes: kernel (inputs, outputs) and bias (outputs,) of each layer.
    orders : int64 array (epochs, samples)
        Which sample comes when.
    """

    workload: Workload
    seed: int
    x: np.ndarray
    y: np.ndarray
    weights: list[np.ndarray]
    orders: np.ndarray

    @property
    def layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Kernel and bias of each layer."""
        return list(zip(self.weights[::2], self.weights[1::2], strict=True))


def fastmlp_net(workload: Workload, seed: int, backend: str = "auto"):
    """Return the net in fastmlp."""
    from fastmlp import Sequential, layers, optimizers

    *hidden, outputs = workload.widths[1:]
    start = {"kernel_initializer": "torch_default"}
    model = Sequential(
        [
            layers.Input((workload.widths[0],)),
            layers.Rescaling(1 / 255),
            *(layers.Dense(width, workload.activation, **start) for width in hidden),
            layers.Dense(outputs, "softmax", **start),
        ],
        seed=seed,
        backend=backend,
    )
    model.compile(optimizers.SGD(workload.learning_rate), "sparse_categorical_crossentropy")
    return model


def make_problem(
    workload: Workload, epochs: int, *, seed: int = 0, weights_seed: int | None = None
) -> Problem:
    """Return the workload on Fashion-MNIST; ``weights_seed`` is ``seed`` unless told."""
    from fastmlp import datasets
    from fastmlp.runtime.training import epoch_order

    (x, y), _ = datasets.fashion_mnist.load_data()
    net = fastmlp_net(workload, seed if weights_seed is None else weights_seed)
    orders = [epoch_order(seed, epoch, workload.samples) for epoch in range(epochs)]
    # Beyond the data set's size, where only the speed is of interest, it is repeated.
    rows = np.arange(workload.samples) % len(x)
    return Problem(
        workload, seed, x.reshape(len(x), -1)[rows], y.astype(np.int64)[rows],
        net.get_weights(), np.array(orders),
    )  # fmt: skip
