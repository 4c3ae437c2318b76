/* What the experiments look at, measured inside the loop; observing changes nothing. */

#include <math.h>

static double norm(const real *values, int64_t size) {
    double total = 0;
    for (int64_t i = 0; i < size; i++) total += (double)values[i] * (double)values[i];
    return sqrt(total);
}

/* The mean and the standard deviation of y. */
static void record_values(const real *y, double *record, int64_t size) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < size; i++) mean += y[i];
    mean /= (double)size;
    for (int64_t i = 0; i < size; i++) variance += (y[i] - mean) * (y[i] - mean);
    record[TELEMETRY_MEAN] = mean;
    record[TELEMETRY_STD] = sqrt(variance / (double)size);
}

/* How much of an activation is flat. `rows` tells whether the n samples lie along the first axis
   or the second. */
static void record_slopes(int64_t kind, real alpha, const real *x, const real *y, int64_t n,
                          int64_t rows, real *scratch, double *record, int64_t size) {
    int64_t features = size / n, saturated = 0, dead = 0;
    int64_t sample_stride = rows ? features : 1, feature_stride = rows ? 1 : n;
    for (int64_t i = 0; i < size; i++) scratch[i] = 1;
    activation_backward(kind, alpha, x, y, scratch, scratch, size);
    for (int64_t i = 0; i < features; i++) {
        int64_t flat = 0;
        for (int64_t j = 0; j < n; j++)
            flat += fabs((double)scratch[i * feature_stride + j * sample_stride]) < SATURATED_SLOPE;
        saturated += flat;
        dead += flat == n;
    }
    record[TELEMETRY_SATURATED] = (double)saturated / (double)size;
    record[TELEMETRY_DEAD] = (double)dead / (double)features;
}

/* The gradient's norm, and the ratio |step| / |params| of the step that was taken. */
static void record_step(const real *before, const real *after, const real *gradient,
                        double *record, int64_t size) {
    double step_squared = 0;
    for (int64_t i = 0; i < size; i++) {
        double step = (double)after[i] - (double)before[i];
        step_squared += step * step;
    }
    record[TELEMETRY_GRADIENT_NORM] = norm(gradient, size);
    record[TELEMETRY_UPDATE_RATIO] = sqrt(step_squared) / norm(before, size);
}
