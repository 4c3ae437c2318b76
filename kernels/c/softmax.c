/* Softmax over the features of each sample; x and y are (features, n), the vector runs along the
   samples. */

#include <math.h>

/* scratch (2, n) receives each sample's maximum and the inverse of its sum of exponentials. */
static void softmax_forward(const real *x, real *scratch, real *y, int64_t features, int64_t n) {
    FOR_VECTORS(j, count, n) {
        vector largest = load_some(x + j, count), sum = {0};
        for (int64_t i = 1; i < features; i++) {
            vector v = load_some(x + i * n + j, count);
            largest = at_least(largest, v);
        }
        for (int64_t i = 0; i < features; i++) {
            vector v = vector_exp(load_some(x + i * n + j, count) - largest);
            store_some(y + i * n + j, v, count);
            sum += v;
        }
        vector inverse = 1 / sum;
        for (int64_t i = 0; i < features; i++)
            store_some(y + i * n + j, load_some(y + i * n + j, count) * inverse, count);
        store_some(scratch + j, largest, count);
        store_some(scratch + n + j, inverse, count);
    }
}

/* dx = y * (dy - sum(dy * y)), the sum over each sample's features; scratch is for others. */
static void softmax_backward(const real *y, const real *dy, real *scratch, real *dx,
                             int64_t features, int64_t n) {
    (void)scratch;
    FOR_VECTORS(j, count, n) {
        vector sum = {0};
        for (int64_t i = 0; i < features; i++)
            sum = fused(load_some(y + i * n + j, count), load_some(dy + i * n + j, count), sum);
        for (int64_t i = 0; i < features; i++) {
            vector slope = load_some(dy + i * n + j, count) - sum;
            store_some(dx + i * n + j, load_some(y + i * n + j, count) * slope, count);
        }
    }
}

/* scratch (2, n) receives each sample's maximum and the logarithm of its sum of exponentials. */
static void log_softmax_forward(const real *x, real *scratch, real *y, int64_t features,
                                int64_t n) {
    FOR_VECTORS(j, count, n) {
        vector largest = load_some(x + j, count), sum = {0};
        for (int64_t i = 1; i < features; i++)
            largest = at_least(largest, load_some(x + i * n + j, count));
        for (int64_t i = 0; i < features; i++)
            sum += vector_exp(load_some(x + i * n + j, count) - largest);
        store_some(scratch + j, largest, count);
        store_some(scratch + n + j, sum, count);
    }
    for (int64_t j = n; j < 2 * n; j++) /* one for all features of a sample */
        scratch[j] = (real)log((double)scratch[j]);
    FOR_VECTORS(j, count, n)
        for (int64_t i = 0; i < features; i++) {
            vector below = load_some(x + i * n + j, count) - load_some(scratch + j, count);
            store_some(y + i * n + j, below - load_some(scratch + n + j, count), count);
        }
}

/* dx = dy - exp(y) * sum(dy), the sum over each sample's features; scratch is for others. */
static void log_softmax_backward(const real *y, const real *dy, real *scratch, real *dx,
                                 int64_t features, int64_t n) {
    (void)scratch;
    FOR_VECTORS(j, count, n) {
        vector sum = {0};
        for (int64_t i = 0; i < features; i++) sum += load_some(dy + i * n + j, count);
        for (int64_t i = 0; i < features; i++) {
            vector probability = vector_exp(load_some(y + i * n + j, count));
            store_some(dx + i * n + j, fused(-probability, sum, load_some(dy + i * n + j, count)),
                       count);
        }
    }
}
