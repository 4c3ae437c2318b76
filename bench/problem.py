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
    x : array (samples, inputs)
        Images are uint8; peers rescale them to [0, 1], when and how they like.  Tables are float32.
    y : int64 array (samples,), or float32 array (samples, 1)
    weights : list of float32 arrays
        Keras' order and shapes: kernel (inputs, outputs) and bias (outputs,) of each layer, and
        where a normalization follows it, that one's gamma and beta.
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
    def layers(self) -> list[tuple[np.ndarray, ...]]:
        """Kernel and bias of each layer, and gamma and beta where a normalization follows it."""
        each = 4 if self.workload.normalized else 2
        return [tuple(self.weights[i : i + each]) for i in range(0, len(self.weights), each)]


def fastmlp_net(workload: Workload, seed: int, backend: str = "auto"):
    """Return the net in fastmlp."""
    from fastmlp import Sequential, layers, optimizers

    *hidden, outputs = workload.widths[1:]
    start = {"kernel_initializer": "torch_default"}
    stack = [layers.Input((workload.widths[0],))]
    if workload.data == "images":
        stack.append(layers.Rescaling(1 / 255))
    for width in hidden:
        stack.append(layers.Dense(width, workload.activation, **start))
        if workload.normalized:
            stack.append(layers.BatchNormalization())
    last, loss = "softmax", "sparse_categorical_crossentropy"
    if workload.learns_a_number:
        last, loss = None, "mean_squared_error"
    model = Sequential([*stack, layers.Dense(outputs, last, **start)], seed=seed, backend=backend)
    optimizer = getattr(optimizers, workload.optimizer)
    model.compile(optimizer(workload.learning_rate), loss)
    return model


def samples_of(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Return the data, which beyond a data set's size, where only speed matters, are repeated."""
    if workload.data == "images":
        from fastmlp import datasets

        (x, y), _ = datasets.fashion_mnist.load_data()
        rows = np.arange(workload.samples) % len(x)
        return x.reshape(len(x), -1)[rows], y.astype(np.int64)[rows]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((workload.samples, workload.widths[0])).astype(np.float32)
    wave = np.sin(x.sum(axis=1, keepdims=True))
    return x, wave if workload.learns_a_number else (wave[:, 0] > 0).astype(np.int64)


def make_problem(
    workload: Workload, epochs: int, *, seed: int = 0, weights_seed: int | None = None
) -> Problem:
    """Return the workload with its data; ``weights_seed`` is ``seed`` unless told."""
    from fastmlp.runtime.shuffling import epoch_order

    net = fastmlp_net(workload, seed if weights_seed is None else weights_seed)
    orders = [epoch_order(seed, epoch, workload.samples) for epoch in range(epochs)]
    weights = [np.array(weight) for weight in net.trainable_weights]
    return Problem(workload, seed, *samples_of(workload), weights, np.array(orders))
