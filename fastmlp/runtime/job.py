"""What a fit is to do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..callbacks import Callback
from ..telemetry import Recorder, Telemetry
from .arguments import (
    non_negative_integer,
    positive_integer,
    real_array,
    real_number,
    shown,
    truth,
)
from .data import Data
from .progress import resolve_verbose
from .shown import Shown
from .validation_split import set_apart
from .weights import Weights

if TYPE_CHECKING:
    from ..model import Sequential

BATCH_SIZE = 32
NO_WEIGHTS = Weights()


@dataclass
class Stop:
    """A wish that fits end after the call of the engine that they are in, by a StopError.

    Not a threading.Event: that takes several lines to set, between which Ctrl-C may come.
    """

    is_wanted: bool = False


@dataclass(frozen=True)
class Course:
    """Which epochs a fit runs, of how many batches, and how it validates; see Sequential.fit.

    ``goes_on`` says that another fit goes on where this one ends: so weights do not become their
    running mean yet.
    """

    initial_epoch: int = 0
    steps_per_epoch: int | None = None
    validation_steps: int | None = None
    validation_batch_size: int | None = None
    validation_freq: int | Sequence[int] = 1
    goes_on: bool = False

    def check(self) -> None:
        """Raise ValueError if one of them is not what it should be."""
        non_negative_integer("initial_epoch", self.initial_epoch)
        for argument in ("steps_per_epoch", "validation_steps", "validation_batch_size"):
            if getattr(self, argument) is not None:
                positive_integer(argument, getattr(self, argument))
        if isinstance(self.validation_freq, (list, tuple, set)):
            for epoch in self.validation_freq:
                positive_integer("validation_freq", epoch)
        else:
            positive_integer("validation_freq", self.validation_freq)

    def validates(self, epoch: int) -> bool:
        """Whether the validation follows an epoch, counted from 0."""
        if isinstance(self.validation_freq, (int, np.integer)):
            return (epoch + 1) % int(self.validation_freq) == 0
        return epoch + 1 in self.validation_freq


@dataclass(frozen=True)
class Job:
    """What a fit is to do, all checked."""

    data: Data
    validation: Data | None
    batch_size: int
    epochs: int
    shuffle: bool
    seed: int
    metrics: tuple[Shown, ...]
    verbose: int
    callbacks: tuple[Callback, ...] = ()
    recorder: Recorder | None = None
    stop: Stop = field(default_factory=Stop)
    course: Course = field(default_factory=Course)
    # Which of the samples an epoch visits, each as often as it is here; None for all.
    rows: NDArray[np.int64] | None = None
    warns: bool = True  # of a divergence, when the fit ends

    @property
    def count(self) -> int:
        """How many samples an epoch visits."""
        return self.data.count if self.rows is None else len(self.rows)

    @cached_property
    def batches(self) -> int:
        """How many an epoch has."""
        return self.course.steps_per_epoch or -(-self.count // self.batch_size)


def checked_job(
    model: "Sequential",
    x: ArrayLike,
    y: ArrayLike,
    batch_size: int | None = None,
    epochs: int = 1,
    verbose: str | int = 0,
    validation_split: float = 0.0,
    validation_data: tuple[ArrayLike, ...] | None = None,
    shuffle: bool = True,
    callbacks: tuple[Callback, ...] = (),
    telemetry: Telemetry | None = None,
    *,
    weights: Weights = NO_WEIGHTS,
    stop: Stop | None = None,
    checked: dict[object, Data] | None = None,
    course: Course | None = None,
    subset: tuple[str, ArrayLike | None] = ("subset", None),
    warns: bool = True,
) -> Job:
    """Return what a fit of these arguments is to do.

    Nets that are given the same dict ``checked`` share their data.  ``subset`` says which of the
    samples the net learns from, after what that is called in messages.

    Raises
    ------
    RuntimeError
        If the net is not compiled.
    TypeError, ValueError
        If an argument is not what it should be; nothing has changed then.
    """
    model._compiled_loss()
    batch_size = positive_integer("batch_size", BATCH_SIZE if batch_size is None else batch_size)
    epochs = positive_integer("epochs", epochs)
    shows = resolve_verbose(verbose)
    shuffle = truth("shuffle", shuffle)
    course = Course() if course is None else course
    course.check()
    split = real_number("validation_split", validation_split, "a number in [0, 1)", low=0, below=1)
    if split and validation_data is not None:
        raise ValueError("validation_split: not together with validation_data")
    with model._built_for(x):
        engine = model._ready_engine()
        checked = {} if checked is None else checked
        data, validation = model._check_data("{}", x, y, checked), None
        of_samples = Weights(weights.sample_weight).of(data, engine.plan.outputs)
        weighed = weights.of(data, engine.plan.outputs)
        if validation_data is not None:
            validation = _checked_validation(model, validation_data, checked)
        elif split:
            # As with Keras, classes weigh differently only where the net learns.
            validation = set_apart(of_samples, split)[1]
            weighed = set_apart(weighed, split)[0]
        data = weighed
        validation = _checked_course(course, data, validation, batch_size)
        model._check_workspace("batch_size", min(batch_size, data.count))
        recorder = None
        if telemetry is not None:
            recorder = telemetry.recorder(model._layers[0], engine.plan.observed_rows)
        return Job(
            data, validation, batch_size, epochs, shuffle, model.seed, model.shown_metrics, shows,
            callbacks, recorder, stop or Stop(), course, _checked_rows(*subset, data.count), warns,
        )  # fmt: skip


def _checked_rows(argument: str, given: ArrayLike | None, count: int) -> NDArray[np.int64] | None:
    """Return the indices of a subset of so many samples."""
    if given is None:
        return None
    array = real_array(argument, given)
    if array.dtype.kind == "b" and array.shape == (count,):
        array = np.flatnonzero(array)
    if array.dtype.kind not in "iu" or array.ndim != 1 or not array.size:
        raise ValueError(
            f"{argument}: expected the indices of samples, or a Boolean for each of the {count}, "
            f"got {shown(given)}"
        )
    if array.min() < 0 or array.max() >= count:
        raise ValueError(
            f"{argument}: expected indices from 0 to {count - 1}, got {array.min()} to "
            f"{array.max()}"
        )
    return array.astype(np.int64)


def _checked_validation(
    model: "Sequential", given: tuple[ArrayLike, ...], checked: dict[object, Data]
) -> Data:
    """Return the samples of ``validation_data``."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise ValueError("validation_data: expected (x, y) or (x, y, sample_weight)")
    x, y, *weights = given
    data = model._check_data("validation_data {}", x, y, checked)
    outputs = model._ready_engine().plan.outputs
    return Weights(weights[0] if weights else None).of(
        data, outputs, "validation_data sample_weight"
    )


def _checked_course(
    course: Course, data: Data, validation: Data | None, batch_size: int
) -> Data | None:
    """Return the validation's samples that a fit uses, if the data are enough for its course."""
    batches = -(-data.count // batch_size)
    if course.steps_per_epoch is not None and course.steps_per_epoch > batches:
        raise ValueError(
            f"steps_per_epoch: expected at most {batches}, as many batches as the {data.count} "
            f"samples make, got {course.steps_per_epoch}"
        )
    if validation is None:
        for argument in ("validation_steps", "validation_batch_size"):
            if getattr(course, argument) is not None:
                raise ValueError(f"{argument}: needs validation_data or validation_split")
        return None
    if course.validation_steps is None:
        return validation
    size = course.validation_batch_size or batch_size
    return validation.part(slice(course.validation_steps * size))
