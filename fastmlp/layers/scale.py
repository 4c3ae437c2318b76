"""A number or two for each feature, or for each feature of each member of an ensemble."""

from typing import Any

from .. import constraints, initializers, regularizers
from ..kernels.contract import Column, Op
from ..runtime.arguments import integer, truth
from ..runtime.lowering import Buffer, Builder, Param
from ..runtime.tensors import Shape
from .of_features import OfFeatures

_MOST_MEMBERS = 2**16


class Scale(OfFeatures):
    """``scale * x + bias``, with a number for each feature that is learned.

    In front of a net for tables, it lets a net find out which columns matter (Holzmueller et al.,
    2024); Keras has no such layer.

    With several ``members``, the net is an ensemble whose members share all weights but those of
    such layers (Wen et al., 2020; TabM, Gorishniy et al., 2025): around each :class:`Dense`, one
    before it and one, with a bias, in place of its own, behind it.  Each sample of a batch goes
    through the net once for each member.  The loss, its gradient and metrics are means over the
    members, also in :meth:`~fastmlp.Sequential.evaluate`; predictions are the means of theirs.
    Other layers that look at a whole batch, such as :class:`BatchNormalization`, see those of all
    members as one.

    Parameters
    ----------
    use_bias : bool
    members : int, positive
        The same in all layers of a net that have several.  Weights are (members, features) then.
    scale_initializer, bias_initializer : str or function
    scale_regularizer, bias_regularizer : str or fastmlp.regularizers.L1L2, optional
        A penalty to add to the loss.
    scale_constraint, bias_constraint : str or fastmlp.constraints.Constraint, optional
        What they are brought to after each step.

    Raises
    ------
    TypeError, ValueError
        If ``use_bias`` is no truth value, ``members`` no positive integer, or a name is unknown.
    """

    _settings = (
        "use_bias",
        "members",
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
        members: int = 1,
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
        self.members = integer("members", members, "a positive integer", 1, _MOST_MEMBERS)
        self.scale_initializer = initializers.get("scale_initializer", scale_initializer)
        self.bias_initializer = initializers.get("bias_initializer", bias_initializer)
        self.scale_regularizer = regularizers.get("scale_regularizer", scale_regularizer)
        self.bias_regularizer = regularizers.get("bias_regularizer", bias_regularizer)
        self.scale_constraint = constraints.get("scale_constraint", scale_constraint)
        self.bias_constraint = constraints.get("bias_constraint", bias_constraint)

    def build(self, input_shape: Shape) -> None:
        shape = input_shape if self.members == 1 else (self.members, *input_shape)
        for name in self._names:
            self._add_with_options(name, shape, transposed=self.members > 1)

    @property
    def _names(self) -> list[str]:
        return ["scale", *["bias"] * self.use_bias]

    def lower(self, builder: Builder, x: Buffer) -> Buffer:
        builder.have_members(self.members)
        shape = (x.features,) if self.members == 1 else (self.members, x.features)
        return builder.row(
            Op.SCALE,
            builder.along_batch(x),
            params=[Param(name, shape, self.members > 1) for name in self._names],
            columns={Column.BIAS: builder.start_of("bias"), Column.MEMBERS: self.members},
        )
