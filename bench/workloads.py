"""What is trained: nets and how, in plain numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """A net, and an epoch of its training; ``samples`` is a multiple of ``batch_size``."""

    widths: tuple[int, ...]
    activation: str
    batch_size: int
    samples: int
    learning_rate: float

    @property
    def steps(self) -> int:
        return self.samples // self.batch_size

    @property
    def flops_per_step(self) -> int:
        """Multiply-adds count 2; the first layer needs no gradient of its inputs."""
        products = [a * b for a, b in zip(self.widths, self.widths[1:], strict=False)]
        return 2 * self.batch_size * (3 * sum(products) - products[0])

    @property
    def net(self) -> str:
        """The widths as people write them: ``784-10×5``, ``784-512-512-10``."""
        first, *rest = self.widths
        if len(rest) > 3 and len(set(rest)) == 1:
            return f"{first}-{rest[0]}×{len(rest)}"
        return "-".join(map(str, self.widths))


FIVE_LAYERS = Workload((784, 10, 10, 10, 10, 10), "sigmoid", 32, 60_000, 0.2)
FOURTEEN_LAYERS = Workload((784, *[10] * 14, 10), "tanh", 32, 19_200, 0.2)
WIDE = Workload((784, 128, 10), "relu", 64, 57_600, 0.05)
LARGE = Workload((784, 512, 512, 10), "relu", 128, 12_800, 0.05)
MANY = Workload((784, 10, 10, 10, 10, 10), "sigmoid", 32, 6_400, 0.2)
SMALL = Workload((784, 13, 13, 13, 10), "relu", 32, 10_000, 0.05)
