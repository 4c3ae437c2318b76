"""Is the gradient right?  Analytic against numeric, for every parameter."""

from .check import check_gradients
from .reading import explain_reading
from .report import Entry, GradientReport, Kink, LayerResult, TensorResult

__all__ = [
    "Entry",
    "GradientReport",
    "Kink",
    "LayerResult",
    "TensorResult",
    "check_gradients",
    "explain_reading",
]
