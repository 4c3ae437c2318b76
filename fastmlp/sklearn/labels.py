"""Class labels, and the answers that a net learns in their place."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ..runtime.tensors import Array


@dataclass(frozen=True)
class Labels:
    """The classes of a classifier.

    Attributes
    ----------
    classes : array (classes,)
        Sorted; or of several labels a sample, one for each column of ``y``.
    is_multilabel : bool
        Whether a sample may have any number of them: ``y`` is (n, classes) of 0 and 1.
    """

    classes: Array
    is_multilabel: bool

    @property
    def is_binary(self) -> bool:
        """Whether one output is enough."""
        return not self.is_multilabel and len(self.classes) <= 2

    def encode(self, y: Array) -> Array:
        """Return labels (n,) from 0 on; or targets (n, outputs), of a binary question (n, 1).

        Raises
        ------
        ValueError
            If ``y`` has classes that are not known, or columns in place of them.
        """
        self.check_kind(y)
        if self.is_multilabel:
            return y
        self.check_known(y)
        numbers = np.searchsorted(self.classes, y)
        return (numbers == 1)[:, None].astype(np.float32) if self.is_binary else numbers

    def decode(self, outputs: Array) -> Array:
        """Return the answers that probabilities (n, outputs) stand for."""
        if self.is_multilabel:
            return (outputs > 0.5).astype(np.int64)
        if len(self.classes) == 1:
            return np.repeat(self.classes, len(outputs))
        if self.is_binary:
            numbers = (outputs[:, 0] > 0.5).astype(np.int64)
        else:
            numbers = outputs.argmax(axis=1)
        answers: Array = self.classes[numbers]
        return answers

    def probabilities(self, outputs: Array) -> Array:
        """Return the probability of each class (n, classes)."""
        if self.is_multilabel or not self.is_binary:
            return outputs
        if len(self.classes) == 1:
            return np.ones_like(outputs)
        return np.hstack([1 - outputs, outputs])

    def check_kind(self, y: Array) -> None:
        """Raise ValueError if ``y`` has one label a sample where several may be, or reversely."""
        expected = f"(samples, {len(self.classes)})" if self.is_multilabel else "(samples,)"
        if (y.ndim == 2) != self.is_multilabel or (y.ndim == 2 and y.shape[1:] != self.shape):
            raise ValueError(f"y: expected shape {expected} as at first, got {y.shape}")

    @property
    def shape(self) -> tuple[int, ...]:
        """What follows the number of samples in the shape of ``y``."""
        return (len(self.classes),) if self.is_multilabel else ()

    def check_known(self, y: Array) -> None:
        """Raise ValueError if ``y`` has a class that is not among these."""
        if len(np.setdiff1d(y, self.classes)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes}. "
                f"'y' has {np.unique(y)}."
            )


def labels_of(y: Any, classes: Any = None) -> Labels:
    """Return the classes of ``y``, or those given, which may be more.

    Raises
    ------
    ValueError
        If ``y`` is not for a classifier, or the classes do not fit its columns.
    """
    check_classification_targets(y)
    kind = type_of_target(y)
    if kind == "multiclass-multioutput":
        raise ValueError("Multioutput target data is not supported with label binarization")
    if kind == "multilabel-indicator":
        found = np.arange(y.shape[1]) if classes is None else np.asarray(classes)
        if found.shape != (y.shape[1],):
            raise ValueError(
                f"classes: expected one for each of the {y.shape[1]} columns of y, got {classes!r}"
            )
        return Labels(found, is_multilabel=True)
    return Labels(np.unique(y if classes is None else classes), is_multilabel=False)
