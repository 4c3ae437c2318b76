"""What a gradient check found, as data and as a table."""

import enum
import html
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

_DOUBLE, _SINGLE = 2.0**-52, 2.0**-23  # relative rounding errors
_PARALLEL = 1e-9  # 1 less the cosine, up to which one gradient is called a multiple of the other

_REPEATS = ("accumulates", "not repeatable")  # findings


class Verdict(enum.StrEnum):
    """What a check ends in; each is equal to its text, as in ``report.verdict == "passed"``."""

    PASSED = "passed"
    FAILED = "failed"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Entry:
    """One parameter with both its derivatives.

    Attributes
    ----------
    tensor : str
        ``"dense/kernel"``.
    index : tuple of int
        In the tensor's shape.
    analytic, numeric : float
    relative_error : float
        ``|a - n| / (|a| + |n|)``.
    """

    tensor: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    relative_error: float


@dataclass(frozen=True)
class Kink:
    """A parameter at a point where the loss has no derivative.

    Attributes
    ----------
    cause : str
        ``"activation"``: some unit's input is at 0, nearer than the smallest step that was tried.
        ``"L1"``: the parameter itself is 0, under an L1 penalty.
        ``"bend"``: in a function, or a net with a layer written in Python, slopes differ however
        small the step is.
    tensor : str
    index : tuple of int
    analytic, left, right : float
        The analytic value, and the slopes on both sides.
    passed : bool
        Whether the analytic value is right: for ``"activation"``, the slope with each unit at 0
        kept on the side that backpropagation counts 0 to, below; for ``"L1"``, the middle, as
        the slope of |w| at 0 is taken as 0; for ``"bend"``, anything between the two slopes.
    """

    cause: str
    tensor: str
    index: tuple[int, ...]
    analytic: float
    left: float
    right: float
    passed: bool


@dataclass(frozen=True)
class TensorResult:
    """The check of one tensor, kinks set apart.

    Attributes
    ----------
    name : str
        ``"dense/kernel"``.
    shape : tuple of int
    relative_error : float
        ``|a - n| / (|a| + |n|)`` in Euclidean norms.
    analytic_norm, numeric_norm : float
    resolution : float
        How far rounding and the step may move the numeric gradient, as a norm.
    kinks : int
        How many entries lie at a kink; they are in :attr:`GradientReport.kinks`.
    verdict : Verdict
    finding : str
        If failed, what kind of wrong it is.
    wrong : int
        How many entries are wrong, those at a kink included.
    unresolved : int
        Of how many entries it cannot be told whether they are right.
    """

    name: str
    shape: tuple[int, ...]
    relative_error: float
    analytic_norm: float
    numeric_norm: float
    resolution: float
    kinks: int
    verdict: Verdict
    finding: str
    wrong: int
    unresolved: int

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED


@dataclass(frozen=True)
class LayerResult:
    """The check of one layer, its tensors taken together."""

    name: str
    relative_error: float
    verdict: Verdict

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASSED


