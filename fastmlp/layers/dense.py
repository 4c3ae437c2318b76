"""The dense layer."""

from typing import Any

from .. import activations, constraints, initializers, regularizers
from ..kernels.contract import FEW_INPUTS, FEW_OUTPUTS, Column, Op, Scalar
from ..runtime.arguments import positive_integer, truth
from ..runtime.attributes import assign
from ..runtime.lowering import Buffer, Builder, Layout, Param
from ..runtime.tensors import Array, Shape
from .activation import lower_activation
from .base import Layer


class Dense(Layer):
    """``activation(x @ kernel + bias)``.

    Parameters
    ----------
    units : int, positive
        The number of outputs.
    activation : str or fastmlp.activations.Activation, optional
        None is linear.
    use_bias : bool
    kernel_initializer : str or function
    bias_initializer : str or function, optional
        By default zeros, or with a ``"torch_default"`` kernel likewise ``"torch_default"``.
    kernel_regularizer, bias_regularizer : str or fastmlp.regularizers.L1L2, optional
        A penalty to add to the loss.
    kernel_constraint, bias_constraint : str or fastmlp.constraints.Constraint, optional
        What they are brought to after each step.

    Raises
    ------
    TypeError, ValueError
        If ``units`` is not a positive integer, ``use_bias`` is no truth value, or a name is
        unknown.
    """

    _settings = (
        "units",
        "activation",
        "use_bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        units: int,
        activation: str | activations.Activation | None = None,
        *,
        use_bias: bool = True,
        kernel_initializer: initializers.Given = "glorot_uniform",
        bias_initializer: initializers.Given | None = None,
        kernel_regularizer: str | regularizers.L1L2 | None = None,
        bias_regularizer: str | regularizers.L1L2 | None = None,
        kernel_constraint: str | constraints.Constraint | None = None,
        bias_constraint: str | constraints.Constraint | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        of_kernel = initializers.get("kernel_initializer", kernel_initializer)
        if bias_initializer is None:
            like_torch = isinstance(of_kernel, initializers.TorchDefault)
            bias_initializer = "torch_default" if like_torch else "zeros"
        assign(
            self,
            units=positive_integer("units", units),
            activation=activations.get(activation),
            use_bias=truth("use_bias", use_bias),
            kernel_initializer=of_kernel,
            bias_initializer=initializers.get("bias_initializer", bias_initializer),
            kernel_regularizer=regularizers.get("kernel_regularizer", kernel_regularizer),
            bias_regularizer=regularizers.get("bias_regularizer", bias_regularizer),
            kernel_constraint=constraints.get("kernel_constraint", kernel_constraint),
            bias_constraint=constraints.get("bias_constraint", bias_constraint),
        )

    units: int
    activation: activations.Activation
    use_bias: bool
    kernel_initializer: initializers.Function
    bias_initializer: initializers.Function
    kernel_regularizer: regularizers.L1L2 | None
    bias_regularizer: regularizers.L1L2 | None
    kernel_constraint: constraints.Constraint | None
    bias_constraint: constraints.Constraint | None

    @property
    def _bias_is_torchs(self) -> bool:
        """Whether the bias is drawn as wide as the kernel, and not by its own fans as in Keras."""
        return isinstance(self.bias_initializer, initializers.TorchDefault)

    @property
    def kernel(self) -> Array:
        """The weights (inputs, units): a view of the memory that training changes."""
        return self._weight("kernel")

    @property
    def bias(self) -> Array | None:
        """The biases (units,), likewise; None without."""
        return self._weight("bias") if self.use_bias else None

    def _weight(self, name: str) -> Array:
        if name not in self._weights:
            raise AttributeError(f"{name}: {self!r} has no weights yet", name=name, obj=self)
        return self._weights[name]

    def build(self, input_shape: Shape) -> None:
        (inputs,) = input_shape
        self._add_with_options("kernel", (inputs, self.units), transposed=True)
        if self.use_bias:
            fan_in = inputs if self._bias_is_torchs else None
            self._add_with_options("bias", (self.units,), fan_in=fan_in)

    def output_shape(self, input_shape: Shape) -> Shape:
        self._check_features(input_shape)
        return (self.units,)

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        params = [Param("kernel", (x.features, self.units), transposed=True)]
        if self.use_bias:
            params.append(Param("bias", (self.units,)))
        many = self.units > FEW_OUTPUTS
        if x.layout is Layout.SAMPLES_FIRST:
            x_rows = x.offset
            x = builder.along_batch(x) if many and x.features <= FEW_INPUTS else x
        else:
            x_rows = builder.reserve(x.features).offset if many else -1
        y = builder.row(
            Op.DENSE,
            x,
            self.units,
            params=params,
            columns={Column.BIAS: builder.start_of("bias"), Column.X_ROWS: x_rows},
            reals={Scalar.SCALE: builder.take_source_scale(x)},
        )
        return lower_activation(builder, y, self.activation, self.name)
