"""Estimators for scikit-learn: its multilayer perceptrons, trained by fastmlp.

``MLPClassifier`` and ``MLPRegressor`` have the arguments, the defaults and the attributes of
``sklearn.neural_network``, and more; docs/sklearn.md lists the differences.  scikit-learn is
needed here alone: ``pip install 'fastmlp[sklearn]'``.
"""

try:
    import sklearn as _sklearn  # noqa: F401
except ImportError as reason:
    raise ImportError(
        "fastmlp.sklearn needs scikit-learn; install it, or fastmlp with the extra 'sklearn'"
    ) from reason

from .classifier import MLPClassifier
from .regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
