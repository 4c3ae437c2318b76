"""Estimators for scikit-learn: its multilayer perceptrons, trained by fastmlp.

``MLPClassifier`` and ``MLPRegressor`` have the arguments, the defaults and the attributes of
``sklearn.neural_network``, and more; docs/sklearn.md lists the differences.  The bags train many of
them, each on samples of its own, and say how certain they are together.  ``RealMLPClassifier`` and
``RealMLPRegressor`` take tables as they come, and need no tuning.  scikit-learn is needed here
alone: ``pip install 'fastmlp[sklearn]'``.
"""

try:
    import sklearn as _sklearn  # noqa: F401
except ImportError as reason:
    raise ImportError(
        "fastmlp.sklearn needs scikit-learn; install it, or fastmlp with the extra 'sklearn'"
    ) from reason

from .bagging import BaggingMLPClassifier, BaggingMLPRegressor
from .classifier import MLPClassifier
from .realmlp import RealMLPClassifier, RealMLPRegressor
from .regressor import MLPRegressor

__all__ = [
    "BaggingMLPClassifier",
    "BaggingMLPRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "RealMLPClassifier",
    "RealMLPRegressor",
]
