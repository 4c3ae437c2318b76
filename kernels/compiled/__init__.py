"""Every kernel in Numba: plain Python functions that a compiler can read.

With ``NUMBA_DISABLE_JIT=1`` they run as that plain Python, slowly, to the same numbers.
"""

from .activations import activation_backward, activation_forward
from .dense import (
    dense_bias_gradient,
    dense_bias_update,
    dense_forward,
    dense_forward_rows,
    dense_input_gradient,
    dense_weight_gradient,
    dense_weight_gradient_rows,
    dense_weight_update,
    dense_weight_update_rows,
)
from .dropout import dropout_mask
from .elementwise import multiply, rescale, transpose
from .gather import gather_bytes, gather_reals
from .losses import (
    count_correct_labels,
    count_correct_targets,
    mean_squared_error,
    softmax_crossentropy_labels,
    softmax_crossentropy_targets,
)
from .matmul import matmul_nn, matmul_nt
from .penalties import penalty, penalty_gradient, penalty_update
from .softmax import softmax_backward, softmax_forward
from .telemetry import record_slopes, record_step, record_values
from .updates import sgd_step, sgd_step_evenly

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
