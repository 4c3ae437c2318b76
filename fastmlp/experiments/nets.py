"""The nets of the experiments: what tells one from another, and what became of each."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .. import Sequential, layers
from ..datasets import Dataset
from ..optimizers import SGD, Adam, Optimizer
from ..regularizers import L1L2

# A net that explains less than this share of the labels' entropy has learned nothing.
LEARNED_SHARE = 0.01


@dataclass(frozen=True)
class Net:
    """A net and its training, in numbers; ``depth`` counts the hidden layers.

    After ``cool_after`` epochs, if that is not 0, the learning rate is divided by ``cool_by``.
    With ``residual``, each hidden layer but the first, which changes the shape, adds its outputs
    to its inputs; with ``normalized``, each normalizes over the batch before its activation.
    ``momentum`` is that of SGD.

    With ``samples``, it sees only the first ones of the training set, so often that an epoch has as
    many steps as with all of them.
    """

    activation: str
    depth: int
    width: int = 10
    initializer: str = "torch_default"
    learning_rate: float = 0.2
    momentum: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    batch_size: int = 32
    epochs: int = 5
    samples: int | None = None
    seed: int = 0
    cool_after: int = 0
    cool_by: float = 1.0
    optimizer: Literal["sgd", "adam"] = "sgd"
    residual: bool = False
    normalized: bool = False

    def build(self, dataset: Dataset, backend: str = "auto", dtype: str = "float32") -> Sequential:
        """Return the net, compiled; hidden layers carry the penalties and dropout."""
        penalty = L1L2(self.l1, self.l2) if self.l1 or self.l2 else None
        stack: list[layers.Layer] = [
            layers.Input(dataset.input_shape),
            layers.Flatten(),
            layers.Rescaling(dataset.scale),
        ]
        for number in range(self.depth):
            hidden = self._hidden(penalty)
            stack += [layers.Residual(hidden)] if self.residual and number else hidden
        stack.append(
            layers.Dense(
                len(dataset.classes),
                activation="softmax",
                kernel_initializer=self.initializer,
                kernel_regularizer=penalty,
            )
        )
        model = Sequential(stack, seed=self.seed, backend=backend, dtype=dtype)
        model.compile(
            self._optimizer(),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    def _hidden(self, penalty: L1L2 | None) -> list[layers.Layer]:
        """Return what a hidden layer is made of."""
        made: list[layers.Layer] = [
            layers.Dense(
                self.width,
                activation=None if self.normalized else self.activation,
                kernel_initializer=self.initializer,
                kernel_regularizer=penalty,
            )
        ]
        if self.normalized:
            made += [layers.BatchNormalization(), layers.Activation(self.activation)]
        if self.dropout:
            made.append(layers.Dropout(self.dropout))
        return made

    def _optimizer(self) -> Optimizer:
        if self.optimizer == "adam":
            return Adam(self.learning_rate)
        return SGD(self.learning_rate, self.momentum)


@dataclass(frozen=True)
class Outcome:
    """What became of a net.

    Attributes
    ----------
    figures : dict of lists
        Per epoch, as in :class:`fastmlp.History`.
    divergence : str
        Where the loss stopped being finite, or empty.
    measured : dict of str to float
        What else the question wanted to know of the trained net.
    """

    figures: dict[str, list[float]]
    divergence: str
    measured: dict[str, float]

    def final(self, name: str) -> float:
        """Return the last epoch's figure."""
        return self.figures[name][-1]

    def of_data(self, name: str) -> list[float]:
        """Return a figure, epoch by epoch; a loss is that of the data, without penalties."""
        without = {"loss": "data_loss", "val_loss": "val_data_loss"}.get(name, name)
        return self.figures.get(without, self.figures[name])

    def is_stuck(self, entropy: float) -> bool:
        """Tell whether the net learned nothing: see :data:`LEARNED_SHARE`.

        ``1 - loss / entropy``, with the entropy of the test labels, is the share of what there
        is to know that the net knows (McFadden's pseudo-R2, 1974). A penalty has no part in it.
        """
        loss = self.of_data("val_loss")[-1]
        return bool(self.divergence) or not loss < (1 - LEARNED_SHARE) * entropy


def label_entropy(labels: NDArray[np.integer]) -> float:
    """Return the entropy of the labels, in nats: the loss of the best constant prediction."""
    shares = np.bincount(labels) / len(labels)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())
