"""Batch normalization."""

from typing import Any

from .. import initializers
from ..kernels.contract import Column, Op, Scalar
from ..runtime.arguments import real_number
from ..runtime.lowering import Buffer, Builder
from ..runtime.tensors import Shape
from .gamma_and_beta import GammaAndBeta


class BatchNormalization(GammaAndBeta):
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

    _settings = ("momentum", "moving_mean_initializer", "moving_variance_initializer")

    def __init__(
        self,
        *,
        momentum: float = 0.99,
        moving_mean_initializer: initializers.Given = "zeros",
        moving_variance_initializer: initializers.Given = "ones",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.momentum = real_number("momentum", momentum, "a number in [0, 1]", low=0, high=1)
        self.moving_mean_initializer = initializers.get(
            "moving_mean_initializer", moving_mean_initializer
        )
        self.moving_variance_initializer = initializers.get(
            "moving_variance_initializer", moving_variance_initializer
        )

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.add_weight("moving_mean", input_shape, self.moving_mean_initializer, trainable=False)
        self.add_weight(
            "moving_variance", input_shape, self.moving_variance_initializer, trainable=False
        )

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        return builder.row(
            Op.BATCH_NORMALIZATION,
            builder.along_batch(x),
            params=self._params(x.features),
            columns={Column.BIAS: builder.start_of("beta")},
            reals={Scalar.EPSILON: self.epsilon, Scalar.MOMENTUM: self.momentum},
        )
