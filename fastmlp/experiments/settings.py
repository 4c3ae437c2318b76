"""What a run of an experiment was asked for."""

from dataclasses import dataclass, replace
from typing import Any

from ..datasets import Dataset
from .nets import Net

QUICK_TRAIN = 6_000
QUICK_TEST = 1_000


@dataclass(frozen=True)
class Settings:
    """The choices that all questions share; None stands for the question's own default.

    ``quick`` means fewer samples and fewer seeds: the same questions, answered roughly.
    """

    dataset: str = "auto"
    epochs: int | None = None
    seeds: int | None = None
    batch_size: int = 32
    learning_rate: float | None = None
    activations: tuple[str, ...] | None = None
    depth: int | None = None
    width: int | None = None
    initializer: str | None = None
    momentum: float | None = None
    l1: float | None = None
    l2: float | None = None
    dropout: float | None = None
    backend: str = "auto"
    jobs: int | None = None
    scheduler: str = "local"
    quick: bool = False

    def seeds_or(self, default: int) -> range:
        return range(self.seeds if self.seeds is not None else default)

    def epochs_or(self, default: int) -> int:
        return self.epochs if self.epochs is not None else default

    def rate_or(self, default: float) -> float:
        return self.learning_rate if self.learning_rate is not None else default

    def changed(self, net: Net) -> Net:
        """Return the net with all that was asked for; what was not stays the question's.

        Of several activations a question chooses, and it gives each net its seed.
        """
        asked: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "epochs", "learning_rate", "depth", "width", "initializer", "momentum", "l1",
                "l2", "dropout",
            )
            if getattr(self, name) is not None
        }  # fmt: skip
        return replace(net, batch_size=self.batch_size, **asked)

    def cut(self, dataset: Dataset) -> Dataset:
        """Return the samples that the run uses."""
        if not self.quick:
            return dataset
        x_train, y_train = dataset.train
        x_test, y_test = dataset.test
        return replace(
            dataset,
            train=(x_train[:QUICK_TRAIN], y_train[:QUICK_TRAIN]),
            test=(x_test[:QUICK_TEST], y_test[:QUICK_TEST]),
        )
