"""Learning rates that follow the number of the step, which counts from 0 over all fits of a net.

A schedule is any function of the step's number.  Those here compute the rates of many steps at
once, so that a step costs no call.
"""

from ..runtime.elsewhere import refusal
from .base import RATE, LearningRateSchedule, rates_of
from .cosine import CosineDecay, CosineDecayRestarts
from .cosine_log import CosineLog, FlatCosine
from .decays import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    StepDecay,
)
from .one_cycle import OneCycle

__all__ = [
    "RATE",
    "CosineDecay",
    "CosineDecayRestarts",
    "CosineLog",
    "ExponentialDecay",
    "FlatCosine",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "StepDecay",
    "rates_of",
]


def __getattr__(name: str) -> object:
    """Raise the error for what Keras has and fastmlp has not, with what there is instead."""
    raise refusal("schedules", name)
