/* Activations with their derivatives, over flat buffers; x, y, dy and dx may be the same array. */

#include <math.h>

/* y = FORMULA of the vector x, along the whole buffer. */
#define MAP(FORMULA)                                                                               \
    FOR_VECTORS(i, count, size) {                                                                  \
        vector v = load_some(x + i, count);                                                        \
        store_some(y + i, FORMULA, count);                                                         \
    }                                                                                              \
    break;

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

/* log(1 + exp(x)) */
INLINE vector softplus(vector x) {
    return at_least((vector){0}, x) + vector_log1p(vector_exp(-absolute(x)));
}

INLINE vector gelu(vector x) {
    vector density;
    return x * normal_distribution(x, &density);
}

INLINE vector gelu_slope(vector x) {
    vector density, cumulative = normal_distribution(x, &density);
    vector a = at_most(broadcast(TAIL_BOUND), at_least(broadcast(-TAIL_BOUND), x));
    return fused(a, density, cumulative);
}

/* x, but within [low, high]; NaN stays NaN. */
INLINE vector within(real low, real high, vector x) {
    return at_most(broadcast(high), at_least(broadcast(low), x));
}

/* alpha x, or expm1 below 0, of a scale. */
INLINE vector exponential_below(vector x, real scale, real inside, real above) {
    const vector zero = {0};
    vector below = vector_expm1_negative(where_less(x, zero, x * inside, zero));
    return where_less(x, zero, scale * below, above * x);
}

/* Where x > bound, v; else 0; NaN in x gives v. */
INLINE vector keep_above(vector bound, vector x, vector v) {
    return (vector)((integers)v & ~(integers)(x <= bound));
}

/* (x + sqrt(x^2 + b)) / 2, with no difference of two like numbers below 0. */
INLINE vector squareplus(vector x, real b) {
    vector sum = square_root(fused(x, x, broadcast(b))) + absolute(x);
    return where_less(x, (vector){0}, (real)0.5 * b / sum, (real)0.5 * sum);
}

#define SIXTH ((real)(1.0 / 6))

