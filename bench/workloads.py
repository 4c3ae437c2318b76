"""What is trained: nets and how, in plain numbers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """A net, and an epoch of its training; ``samples`` is a multiple of ``batch_size``.

    ``optimizer`` is SGD or Adam; with ``normalized``, batch normalization follows each hidden
    layer.  ``data`` are images (bytes) and their classes; or tables, which are normal numbers, and
    for one output a number to be learned (mean squared error), for more of them a class.
    """

    widths: tuple[int, ...]
    activation: str
    batch_size: int
    samples: int
    learning_rate: float
    optimizer: str = "SGD"
    normalized: bool = False
    data: str = "images"

    @property
    def learns_a_number(self) -> bool:
        return self.widths[-1] == 1

    @property
    def title(self) -> str:
        """The net with all that its training is about."""
        extras = ", batch normalization" if self.normalized else ""
        extras += "" if self.optimizer == "SGD" else f", {self.optimizer}"
        extras += ", mean squared error" if self.learns_a_number else ""
        return f"{self.net}, {self.activation}{extras}, batch {self.batch_size}"

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
FIVE_WITH_ADAM = Workload(FIVE_LAYERS.widths, "sigmoid", 32, 60_000, 1e-3, "Adam")
FIVE_NORMALIZED = Workload(FIVE_LAYERS.widths, "sigmoid", 32, 60_000, 0.2, normalized=True)
WIDE_WITH_ADAM = Workload(WIDE.widths, "relu", 64, 57_600, 1e-3, "Adam")
TABLE_OF_8 = Workload((8, 32, 32, 1), "relu", 32, 64_000, 1e-3, "Adam", data="tables")
TABLE_OF_30 = Workload((30, 64, 64, 2), "relu", 32, 64_000, 1e-3, "Adam", data="tables")
TABLE_OF_30_SGD = Workload((30, 64, 64, 2), "relu", 32, 64_000, 0.05, data="tables")
SMALL = Workload((784, 13, 13, 13, 10), "relu", 32, 10_000, 0.05)
