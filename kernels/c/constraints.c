/* Constraints on weights: what a tensor is brought to after a step. */

#include <math.h>

/* Bring the norm of `group` numbers, `stride` apart, towards [lowest, highest] by a share.  Keras'
   formula: the epsilon keeps a norm of 0 from a division by it, and lets others shrink a little. */
INLINE void constrain_group(double lowest, double highest, double share, int64_t group,
                            int64_t stride, real *weights) {
    double sum = 0;
    for (int64_t i = 0; i < group; i++)
        sum += (double)weights[i * stride] * (double)weights[i * stride];
    double norm = sqrt(sum), within = norm < lowest ? lowest : norm > highest ? highest : norm;
    real scale = (real)((share * within + (1 - share) * norm) / (NORM_EPSILON + norm));
    for (int64_t i = 0; i < group; i++) weights[i * stride] *= scale;
}

/* Constrain the groups of a tensor from `first` to before `stop`; of NON_NEGATIVE, its numbers. */
static void constrain(int64_t kind, double lowest, double highest, double share, int64_t group,
                      int64_t stride, int64_t first, int64_t stop, real *weights, int64_t size) {
    (void)size;
    switch (kind) {
    case CONSTRAINT_NON_NEGATIVE: /* NaN stays NaN */
        for (int64_t i = first; i < stop; i++) weights[i] = weights[i] < 0 ? 0 : weights[i];
        break;
    case CONSTRAINT_NORM:
        for (int64_t g = first; g < stop; g++)
            constrain_group(lowest, highest, share, group, stride,
                            weights + g / stride * stride * group + g % stride);
        break;
    }
}
