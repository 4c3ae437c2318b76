"""Learning rates that follow the number of the step, which counts from 0 over all fits of a net.

A schedule is any function of the step's number.  Those here compute the rates of many steps at
once, so that a step costs no call.
"""

from typing import TYPE_CHECKING

from ..runtime.later import later
from .base import RATE, LearningRateSchedule, rates_of

if TYPE_CHECKING:
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

_LATER = {
    "CosineDecay": "cosine",
    "CosineDecayRestarts": "cosine",
    "CosineLog": "cosine_log",
    "ExponentialDecay": "decays",
    "FlatCosine": "cosine_log",
    "InverseTimeDecay": "decays",
    "OneCycle": "one_cycle",
    "PiecewiseConstantDecay": "decays",
    "PolynomialDecay": "decays",
    "StepDecay": "decays",
}

__getattr__, __dir__ = later(__name__, _LATER)
