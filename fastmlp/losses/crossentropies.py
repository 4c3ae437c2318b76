"""Losses of probabilities that the net's last activation makes, and are computed with it as one."""

from typing import Any, ClassVar

import numpy as np

from ..kernels.contract import LOSS_EPSILON, Activation, Op, Scalar
from ..kernels.contract import Loss as Kind
from ..runtime import targets
from ..runtime.arguments import real_number, truth
from ..runtime.frozen import frozen
from ..runtime.lowering import Builder, Last
from ..runtime.targets import Answers
from ..runtime.tensors import Array
from .base import Loss


@frozen
class _FromLogits(Loss):
    """A loss that can take what comes *before* the last activation."""

    last: ClassVar[Last]

    from_logits = False  # each class has it as a field, in Keras' order

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        object.__setattr__(self, "from_logits", truth("from_logits", self.from_logits))

    @property
    def built_in(self) -> Last | None:
        """The activation that the kernel computes along with the loss, if it does."""
        return None if self.from_logits else self.last

    def check_net(self, builder: Builder) -> None:
        """Raise ValueError if the loss does not fit the last layer."""
        if builder.ends_in(self.last) == self.from_logits:
            raise ValueError(
                f"loss: {self.name}(from_logits={self.from_logits}) needs a net that "
                + ("does not end" if self.from_logits else "ends")
                + f" in a {self.last.name}"
                + ("" if self.from_logits else ", or from_logits=True")
            )


@frozen
class _Smoothed(_FromLogits):
    """A loss whose targets can be made less certain."""

    label_smoothing = 0.0  # a field of each class, too

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        super().check()
        kind = "a number from 0 to 1"
        smoothing = real_number("label_smoothing", self.label_smoothing, kind, low=0, high=1)
        object.__setattr__(self, "label_smoothing", smoothing)

    @property
    def reals(self) -> dict[Scalar, float]:
        """The numbers that the kernel reads."""
        return {Scalar.SMOOTHING: self.label_smoothing}


@frozen
class _OfClasses(_FromLogits):
    """A cross-entropy with a class for each output."""

    last = Last("softmax", Op.SOFTMAX)

    def _kernel_reads(self, outputs: Array) -> Array:
        """Return logits, those of probabilities that are clipped as Keras does it."""
        if self.from_logits:
            return outputs
        shares = outputs / outputs.sum(axis=1, keepdims=True)
        logits: Array = np.log(np.clip(shares, LOSS_EPSILON, 1 - LOSS_EPSILON))
        return logits

    def check_net(self, builder: Builder) -> None:
        """Raise ValueError if the loss does not fit the last layer."""
        if len(builder.shape) != 1 or builder.shape[0] < 2:
            raise ValueError(
                f"loss: {self.name} needs a last layer with an output for each class, "
                f"got outputs of shape {builder.shape}"
            )
        super().check_net(builder)


@frozen
class SparseCategoricalCrossentropy(_OfClasses):
    """``-log softmax(logits)[label]`` for integer labels (n,).

    With ``from_logits=False`` the net must end in a softmax; the two are computed as one
    either way.
    """

    kind = Kind.SOFTMAX_CROSSENTROPY
    sparse = True

    from_logits: bool = False

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' labels as the kernel reads them."""
        hint = "; one-hot targets go with the loss 'categorical_crossentropy'"
        return targets.labels(argument, array, outputs, dtype, hint)


@frozen
class _OfDistributions(_Smoothed, _OfClasses):
    """A loss for targets (n, classes) that sum to 1."""

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' distributions as the kernel reads them."""
        hint = "; integer labels go with the loss 'sparse_categorical_crossentropy'"
        return targets.distributions(argument, array, outputs, dtype, hint)


@frozen
class _OfQuestions(_Smoothed):
    """A loss of outputs that each answer a question of their own, for targets from 0 to 1."""

    last = Last("sigmoid", Op.ACTIVATION, Activation.SIGMOID)

    def _kernel_reads(self, outputs: Array) -> Array:
        """Return logits, those of probabilities that are clipped as Keras does it."""
        if self.from_logits:
            return outputs
        shares = np.clip(outputs, LOSS_EPSILON, 1 - LOSS_EPSILON)
        logits: Array = np.log(shares) - np.log1p(-shares)
        return logits

    @property
    def threshold(self) -> float:
        """Above which an output says yes: a probability of 0.5."""
        return 0.0 if self.from_logits else 0.5

    def answers(self, argument: str, array: Array, outputs: int, dtype: np.dtype[Any]) -> Answers:
        """Return users' shares as the kernel reads them."""
        return targets.shares(argument, array, outputs, dtype)


