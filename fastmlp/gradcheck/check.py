"""``check_gradients``: of a net, or of any function."""

import numbers
import time
from collections.abc import Callable
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from ..model import Sequential
from .function import Function
from .judge import Comparison, judge
from .net import subject_of
from .numeric import NumericGradient, numeric_gradient
from .repeat import Repeated, call_repeatedly, describe_values, same_value
from .report import GradientReport
from .subject import Subject

_TOLERANCE = 1e-7
_NEARBY = 4  # points


@overload
def check_gradients(
    model: Sequential,
    x: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    step: int = 0,
    tolerance: float | None = None,
) -> GradientReport: ...


@overload
def check_gradients(
    model: Callable[[Any], float],
    x: Callable[[Any], ArrayLike] | ArrayLike,
    y: ArrayLike,
    *,
    tolerance: float | None = None,
) -> GradientReport: ...


def check_gradients(
    model: Any,
    x: Any,
    y: Any,
    *,
    sample_weight: ArrayLike | None = None,
    step: int = 0,
    tolerance: float | None = None,
) -> GradientReport:
    """Compare the analytic gradient with a numeric one, for every single parameter.

    ``check_gradients(model, x, y)`` checks a compiled net on a batch, in a float64 copy: its
    layers, activations, loss, penalties and dropout, whose mask is held.  The net is not changed.

    ``check_gradients(f, grad, x)`` checks your own function: ``f(x)`` returns a number,
    ``grad(x)`` an array like ``x`` (or pass that array itself).

    First of all both are called again at the same point: a function that is not deterministic
    cannot be checked, and a gradient that is another one at each call is wrong.  A gradient
    passes if each of its entries agrees with the numeric one, but for ``tolerance`` and for what
    rounding and the step do to the numeric one.  Where these hide the derivative, the verdict is
    neither "passed" nor "failed" but "cannot tell".

    Parameters
    ----------
    model : Sequential, or function
    x, y : arrays
        One batch, as for ``fit``; or your gradient, and the point.
    sample_weight : array (samples,), optional
        Of a net: how much each sample counts, as in ``fit``.
    step : int
        Of a net: whose dropout masks are used.
    tolerance : float in (0, 1), optional
        The largest relative error ``|a - n| / (|a| + |n|)`` that passes, for every entry.  By
        default 1e-7; the square root of its rounding error if your function or its gradient
        returns numbers of float32 (3e-4) or float16 (0.03).

    Returns
    -------
    GradientReport
        ``report.verdict``, ``report.passed`` and more; ``print(report)`` shows all, and
        ``assert report.passed, report`` is a test.

    Raises
    ------
    RuntimeError
        If the net is not compiled.
    TypeError, ValueError
        If an argument is not what it should be; a net that was not built is not built then.
    """
    started = time.perf_counter()
    _check_tolerance(tolerance)
    if isinstance(model, Sequential):
        if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or step < 0:
            raise ValueError(f"step: expected a non-negative integer, got {step!r}")
        with subject_of(model, x, y, sample_weight, int(step)) as subject:
            return _check(subject, tolerance, started)
    if callable(model):
        if sample_weight is not None:
            raise ValueError("sample_weight: expected none for a function: its samples are its own")
        if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or step:
            raise ValueError(
                f"step: expected none for a function, as it chooses a net's masks, got {step!r}"
            )
        return _check(Function(model, x, y).subject(), tolerance, started)
    raise TypeError(f"model: expected a Sequential or a function, got {model!r}")


def _check_tolerance(tolerance: Any) -> None:
    if tolerance is None:
        return
    is_number = isinstance(tolerance, numbers.Real) and not isinstance(tolerance, bool)
    if not is_number or not tolerance > 0:
        raise ValueError(f"tolerance: expected a positive number, got {tolerance!r}")
    if not tolerance < 1:
        raise ValueError(
            f"tolerance: expected a number below 1, which no relative error exceeds, got "
            f"{tolerance!r}"
        )


def _check(subject: Subject, tolerance: float | None, started: float) -> GradientReport:
    repeated = call_repeatedly(subject.call)
    precision = subject.precision()
    if tolerance is None:
        tolerance = max(_TOLERANCE, precision**0.5)
    numeric, trouble = _differentiate(subject, repeated, tolerance)
    residue = np.zeros(subject.entries)
    if not trouble and np.any(numeric.flat & (repeated.gradient != 0)):
        with np.errstate(invalid="ignore"):
            for seed in range(_NEARBY):
                apart = np.abs(repeated.gradient - subject.call_nearby(seed))
                residue = np.fmax(residue, apart)
    changes = repeated.changes(tolerance)
    comparison = Comparison(
        repeated.gradient, numeric, residue, changes, repeated.accumulates(changes),
        float(tolerance), trouble,
    )  # fmt: skip
    return GradientReport(
        **judge(subject, comparison),
        tolerance=float(tolerance),
        precision=precision,
        parameters=subject.entries,
        evaluations=numeric.evaluations,
        loss=repeated.value,
        seconds=time.perf_counter() - started,
    )


def _differentiate(
    subject: Subject, repeated: Repeated, tolerance: float
) -> tuple[NumericGradient, str]:
    """Return the numeric gradient, or why there is none."""
    if repeated.trouble:
        return NumericGradient.unknown(subject.entries), repeated.trouble
    question = subject.question(repeated.value)
    numeric = numeric_gradient(question, repeated.gradient, tolerance)
    # A function that changes only now and then, or by being called, has perhaps changed by now.
    again, _ = subject.call()
    if not same_value(repeated.value, again):
        return NumericGradient.unknown(subject.entries), describe_values(repeated.value, again)
    return numeric, ""
