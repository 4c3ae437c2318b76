"""Every kernel in C.  Optional: where it was not built, this cannot be imported."""

from .dispatch import by_dtype

activation_backward = by_dtype("activation_backward")
activation_forward = by_dtype("activation_forward")
count_correct_labels = by_dtype("count_correct_labels")
count_correct_targets = by_dtype("count_correct_targets")
dense_bias_gradient = by_dtype("dense_bias_gradient")
dense_bias_update = by_dtype("dense_bias_update")
dense_forward = by_dtype("dense_forward")
dense_forward_rows = by_dtype("dense_forward_rows")
dense_input_gradient = by_dtype("dense_input_gradient")
dense_weight_gradient = by_dtype("dense_weight_gradient")
dense_weight_gradient_rows = by_dtype("dense_weight_gradient_rows")
dense_weight_update = by_dtype("dense_weight_update")
dense_weight_update_rows = by_dtype("dense_weight_update_rows")
dropout_mask = by_dtype("dropout_mask")
gather_bytes = by_dtype("gather_bytes")
gather_reals = by_dtype("gather_reals")
matmul_nn = by_dtype("matmul_nn")
matmul_nt = by_dtype("matmul_nt")
mean_squared_error = by_dtype("mean_squared_error")
multiply = by_dtype("multiply")
penalty = by_dtype("penalty")
penalty_gradient = by_dtype("penalty_gradient")
penalty_update = by_dtype("penalty_update")
record_slopes = by_dtype("record_slopes")
record_step = by_dtype("record_step")
record_values = by_dtype("record_values")
rescale = by_dtype("rescale")
sgd_step = by_dtype("sgd_step")
sgd_step_evenly = by_dtype("sgd_step_evenly")
softmax_backward = by_dtype("softmax_backward")
softmax_crossentropy_labels = by_dtype("softmax_crossentropy_labels")
softmax_crossentropy_targets = by_dtype("softmax_crossentropy_targets")
softmax_forward = by_dtype("softmax_forward")
transpose = by_dtype("transpose")

__all__ = [
    "activation_backward",
    "activation_forward",
    "count_correct_labels",
    "count_correct_targets",
    "dense_bias_gradient",
    "dense_bias_update",
    "dense_forward",
    "dense_forward_rows",
    "dense_input_gradient",
    "dense_weight_gradient",
    "dense_weight_gradient_rows",
    "dense_weight_update",
    "dense_weight_update_rows",
    "dropout_mask",
    "gather_bytes",
    "gather_reals",
    "matmul_nn",
    "matmul_nt",
    "mean_squared_error",
    "multiply",
    "penalty",
    "penalty_gradient",
    "penalty_update",
    "record_slopes",
    "record_step",
    "record_values",
    "rescale",
    "sgd_step",
    "sgd_step_evenly",
    "softmax_backward",
    "softmax_crossentropy_labels",
    "softmax_crossentropy_targets",
    "softmax_forward",
    "transpose",
]
