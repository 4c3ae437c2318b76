/* Layers with a number or two for each feature: x, y and their gradients are (features, n). */

/* y = gamma x + beta; y may be x.  Without gamma it is 1, without beta 0. */
static void scale_forward(const real *x, const real *gamma, const real *beta, real *y,
                          int64_t features, int64_t n) {
    for (int64_t i = 0; i < features; i++, x += n, y += n)
        rescale(gamma ? gamma[i] : 1, beta ? beta[i] : 0, x, y, n);
}

static void scale_weight_gradient(const real *x, const real *dy, real *dgamma, real *dbeta,
                                  int64_t features, int64_t n) {
    for (int64_t i = 0; i < features; i++, x += n, dy += n) {
        dgamma[i] = (real)sum_of_products(x, 0, dy, 0, n);
        dbeta[i] = (real)sum_of_values(dy, n);
    }
}

/* y = x + weight (x - other), with a weight for each feature; y may be x or the other. */
static void mix_forward(const real *x, const real *other, const real *weights, real *y,
                        int64_t features, int64_t n) {
    for (int64_t i = 0; i < features; i++, x += n, other += n, y += n) {
        const vector weight = broadcast(weights[i]);
        FOR_VECTORS(j, count, n) {
            vector v = load_some(x + j, count);
            store_some(y + j, fused(weight, v - load_some(other + j, count), v), count);
        }
    }
}

/* The sum of dy (x - other). */
static void mix_weight_gradient(const real *x, const real *other, const real *dy, real *dweights,
                                int64_t features, int64_t n) {
    for (int64_t i = 0; i < features; i++, x += n, other += n, dy += n)
        dweights[i] = (real)(sum_of_products(x, 0, dy, 0, n) - sum_of_products(other, 0, dy, 0, n));
}

/* y = x above 0, and slope x below (He et al., 2015); NaN stays NaN. */
static void prelu_forward(const real *x, const real *slopes, real *y, int64_t features,
                          int64_t n) {
    const vector zero = {0};
    for (int64_t i = 0; i < features; i++, x += n, y += n)
        FOR_VECTORS(j, count, n) {
            vector v = load_some(x + j, count);
            store_some(y + j, where_less(v, zero, slopes[i] * v, v), count);
        }
}

/* The sum of dy x where x is below 0. */
static void prelu_weight_gradient(const real *x, const real *dy, real *dslopes, int64_t features,
                                  int64_t n) {
    for (int64_t i = 0; i < features; i++, x += n, dy += n) {
        double sums[SUMS] = {0};
        for (int64_t j = 0; j < n; j++)
            sums[j % SUMS] += x[j] < 0 ? (double)x[j] * (double)dy[j] : 0;
        dslopes[i] = (real)sum_of_eight(sums);
    }
}

static void prelu_input_gradient(const real *x, const real *slopes, const real *dy, real *dx,
                                 int64_t features, int64_t n) {
    const vector zero = {0};
    for (int64_t i = 0; i < features; i++, x += n, dy += n, dx += n)
        FOR_VECTORS(j, count, n) {
            vector d = load_some(dy + j, count);
            vector v = where_less(zero, load_some(x + j, count), d, slopes[i] * d);
            store_some(dx + j, v, count);
        }
}
