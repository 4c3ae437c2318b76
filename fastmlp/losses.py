"""Losses: a name for a row of the plan, and what it expects of the targets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .arguments import truth
from .configuration import Configurable
from .kernels.contract import FIRST_LOSS, Op
from .lookup import by_name


@dataclass(frozen=True)
class Loss(Configurable):
    """A loss over a batch: the mean of its samples' losses.

    Attributes
    ----------
    name : str
        As in Keras.
    op : fastmlp.kernels.contract.Op
        The row that computes it.
    from_logits : bool
        Whether it takes what comes *before* the softmax.
    sparse : bool
        Whether targets are integer labels (n,) rather than an array (n, outputs).

    Raises
    ------
    TypeError, ValueError
        If there is no such loss: only cross-entropy takes labels, or what comes before a softmax.
    """

    name: str
    op: Op
    from_logits: bool = False
    sparse: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.op, Op) or self.op < FIRST_LOSS:
            raise ValueError(f"op: expected one that computes a loss, got {self.op!r}")
        for argument in ("from_logits", "sparse"):
            value = truth(argument, getattr(self, argument))
            if value and self.op != Op.SOFTMAX_CROSSENTROPY:
                raise ValueError(f"{argument}: expected False for {self.op.name}")
            object.__setattr__(self, argument, value)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), "op": self.op.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the loss of a configuration."""
        return cls(**{**config, "op": Op[config["op"]]})


def SparseCategoricalCrossentropy(from_logits: bool = False) -> Loss:  # noqa: N802
    """``-log softmax(logits)[label]`` for integer labels (n,).

    With ``from_logits=False`` the net must end in a softmax; the two are computed as one
    either way.
    """
    return Loss(
        "sparse_categorical_crossentropy", Op.SOFTMAX_CROSSENTROPY, from_logits, sparse=True
    )


def CategoricalCrossentropy(from_logits: bool = False) -> Loss:  # noqa: N802
    """``-sum_i target[i] log softmax(logits)[i]`` for targets (n, classes) that sum to 1."""
    return Loss("categorical_crossentropy", Op.SOFTMAX_CROSSENTROPY, from_logits)


def MeanSquaredError() -> Loss:  # noqa: N802
    """``mean_i (output[i] - target[i])^2`` for targets (n, outputs)."""
    return Loss("mean_squared_error", Op.MEAN_SQUARED_ERROR)


_KNOWN = {
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy(),
    "categorical_crossentropy": CategoricalCrossentropy(),
    "mean_squared_error": MeanSquaredError(),
    "mse": MeanSquaredError(),
}

_TWO_CLASSES = (
    "for two classes, let the net end in Dense(2, 'softmax') and take the loss "
    "'sparse_categorical_crossentropy' with the labels 0 and 1: it is the same model"
)
_ABSENT = {"binary_crossentropy": _TWO_CLASSES, "bce": _TWO_CLASSES}


def get(loss: str | Loss) -> Loss:
    """Return the loss of that name, or the loss given."""
    if isinstance(loss, str) and loss in _ABSENT:
        raise ValueError(f"loss: {loss!r} does not exist here; {_ABSENT[loss]}")
    return loss if isinstance(loss, Loss) else by_name("loss", loss, _KNOWN)
