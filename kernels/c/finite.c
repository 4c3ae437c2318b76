/* Whether numbers may enter a net: looked at in memory that changes from call to call. */

/* Whether none of the values is infinite or NaN: such a value minus itself is NaN, not 0. */
static int all_finite(const real *values, int64_t size) {
    enum { SUMS_AT_ONCE = 4 }; /* so that an addition need not wait for the one before it */
    vector sums[SUMS_AT_ONCE] = {{0}};
    int64_t i = 0;
    for (; i + SUMS_AT_ONCE * LANES <= size; i += SUMS_AT_ONCE * LANES)
        for (int k = 0; k < SUMS_AT_ONCE; k++) {
            vector v = load(values + i + k * LANES);
            sums[k] += v - v;
        }
    for (; i < size; i += LANES) {
        vector v = load_some(values + i, smaller(LANES, size - i));
        sums[0] += v - v;
    }
    return sum_of((sums[0] + sums[1]) + (sums[2] + sums[3])) == 0;
}

/* Whether the samples are finite, and the labels below the number of classes. */
static int is_sound(const Job *job, int64_t classes) {
    const Batches *batches = &job->batches;
    for (int64_t i = 0; i < batches->labels_shape[0]; i++)
        if (batches->labels[i] < 0 || batches->labels[i] >= classes) return 0;
    int64_t bytes = batches->samples_shape[1];
    if (bytes == job->net.table[COLUMN_OUTPUTS]) return 1; /* uint8 */
    return all_finite((const real *)batches->samples,
                      batches->samples_shape[0] * bytes / (int64_t)sizeof(real));
}
