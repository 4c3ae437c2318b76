"""What is measured: nets, batch sizes and data, the same for every peer."""

from dataclasses import dataclass

import numpy as np

from fastmlp import Sequential, datasets, layers, optimizers
from fastmlp.training import epoch_order

SEED = 0


@dataclass(frozen=True)
class Workload:
    """A net and how it is trained."""

    name: str
    widths: tuple[int, ...]
    activation: str
    batch_size: int
    samples: int
    learning_rate: float = 0.2

    @property
    def steps(self) -> int:
        return self.samples // self.batch_size

    @property
    def flops_per_step(self) -> int:
        """Multiply-adds count 2; the first layer needs no gradient of its inputs."""
        sizes = list(zip(self.widths, self.widths[1:], strict=False))
        products = [a * b for a, b in sizes]
        return 2 * self.batch_size * (3 * sum(products) - products[0])

    def images(self) -> tuple[np.ndarray, np.ndarray]:
        """The first samples of Fashion-MNIST: uint8 (samples, 28, 28) and labels."""
        (x, y), _ = datasets.fashion_mnist.load_data()
        return x[: self.samples], y[: self.samples]

    def order(self, epoch: int) -> np.ndarray:
        return epoch_order(SEED, epoch, self.samples)

    def model(self, seed: int = SEED, **options: str) -> Sequential:
        """The net in fastmlp, whose initial weights all peers start from."""
        hidden = [
            layers.Dense(width, self.activation, kernel_initializer="torch_default")
            for width in self.widths[1:-1]
        ]
        model = Sequential(
            [
                layers.Input((28, 28)),
                layers.Flatten(),
                layers.Rescaling(1 / 255),
                *hidden,
                layers.Dense(self.widths[-1], "softmax", kernel_initializer="torch_default"),
            ],
            seed=seed,
            **options,
        )
        model.compile(optimizers.SGD(self.learning_rate), "sparse_categorical_crossentropy")
        return model


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("five layers", (784, 10, 10, 10, 10, 10), "sigmoid", 32, 60_000),
        Workload("fourteen layers", (784, *[10] * 14, 10), "tanh", 32, 60_000),
        Workload("wide", (784, 128, 10), "relu", 64, 60_000, 0.05),
        Workload("large", (784, 512, 512, 10), "relu", 128, 12_800, 0.05),
    )
}
