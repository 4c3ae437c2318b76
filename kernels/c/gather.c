/* Reading the batch's samples from wherever they lie in the data set. */

/* out (n, features) = data[rows] * scale + offset for bytes: a quarter of the memory traffic that
   stored floats would take. */
static void gather_bytes(const uint8_t *restrict data, const int64_t *rows, real scale, real offset,
                         real *restrict out, int64_t features, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *row = data + rows[i] * features;
        for (int64_t p = 0; p < features; p++)
            out[i * features + p] = (real)row[p] * scale + offset;
    }
}

/* The same for data of the net's own dtype. */
static void gather_reals(const real *data, const int64_t *rows, real scale, real offset, real *out,
                         int64_t features, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        rescale(scale, offset, data + rows[i] * features, out + i * features, features);
}

/* Ask for the samples of a batch to come, so that gathering them need not wait for memory. */
static void prefetch_samples(const uint8_t *data, const int64_t *rows, int64_t bytes, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const uint8_t *row = data + rows[i] * bytes;
        for (int64_t p = 0; p < bytes; p += 64) __builtin_prefetch(row + p, 0, 2);
    }
}
