"""A number or two for each feature."""

from typing import Any

from .. import constraints, initializers, regularizers
from ..kernels.contract import Column, Op
from ..runtime.arguments import truth
from ..runtime.lowering import Buffer, Builder, Param
from ..runtime.tensors import Shape
from .base import Layer


class Scale(Layer):
    """``scale * x + bias``, with a number for each feature that is learned.

    In front of a net for tables, it lets a net find out which columns matter (Holzmueller et al.,
    2024); Keras has no such layer.

    Parameters
    ----------
    use_bias : bool
    scale_initializer, bias_initializer : str or function
    scale_regularizer, bias_regularizer : str or fastmlp.regularizers.L1L2, optional
        A penalty to add to the loss.
    scale_constraint, bias_constraint : str or fastmlp.constraints.Constraint, optional
        What they are brought to after each step.

    Raises
    ------
    TypeError, ValueError
        If ``use_bias`` is no truth value, or a name is unknown.
    """

    _settings = (
        "use_bias",
        "scale_initializer",
        "bias_initializer",
        "scale_regularizer",
        "bias_regularizer",
        "scale_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        *,
        use_bias: bool = False,
        scale_initializer: initializers.Given = "ones",
        bias_initializer: initializers.Given = "zeros",
        scale_regularizer: str | regularizers.L1L2 | None = None,
        bias_regularizer: str | regularizers.L1L2 | None = None,
        scale_constraint: str | constraints.Constraint | None = None,
        bias_constraint: str | constraints.Constraint | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.use_bias = truth("use_bias", use_bias)
        self.scale_initializer = initializers.get("scale_initializer", scale_initializer)
        self.bias_initializer = initializers.get("bias_initializer", bias_initializer)
        self.scale_regularizer = regularizers.get("scale_regularizer", scale_regularizer)
        self.bias_regularizer = regularizers.get("bias_regularizer", bias_regularizer)
        self.scale_constraint = constraints.get("scale_constraint", scale_constraint)
        self.bias_constraint = constraints.get("bias_constraint", bias_constraint)

    def build(self, input_shape: Shape) -> None:
        self._add_with_options("scale", input_shape)
        if self.use_bias:
            self._add_with_options("bias", input_shape)

    def output_shape(self, input_shape: Shape) -> Shape:
        self._check_features(input_shape)
        return input_shape

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        names = ["scale", *["bias"] * self.use_bias]
        return builder.row(
            Op.SCALE,
            builder.along_batch(x),
            params=[Param(name, (x.features,)) for name in names],
            columns={Column.BIAS: builder.start_of("bias")},
        )
