"""What a gradient check found, as data and as a table."""

import io
import math
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from .reading import explain_reading


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
        How far rounding may move the numeric gradient, as a norm.
    kinks : int
        How many entries lie at a kink; they are in :attr:`GradientReport.kinks`.
    passed : bool
    finding : str
        If not passed, what kind of wrong it is.
    """

    name: str
    shape: tuple[int, ...]
    relative_error: float
    analytic_norm: float
    numeric_norm: float
    resolution: float
    kinks: int
    passed: bool
    finding: str


@dataclass(frozen=True)
class LayerResult:
    """The check of one layer, its tensors taken together."""

    name: str
    relative_error: float
    passed: bool


@dataclass(frozen=True)
class GradientReport:
    """Analytic against numeric gradient, for every parameter.

    Attributes
    ----------
    relative_error : float
        ``|a - n| / (|a| + |n|)`` in Euclidean norms over all parameters, those at a kink aside.
    passed : bool
    tolerance : float
    layers : list of LayerResult
    tensors : list of TensorResult
    worst : list of Entry
        Those with the largest difference beyond rounding.
    kinks : list of Kink
    location : str
        If not passed, where the fault is likely to be.
    parameters, evaluations : int
        How many were checked, and by how many evaluations of the loss.
    loss : float
    seconds : float
    """

    relative_error: float
    passed: bool
    tolerance: float
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
    def explanation(self) -> str:
        """What the relative error means, in words."""
        if not math.isfinite(self.relative_error):
            return "one of the two gradients is not finite"
        return explain_reading(min(self.relative_error, 1.0))

    def __str__(self) -> str:
        console = Console(width=110, record=True, file=io.StringIO(), highlight=False)
        console.print(self._tensor_table())
        if self.kinks:
            wrong = sum(not kink.passed for kink in self.kinks)
            console.print(
                f"At a kink, where the loss has a slope on either side, and judged apart: "
                f"{len(self.kinks)} of the parameters; {wrong or 'none'} of them wrong."
            )
        if not self.passed:
            console.print("Largest differences:")
            console.print(self._worst_table())
            console.print(f"Where: {self.location}.")
        verdict = "PASSED" if self.passed else "FAILED"
        console.print(
            f"{verdict}: relative error {self.relative_error:.2e} over {self.parameters:,} "
            f"parameters: {self.explanation}."
        )
        console.print(
            f"(Rule: every tensor's |a - n| / (|a| + |n|) is at most {self.tolerance:g}, or "
            "|a - n| is below what rounding does to n.)"
        )
        return "\n".join(line.rstrip() for line in console.export_text().splitlines())

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
