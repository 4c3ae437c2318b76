"""What layers that normalize share: a scale and a bias for each feature, after the division."""

from typing import Any, ClassVar

from .. import constraints, initializers, regularizers
from ..runtime.arguments import real_number, truth
from ..runtime.lowering import Param
from ..runtime.tensors import Shape
from .of_features import OfFeatures


class GammaAndBeta(OfFeatures):
    """A layer with ``gamma * (...) + beta``, each of shape (features,).

    Parameters
    ----------
    epsilon : float, at least 1e-30
        Added to the variance, so that what does not vary is not divided by 0.
    center, scale : bool
        Whether there is a beta, and a gamma.
    beta_initializer, gamma_initializer : str or function
    beta_regularizer, gamma_regularizer : str or fastmlp.regularizers.L1L2, optional
        A penalty to add to the loss.
    beta_constraint, gamma_constraint : str or fastmlp.constraints.Constraint, optional
        What they are brought to after each step.
    """

    _settings: ClassVar[tuple[str, ...]] = (
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    )

    def __init__(
        self,
        *,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: initializers.Given = "zeros",
        gamma_initializer: initializers.Given = "ones",
        beta_regularizer: str | regularizers.L1L2 | None = None,
        gamma_regularizer: str | regularizers.L1L2 | None = None,
        beta_constraint: str | constraints.Constraint | None = None,
        gamma_constraint: str | constraints.Constraint | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.epsilon = real_number("epsilon", epsilon, "a number from 1e-30 on", low=1e-30)
        self.center, self.scale = truth("center", center), truth("scale", scale)
        self.beta_initializer = initializers.get("beta_initializer", beta_initializer)
        self.gamma_initializer = initializers.get("gamma_initializer", gamma_initializer)
        self.beta_regularizer = regularizers.get("beta_regularizer", beta_regularizer)
        self.gamma_regularizer = regularizers.get("gamma_regularizer", gamma_regularizer)
        self.beta_constraint = constraints.get("beta_constraint", beta_constraint)
        self.gamma_constraint = constraints.get("gamma_constraint", gamma_constraint)

    def build(self, input_shape: Shape) -> None:
        for param in self._params(*input_shape):
            self._add_with_options(param.name, param.shape)

    def _params(self, features: int) -> list[Param]:
        """Return those of the two that there are."""
        both = (("gamma", self.scale), ("beta", self.center))
        return [Param(name, (features,)) for name, has in both if has]