/* NaN stays NaN in each of them. */
static void activation_forward(int64_t kind, real alpha, const real *x, real *y, int64_t size) {
    const vector zero = {0}, one = broadcast(1), bound = broadcast(alpha);
    switch (kind) {
    case ACTIVATION_SIGMOID: MAP(vector_sigmoid(v))
    case ACTIVATION_TANH: MAP(vector_tanh(v))
    case ACTIVATION_RELU: MAP(at_least(zero, v))
    case ACTIVATION_LEAKY_RELU: MAP(where_less(v, zero, alpha * v, v))
    case ACTIVATION_ELU: MAP(exponential_below(v, alpha, 1, 1))
    case ACTIVATION_SELU:
        MAP(exponential_below(v, (real)(SELU_SCALE * SELU_ALPHA), 1, (real)SELU_SCALE))
    case ACTIVATION_GELU: MAP(gelu(v))
    case ACTIVATION_SILU: MAP(v *vector_sigmoid(v))
    case ACTIVATION_SOFTPLUS: MAP(softplus(v))
    case ACTIVATION_MISH: MAP(mish(v))
    case ACTIVATION_CELU: MAP(exponential_below(v, alpha, 1 / alpha, 1))
    case ACTIVATION_EXPONENTIAL: MAP(vector_exp(v))
    case ACTIVATION_HARD_SIGMOID:
        MAP(within(0, 1, fused(v, broadcast(SIXTH), broadcast((real)0.5))))
    case ACTIVATION_HARD_SILU:
        MAP(v *within(0, 1, fused(v, broadcast(SIXTH), broadcast((real)0.5))))
    case ACTIVATION_HARD_TANH: MAP(within(-1, 1, v))
    case ACTIVATION_HARD_SHRINK: MAP(keep_above(bound, absolute(v), v))
    case ACTIVATION_SOFT_SHRINK: MAP(v - within(-alpha, alpha, v))
    case ACTIVATION_TANH_SHRINK: MAP(v - vector_tanh(v))
    case ACTIVATION_SOFTSIGN: MAP(v / (1 + absolute(v)))
    case ACTIVATION_LOG_SIGMOID: MAP(-softplus(-v))
    case ACTIVATION_CLIPPED_RELU: MAP(within(0, alpha, v))
    case ACTIVATION_SQUAREPLUS: MAP(squareplus(v, alpha))
    case ACTIVATION_SPARSE_PLUS: {
        const real half = (real)0.5;
        MAP(where_less(v, one, half * within(0, 2, v + 1) * (half * within(0, 2, v + 1)), v))
    }
    case ACTIVATION_SPARSE_SIGMOID: MAP((real)0.5 * within(0, 2, v + 1))
    case ACTIVATION_THRESHOLD: MAP(keep_above(bound, v, v))
    case ACTIVATION_MINIMUM: MAP(at_most(bound, v))
    case ACTIVATION_JUMP: MAP(where_less(zero, v, v + alpha, v))
    case ACTIVATION_COSINE: MAP(vector_cos(v))
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

INLINE vector silu_slope(vector x) {
    vector s = vector_sigmoid(x);
    return s * fused(x, 1 - s, broadcast(1));
}

/* A derivative may use the input x, the output y, or both: whichever is cheaper. */
static void activation_backward(int64_t kind, real alpha, const real *x, const real *y,
                                const real *dy, real *dx, int64_t size) {
    const vector zero = {0}, one = broadcast(1), three = broadcast(3), bound = broadcast(alpha);
    switch (kind) {
    case ACTIVATION_SIGMOID: MAP_BACK(d *w *(1 - w))
    case ACTIVATION_TANH: MAP_BACK(d *fused(-w, w, broadcast(1)))
    case ACTIVATION_RELU: MAP_BACK(where_less(zero, v, d, zero))
    case ACTIVATION_LEAKY_RELU: MAP_BACK(where_less(zero, v, d, alpha * d))
    case ACTIVATION_ELU: MAP_BACK(where_less(zero, v, d, d *(w + alpha)))
    case ACTIVATION_SELU:
        MAP_BACK(d *where_less(zero, v, broadcast((real)SELU_SCALE),
                               w + (real)(SELU_SCALE * SELU_ALPHA)))
    case ACTIVATION_GELU: MAP_BACK(d *gelu_slope(v))
    case ACTIVATION_SILU: MAP_BACK(d *silu_slope(v))
    case ACTIVATION_SOFTPLUS: MAP_BACK(d *vector_sigmoid(v))
    case ACTIVATION_MISH: MAP_BACK(d *mish_slope(v))
    case ACTIVATION_CELU: MAP_BACK(where_less(zero, v, d, d *fused(w, 1 / bound, one)))
    case ACTIVATION_EXPONENTIAL: MAP_BACK(d *w)
    case ACTIVATION_HARD_SIGMOID: MAP_BACK(where_less(absolute(v), three, d *SIXTH, zero))
    case ACTIVATION_HARD_SILU:
        MAP_BACK(where_less(v, three,
                            where_less(-three, v, d *fused(v, 2 * broadcast(SIXTH), one / 2), zero),
                            d))
    case ACTIVATION_HARD_TANH: MAP_BACK(where_less(absolute(v), one, d, zero))
    case ACTIVATION_HARD_SHRINK:
    case ACTIVATION_SOFT_SHRINK: MAP_BACK(where_less(bound, absolute(v), d, zero))
    case ACTIVATION_TANH_SHRINK: MAP_BACK(d *vector_tanh(v) * vector_tanh(v))
    case ACTIVATION_SOFTSIGN: MAP_BACK(d / ((1 + absolute(v)) * (1 + absolute(v))))
    case ACTIVATION_LOG_SIGMOID: MAP_BACK(d *vector_sigmoid(-v))
    case ACTIVATION_CLIPPED_RELU:
        MAP_BACK(where_less(zero, v, where_less(v, bound, d, zero), zero))
    case ACTIVATION_SQUAREPLUS: MAP_BACK(d *(w / square_root(fused(v, v, bound))))
    case ACTIVATION_SPARSE_PLUS: MAP_BACK(d *((real)0.5 * within(0, 2, v + 1)))
    case ACTIVATION_SPARSE_SIGMOID:
        MAP_BACK(where_less(absolute(v), one, (real)0.5 * d, zero))
    case ACTIVATION_THRESHOLD: MAP_BACK(where_less(bound, v, d, zero))
    case ACTIVATION_MINIMUM: MAP_BACK(where_less(v, bound, d, zero))
    case ACTIVATION_JUMP: MAP_BACK(d)
    case ACTIVATION_COSINE: MAP_BACK(-d *vector_sin(v))
    }
}
