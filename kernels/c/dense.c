/* A dense layer, y = W x + b, and its gradients.  Values are (features, n); W is (outputs, inputs);
   the samples of a first layer, and the inputs for any gradient of weights, are (n, inputs). */

/* y = W x + b for x (inputs, n). */
static void dense_forward(const real *x, const real *weights, const real *bias, real *y,
                          int64_t outputs, int64_t inputs, int64_t n) {
    nn_set(weights, inputs, 1, x, bias, 1, y, outputs, inputs, n, NULL);
}

/* y = scale W x.T + b for x (n, inputs). */
static void dense_forward_rows(const real *x, const real *weights, const real *bias, real scale,
                               real *y, int64_t outputs, int64_t inputs, int64_t n) {
    nt_set(weights, (real *)x, NULL, bias, scale, y, outputs, inputs, n, NULL);
}

/* dx = W.T dy. */
static void dense_input_gradient(const real *weights, const real *dy, real *dx, int64_t outputs,
                                 int64_t inputs, int64_t n) {
    nn_set(weights, 1, inputs, dy, NULL, 1, dx, inputs, outputs, n, NULL);
}

/* W += scale * dy x.T, for x (inputs, n): with scale = -rate the whole SGD step, and the gradient is
   never stored. */
static void dense_weight_update(const real *x, const real *dy, real scale, real *weights,
                                int64_t outputs, int64_t inputs, int64_t n) {
    nt_add(dy, x, scale, weights, outputs, n, inputs);
}

/* W += scale * dy x, for x (n, inputs). */
static void dense_weight_update_rows(const real *x, const real *dy, real scale, real *weights,
                                     int64_t outputs, int64_t inputs, int64_t n) {
    nn_add(dy, n, 1, x, scale, weights, outputs, n, inputs, NULL);
}

/* dW = dy x.T, for x (inputs, n). */
static void dense_weight_gradient(const real *x, const real *dy, real *dweights, int64_t outputs,
                                  int64_t inputs, int64_t n) {
    nt_set(dy, (real *)x, NULL, NULL, 1, dweights, outputs, n, inputs, NULL);
}

/* dW = scale * dy x, for x (n, inputs). */
static void dense_weight_gradient_rows(const real *x, const real *dy, real scale, real *dweights,
                                       int64_t outputs, int64_t inputs, int64_t n) {
    nn_set(dy, n, 1, x, NULL, scale, dweights, outputs, n, inputs, NULL);
}

/* b += scale * the sum of each row of dy. */
static void dense_bias_update(const real *dy, real scale, real *bias, int64_t outputs, int64_t n) {
    if (!bias) return;
    int64_t i = 0;
    for (; i + 4 <= outputs; i += 4) {
        vector sum[4] = {{0}};
        FOR_VECTORS(j, count, n)
        for (int r = 0; r < 4; r++) sum[r] += load_some(dy + (i + r) * n + j, count);
        four sums = sum_four(sum[0], sum[1], sum[2], sum[3]);
        store_four(bias + i, fused_four((four){0} + scale, sums, load_four(bias + i)));
    }
    for (; i < outputs; i++) {
        vector sum = {0};
        FOR_VECTORS(j, count, n) sum += load_some(dy + i * n + j, count);
        bias[i] = fused_number(scale, sum_of(sum), bias[i]);
    }
}

/* db = the sum of each row of dy. */
static void dense_bias_gradient(const real *dy, real *dbias, int64_t outputs, int64_t n) {
    if (dbias) memset(dbias, 0, (size_t)outputs * sizeof(real));
    dense_bias_update(dy, 1, dbias, outputs, n);
}
