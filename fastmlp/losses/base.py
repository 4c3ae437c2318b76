"""What all losses have, and what a user's own loss fills in."""

from dataclasses import field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..kernels.contract import Loss as Kind
from ..kernels.contract import Op, Reduction, Scalar
from ..kernels.reference.losses import of_samples
from ..runtime import targets
from ..runtime.arguments import real_array
from ..runtime.configuration import Configurable
from ..runtime.frozen import frozen
from ..runtime.lookup import by_name
from ..runtime.lowering import Builder, Last
from ..runtime.python_rows import PythonLoss
from ..runtime.targets import Answers
from ..runtime.tensors import Array

_REDUCTIONS = {
    "sum_over_batch_size": Reduction.MEAN,
    "mean": Reduction.MEAN,
    "sum": Reduction.SUM,
    "mean_with_sample_weight": Reduction.WEIGHTED_MEAN,
}


@frozen
class Loss(Configurable):
    """What all losses share; use one of the classes below, or subclass it to write your own.

    A loss of your own computes the losses of samples in :meth:`call`, and their slopes in
    :meth:`gradient`, which have to be right: :func:`fastmlp.check_gradients` tells.  The net then
    runs in Python, layer by layer, with the same kernels for all the rest.

    Parameters
    ----------
    reduction : {"sum_over_batch_size", "sum", "mean_with_sample_weight"}, by keyword
        What the losses of a batch's samples, each times the sample's weight, become: their sum
        over the number of samples, which "mean" is another name of; their sum; or their sum over
        that of the weights.  The figure of an epoch is the mean over its batches, each counted by
        its number of samples.

    Attributes
    ----------
    name : str
        As in Keras.
    kind : fastmlp.kernels.contract.Loss
        Which kernel.
    sparse : bool
        Whether right answers are integer labels (n,) rather than targets (n, outputs).

    Examples
    --------
    >>> class FourthPower(Loss):
    ...     name = "fourth_power"
    ...
    ...     def call(self, y_true, y_pred):
    ...         return ((y_pred - y_true) ** 4).mean(axis=1)
    ...
    ...     def gradient(self, y_true, y_pred):
    ...         return 4 * (y_pred - y_true) ** 3 / y_true.shape[1]
    """

    name: ClassVar[str] = ""
    kind: ClassVar[Kind] = Kind.PYTHON
    sparse: ClassVar[bool] = False

    reduction: str = field(default="sum_over_batch_size", kw_only=True)

    def __init_subclass__(cls, **options: Any) -> None:
        """Name a loss after its class, if it has no name of its own."""
        super().__init_subclass__(**options)
        if "name" not in vars(cls) and not cls.__name__.startswith("_"):
            cls.name = snake_case(cls.__name__)

    def __post_init__(self) -> None:
        if self.kind == Kind.PYTHON:
            for method in ("call", "gradient"):
                if getattr(type(self), method) is getattr(Loss, method):
                    raise TypeError(
                        f"loss: expected one of the classes of fastmlp.losses, or a subclass with "
                        f"call and gradient; {type(self).__name__} has no {method}"
                    )
        by_name("reduction", self.reduction, _REDUCTIONS)
        self.check()

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return the loss of each sample (n,); in a class of your own.

        Parameters
        ----------
        y_true : float array (n, outputs), or int64 array (n,) if the class is ``sparse``
        y_pred : float array (n, outputs)
            What the net computes; of the net's dtype, and read-only.
        """
        raise NotImplementedError

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        """Return the slopes of each sample's loss (n, outputs); in a class of your own."""
        raise NotImplementedError

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the loss of some samples, reduced as ``reduction`` says.

        Parameters
        ----------
        y_true : array
            As :meth:`values` takes it.
        y_pred : array (samples, outputs)
        sample_weight : array (samples,), optional

        Raises
        ------
        TypeError, ValueError
            If shapes do not fit together, or right answers are not what the loss expects.
        """
        values = self.values(y_true, y_pred).astype(np.float64)
        weight = np.ones(values.shape)
        if sample_weight is not None:
            given = real_array("sample_weight", sample_weight).astype(np.float64)
            if given.shape == (*values.shape, 1):
                given = given[..., 0]
            if given.shape not in ((), values.shape):
                raise ValueError(
                    f"sample_weight: expected one for each loss, shape {values.shape}, "
                    f"got shape {given.shape}"
                )
            weight = weight * given
        total = float((values * weight).sum())
        match _REDUCTIONS[self.reduction]:
            case Reduction.SUM:
                return total
            case Reduction.MEAN:
                return total / values.size
            case _:
                return total / float(weight.sum()) if weight.sum() else 0.0

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return the loss of each sample (samples,), not reduced.

        Parameters
        ----------
        y_true : array (samples, outputs), or (samples,) for one output, or of labels
        y_pred : array (samples, outputs)
            Or of more axes, or of outputs alone: the last axis is that of the outputs.

        Raises
        ------
        TypeError, ValueError
            If shapes do not fit together, or right answers are not what the loss expects.
        """
        outputs, right = real_array("y_pred", y_pred), real_array("y_true", y_true)
        if outputs.ndim == 0 or not outputs.size:
            raise ValueError(f"y_pred: expected outputs, got shape {outputs.shape}")
        *samples, width = outputs.shape
        own = (*samples,) if self.sparse else outputs.shape
        others = [(*samples, 1)] if self.sparse else [(*samples,)] * (width == 1)
        if right.shape not in (own, *others):
            raise ValueError(f"y_true: expected shape {own}, got {right.shape}")
        flat = outputs.reshape(-1, width).astype(np.float64)
        right = right.reshape(-1 if self.sparse else flat.shape)
        labels, answers = self.answers("y_true", right, width, flat.dtype)
        if self.kind == Kind.PYTHON:
            found = np.asarray(self.call(labels if self.sparse else answers, flat))
        else:
            target = np.eye(width)[labels] if self.sparse else answers
            reals = np.zeros(len(Scalar))
            for scalar, number in self.reals.items():
                reals[scalar] = number
            x = np.ascontiguousarray(self._kernel_reads(flat).T)
            found, _ = of_samples(self.kind, reals, x, target.T, np.empty((2, len(flat))))
        dtype = outputs.dtype if outputs.dtype.kind == "f" else np.float64
        return found.reshape(samples).astype(dtype)

    def _kernel_reads(self, outputs: Array) -> Array:
        """Return what the kernel reads, of outputs (samples, outputs) of a net."""
        return outputs

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""

    @property
    def reals(self) -> dict[Scalar, float]:
        """The numbers that the kernel reads."""
        return {}

    @property
    def built_in(self) -> Last | None:
        """The activation that the kernel computes along with the loss, if it does."""
        return None

    @property
    def threshold(self) -> float | None:
        """Above which a single output says yes; None, if it answers no such question."""
        return None

    def check_net(self, builder: Builder) -> None:
        """Raise ValueError if the loss does not fit the last layer."""

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' right answers as the kernel reads them.

        Raises
        ------
        ValueError
            If they are not what the loss expects.
        """
        if self.sparse:
            return targets.labels(argument, array, outputs, dtype, "")
        return targets.targets(argument, array, outputs, dtype)

    def lower(self, builder: Builder, op: Op = Op.LOSS, label: str | None = None) -> None:
        """Add the row that computes the loss; or, by another op, one that only shows it.

        Raises
        ------
        ValueError
            If the loss does not fit the last layer.
        """
        self.check_net(builder)
        is_learned = op == Op.LOSS
        builder.judge(
            op, self.kind, label or self.name, reals=self.reals, built_in=self.built_in,
            reduction=_REDUCTIONS[self.reduction] if is_learned else Reduction.MEAN,
            python=PythonLoss(self) if self.kind == Kind.PYTHON else None,
        )  # fmt: skip


def snake_case(name: str) -> str:
    """Return ``mean_squared_error`` for ``MeanSquaredError``."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
