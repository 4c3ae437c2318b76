"""Batch normalization."""

from typing import Any

from .. import constraints, initializers, regularizers
from ..kernels.contract import Column, Op, Scalar
from ..runtime.arguments import real_number, truth
from ..runtime.lowering import Buffer, Builder, Param
from ..runtime.tensors import Shape
from .base import Layer


class BatchNormalization(Layer):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, for each feature by itself.

    In training, the mean and the variance are those of the batch (Ioffe & Szegedy, 2015), and each
    step moves running ones towards them: ``running = momentum * running + (1 - momentum) * batch``.
    Prediction and evaluation use the running ones, so that what a net says of a sample does not
    depend on the others.  A step that is not taken, as its loss is not finite, moves nothing.

    As in Keras, the variance is the mean squared distance from the mean (biased), in training and
    in the running one.  PyTorch's running variance is unbiased, ``n / (n - 1)`` times as large for
    batches of ``n``; its momentum is what Keras calls ``1 - momentum``, by default 0.1, and its
    epsilon 1e-5.  In a batch of one sample, where PyTorch raises an error, the variance is 0 and
    the output ``beta``.

    The weights, in the order of ``get_weights``: gamma, beta, moving_mean, moving_variance, each of
    shape (features,).  The last two are not trained.

    Parameters
    ----------
    momentum : float in [0, 1]
        The share of the running statistics that a step leaves.
    epsilon : float, at least 1e-30
        Added to the variance, so that a feature that is the same in all samples is not divided
        by 0.
    center, scale : bool
        Whether there is a beta, and a gamma.
    beta_initializer, gamma_initializer : str or function
    moving_mean_initializer, moving_variance_initializer : str or function
    beta_regularizer, gamma_regularizer : str or fastmlp.regularizers.L1L2, optional
        A penalty to add to the loss.
    beta_constraint, gamma_constraint : str or fastmlp.constraints.Constraint, optional
        What they are brought to after each step.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range, ``center`` or ``scale`` is no truth value, or a name is
        unknown.

    Examples
    --------
    >>> from fastmlp import Sequential, layers
    >>> block = [layers.Dense(32, use_bias=False), layers.BatchNormalization()]
    >>> net = Sequential([layers.Input(8), *block, layers.Activation("relu"), layers.Dense(3)])
    >>> [weight.shape for weight in net.layers[1].get_weights()]
    [(32,), (32,), (32,), (32,)]
    """

    _settings = (
        "momentum",
        "epsilon",
        "center",
        "scale",
        "beta_initializer",
        "gamma_initializer",
        "moving_mean_initializer",
        "moving_variance_initializer",
        "beta_regularizer",
        "gamma_regularizer",
        "beta_constraint",
        "gamma_constraint",
    )

    def __init__(
        self,
        *,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: initializers.Given = "zeros",
        gamma_initializer: initializers.Given = "ones",
        moving_mean_initializer: initializers.Given = "zeros",
        moving_variance_initializer: initializers.Given = "ones",
        beta_regularizer: str | regularizers.L1L2 | None = None,
        gamma_regularizer: str | regularizers.L1L2 | None = None,
        beta_constraint: str | constraints.Constraint | None = None,
        gamma_constraint: str | constraints.Constraint | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.momentum = real_number("momentum", momentum, "a number in [0, 1]", low=0, high=1)
        self.epsilon = real_number("epsilon", epsilon, "a number from 1e-30 on", low=1e-30)
        self.center, self.scale = truth("center", center), truth("scale", scale)
        self.beta_initializer = initializers.get("beta_initializer", beta_initializer)
        self.gamma_initializer = initializers.get("gamma_initializer", gamma_initializer)
        self.moving_mean_initializer = initializers.get(
            "moving_mean_initializer", moving_mean_initializer
        )
        self.moving_variance_initializer = initializers.get(
            "moving_variance_initializer", moving_variance_initializer
        )
        self.beta_regularizer = regularizers.get("beta_regularizer", beta_regularizer)
        self.gamma_regularizer = regularizers.get("gamma_regularizer", gamma_regularizer)
        self.beta_constraint = constraints.get("beta_constraint", beta_constraint)
        self.gamma_constraint = constraints.get("gamma_constraint", gamma_constraint)

    def build(self, input_shape: Shape) -> None:
        if self.scale:
            self._add_with_options("gamma", input_shape)
        if self.center:
            self._add_with_options("beta", input_shape)
        self.add_weight("moving_mean", input_shape, self.moving_mean_initializer, trainable=False)
        self.add_weight(
            "moving_variance", input_shape, self.moving_variance_initializer, trainable=False
        )

    def output_shape(self, input_shape: Shape) -> Shape:
        self._check_features(input_shape)
        return input_shape

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        wanted = [name for name, has in (("gamma", self.scale), ("beta", self.center)) if has]
        return builder.row(
            Op.BATCH_NORMALIZATION,
            builder.along_batch(x),
            params=[Param(name, (x.features,)) for name in wanted],
            columns={Column.BIAS: builder.start_of("beta")},
            reals={Scalar.EPSILON: self.epsilon, Scalar.MOMENTUM: self.momentum},
        )
