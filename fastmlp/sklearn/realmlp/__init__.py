"""RealMLP: nets for tables as they come, with defaults that need no tuning.

Holzmueller, Grinsztajn & Steinwart (2024), "Better by default: strong pre-tuned MLPs and boosted
trees on tabular data", NeurIPS.  ``variants.py`` has its settings, ``columns.py`` reads tables,
``preparation.py`` makes numbers of them, ``nets.py`` makes the net, and ``course.py`` is what
happens around its epochs.
"""

from .classifier import RealMLPClassifier
from .regressor import RealMLPRegressor

__all__ = ["RealMLPClassifier", "RealMLPRegressor"]
