"""Which kernels a net needs: those of its rows, and those of what is done with it."""

from typing import Annotated, Any, NamedTuple

import numpy as np

from ..contract import (
    Column,
    Course,
    Factor,
    Mode,
    Net,
    Noise,
    Number,
    Op,
    Rule,
    Tensor,
)
from .late import FAMILIES, PLACES, compile_into

# A net, with the address of each kernel that it needs, see late.py, and whether there is a penalty,
# or a constraint, on any of its tensors.
CompiledNet = NamedTuple(  # type: ignore[misc]
    "CompiledNet",
    [
        *Net.__annotations__.items(),
        ("code", Annotated[Any, "const int64_t", "places"]),
        ("penalized", int),
        ("constrained", int),
    ],
)

# The kernels of each operation: those forward, and those back.  Of a family, the row has the kind.
_FORWARD = {
    Op.DENSE: ("dense_forward", "dense_forward_rows"),
    Op.ACTIVATION: ("activation_forward",),
    Op.SOFTMAX: ("softmax_forward",),
    Op.LOG_SOFTMAX: ("log_softmax_forward",),
    Op.EMBEDDING: ("embedding_forward",),
    Op.COLUMNS: ("columns_forward",),
    Op.ACTIVITY: ("penalty",),
    Op.GROUPED_DENSE: ("dense_forward",),
    Op.BATCH_NORMALIZATION: ("batch_statistics", "batchnorm_forward"),
    Op.LAYER_NORMALIZATION: ("layernorm_forward",),
    Op.SCALE: ("scale_forward",),
    Op.PRELU: ("prelu_forward",),
    Op.MIXED_ACTIVATION: ("activation_forward", "mix_forward"),
    Op.LOSS: ("loss",),
    Op.METRIC: ("metric",),
    Op.LOSS_VALUE: ("loss",),
}
_BACKWARD = {
    Op.DENSE: (
        "dense_input_gradient", "dense_weight_update", "dense_weight_update_rows",
        "dense_weight_update_prefetching", "dense_weight_gradient", "dense_weight_gradient_rows",
        "dense_bias_update", "dense_bias_gradient",
    ),
    Op.ACTIVATION: ("activation_backward",),
    Op.SOFTMAX: ("softmax_backward",),
    Op.LOG_SOFTMAX: ("log_softmax_backward",),
    Op.EMBEDDING: ("embedding_gradient", "embedding_update"),
    Op.ACTIVITY: ("activity_gradient",),
    Op.GROUPED_DENSE: (
        "dense_input_gradient", "dense_weight_update", "dense_weight_gradient",
        "dense_bias_update", "dense_bias_gradient",
    ),
    Op.BATCH_NORMALIZATION: (
        "batchnorm_weight_gradient", "running_update", "batchnorm_input_gradient",
    ),
    Op.LAYER_NORMALIZATION: ("layernorm_weight_gradient", "layernorm_input_gradient"),
    Op.SCALE: ("scale_weight_gradient",),
    Op.PRELU: ("prelu_weight_gradient", "prelu_input_gradient"),
    Op.MIXED_ACTIVATION: ("activation_backward", "mix_weight_gradient"),
}  # fmt: skip
_NOISE = {
    Noise.DROPOUT: ("dropout_blocks",),
    Noise.GAUSSIAN_DROPOUT: ("normal_blocks",),
    Noise.GAUSSIAN_NOISE: ("normal_blocks",),
    Noise.ALPHA_DROPOUT: ("dropout_blocks", "alpha_dropout"),
}
_OBSERVED = ("record_values", "record_flat", "record_step")
_CLIPS = [Number.CLIPVALUE, Number.CLIPNORM, Number.GLOBAL_CLIPNORM]


class Compiled:
    """A net with its kernels, which are compiled when they are first needed."""

    def __init__(self, net: Net) -> None:
        self.net = CompiledNet(
            *net,
            code=np.zeros(PLACES, np.int64),
            penalized=int(net.factors[:, [Factor.L1, Factor.L2]].any()),
            constrained=int(net.tensors[:, Tensor.CONSTRAINT].any()),
        )
        # Each operation, of each kind that occurs, once.
        self._rows = set(map(tuple, net.table[:, [Column.OP, Column.KIND]].tolist()))
        self._done: set[tuple[bool, ...]] = set()

    def compile_for(self, course: Course) -> None:
        """Compile what a call of the engine may need."""
        learns, observed = course.mode in (Mode.GRADIENT, Mode.TRAIN), course.telemetry_every > 0
        # The optimizer's numbers may change from fit to fit.
        clips = learns and bool(self.net.numbers[_CLIPS].any())
        averages = learns and bool(self.net.numbers[Number.USE_EMA])
        if (learns, observed, clips, averages) in self._done:
            return
        self.compile_forward()
        if learns:
            self._compile_rows(_BACKWARD)
            self._compile_step()
        if observed:
            self._compile(*_OBSERVED)
        if clips:
            self._compile("clip_values", "square_sum")
        if averages:
            self._compile("average_step")
        self._done.add((learns, observed, clips, averages))

    def compile_forward(self) -> None:
        """Compile what the loss needs."""
        self._compile_rows(_FORWARD)
        for op, kind in self._rows:
            if op == Op.DROPOUT:
                self._compile(*_NOISE[kind])
        if self.net.penalized:
            self._compile("penalty")

    def _compile_step(self) -> None:
        if self.net.penalized:
            self._compile("penalty_update", "penalty_gradient")
        if self.net.constrained:
            self._compile("constrain")
        if self.net.rule != Rule.DESCENT:
            self._compile("optimizer_step", kind=self.net.rule)

    def _compile_rows(self, kernels: dict[Op, tuple[str, ...]]) -> None:
        for op, kind in self._rows:
            self._compile(*kernels.get(op, ()), kind=kind)

    def _compile(self, *names: str, kind: int | None = None) -> None:
        for name in names:
            own_kind = kind if name in FAMILIES else None
            compile_into(self.net.code, self.net.params.dtype, name, own_kind)