@dataclass(frozen=True)
class GradientReport:
    """Analytic against numeric gradient, for every parameter.

    Attributes
    ----------
    relative_error : float
        ``|a - n| / (|a| + |n|)`` in Euclidean norms over all parameters, those at a kink aside;
        NaN if there is no numeric gradient.
    cosine : float
        Of the angle between the two; NaN if one is 0 or not finite.
    verdict : Verdict
        ``"passed"``; ``"failed"``: at least one entry is wrong; or ``"cannot tell"``: none is
        known to be wrong, but not enough of them is known to be right either.
    reason : str
        Why it cannot be told; empty with the other verdicts.
    tolerance : float
    precision : float
        The relative rounding error of the function's values, or of its gradient if coarser.
    layers : list of LayerResult
    tensors : list of TensorResult
    worst : list of Entry
        Those with the largest difference beyond rounding.
    kinks : list of Kink
    location : str
        If failed, where the fault is likely to be.
    parameters, evaluations : int
        How many were checked, and by how many evaluations of the loss.
    loss : float
    seconds : float
    """

    relative_error: float
    cosine: float
    verdict: Verdict
    reason: str
    tolerance: float
    precision: float
    layers: list[LayerResult]
    tensors: list[TensorResult]
    worst: list[Entry]
    kinks: list[Kink]
    location: str
    parameters: int
    evaluations: int
    loss: float
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the gradient was shown to be right: False as well where it cannot be told."""
        return self.verdict is Verdict.PASSED

    def __bool__(self) -> bool:
        return self.passed

    @property
    def explanation(self) -> str:
        """The verdict in words."""
        match self.verdict:
            case Verdict.PASSED:
                return self._agreement()
            case Verdict.FAILED:
                return self._disagreement()
            case _:
                return self.reason

    def _agreement(self) -> str:
        if self.precision > _DOUBLE:
            kind = "float16" if self.precision > _SINGLE else "float32"
            return f"the two gradients agree, as far as numbers of {kind} can show it"
        if self.relative_error <= self.tolerance:
            return "the two gradients agree"
        return "the two gradients agree, as far as rounding lets differences of the function show"

    def _disagreement(self) -> str:
        a, n = (math.hypot(*(getattr(t, f"{kind}_norm") for t in self.tensors))
                for kind in ("analytic", "numeric"))  # fmt: skip
        r = self.relative_error
        wrong = sum(tensor.wrong for tensor in self.tensors)
        if any(tensor.finding.startswith(_REPEATS) for tensor in self.tensors):
            return "the gradient is another one at a second call, and a function has only one"
        if not math.isfinite(a + n):
            return "one of the two gradients is not finite"
        if r <= self.tolerance:
            return f"close as a whole, but wrong in {wrong:,} of {self.parameters:,} entries"
        if a == 0:
            return "the analytic gradient is 0, the numeric one is not"
        if n == 0:
            return "the numeric gradient is 0, the analytic one is not"
        if 1 - abs(self.cosine) <= _PARALLEL:
            factor = math.copysign(a / n, self.cosine)
            return f"the analytic gradient is {factor:.6g} times the numeric one"
        return (
            f"wrong in {wrong:,} of {self.parameters:,} entries; the cosine between the two "
            f"gradients is {self.cosine:.6g}, the ratio of their norms {a / n:.4g}"
        )

    def __str__(self) -> str:
        console = Console(width=110, record=True, file=io.StringIO(), highlight=False)
        for part in self._parts():
            console.print(part)
        return "\n".join(line.rstrip() for line in console.export_text().splitlines())

    def _repr_html_(self) -> str:
        """Return the same for a notebook."""
        return "".join(map(_as_html, self._parts()))

    def _parts(self) -> Iterator[Table | str]:
        """Yield tables and sentences."""
        yield self._tensor_table()
        if self.kinks:
            wrong = sum(not kink.passed for kink in self.kinks)
            yield (
                f"At a kink, where the loss has a slope on either side, and judged apart: "
                f"{len(self.kinks)} of the parameters; {wrong or 'none'} of them wrong."
            )
        if self.verdict is Verdict.FAILED:
            yield "Largest differences:"
            yield self._worst_table()
            yield f"Where: {self.location}."
        hidden = sum(tensor.unresolved for tensor in self.tensors)
        if hidden and self.verdict is not Verdict.CANNOT_TELL:
            yield f"Not judged, as rounding hides their derivative: {hidden:,} of the parameters."
        yield (
            f"{self.verdict.upper()}: relative error {self.relative_error:.2e} over "
            f"{self.parameters:,} parameters: {self.explanation}."
        )
        yield (
            f"(Rule: every entry's |a - n| / (|a| + |n|) is at most {self.tolerance:g}, or "
            "|a - n| is below what rounding and the step do to n.)"
        )

    def _tensor_table(self) -> Table:
        table = Table(title=f"gradient check, loss {self.loss:.6g}", title_justify="left")
        for column in ("tensor", "shape"):
            table.add_column(column)
        for column in ("|a|, analytic", "|n|, numeric", "relative error", "at a kink"):
            table.add_column(column, justify="right")
        table.add_column("finding", overflow="fold")
        for tensor in self.tensors:
            table.add_row(
                tensor.name,
                str(tensor.shape),
                f"{tensor.analytic_norm:.4e}",
                f"{tensor.numeric_norm:.4e}",
                f"{tensor.relative_error:.1e}",
                str(tensor.kinks),
                tensor.finding or self._approval(tensor),
            )
        return table

    def _approval(self, tensor: TensorResult) -> str:
        if tensor.verdict is Verdict.CANNOT_TELL:
            return "cannot tell"
        return "ok" if tensor.relative_error <= self.tolerance else "ok within rounding"

    def _worst_table(self) -> Table:
        table = Table()
        table.add_column("parameter")
        for column in ("analytic", "numeric", "relative error"):
            table.add_column(column, justify="right")
        for entry in self.worst:
            table.add_row(
                f"{entry.tensor}[{', '.join(map(str, entry.index))}]",
                f"{entry.analytic:.10e}",
                f"{entry.numeric:.10e}",
                f"{entry.relative_error:.1e}",
            )
        return table


def _as_html(part: Table | str) -> str:
    """Return a table or a sentence as HTML, with the colours of the notebook around it."""
    if isinstance(part, str):
        return f"<p>{html.escape(part)}</p>"
    heads = "".join(f"<th>{html.escape(str(column.header))}</th>" for column in part.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row)}</tr>"
        for row in zip(*(column.cells for column in part.columns), strict=True)
    )
    title = f"<caption>{html.escape(str(part.title))}</caption>" if part.title else ""
    return f"<table>{title}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
