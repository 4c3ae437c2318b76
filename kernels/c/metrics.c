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

/* The weighted sum over the samples of what the metric makes of their outputs x. */
static double metric(int64_t kind, const real *x, const int64_t *rows, const int64_t *labels,
                     const real *targets, const real *weights, const double *reals,
                     int64_t features, int64_t n) {
    const struct answers a = {rows, labels, targets, weights, features, n};
    switch (kind) {
    case METRIC_FIRST_MAXIMUM: return right_maxima(x, &a);
    case METRIC_BINARY: return right_answers((real)reals[SCALAR_ALPHA], x, &a);
    }
    return NAN;
}
