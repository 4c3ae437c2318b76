/* Metrics: what is counted over the batch's samples, beside the loss.  Outputs are (features, n). */

/* The index of the first largest of `count` values that lie `stride` apart. */
INLINE int64_t first_maximum(const real *values, int64_t count, int64_t stride) {
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        if (values[i * stride] > values[best * stride]) best = i;
    return best;
}

/* The weights of the samples with their first maximum at their label, or where their target has
   it. */
static double right_maxima(const real *x, const struct answers *a) {
    double right = 0;
    for (int64_t j = 0; j < a->n; j++) {
        int64_t answer = a->labels
                             ? a->labels[a->rows[j]]
                             : first_maximum(a->targets + a->rows[j] * a->features, a->features, 1);
        if (first_maximum(x + j, a->features, a->n) == answer) right += weight_of(a, j);
    }
    return right;
}

/* The weights of the outputs that are above the threshold for a target of 1, and not for one of
   0. */
static double right_answers(real threshold, const real *x, const struct answers *a) {
    double right = 0;
    for (int64_t i = 0; i < a->features; i++)
        for (int64_t j = 0; j < a->n; j++)
            if (a->targets[a->rows[j] * a->features + i] == (x[i * a->n + j] > threshold))
                right += weight_of(a, j);
    return right / (double)a->features;
}

/* The number of outputs of a sample that are larger than output i, or equal to it and before it. */
INLINE int64_t larger_than(const real *x, int64_t i, int64_t features, int64_t n) {
    int64_t count = 0;
    for (int64_t other = 0; other < features; other++)
        count += x[other * n] > x[i * n] || (other < i && x[other * n] == x[i * n]);
    return count;
}

/* The weights of the samples of which fewer than k outputs are larger than the right one. */
static double in_top_k(double k, const real *x, const struct answers *a) {
    double right = 0;
    for (int64_t j = 0; j < a->n; j++) {
        int64_t answer = a->labels
                             ? a->labels[a->rows[j]]
                             : first_maximum(a->targets + a->rows[j] * a->features, a->features, 1);
        real own = x[answer * a->n + j];
        int64_t larger = 0;
        for (int64_t i = 0; i < a->features; i++) larger += x[i * a->n + j] > own;
        if ((double)larger < k && isfinite(own)) right += weight_of(a, j);
    }
    return right;
}

/* The weights of the outputs that are their targets. */
static double equal_answers(const real *x, const struct answers *a) {
    double right = 0;
    for (int64_t i = 0; i < a->features; i++)
        for (int64_t j = 0; j < a->n; j++)
            if (a->targets[a->rows[j] * a->features + i] == x[i * a->n + j])
                right += weight_of(a, j);
    return right / (double)a->features;
}

/* How many of some thresholds, which rise, a value is above. */
INLINE int64_t levels_below(double value, const double *thresholds, int64_t levels) {
    int64_t low = 0, high = levels;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (value > thresholds[middle])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Sort outputs by how many thresholds they are above. */
static void count_above(const double *reals, const double *thresholds, int64_t levels,
                        const real *x, const struct answers *a, double *totals) {
    int64_t features = a->features, n = a->n;
    double top_k = reals[SCALAR_ALPHA];
    int64_t only = (int64_t)reals[SCALAR_BETA], by_output = reals[SCALAR_GAMMA] != 0;
    for (int64_t i = 0; i < features; i++) {
        if (only >= 0 && i != only) continue;
        double *found = totals + (by_output ? i : 0) * 2 * (levels + 1);
        for (int64_t j = 0; j < n; j++) {
            double value = (double)x[i * n + j];
            if (top_k > 0 && (double)larger_than(x + j, i, features, n) >= top_k)
                value = OUT_OF_TOP_K;
            int64_t is_yes = a->targets[a->rows[j] * features + i] != 0;
            int64_t above = levels_below(value, thresholds, levels);
            found[is_yes * (levels + 1) + above] += weight_of(a, j);
        }
    }
}

/* Count, for each output, right and wrong yeses and wrong noes. */
static void count_yes(const double *reals, const real *x, const struct answers *a,
                      double *totals) {
    int64_t features = a->features, n = a->n;
    real threshold = (real)reals[SCALAR_ALPHA];
    for (int64_t j = 0; j < n; j++) {
        real largest = x[first_maximum(x + j, features, n) * n + j];
        for (int64_t i = 0; i < features; i++) {
            real output = x[i * n + j];
            double t = (double)a->targets[a->rows[j] * features + i], weight = weight_of(a, j);
            int says_yes = reals[SCALAR_BETA] != 0
                               ? output >= largest && fabs((double)output) > 1e-9
                               : output > threshold;
            if (says_yes) {
                totals[i] += weight * t;
                totals[features + i] += weight * (1 - t);
            } else {
                totals[2 * features + i] += weight * t;
            }
        }
    }
}

/* Sum targets, their squares, and squared errors, for each output. */
static void sum_squares(const real *x, const struct answers *a, double *totals) {
    int64_t features = a->features, n = a->n;
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < features; i++) {
            double t = (double)a->targets[a->rows[j] * features + i], weight = weight_of(a, j);
            double error = (double)(x[i * n + j] - (real)t);
            totals[i] += weight * t;
            totals[features + i] += weight * (t * t);
            totals[2 * features + i] += weight * (error * error);
        }
}

/* Add to the totals what the metric makes of the samples' outputs x. */
static void metric(int64_t kind, const real *x, const int64_t *rows, const int64_t *labels,
                   const real *targets, const real *weights, const double *reals,
                   const double *thresholds, double *totals, int64_t features, int64_t n,
                   int64_t levels) {
    const struct answers a = {rows, labels, targets, weights, features, n};
    switch (kind) {
    case METRIC_FIRST_MAXIMUM: totals[0] += right_maxima(x, &a); break;
    case METRIC_BINARY: totals[0] += right_answers((real)reals[SCALAR_ALPHA], x, &a); break;
    case METRIC_IN_TOP_K: totals[0] += in_top_k(reals[SCALAR_ALPHA], x, &a); break;
    case METRIC_EQUAL: totals[0] += equal_answers(x, &a); break;
    case METRIC_CONFUSION: count_above(reals, thresholds, levels, x, &a, totals); break;
    case METRIC_YES: count_yes(reals, x, &a, totals); break;
    case METRIC_SQUARES: sum_squares(x, &a, totals); break;
    }
}