@frozen
class CategoricalCrossentropy(_OfDistributions):
    """``-sum_i target[i] log softmax(logits)[i]`` for targets (n, classes) that sum to 1.

    With ``from_logits=False`` the net must end in a softmax; the two are computed as one
    either way.

    Parameters
    ----------
    from_logits : bool
    label_smoothing : float, from 0 to 1
        The share of each target that all classes have alike: a target ``t`` becomes
        ``t (1 - s) + s / classes`` (Szegedy et al., 2016).
    reduction : str, by keyword
        See :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    kind = Kind.SOFTMAX_CROSSENTROPY

    from_logits: bool = False
    label_smoothing: float = 0.0


@frozen
class BinaryCrossentropy(_OfQuestions):
    """``mean_i -t_i log s_i - (1 - t_i) log(1 - s_i)``, with ``s = sigmoid(logits)``.

    Targets ``t`` (n, outputs), or (n,) for one output, are 0 and 1, or shares between them: each
    output answers a question of its own.  With ``from_logits=False`` the net must end in a
    sigmoid; the two are computed as one either way.

    Parameters
    ----------
    from_logits : bool
    label_smoothing : float, from 0 to 1
        A target ``t`` becomes ``t (1 - s) + s / 2``.
    reduction : str, by keyword
        See :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    kind = Kind.SIGMOID_CROSSENTROPY

    from_logits: bool = False
    label_smoothing: float = 0.0


def _check_focus(loss: Any) -> None:
    for name in ("alpha", "gamma"):
        number = real_number(name, getattr(loss, name), "a number that is not negative", low=0)
        object.__setattr__(loss, name, number)


@frozen
class CategoricalFocalCrossentropy(_OfDistributions):
    """``-alpha sum_i target[i] (1 - p[i])^gamma log p[i]``, with ``p = softmax(logits)``.

    Classes that are known well count less than in a cross-entropy (Lin et al., 2017).  With
    ``from_logits=False`` the net must end in a softmax; the two are computed as one either way.

    Parameters
    ----------
    alpha : float, not negative
        A factor.
    gamma : float, not negative
        With 0, it is the cross-entropy times ``alpha``.
    from_logits : bool
    label_smoothing : float, from 0 to 1
        As of :class:`CategoricalCrossentropy`.
    reduction : str, by keyword
        See :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    kind = Kind.SOFTMAX_FOCAL

    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        super().check()
        _check_focus(self)

    @property
    def reals(self) -> dict[Scalar, float]:
        """The numbers that the kernel reads."""
        return super().reals | {Scalar.ALPHA: self.alpha, Scalar.GAMMA: self.gamma}


@frozen
class BinaryFocalCrossentropy(_OfQuestions):
    """Binary cross-entropy times the probability of the wrong answer to the power ``gamma``.

    Questions whose answers are known well count less (Lin et al., 2017).  With
    ``from_logits=False`` the net must end in a sigmoid; the two are computed as one either way.

    Parameters
    ----------
    apply_class_balancing : bool
        Whether the loss is also multiplied with ``t alpha + (1 - t) (1 - alpha)``.
    alpha : float, not negative
    gamma : float, not negative
        With 0, it is the cross-entropy.
    from_logits : bool
    label_smoothing : float, from 0 to 1
        As of :class:`BinaryCrossentropy`.
    reduction : str, by keyword
        See :class:`Loss`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """

    kind = Kind.SIGMOID_FOCAL

    apply_class_balancing: bool = False
    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0

    def check(self) -> None:
        """Raise an error if an argument is not what it should be."""
        super().check()
        balances = truth("apply_class_balancing", self.apply_class_balancing)
        object.__setattr__(self, "apply_class_balancing", balances)
        _check_focus(self)

    @property
    def reals(self) -> dict[Scalar, float]:
        """The numbers that the kernel reads."""
        yes, no = (self.alpha, 1 - self.alpha) if self.apply_class_balancing else (1.0, 1.0)
        return super().reals | {Scalar.ALPHA: yes, Scalar.BETA: no, Scalar.GAMMA: self.gamma}
