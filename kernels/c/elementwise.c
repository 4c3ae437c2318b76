/* The small change: rescaling, masking and layout. */

/* y = x * scale + offset; y may be x. */
static void rescale(real scale, real offset, const real *x, real *y, int64_t size) {
    const vector factor = broadcast(scale), start = broadcast(offset);
    FOR_VECTORS(i, count, size)
    store_some(y + i, fused(load_some(x + i, count), factor, start), count);
}

/* y = x * mask; y may be x. */
static void multiply(const real *x, const real *mask, real *y, int64_t size) {
    FOR_VECTORS(i, count, size)
    store_some(y + i, load_some(x + i, count) * load_some(mask + i, count), count);
}

/* y = x + other; y may be one of them. */
static void add(const real *x, const real *other, real *y, int64_t size) {
    FOR_VECTORS(i, count, size)
    store_some(y + i, load_some(x + i, count) + load_some(other + i, count), count);
}

/* y[4, 4] = x[4, 4].T */
INLINE void transpose_4x4(const real *x, int64_t x_row, real *y, int64_t y_row) {
    four a = load_four(x), b = load_four(x + x_row);
    four c = load_four(x + 2 * x_row), d = load_four(x + 3 * x_row);
    four ac_low = SHUFFLE(a, c, 0, 4, 1, 5), ac_high = SHUFFLE(a, c, 2, 6, 3, 7);
    four bd_low = SHUFFLE(b, d, 0, 4, 1, 5), bd_high = SHUFFLE(b, d, 2, 6, 3, 7);
    store_four(y, SHUFFLE(ac_low, bd_low, 0, 4, 1, 5));
    store_four(y + y_row, SHUFFLE(ac_low, bd_low, 2, 6, 3, 7));
    store_four(y + 2 * y_row, SHUFFLE(ac_high, bd_high, 0, 4, 1, 5));
    store_four(y + 3 * y_row, SHUFFLE(ac_high, bd_high, 2, 6, 3, 7));
}

/* The rows from `first` to before `stop` of y (features, n) = x.T for x (n, features).  Blocks of
   4 x 4 are transposed in registers: element by element takes six times as long. */
static void transpose_rows(const real *x, real *y, int64_t features, int64_t n, int64_t first,
                           int64_t stop) {
    int64_t i = first;
    for (; i + 4 <= stop; i += 4) {
        int64_t j = 0;
        for (; j + 4 <= n; j += 4)
            transpose_4x4(x + j * features + i, features, y + i * n + j, n);
        for (; j < n; j++)
            for (int64_t r = i; r < i + 4; r++) y[r * n + j] = x[j * features + r];
    }
    for (; i < stop; i++)
        for (int64_t j = 0; j < n; j++) y[i * n + j] = x[j * features + i];
}

static void transpose(const real *x, real *y, int64_t features, int64_t n) {
    transpose_rows(x, y, features, n, 0, features);
}
