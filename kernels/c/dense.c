/* A dense layer, y = W x + b, and its gradients.  Values are (features, n); W is (outputs, inputs);
   the samples of a first layer, and the inputs for any gradient of weights, are (n, inputs). */

static void start_with_bias(const real *bias, real *y, int64_t outputs, int64_t n) {
    for (int64_t i = 0; i < outputs; i++) {
        vector start = broadcast(bias ? bias[i] : 0);
        FOR_VECTORS(j, count, n) store_some(y + i * n + j, start, count);
    }
}

/* y = W x + b for x (inputs, n). */
static void dense_forward(const real *x, const real *weights, const real *bias, real *y,
                          int64_t outputs, int64_t inputs, int64_t n) {
    start_with_bias(bias, y, outputs, n);
    matmul_nn(weights, inputs, 1, x, 1, y, outputs, inputs, n);
}

/* y = W x.T + b for x (n, inputs). */
static void dense_forward_rows(const real *x, const real *weights, const real *bias, real *y,
                               int64_t outputs, int64_t inputs, int64_t n) {
    start_with_bias(bias, y, outputs, n);
    matmul_nt(weights, x, 1, y, outputs, inputs, n);
}

/* dx = W.T dy. */
static void dense_input_gradient(const real *weights, const real *dy, real *dx, int64_t outputs,
                                 int64_t inputs, int64_t n) {
    matmul_nn_set(weights, 1, inputs, dy, dx, inputs, outputs, n);
}

/* W += scale * dy x, for x (n, inputs): with scale = -rate the whole SGD step, and the gradient is
   never stored. */
static void dense_weight_update(const real *x, const real *dy, real scale, real *weights,
                                int64_t outputs, int64_t inputs, int64_t n) {
    matmul_nn(dy, n, 1, x, scale, weights, outputs, n, inputs);
}

/* dW = dy x, for x (n, inputs). */
static void dense_weight_gradient(const real *x, const real *dy, real *dweights, int64_t outputs,
                                  int64_t inputs, int64_t n) {
    matmul_nn_set(dy, n, 1, x, dweights, outputs, n, inputs);
}

/* b += scale * the sum of each row of dy. */
static void dense_bias_update(const real *dy, real scale, real *bias, int64_t outputs, int64_t n) {
    for (int64_t i = 0; bias && i < outputs; i++) {
        vector sum = {0};
        FOR_VECTORS(j, count, n) sum += load_some(dy + i * n + j, count);
        bias[i] += scale * sum_of(sum);
    }
}

/* db = the sum of each row of dy. */
static void dense_bias_gradient(const real *dy, real *dbias, int64_t outputs, int64_t n) {
    if (dbias) memset(dbias, 0, (size_t)outputs * sizeof(real));
    dense_bias_update(dy, 1, dbias, outputs, n);
}
