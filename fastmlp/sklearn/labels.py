"""Class labels, and the answers that a net learns in their place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ..runtime.arguments import real_number, shown
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

    def weights(
        self, class_weight: Any, answers: Array, sample_weight: Array | None
    ) -> Array | None:
        """Return how much each sample counts, with the weight of its class; None if all alike.

        With ``"balanced"``, a class weighs as much as any other that ``answers`` have. Of several
        labels a sample, each one has such weights, which are multiplied.

        Parameters
        ----------
        class_weight : dict, list of dict, "balanced" or None
            From classes to weights; those that are missing weigh 1.  Of several labels a sample, a
            list with a dict from 0 and 1 to weights for each.
        answers : array
            As :meth:`encode` returns them.
        sample_weight : array (n,), optional

        Raises
        ------
        TypeError, ValueError
            If ``class_weight`` is none of that, or has a class that there is not.
        """
        if class_weight is None:
            return sample_weight
        if self.is_multilabel:
            of_labels: Array = compute_sample_weight(class_weight, answers)
            return of_labels if sample_weight is None else of_labels * sample_weight
        numbers = answers if answers.ndim == 1 else answers[:, 0].astype(np.int64)
        of_classes: Array = self._class_weights(class_weight, numbers, sample_weight)[numbers]
        return of_classes if sample_weight is None else of_classes * sample_weight

    def _class_weights(self, given: Any, numbers: Array, sample_weight: Array | None) -> Array:
        """Return the weight of each class."""
        count = len(self.classes)
        if isinstance(given, str) and given == "balanced":
            totals = np.bincount(numbers, sample_weight, count)
            each = totals.sum() / np.count_nonzero(totals)
            weights: Array = each / np.where(totals > 0, totals, np.inf)
            return weights
        if not isinstance(given, Mapping):
            raise TypeError(
                f"class_weight: expected a dict from classes to weights, 'balanced' or None, "
                f"got {shown(given)}"
            )
        table = np.ones(count)
        for name, weight in given.items():
            (found,) = np.nonzero(self.classes == name)
            if not len(found):
                raise ValueError(f"class_weight: {name!r} is none of the classes {self.classes}")
            kind = "a finite number that is not negative"
            table[found] = real_number(f"class_weight[{name!r}]", weight, kind, low=0)
        return table

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
    kind = type_of_target(y) if y.ndim > 1 else ""
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
