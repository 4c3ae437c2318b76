/* Metrics: what is counted over the batch's samples, beside the loss.  Outputs are (features, n);
   labels (count,) and targets (count, features) are the data set's, and one of them is NULL. */

/* The index of the first largest of `count` values that lie `stride` apart. */
INLINE int64_t first_maximum(const real *values, int64_t count, int64_t stride) {
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        if (values[i * stride] > values[best * stride]) best = i;
    return best;
}

/* How many samples have their first maximum at their label, or where their target has it. */
static int64_t count_right_maxima(const real *x, const int64_t *rows, const int64_t *labels,
                                  const real *targets, int64_t features, int64_t n) {
    int64_t right = 0;
    for (int64_t j = 0; j < n; j++) {
        int64_t answer = labels ? labels[rows[j]]
                                : first_maximum(targets + rows[j] * features, features, 1);
        right += first_maximum(x + j, features, n) == answer;
    }
    return right;
}

/* How many outputs are above the threshold for a target of 1, and not for one of 0. */
static int64_t count_binary(real threshold, const real *x, const int64_t *rows,
                            const real *targets, int64_t features, int64_t n) {
    int64_t right = 0;
    for (int64_t i = 0; i < features; i++)
        for (int64_t j = 0; j < n; j++)
            right += targets[rows[j] * features + i] == (x[i * n + j] > threshold);
    return right;
}

/* The sum over the samples of what the metric makes of their outputs x. */
static double metric(int64_t kind, real alpha, const real *x, const int64_t *rows,
                     const int64_t *labels, const real *targets, int64_t features, int64_t n) {
    switch (kind) {
    case METRIC_FIRST_MAXIMUM:
        return (double)count_right_maxima(x, rows, labels, targets, features, n);
    case METRIC_BINARY:
        return (double)count_binary(alpha, x, rows, targets, features, n) / (double)features;
    }
    return NAN;
}
