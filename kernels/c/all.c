/* All kernels for one dtype and one instruction set: compiled once for each, with REAL_IS_FLOAT
   and FASTMLP_ISA defined, into one table of functions. */

#include "kernels_both.h"
#include "table.h"
#include "vector.h"

#if REAL_IS_FLOAT
#define job job_f32
#define trial trial_f32
#define kernels kernels_f32
#define SUFFIX _f32
#else
#define job job_f64
#define trial trial_f64
#define kernels kernels_f64
#define SUFFIX _f64
#endif

#include "prefetch.c"
#include "elementwise.c"
#include "gather.c"
#include "matmul.c"
#include "dense.c"
#include "elementary.c"
#include "activations.c"
#include "softmax.c"
#include "losses.c"
#include "dropout.c"
#include "rounding.c"
#include "penalties.c"
#include "updates.c"
#include "telemetry.c"
#include "barrier.c"
#include "engine.c"
#include "probe.c"

#define PASTE(isa, suffix) kernels_##isa##suffix
#define NAME(isa, suffix) PASTE(isa, suffix)

const struct kernels NAME(FASTMLP_ISA, SUFFIX) = {
    .run = run,
    .probe = probe,
    .matmul_nn = matmul_nn,
    .matmul_nt = matmul_nt,
    .dense_forward = dense_forward,
    .dense_forward_rows = dense_forward_rows,
    .dense_input_gradient = dense_input_gradient,
    .dense_weight_update = dense_weight_update,
    .dense_weight_update_rows = dense_weight_update_rows,
    .dense_weight_gradient = dense_weight_gradient,
    .dense_weight_gradient_rows = dense_weight_gradient_rows,
    .dense_bias_update = dense_bias_update,
    .dense_bias_gradient = dense_bias_gradient,
    .activation_forward = activation_forward,
    .activation_backward = activation_backward,
    .softmax_forward = softmax_forward,
    .softmax_backward = softmax_backward,
    .softmax_crossentropy_labels = softmax_crossentropy_labels,
    .softmax_crossentropy_targets = softmax_crossentropy_targets,
    .mean_squared_error = mean_squared_error,
    .count_correct_labels = count_correct_labels,
    .count_correct_targets = count_correct_targets,
    .dropout_mask = dropout_mask,
    .multiply = multiply,
    .rescale = rescale,
    .transpose = transpose,
    .gather_bytes = gather_bytes,
    .gather_reals = gather_reals,
    .penalty = penalty,
    .penalty_gradient = penalty_gradient,
    .penalty_update = penalty_update,
    .sgd_step = sgd_step,
    .sgd_step_evenly = sgd_step_evenly,
    .record_values = record_values,
    .record_slopes = record_slopes,
    .record_step = record_step,
};
