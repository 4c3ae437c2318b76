/* Activations with their derivatives, over flat buffers; x, y, dy and dx may be the same array. */

#include <math.h>

/* y = FORMULA of the vector x, along the whole buffer. */
#define MAP(FORMULA)                                                                               \
    FOR_VECTORS(i, count, size) {                                                                  \
        vector v = load_some(x + i, count);                                                        \
        store_some(y + i, FORMULA, count);                                                         \
    }                                                                                              \
    break;

/* y = FORMULA of the number v: where only the C library has the function. */
#define MAP_NUMBERS(FORMULA)                                                                       \
    for (int64_t i = 0; i < size; i++) {                                                           \
        real v = x[i];                                                                             \
        y[i] = FORMULA;                                                                            \
    }                                                                                              \
    break;

#define ERF(v) ((real)erf((double)(v)))
#define SQRT_HALF 0.70710678118654752440
#define INVERSE_SQRT_TWO_PI 0.39894228040143267794

/* For e = exp(x), tanh(log(1 + e)) is n / (n + 2) with n = e (e + 2), which is 1 from 20 on. */
#define MISH_ONE 20

INLINE vector mish(vector x) {
    vector e = vector_exp(at_most(broadcast(MISH_ONE), x)), n = e * (e + 2);
    return x * (n / (n + 2));
}

INLINE vector mish_slope(vector x) {
    vector small = at_most(broadcast(MISH_ONE), x), e = vector_exp(small);
    vector n = e * (e + 2), m = n + 2;
    return fused(4 * small, e * (1 + e) / (m * m), n / m);
}

/* alpha is leaky ReLU's slope and ELU's scale. NaN stays NaN in each of them. */
static void activation_forward(int64_t kind, real alpha, const real *x, real *y, int64_t size) {
    const vector zero = {0};
    switch (kind) {
    case ACTIVATION_SIGMOID: MAP(vector_sigmoid(v))
    case ACTIVATION_TANH: MAP(vector_tanh(v))
    case ACTIVATION_RELU: MAP(at_least(zero, v))
    case ACTIVATION_LEAKY_RELU: MAP(where_less(v, zero, alpha * v, v))
    case ACTIVATION_ELU:
        MAP(where_less(v, zero, alpha * vector_expm1_negative(where_less(v, zero, v, zero)), v))
    case ACTIVATION_SELU:
        MAP(where_less(v, zero,
                       (real)(SELU_SCALE * SELU_ALPHA) *
                           vector_expm1_negative(where_less(v, zero, v, zero)),
                       (real)SELU_SCALE * v))
    case ACTIVATION_GELU: MAP_NUMBERS((real)0.5 * v * (1 + ERF(v * (real)SQRT_HALF)))
    case ACTIVATION_SILU: MAP(v *vector_sigmoid(v))
    case ACTIVATION_SOFTPLUS:
        MAP_NUMBERS((v < 0 ? 0 : v) + (real)log1p(exp(-fabs((double)v))))
    case ACTIVATION_MISH: MAP(mish(v))
    }
}

/* dx = FORMULA of the vectors v of x, w of y and d of dy. */
#define MAP_BACK(FORMULA)                                                                          \
    FOR_VECTORS(i, count, size) {                                                                  \
        vector v = load_some(x + i, count), w = load_some(y + i, count);                           \
        vector d = load_some(dy + i, count);                                                       \
        (void)v, (void)w;                                                                          \
        store_some(dx + i, FORMULA, count);                                                        \
    }                                                                                              \
    break;

INLINE real gelu_slope(real x) {
    double cumulative = 0.5 * (1 + erf(x * SQRT_HALF));
    return (real)(cumulative + x * INVERSE_SQRT_TWO_PI * exp(-0.5 * (double)x * x));
}

INLINE vector silu_slope(vector x) {
    vector s = vector_sigmoid(x);
    return s * fused(x, 1 - s, broadcast(1));
}

/* A derivative may use the input x, the output y, or both: whichever is cheaper. */
static void activation_backward(int64_t kind, real alpha, const real *x, const real *y,
                                const real *dy, real *dx, int64_t size) {
    const vector zero = {0};
    switch (kind) {
    case ACTIVATION_SIGMOID: MAP_BACK(d *w *(1 - w))
    case ACTIVATION_TANH: MAP_BACK(d *fused(-w, w, broadcast(1)))
    case ACTIVATION_RELU: MAP_BACK(where_less(zero, v, d, zero))
    case ACTIVATION_LEAKY_RELU: MAP_BACK(where_less(zero, v, d, alpha * d))
    case ACTIVATION_ELU: MAP_BACK(where_less(zero, v, d, d *(w + alpha)))
    case ACTIVATION_SELU:
        MAP_BACK(d *where_less(zero, v, broadcast((real)SELU_SCALE),
                               w + (real)(SELU_SCALE * SELU_ALPHA)))
    case ACTIVATION_GELU:
        for (int64_t i = 0; i < size; i++) dx[i] = dy[i] * gelu_slope(x[i]);
        break;
    case ACTIVATION_SILU: MAP_BACK(d *silu_slope(v))
    case ACTIVATION_SOFTPLUS: MAP_BACK(d *vector_sigmoid(v))
    case ACTIVATION_MISH: MAP_BACK(d *mish_slope(v))
    }
}
