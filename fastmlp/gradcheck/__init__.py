"""Is the gradient right?  Analytic against numeric, for every parameter."""

from .check import check_gradients
from .reading import explain_reading
from .report import Entry, GradientReport, Kink, LayerResult, TensorResult, Verdict

__all__ = [
    "Entry",
    "GradientReport",
    "Kink",
    "LayerResult",
    "TensorResult",
    "Verdict",
    "check_gradients",
    "explain_reading",
]
