/* The small change: rescaling, masking and layout. */

/* y = x * scale + offset; y may be x. */
static void rescale(real scale, real offset, const real *x, real *y, int64_t size) {
    FOR_VECTORS(i, count, size)
    store_some(y + i, load_some(x + i, count) * scale + offset, count);
}

/* y = x * mask; y may be x. */
static void multiply(const real *x, const real *mask, real *y, int64_t size) {
    FOR_VECTORS(i, count, size)
    store_some(y + i, load_some(x + i, count) * load_some(mask + i, count), count);
}

/* The rows `first` to `last` of y (features, n) = x.T for x (n, features), in blocks that stay in
   the first-level cache. */
static void transpose_rows(const real *restrict x, real *restrict y, int64_t features, int64_t n,
                           int64_t first, int64_t last) {
    const int64_t block = 16;
    for (int64_t i0 = first; i0 < last; i0 += block)
        for (int64_t j0 = 0; j0 < n; j0 += block) {
            int64_t i1 = smaller(i0 + block, last), j1 = smaller(j0 + block, n);
            for (int64_t i = i0; i < i1; i++)
                for (int64_t j = j0; j < j1; j++) y[i * n + j] = x[j * features + i];
        }
}

static void transpose(const real *x, real *y, int64_t features, int64_t n) {
    transpose_rows(x, y, features, n, 0, features);
}
