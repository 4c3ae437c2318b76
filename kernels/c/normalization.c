/* Batch normalization, feature by feature, and layer normalization, sample by sample: x, y and their
   gradients are (features, n).

   A feature's sums are taken in double, in an order that depends on the number of samples alone:
   eight sums side by side, so that no addition waits for the one before. */

#include <math.h>

#define SUMS 8

INLINE double sum_of_eight(const double *s) {
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

INLINE double sum_of_values(const real *x, int64_t n) {
    double sums[SUMS] = {0};
    int64_t j = 0;
    for (; j + SUMS <= n; j += SUMS)
        for (int64_t k = 0; k < SUMS; k++) sums[k] += x[j + k];
    for (int64_t k = 0; j + k < n; k++) sums[k] += x[j + k];
    return sum_of_eight(sums);
}

/* The sum of (x - x_center) * (y - y_center). */
INLINE double sum_of_products(const real *x, double x_center, const real *y, double y_center,
                              int64_t n) {
    double sums[SUMS] = {0};
    int64_t j = 0;
    for (; j + SUMS <= n; j += SUMS)
        for (int64_t k = 0; k < SUMS; k++)
            sums[k] += (x[j + k] - x_center) * (y[j + k] - y_center);
    for (int64_t k = 0; j + k < n; k++) sums[k] += (x[j + k] - x_center) * (y[j + k] - y_center);
    return sum_of_eight(sums);
}

/* The mean and the variance of each feature.  In two passes: the mean of squares less the square of
   the mean would lose the digits of a variance that is small beside the mean. */
static void batch_statistics(const real *x, real *mean, real *variance, int64_t features,
                             int64_t n) {
    for (int64_t i = 0; i < features; i++, x += n) {
        double center = sum_of_values(x, n) / (double)n;
        mean[i] = (real)center;
        variance[i] = (real)(sum_of_products(x, center, x, center, n) / (double)n);
    }
}

/* Let the running statistics follow the batch's; where they have arrived, they stay. */
static void running_update(double momentum, const real *batch, real *running, int64_t size) {
    const vector share = broadcast((real)(1 - momentum));
    FOR_VECTORS(i, count, size) {
        vector now = load_some(running + i, count);
        store_some(running + i, fused(share, load_some(batch + i, count) - now, now), count);
    }
}

/* NaN if the variance is not finite: 0 would hide that it has overflowed. */
INLINE double inverse_deviation(real variance, double epsilon) {
    return variance < INFINITY ? 1 / sqrt((double)variance + epsilon) : NAN;
}

/* y = gamma (x - mean) / deviation + beta */
static void batchnorm_forward(double epsilon, const real *x, const real *mean, const real *variance,
                              const real *gamma, const real *beta, real *y, int64_t features,
                              int64_t n) {
    for (int64_t i = 0; i < features; i++, x += n, y += n) {
        double inverse = inverse_deviation(variance[i], epsilon);
        const vector center = broadcast(mean[i]), offset = broadcast(beta ? beta[i] : 0);
        const vector scale = broadcast((real)(gamma ? inverse * gamma[i] : inverse));
        FOR_VECTORS(j, count, n)
        store_some(y + j, fused(load_some(x + j, count) - center, scale, offset), count);
    }
}

/* The gradients of gamma and beta; that of x needs them as well. */
static void batchnorm_weight_gradient(double epsilon, const real *x, const real *mean,
                                      const real *variance, const real *dy, real *dgamma,
                                      real *dbeta, int64_t features, int64_t n) {
    for (int64_t i = 0; i < features; i++, x += n, dy += n) {
        double products = sum_of_products(x, mean[i], dy, 0, n);
        dgamma[i] = (real)(products * inverse_deviation(variance[i], epsilon));
        dbeta[i] = (real)sum_of_values(dy, n);
    }
}

/* dx, of which the mean and the variance are functions too (Ioffe & Szegedy, 2015, section 3). */
static void batchnorm_input_gradient(double epsilon, const real *x, const real *mean,
                                     const real *variance, const real *gamma, const real *dgamma,
                                     const real *dbeta, const real *dy, real *dx, int64_t features,
                                     int64_t n) {
    for (int64_t i = 0; i < features; i++, x += n, dy += n, dx += n) {
        double inverse = inverse_deviation(variance[i], epsilon);
        const vector center = broadcast(mean[i]);
        const vector shift = broadcast((real)((double)dbeta[i] / (double)n));
        const vector slope = broadcast((real)(-(double)dgamma[i] / (double)n * inverse));
        const vector scale = broadcast((real)(gamma ? inverse * gamma[i] : inverse));
        FOR_VECTORS(j, count, n) {
            vector rest = load_some(dy + j, count) - shift;
            rest = fused(load_some(x + j, count) - center, slope, rest);
            store_some(dx + j, scale * rest, count);
        }
    }
}

/* Layer normalization (Ba, Kiros & Hinton, 2016); of MEAN_SQUARE, that of Zhang & Sennrich (2019).
   The vector runs along the samples, whose sums over the features are taken in their own dtype.
   scratch (2, n) receives each sample's mean, or 0, and the inverse of its deviation: NaN if the
   variance has overflowed, which 0 would hide. */
static void layernorm_forward(int64_t kind, double epsilon, const real *x, const real *gamma,
                              const real *beta, real *scratch, real *y, int64_t features,
                              int64_t n) {
    const real share = (real)(1.0 / (double)features);
    const vector added = broadcast((real)epsilon);
    FOR_VECTORS(j, count, n) {
        vector mean = {0}, squares = {0};
        if (kind == SPREAD_VARIANCE)
            for (int64_t i = 0; i < features; i++) mean += load_some(x + i * n + j, count);
        mean = mean * share;
        for (int64_t i = 0; i < features; i++) {
            vector distance = load_some(x + i * n + j, count) - mean;
            squares = fused(distance, distance, squares);
        }
        vector inverse = 1 / square_root(fused(squares, broadcast(share), added));
        inverse = where_less(squares, broadcast(INFINITY), inverse, broadcast(NAN));
        store_some(scratch + j, mean, count);
        store_some(scratch + n + j, inverse, count);
        for (int64_t i = 0; i < features; i++) {
            vector v = (load_some(x + i * n + j, count) - mean) * inverse;
            if (gamma) v = v * gamma[i];
            store_some(y + i * n + j, beta ? v + beta[i] : v, count);
        }
    }
}

/* The gradients of gamma and beta, with what layernorm_forward has left of the samples. */
static void layernorm_weight_gradient(const real *x, const real *statistics, const real *dy,
                                      real *dgamma, real *dbeta, int64_t features, int64_t n) {
    const real *mean = statistics, *inverse = statistics + n;
    for (int64_t i = 0; i < features; i++, x += n, dy += n) {
        double sums[SUMS] = {0};
        int64_t j = 0;
        for (; j + SUMS <= n; j += SUMS)
            for (int64_t k = j; k < j + SUMS; k++)
                sums[k - j] += (double)dy[k] * (((double)x[k] - mean[k]) * inverse[k]);
        for (int64_t k = j; k < n; k++)
            sums[k - j] += (double)dy[k] * (((double)x[k] - mean[k]) * inverse[k]);
        dgamma[i] = (real)sum_of_eight(sums);
        dbeta[i] = (real)sum_of_values(dy, n);
    }
}

/* dx, of which a sample's mean and deviation are functions too; scratch is for others. */
static void layernorm_input_gradient(int64_t kind, const real *x, const real *statistics,
                                     const real *gamma, const real *dy, real *scratch, real *dx,
                                     int64_t features, int64_t n) {
    const real share = (real)(1.0 / (double)features);
    (void)scratch;
    FOR_VECTORS(j, count, n) {
        vector mean = load_some(statistics + j, count);
        vector inverse = load_some(statistics + n + j, count);
        vector sum = {0}, products = {0};
        for (int64_t i = 0; i < features; i++) {
            vector d = load_some(dy + i * n + j, count);
            if (gamma) d = d * gamma[i];
            sum += d;
            products = fused(d, (load_some(x + i * n + j, count) - mean) * inverse, products);
        }
        sum = kind == SPREAD_VARIANCE ? sum * share : (vector){0};
        products = products * -share;
        for (int64_t i = 0; i < features; i++) {
            vector d = load_some(dy + i * n + j, count);
            if (gamma) d = d * gamma[i];
            vector v = (load_some(x + i * n + j, count) - mean) * inverse;
            store_some(dx + i * n + j, inverse * fused(v, products, d - sum), count);
        }
    }
}
